//! Generates the declarations in C, for `guest/c/wpool.h`.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::docs::{Docs, one_line, wrapped};
use super::flat::Flat;
use super::import::{Import, Param, Role};
use super::vocabulary::{Function, Interface, Vocabulary, constant};

const WIDTH: usize = 100;

/// The names of parameters that C or C++ reserves.
const KEYWORDS: [&str; 6] = ["default", "delete", "int", "new", "this", "union"];

/// Returns the cases of `enum wpool_error`.
pub(super) fn errors(vocabulary: &Vocabulary) -> String {
    let mut text = String::new();
    for error in &vocabulary.errors {
        let docs = words(&error.code.docs, vocabulary, None);
        case(&mut text, &docs, &format!("WPOOL_{}", constant(&error.code.name)), error.code.number);
    }
    text
}

/// Returns the cases of `enum wpool_type`.
pub(super) fn number_types(vocabulary: &Vocabulary) -> String {
    let mut text = String::new();
    for code in &vocabulary.number_types {
        case(&mut text, &code.docs, &format!("WPOOL_{}", constant(&code.name)), code.number);
    }
    text
}

fn case(text: &mut String, docs: &str, name: &str, number: i32) {
    let docs = comment(docs);
    writeln!(text, "{docs}{name} = {number},").expect("a text can be written to");
}

/// Returns the declarations of all functions that have an interface, by interface.
pub(super) fn functions(vocabulary: &Vocabulary) -> String {
    let mut text = String::new();
    // The functions of all objects are declared by hand.
    let mut seen = BTreeSet::from(["object_close".to_owned(), "object_delete".to_owned()]);
    for interface in &vocabulary.interfaces {
        let about = words(&interface.docs, vocabulary, Some(interface));
        writeln!(text, "{}", comment(&format!("---- {} ---- {about}", interface.name)))
            .expect("a text can be written to");
        for function in &interface.functions {
            let new: Vec<_> =
                function.core.iter().filter(|core| seen.insert(core.name.clone())).collect();
            if new.is_empty() {
                continue;
            }
            text += &said(function, interface, vocabulary);
            new.iter().for_each(|import| text += &declaration(import, interface));
            text.push('\n');
        }
        for field in &interface.fields {
            if seen.insert(field.core.name.clone()) {
                text += &comment(&words(&field.docs, vocabulary, Some(interface)));
                text += &declaration(&field.core, interface);
                text.push('\n');
            }
        }
    }
    text.trim_end().to_owned() + "\n"
}

/// Returns a comment; each line of the text begins a new line.
fn comment(text: &str) -> String {
    let parts = text.lines().map(|part| wrapped(part, " * ", WIDTH - 3));
    let text = parts.collect::<Vec<_>>().join("\n");
    format!("/* {} */\n", text.trim_start_matches(&[' ', '*'][..]))
}

/// Returns a comment with the documentation of a function.
fn said(function: &Function, interface: &Interface, vocabulary: &Vocabulary) -> String {
    let Docs { about, arguments, answers, traps, blocks, core } = &function.docs;
    let import = &function.core[0];
    let of_object = import.params.first().is_some_and(|param| param.role == Role::Handle);
    let object = format!("the {}", interface.name);
    let arguments = match (of_object, arguments.as_str()) {
        (true, "none.") => format!("{object}."),
        (true, _) => format!("{object}; {arguments}"),
        (false, _) => arguments.clone(),
    };
    let answers = match answers.strip_prefix("nothing") {
        Some(rest) if import.result.is_some() => format!("0{rest}"),
        _ if import.makes_handle() => answers.replacen(&object, "a handle", 1),
        _ => answers.clone(),
    };
    let traps = if traps == "never." { "as said above." } else { traps };
    // The rest follows the function's own signature.
    let rest = core.split_once('`').and_then(|(_, rest)| rest.split_once('`'));
    let rest = rest.map_or("", |(_, rest)| rest).trim_start_matches([',', ';', '.', ' ']);
    let note = if rest.is_empty() { String::new() } else { format!("\nIn C: {rest}") };
    let rules =
        format!("Arguments: {arguments} Answers: {answers} Traps: {traps} Blocks: {blocks}");
    let text = format!("{about}\n{rules}{note}");
    let parts = text.lines().map(|part| words(part, vocabulary, Some(interface)));
    comment(&parts.collect::<Vec<_>>().join("\n"))
}

/// Rewrites a text of WIT for C: the names of errors and functions become those of the header.
fn words(text: &str, vocabulary: &Vocabulary, interface: Option<&Interface>) -> String {
    let text = one_line(text);
    let parts = text.split('`').enumerate().map(|(at, part)| match at % 2 {
        0 => part.to_owned(),
        _ => word(part, vocabulary, interface),
    });
    parts.collect()
}

fn word(word: &str, vocabulary: &Vocabulary, interface: Option<&Interface>) -> String {
    let imports = vocabulary.interfaces.iter().flat_map(|interface| &interface.functions);
    let imports = imports.flat_map(|function| &function.core).map(|import| import.name.as_str());
    let name = word.replace(['-', '.'], "_");
    let method = interface.map(|interface| format!("{}_{name}", interface.name));
    let bare = name.strip_prefix("process_").unwrap_or(&name);
    if vocabulary.errors.iter().any(|error| error.code.name == word) || word == "owner-died" {
        return format!("WPOOL_{}", constant(word));
    }
    if let Some(flat) = Flat::parse(word) {
        return format!("wpool_{}", flat.name);
    }
    let known: BTreeSet<&str> = imports.collect();
    match method {
        Some(method) if known.contains(method.as_str()) => format!("wpool_{method}"),
        _ if known.contains(bare) => format!("wpool_{bare}"),
        _ => word.to_owned(),
    }
}

/// Returns a function's declaration, on one line if it fits.
fn declaration(import: &Import, interface: &Interface) -> String {
    let result = match &import.result {
        None => "void",
        Some(_) if import.makes_handle() => "wpool_handle",
        Some(ty) if ty == "i64" => "int64_t",
        Some(_) => "int32_t",
    };
    let params: Vec<String> =
        import.params.iter().map(|param| parameter(param, interface)).collect();
    let params = if params.is_empty() { vec!["void".to_owned()] } else { params };
    let start = format!("WPOOL_IMPORT(\"{}\")", import.name);
    let head = format!("{result} wpool_{}(", import.name);
    let whole = format!("{head}{});", params.join(", "));
    if start.len() + 1 + whole.len() <= WIDTH {
        return format!("{start} {whole}\n");
    }
    let mut lines = vec![head.clone()];
    for (at, param) in params.iter().enumerate() {
        let end = if at + 1 == params.len() { ");" } else { "," };
        let line = lines.last_mut().expect("the first");
        let space = if line.ends_with('(') || line.trim().is_empty() { "" } else { " " };
        if line.len() + space.len() + param.len() + end.len() > WIDTH {
            lines.push(" ".repeat(head.len()) + param + end);
        } else {
            *line += &format!("{space}{param}{end}");
        }
    }
    format!("{start}\n{}\n", lines.join("\n"))
}

fn parameter(param: &Param, interface: &Interface) -> String {
    let name = match param.name.as_str() {
        "handle" => interface.name.clone(),
        _ => param.name_without(&KEYWORDS),
    };
    match param.role {
        Role::Handle => format!("wpool_handle {name}"),
        Role::Text => format!("const char *{name}"),
        Role::Bytes | Role::Elements => format!("const void *{name}"),
        Role::Room | Role::ElementsRoom => format!("void *{name}"),
        Role::Place => format!("int64_t *{name}"),
        Role::Size => format!("size_t {name}"),
        Role::I32 => format!("int32_t {name}"),
        Role::U32 => format!("uint32_t {name}"),
        Role::I64 => format!("int64_t {name}"),
        Role::U64 => format!("uint64_t {name}"),
    }
}
