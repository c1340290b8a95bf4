//! Generates the declarations in Rust: the imports as the SDK calls them.

use std::fmt::Write;

use super::docs::{one_line, wrapped};
use super::import::{Import, Param, Role};
use super::vocabulary::{Code, Vocabulary, constant, pascal};

/// Returns the imports of a core module, for `guest/src/raw/wasm.rs`.
pub(super) fn imports(vocabulary: &Vocabulary) -> String {
    let (mut safe, mut pointers, mut wrappers) = (String::new(), String::new(), String::new());
    for (import, _) in vocabulary.imports() {
        let (name, answer) = (&import.name, answer(import));
        let params = list(import, |param| format!("{}: {}", name_of(param), raw(param.role)));
        if has_pointers(import) {
            pointers += &format!("pub(super) fn {name}({params}){answer};\n");
            wrappers += &wrapper(import);
        } else {
            safe += &format!("pub(crate) safe fn {name}({params}){answer};\n");
        }
    }
    let block = "#[link(wasm_import_module = \"wpool\")]\nunsafe extern \"C\"";
    format!(
        "//! The imports from the module `wpool`. Written by `cargo xtask codegen` from `wit/`.\n\n\
         use std::mem::MaybeUninit;\n\n\
         {block} {{\n{safe}}}\n\n\
         /// The imports that take pointers.\nmod pointers {{\n{block} {{\n{pointers}}}\n}}\n{wrappers}"
    )
}

/// Returns the same functions for programs without a host, for `guest/src/raw/absent.rs`.
pub(super) fn absent(vocabulary: &Vocabulary) -> String {
    let mut text = "//! The imports outside WebAssembly: no object is found, and none can be created. Written \
                    by\n//! `cargo xtask codegen` from `wit/`.\n\n\
                    use std::mem::MaybeUninit;\n\nuse super::nobody;\nuse crate::code::error as code;\n\n"
        .to_owned();
    for (import, _) in vocabulary.imports() {
        let params = taken(import, |_| "_");
        let params = params.join(", ");
        let body = match import.name.as_str() {
            "process_id" => "std::process::id() as i32",
            "process_slot" | "job_size" | "job_read" => "0",
            "result_write" => "",
            name if name.ends_with("_open") => "code::NOT_FOUND",
            name if name.ends_with("_create") => "code::NO_SPACE",
            _ => "nobody()",
        };
        let doc = match import.name.as_str() {
            "job_size" | "job_read" | "result_write" => "#[cfg(not(feature = \"native\"))]\n",
            _ if is_unsafe(import) => "/// Touches no pointer; `unsafe` because the import is.\n",
            _ => "",
        };
        // Imports without a wrapper are `extern` functions too.
        let kind = match (is_unsafe(import), has_pointers(import)) {
            (true, _) => "unsafe fn",
            (_, true) => "fn",
            _ => "extern \"C\" fn",
        };
        let head = format!("{doc}pub(crate) {kind} {}({params}){}", import.name, answer(import));
        writeln!(text, "{head} {{\n    {body}\n}}\n").expect("a text can be written to");
    }
    text
}

/// Returns the codes of errors and of number types, for `guest/src/code.rs`.
pub(super) fn codes(vocabulary: &Vocabulary) -> String {
    let module = |name: &str, codes: Vec<&Code>| {
        let codes = codes.into_iter().map(|Code { name, number, .. }| {
            format!("pub(crate) const {}: i32 = {number};\n", constant(name))
        });
        format!("pub(crate) mod {name} {{\n{}}}\n", codes.collect::<String>())
    };
    format!(
        "//! The codes of errors, and of types of numbers. Written by `cargo xtask codegen` from \
         `wit/`.\n\n{}\n{}",
        module("error", vocabulary.errors.iter().map(|error| &error.code).collect()),
        module("number", vocabulary.number_types.iter().collect()),
    )
}

/// Returns the arms of a match from a component's errors to codes, for
/// `guest/src/component/mod.rs`.
pub(super) fn component_codes(vocabulary: &Vocabulary) -> String {
    let names = vocabulary.errors.iter().map(|error| error.code.name.as_str());
    let arms = names.map(|name| format!("Error::{} => code::{},\n", pascal(name), constant(name)));
    arms.collect()
}

/// Returns the number types as cases of an enum, for `host/wpool-objects/src/scalar.rs`.
pub(super) fn number_type_cases(vocabulary: &Vocabulary) -> String {
    let codes = vocabulary.number_types.iter();
    let cases = codes.map(|Code { name, docs, number }| {
        format!("/// {}\n{} = {number},\n", one_line(docs), pascal(name))
    });
    cases.collect()
}

/// Returns the kinds of objects with their numbers, as a macro takes them.
pub(super) fn kinds(vocabulary: &Vocabulary) -> String {
    let kinds = vocabulary.kinds().map(|(interface, number)| {
        let about = one_line(&interface.docs);
        let about = about.split_inclusive(". ").next().unwrap_or_default().trim_end();
        let name = &interface.name;
        let about = wrapped(about, "/// ", 96);
        format!("{about}\n{} = {number}: \"{name}\",\n", pascal(name))
    });
    kinds.collect()
}

fn has_pointers(import: &Import) -> bool {
    use Role::*;
    let is_pointer = |role| matches!(role, Text | Bytes | Room | Place | Elements | ElementsRoom);
    import.params.iter().any(|param| is_pointer(param.role))
}

/// Returns the type of a parameter in the import.
fn raw(role: Role) -> &'static str {
    match role {
        Role::Handle | Role::I32 => "i32",
        Role::Text | Role::Bytes | Role::Elements => "*const u8",
        Role::Room | Role::ElementsRoom => "*mut u8",
        Role::Place => "*mut i64",
        Role::Size => "usize",
        Role::U32 => "u32",
        Role::I64 => "i64",
        Role::U64 => "u64",
    }
}

fn answer(import: &Import) -> String {
    import.result.as_ref().map(|ty| format!(" -> {ty}")).unwrap_or_default()
}

fn list(import: &Import, item: impl Fn(&Param) -> String) -> String {
    import.params.iter().map(item).collect::<Vec<_>>().join(", ")
}

/// Returns the name of a parameter, escaped if it is a keyword.
fn name_of(param: &Param) -> &str {
    if param.name == "type" { "r#type" } else { &param.name }
}

/// Returns whether the function is unsafe: its numbers in memory are a pointer and a count, because
/// their type is not known here.
fn is_unsafe(import: &Import) -> bool {
    let mut roles = import.params.iter().map(|param| param.role);
    roles.any(|role| matches!(role, Role::Elements | Role::ElementsRoom))
}

/// Returns the parameters of the function in Rust. Bytes are slices, so their lengths are no
/// parameters.
fn taken<'a>(import: &'a Import, name: impl Fn(&'a Param) -> &'a str) -> Vec<String> {
    let lengths = slices(import).map(|(_, length)| &length.name);
    let lengths: Vec<_> = lengths.collect();
    let params = import.params.iter().filter(|param| !lengths.contains(&&param.name));
    let params = params.map(|param| {
        let ty = match param.role {
            Role::Text => "&str",
            Role::Bytes => "&[u8]",
            Role::Room => "&mut [MaybeUninit<u8>]",
            Role::Place => "&mut MaybeUninit<i64>",
            role => raw(role),
        };
        format!("{}: {ty}", name(param))
    });
    params.collect()
}

/// Returns the parameters that are slices in Rust, each with the parameter of its length.
fn slices(import: &Import) -> impl Iterator<Item = (&Param, &Param)> {
    let is_slice = |role| matches!(role, Role::Text | Role::Bytes | Role::Room);
    let params = import.params.iter().enumerate();
    let slices = params.filter(move |(_, param)| is_slice(param.role));
    slices.map(|(at, param)| (param, import.length_of(at)))
}

/// Returns a function that calls an import with pointers.
fn wrapper(import: &Import) -> String {
    let name = &import.name;
    let arguments = list(import, |param| {
        let slice = slices(import).find(|(_, length)| length.name == param.name);
        match (param.role, slice) {
            (_, Some((slice, _))) => format!("{}.len()", name_of(slice)),
            (Role::Text | Role::Bytes, _) => format!("{}.as_ptr()", name_of(param)),
            (Role::Room, _) => format!("{}.as_mut_ptr().cast()", name_of(param)),
            (Role::Place, _) => format!("{}.as_mut_ptr()", name_of(param)),
            _ => name_of(param).to_owned(),
        }
    });
    let (head, why) = match is_unsafe(import) {
        false => ("#[inline]\npub(crate)", "the host stays inside the slices."),
        true => (
            "/// # Safety\n/// The pointer points to `count` numbers of the array's type.\n#[inline]\n\
             pub(crate) unsafe",
            "as the caller promises.",
        ),
    };
    let (taken, answer) = (taken(import, name_of).join(", "), answer(import));
    format!(
        "\n{head} fn {name}({taken}){answer} {{\n// SAFETY: {why}\n\
         unsafe {{ pointers::{name}({arguments}) }}\n}}\n"
    )
}
