//! Builds the examples in languages other than Rust: each folder of `guest-examples/` that is no
//! package of cargo's, with the usual tools of its language.
//!
//! The examples are built from copies, so that no tool leaves anything among the sources, and only
//! when a source has changed, because some take half a minute. If the tools are missing, an example
//! is skipped with a line that says how to get them; in CI, where `CI` is set, missing tools are an
//! error.

mod c;
mod node;
mod python;
mod sources;

use std::env;
use std::fs;
use std::path::Path;

use crate::Result;
use crate::guests::replace_if_changed;
use sources::Sources;

/// An example, and how it is built.
struct Example {
    name: &'static str,
    /// The files and folders that the example is built from.
    sources: &'static [&'static str],
    /// The source text of the functions below; a change of it rebuilds the example.
    recipe: &'static str,
    /// Makes sure that the tools are there; an error says how to get them.
    prepare: fn(&Sources) -> Result,
    /// Makes the module in the copy of the example's folder, as `target/NAME.wasm`.
    build: fn(&Sources) -> Result,
}

const EXAMPLES: [Example; 4] = [
    Example {
        name: "assemblyscript",
        sources: &["guest-examples/assemblyscript", "guest/assemblyscript"],
        recipe: include_str!("languages/node.rs"),
        prepare: node::prepare,
        build: node::build,
    },
    Example {
        name: "c",
        sources: &["guest-examples/c", "guest/c"],
        recipe: include_str!("languages/c.rs"),
        prepare: c::prepare,
        build: c::build,
    },
    Example {
        name: "javascript",
        sources: &["guest-examples/javascript", "wit"],
        recipe: include_str!("languages/node.rs"),
        prepare: node::prepare,
        build: node::build,
    },
    Example {
        name: "python",
        sources: &["guest-examples/python", "guest/python", "wit"],
        recipe: include_str!("languages/python.rs"),
        prepare: python::prepare,
        build: python::build,
    },
];

/// Builds the examples whose sources have changed into `guests`. Each example has a folder in
/// `kept` for what is kept from build to build.
pub fn build(kept: &Path, guests: &Path) -> Result {
    for example in &EXAMPLES {
        let kept = kept.join(example.name);
        let module = format!("{}.wasm", example.name);
        let sources = Sources::read(example.name, example.sources, &kept)?;
        let fingerprint = sources.fingerprint(example.recipe);
        let built = kept.join("built");
        if guests.join(&module).exists()
            && fs::read_to_string(&built).is_ok_and(|last| last == fingerprint)
        {
            continue;
        }
        sources.copy()?;
        if let Err(error) = (example.prepare)(&sources) {
            if env::var_os("CI").is_some() {
                return Err(error);
            }
            println!("skipped: target/guests/{module}: {error}");
            continue;
        }
        (example.build)(&sources)?;
        let from = sources.folder().join("target").join(&module);
        if replace_if_changed(&from, &guests.join(&module))? {
            println!("target/guests/{module}");
        }
        fs::write(&built, fingerprint)?;
    }
    Ok(())
}
