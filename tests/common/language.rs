//! The examples in other languages than Rust.

use super::run::{Wpool, wpool};
use std::path::{Path, PathBuf};

/// The time to compile an interpreter on a busy machine, in seconds.
const SECONDS_MAX: u64 = 300;

/// Returns the example in a language. Returns `None`, so that the test is skipped, if the example
/// was not built because tools are missing.
pub(crate) fn example(language: &'static str) -> Option<Example> {
    let module = super::root().join(format!("target/guests/{language}.wasm"));
    if !module.exists() {
        assert!(std::env::var_os("CI").is_none(), "target/guests/{language}.wasm is missing");
        println!("skipped: `cargo xtask guests` says what {language} needs");
        return None;
    }
    Some(Example { language, module })
}

/// An example in another language.
pub(crate) struct Example {
    language: &'static str,
    module: PathBuf,
}

impl Example {
    /// Returns a run of `wpool map` for a task.
    pub(crate) fn map(&self, task: &str) -> Wpool {
        self.start("map").arg("--task").arg(self.name(task))
    }

    /// Returns a run of `wpool run`, whose calls name tasks as the language does.
    pub(crate) fn run(&self) -> Wpool {
        self.start("run")
    }

    /// Returns the name of a task in the language: names of components have no `_`.
    pub(crate) fn name(&self, task: &str) -> String {
        match self.language {
            "javascript" | "python" => task.replace('_', "-"),
            _ => task.to_owned(),
        }
    }

    /// Starts a run with the cache that all tests share, because an interpreter takes seconds to
    /// compile. The key that entries are sealed with is shared, too: each test would compile anew without it.
    fn start(&self, subcommand: &str) -> Wpool {
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("languages");
        std::fs::create_dir_all(&cache).expect("the folder for temporary files is writable");
        let state = cache.join("state");
        let run = wpool([subcommand]).env("XDG_CACHE_HOME", cache).env("XDG_STATE_HOME", state);
        run.arg(&self.module).within(SECONDS_MAX)
    }
}
