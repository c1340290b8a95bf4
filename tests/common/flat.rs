//! The functions of module `wpool` that core modules import, as `wit/` documents them.

use std::collections::BTreeMap;
use std::fs;

/// A function, flat: `lock_acquire(handle: i32, timeout_ns: i64) -> i32`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flat {
    /// What it is imported as.
    pub(crate) name: String,
    /// Names and types.
    pub(crate) params: Vec<(String, String)>,
    /// The type.
    pub(crate) result: Option<String>,
}

impl Flat {
    /// Reads a signature; `None` if the text is none.
    pub(crate) fn parse(text: &str) -> Option<Flat> {
        let (name, rest) = text.split_once('(')?;
        let (params, result) = rest.split_once(')')?;
        let is_name = |name: &str| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let params = params.split(", ").filter(|param| !param.is_empty());
        let params = params.map(|param| {
            let (name, ty) = param.split_once(": ")?;
            Some((name.to_owned(), ty.to_owned()))
        });
        let result = match result {
            "" => None,
            _ => Some(result.strip_prefix(" -> ")?.to_owned()),
        };
        let params = params.collect::<Option<Vec<_>>>()?;
        is_name(name).then(|| Flat { name: name.to_owned(), params, result })
    }

    /// Its import in a module's text, under the name `$NAME`.
    pub(crate) fn import(&self) -> String {
        let params: Vec<&str> = self.params.iter().map(|(_, ty)| ty.as_str()).collect();
        let params = params.join(" ");
        let result = self.result.as_ref().map(|ty| format!("(result {ty})")).unwrap_or_default();
        let name = &self.name;
        format!("(import \"wpool\" \"{name}\" (func ${name} (param {params}) {result}))\n")
    }

    /// A call of it. What is not among the arguments is 0.
    pub(crate) fn call(&self, arguments: &[(&str, i64)]) -> String {
        let params = self.params.iter().map(|(name, ty)| {
            let given = arguments.iter().find(|(argument, _)| argument == name);
            format!("({ty}.const {})", given.map_or(0, |(_, number)| *number))
        });
        format!("(call ${} {})", self.name, params.collect::<Vec<_>>().join(" "))
    }

    /// The same, whose result is dropped.
    pub(crate) fn drop(&self, arguments: &[(&str, i64)]) -> String {
        let call = self.call(arguments);
        if self.result.is_some() { format!("(drop {call})") } else { call }
    }

    /// Whether it has a parameter of this name.
    pub(crate) fn takes(&self, param: &str) -> bool {
        self.params.iter().any(|(name, _)| name == param)
    }
}

/// The signatures in back quotes in a text.
fn quoted(text: &str) -> Vec<Flat> {
    text.split('`').skip(1).step_by(2).filter_map(Flat::parse).collect()
}

/// The functions that the documentation of an item says are its own in core modules.
pub(crate) fn of_docs(docs: &str) -> Vec<Flat> {
    let words = docs.split_whitespace().collect::<Vec<_>>().join(" ");
    words.split_once("Core modules:").map_or(Vec::new(), |(_, rest)| quoted(rest))
}

/// The files of `wit/` by name, and what is in them.
pub(crate) fn files() -> BTreeMap<String, String> {
    let folder = super::root().join("wit");
    let files = fs::read_dir(folder).expect("wit/ is there").map(|entry| {
        let path = entry.expect("is readable").path();
        let name = path.file_name().expect("is a file").to_string_lossy().into_owned();
        (name, fs::read_to_string(&path).expect("is text"))
    });
    files.collect()
}

/// All functions that `wit/` documents, by name: those of interfaces, and those for core modules only.
pub(crate) fn documented() -> Vec<Flat> {
    let mut all = BTreeMap::new();
    let mut add = |flat: Flat| {
        let name = flat.name.clone();
        let before = all.insert(name, flat.clone());
        assert!(before.is_none_or(|before| before == flat), "documented twice: {flat:?}");
    };
    for (name, text) in files() {
        if name.ends_with(".md") {
            quoted(&text).into_iter().for_each(&mut add);
            continue;
        }
        let mut docs = String::new();
        for line in text.lines() {
            match line.trim_start().strip_prefix("///") {
                Some(line) => docs += line,
                None => of_docs(&std::mem::take(&mut docs)).into_iter().for_each(&mut add),
            }
        }
    }
    all.into_values().collect()
}

/// The imports of functions in the text of a module.
pub(crate) fn imports(functions: &[Flat]) -> String {
    functions.iter().map(Flat::import).collect()
}

/// A module with all functions, these, and one page of memory, in which each letter stands at the
/// address of its own code, so that 97 is the address of the name `a`; at 64 there is a byte that is not
/// UTF-8.
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
