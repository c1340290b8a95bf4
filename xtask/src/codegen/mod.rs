//! `cargo xtask codegen`: generates code and tables from `wit/`.
//!
//! The generated text is checked in. A file is generated as a whole, or has blocks between comments
//! `codegen: NAME` and `codegen: end`. A test fails if a file is not current.

mod assemblyscript;
mod blocks;
mod c;
mod docs;
mod errors;
mod flat;
mod import;
mod message;
mod python;
mod rust;
mod tables;
mod vocabulary;

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use crate::{Result, root};
use vocabulary::Vocabulary;

/// A file, and the text that is generated into it.
struct File {
    path: &'static str,
    content: Content,
}

enum Content {
    Whole(String),
    Blocks(Vec<(&'static str, String)>),
}

/// Writes all files that are not current.
pub fn run() -> Result {
    for (path, text) in stale()? {
        let file = root().join(path);
        fs::create_dir_all(file.parent().expect("it lies in the repository"))?;
        fs::write(file, text)?;
        println!("{path}");
    }
    Ok(())
}

/// Returns the files that are not current, with the text that they should have.
fn stale() -> Result<Vec<(&'static str, String)>> {
    let vocabulary = Vocabulary::read(&root().join("wit"))?;
    let mut stale = Vec::new();
    for File { path, content } in files(&vocabulary) {
        let wrong = |why: Box<dyn std::error::Error>| format!("{path}: {why}");
        // A file that is generated as a whole may not exist yet.
        let is = fs::read_to_string(root().join(path)).unwrap_or_default();
        let mut text = match content {
            Content::Whole(text) => text,
            Content::Blocks(blocks) => {
                let replace = |file: String, (name, block): (&str, String)| {
                    blocks::replaced(&file, name, &block)
                };
                blocks.into_iter().try_fold(is.clone(), replace).map_err(wrong)?
            }
        };
        if path.ends_with(".rs") {
            text = formatted(&text).map_err(wrong)?;
        }
        if text != is {
            stale.push((path, text));
        }
    }
    Ok(stale)
}

/// Returns the files with generated text.
fn files(vocabulary: &Vocabulary) -> Vec<File> {
    let mut files = host_files(vocabulary);
    files.extend(guest_files(vocabulary));
    let errors = Content::Blocks(vec![("errors", tables::errors(vocabulary))]);
    files.push(file("wit/README.md", errors));
    files
}

fn file(path: &'static str, content: Content) -> File {
    File { path, content }
}

/// Returns the files of the host that have generated text.
fn host_files(vocabulary: &Vocabulary) -> Vec<File> {
    use Content::Blocks;
    use errors::{CONTROL, LIBRARY};
    let of_control =
        |error: &vocabulary::ErrorCode| format!("control::{}", CONTROL.pattern(vocabulary, error));
    let number = |error: &vocabulary::ErrorCode| error.code.number.to_string();
    let in_wit = |error: &vocabulary::ErrorCode| {
        format!("types::Error::{}", vocabulary::pascal(&error.code.name))
    };
    vec![
        file(
            "host/wpool-objects/src/error.rs",
            Blocks(vec![
                ("cases", CONTROL.variants(vocabulary)),
                ("codes", CONTROL.arms(vocabulary, number)),
                ("messages", CONTROL.messages(vocabulary)),
            ]),
        ),
        file("host/wpool-objects/src/object.rs", Blocks(vec![("kinds", rust::kinds(vocabulary))])),
        file(
            "host/wpool-objects/src/scalar.rs",
            Blocks(vec![("number-types", rust::number_type_cases(vocabulary))]),
        ),
        file(
            "host/wpool-worker/src/imports/component/types.rs",
            Blocks(vec![("errors", CONTROL.arms(vocabulary, in_wit))]),
        ),
        file(
            "host/wpool/src/embed/shared/handle.rs",
            Blocks(vec![("kinds", rust::kinds(vocabulary))]),
        ),
        file(
            "host/wpool/src/embed/shared/error.rs",
            Blocks(vec![
                ("cases", LIBRARY.variants(vocabulary)),
                ("made", LIBRARY.made(vocabulary, of_control)),
                ("messages", LIBRARY.messages(vocabulary)),
            ]),
        ),
    ]
}

/// Returns the files of the SDKs that have generated text.
fn guest_files(vocabulary: &Vocabulary) -> Vec<File> {
    use Content::{Blocks, Whole};
    use errors::SDK;
    let quoted = |error: &vocabulary::ErrorCode| format!("{:?}", error.code.name);
    vec![
        file(
            "guest/src/error.rs",
            Blocks(vec![
                ("cases", SDK.variants(vocabulary)),
                ("made", SDK.made(vocabulary, errors::code)),
                ("names", SDK.arms(vocabulary, quoted)),
                ("messages", SDK.messages(vocabulary)),
            ]),
        ),
        file("guest/src/code.rs", Whole(rust::codes(vocabulary))),
        file("guest/src/raw/wasm.rs", Whole(rust::imports(vocabulary))),
        file("guest/src/raw/absent.rs", Whole(rust::absent(vocabulary))),
        file(
            "guest/src/component/mod.rs",
            Blocks(vec![
                ("kinds", rust::kinds(vocabulary)),
                ("errors", rust::component_codes(vocabulary)),
            ]),
        ),
        file(
            "guest/c/wpool.h",
            Blocks(vec![
                ("errors", c::errors(vocabulary)),
                ("number-types", c::number_types(vocabulary)),
                ("functions", c::functions(vocabulary)),
            ]),
        ),
        file("guest/assemblyscript/imports.ts", Whole(assemblyscript::imports(vocabulary))),
        file(
            "guest/python/wpool/errors.py",
            Blocks(vec![
                ("names", python::names(vocabulary)),
                ("classes", python::classes(vocabulary)),
                ("table", python::table(vocabulary)),
            ]),
        ),
        file(
            "guest/python/README.md",
            Blocks(vec![("exceptions", tables::exceptions(vocabulary))]),
        ),
    ]
}

/// Formats a file's text as `cargo fmt` does.
fn formatted(text: &str) -> Result<String> {
    let mut rustfmt = Command::new("rustfmt");
    rustfmt.args(["--edition", "2024", "--config-path"]).arg(root());
    let mut rustfmt = rustfmt.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut stdin = rustfmt.stdin.take().expect("it is piped");
    let text = text.to_owned();
    // A thread writes while this one reads, so that neither pipe can block the other.
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = rustfmt.wait_with_output()?;
    writer.join().expect("it does not panic")?;
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout)?),
        false => Err("rustfmt does not take it".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_checked_in_is_what_wit_says() {
        let stale = stale().unwrap();
        let paths: Vec<_> = stale.iter().map(|(path, _)| *path).collect();
        assert!(paths.is_empty(), "run `cargo xtask codegen`: not current: {paths:?}");
    }
}
