//! The examples in other languages than Rust.

use super::run::{Wpool, wpool};
use std::path::{Path, PathBuf};

/// Long enough to compile an interpreter on a machine that has much else to do.
const SECONDS_MAX: u64 = 300;

/// The example in a language, if it was built: where its tools are missing, it is skipped.
pub(crate) fn example(language: &'static str) -> Option<Example> {
    let module = super::root().join(format!("target/guests/{language}.wasm"));
    if !module.exists() {
        assert!(std::env::var_os("CI").is_none(), "target/guests/{language}.wasm is missing");
        println!("skipped: `cargo xtask guests` says what {language} needs");
        return None;
    }
    Some(Example { language, module })
}

/// An example.
pub(crate) struct Example {
    language: &'static str,
    module: PathBuf,
}

impl Example {
    /// `wpool map` of a task.
    pub(crate) fn map(&self, task: &str) -> Wpool {
        self.start("map").arg("--task").arg(self.name(task))
    }

    /// `wpool run`, of calls that name tasks as the language does.
    pub(crate) fn run(&self) -> Wpool {
        self.start("run")
    }

    /// What a task is called: names of components have no `_`.
    pub(crate) fn name(&self, task: &str) -> String {
        match self.language {
            "javascript" | "python" => task.replace('_', "-"),
            _ => task.to_owned(),
        }
    }

    /// All tests share a cache: an interpreter takes seconds to compile.
    fn start(&self, subcommand: &str) -> Wpool {
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("languages");
        std::fs::create_dir_all(&cache).expect("the folder for temporary files is writable");
        wpool([subcommand]).env("XDG_CACHE_HOME", cache).arg(&self.module).within(SECONDS_MAX)
    }
}
