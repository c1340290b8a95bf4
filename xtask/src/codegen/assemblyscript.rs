//! Generates the declarations in AssemblyScript: `guest/assemblyscript/imports.ts`.

use std::fmt::Write;

use super::docs::{one_line, wrapped};
use super::import::{Import, Role};
use super::vocabulary::{Vocabulary, constant};

/// The names of parameters that AssemblyScript reserves.
const KEYWORDS: [&str; 4] = ["default", "delete", "new", "this"];

/// Returns the declarations of all functions, and the codes of errors and of number types.
pub(super) fn imports(vocabulary: &Vocabulary) -> String {
    let mut text = "/**\n * The imports from the module `wpool`. Written by `cargo xtask codegen` from `wit/`.\n \
                    */\n\n"
        .to_owned();
    let codes = vocabulary.errors.iter().map(|error| &error.code);
    for (what, code) in codes
        .map(|code| ("", code))
        .chain(vocabulary.number_types.iter().map(|code| ("NUMBER_TYPE_", code)))
    {
        let name = constant(&code.name);
        let docs = comment(&code.docs);
        writeln!(text, "{docs}export const {what}{name}: i32 = {};", code.number)
            .expect("a text can be written to");
    }
    for (import, docs) in vocabulary.imports() {
        text += &format!("\n{}{}", comment(&docs), declaration(import));
    }
    text
}

fn comment(text: &str) -> String {
    let text = wrapped(&one_line(text), " * ", 97);
    format!("/** {} */\n", text.trim_start_matches(" * "))
}

fn declaration(import: &Import) -> String {
    let params = import.params.iter().map(|param| {
        let ty = match param.role {
            Role::Handle | Role::I32 => "i32",
            Role::U32 => "u32",
            Role::I64 => "i64",
            Role::U64 => "u64",
            _ => "usize",
        };
        format!("{}: {ty}", param.name_without(&KEYWORDS))
    });
    let params = params.collect::<Vec<_>>().join(", ");
    let (name, result) = (&import.name, import.result.as_deref().unwrap_or("void"));
    format!(
        "// @ts-ignore: decorator\n@external(\"wpool\", \"{name}\")\n\
         export declare function {name}({params}): {result};\n"
    )
}
