//! The functions of module `wpool` that core modules import, as documented in `wit/`.

use std::collections::BTreeMap;
use std::fs;

#[path = "../../xtask/src/codegen/flat.rs"]
mod grammar;

pub(crate) use grammar::Flat;
use grammar::quoted;

impl Flat {
    /// Returns the import of the function in a module's text, under the name `$NAME`.
    pub(crate) fn import(&self) -> String {
        let params: Vec<&str> = self.params.iter().map(|(_, ty)| ty.as_str()).collect();
        let params = params.join(" ");
        let result = self.result.as_ref().map(|ty| format!("(result {ty})")).unwrap_or_default();
        let name = &self.name;
        format!("(import \"wpool\" \"{name}\" (func ${name} (param {params}) {result}))\n")
    }

    /// Returns a call of the function. Parameters without an argument are 0.
    pub(crate) fn call(&self, arguments: &[(&str, i64)]) -> String {
        let params = self.params.iter().map(|(name, ty)| {
            let given = arguments.iter().find(|(argument, _)| argument == name);
            format!("({ty}.const {})", given.map_or(0, |(_, number)| *number))
        });
        format!("(call ${} {})", self.name, params.collect::<Vec<_>>().join(" "))
    }

    /// Returns a call of the function whose result is dropped.
    pub(crate) fn drop(&self, arguments: &[(&str, i64)]) -> String {
        let call = self.call(arguments);
        if self.result.is_some() { format!("(drop {call})") } else { call }
    }

    /// Returns whether the function has a parameter of this name.
    pub(crate) fn takes(&self, param: &str) -> bool {
        self.params.iter().any(|(name, _)| name == param)
    }
}

/// Returns all functions that `wit/` documents, by name: those of interfaces, and those for core
/// modules only.
pub(crate) fn documented() -> Vec<Flat> {
    let folder = super::root().join("wit");
    let files = fs::read_dir(folder).expect("wit/ is there");
    let texts = files.map(|file| {
        let path = file.expect("is readable").path();
        fs::read_to_string(path).expect("is text").replace("///", "")
    });
    let all = texts.flat_map(|text| quoted(&text));
    let all: BTreeMap<_, _> = all.map(|flat| (flat.name.clone(), flat)).collect();
    all.into_values().collect()
}

/// Returns the imports of functions in the text of a module.
pub(crate) fn imports(functions: &[Flat]) -> String {
    functions.iter().map(Flat::import).collect()
}

/// Returns a module with all functions, these functions, and one page of memory. Each letter stands
/// at the address of its own code, so that 97 is the address of the name `a`; at 64 there is a byte
/// that is not UTF-8.
pub(crate) fn module(functions: &str) -> String {
    format!(
        r#"(module {}
        (memory (export "memory") 1)
        (data (i32.const 64) "\ff")
        (data (i32.const 97) "abcdefghijklmnopqrstuvwxyz")
        {functions})"#,
        imports(&documented())
    )
}
