//! Generates the exceptions in Python, for `guest/python/wpool/errors.py`.

use super::docs::{one_line, wrapped};
use super::vocabulary::{ErrorCode, Vocabulary, constant, pascal};

const WIDTH: usize = 100;

/// Returns the classes.
pub(super) fn classes(vocabulary: &Vocabulary) -> String {
    let classes = vocabulary.errors.iter().map(|error| {
        // The error of a message with a culprit is a death.
        let base =
            if error.message.holes().any(|hole| hole == "culprit") { "Death" } else { "Error" };
        let python = error.python.as_ref().map(|name| format!(", {name}")).unwrap_or_default();
        let docs = docs(&error.code.docs);
        format!("class {}({base}{python}):\n{docs}\n", pascal(&error.code.name))
    });
    classes.collect::<Vec<_>>().join("\n\n")
}

/// Returns the names of the classes, for `__all__`.
pub(super) fn names(vocabulary: &Vocabulary) -> String {
    let mut names: Vec<_> =
        vocabulary.errors.iter().map(|error| pascal(&error.code.name)).collect();
    names.sort();
    names.iter().map(|name| format!("\"{name}\",\n")).collect()
}

/// Returns the table from answers to exceptions and their messages.
pub(super) fn table(vocabulary: &Vocabulary) -> String {
    let rows = vocabulary.errors.iter().map(|error| {
        let (answer, class) = (constant(&error.code.name), pascal(&error.code.name));
        format!("Answer.{answer}: (\n    {class},\n{}),\n", strings(&message(error)))
    });
    rows.collect()
}

/// Returns the message, with `{}` for the object's kind and name.
fn message(error: &ErrorCode) -> String {
    let about_object = error.message.holes().any(|hole| hole == "object");
    let text = error.message.filled(|hole| (hole == "object").then(|| "{}".to_owned()));
    if about_object { text } else { format!("{{}}: {text}") }
}

fn docs(text: &str) -> String {
    let text = one_line(text).replace('`', "");
    let one = format!("    \"\"\"{text}\"\"\"");
    if one.len() <= WIDTH {
        return one;
    }
    let (first, rest) = text.split_once(". ").unwrap_or((&text, ""));
    match rest {
        "" => format!("    \"\"\"{}\n    \"\"\"", wrapped(first, "    ", WIDTH - 3).trim_start()),
        _ => format!(
            "    \"\"\"{}.\n\n{}\n    \"\"\"",
            wrapped(first, "    ", WIDTH - 4).trim_start(),
            wrapped(rest, "    ", WIDTH)
        ),
    }
}

/// Returns a text as string literals, one a line.
fn strings(text: &str) -> String {
    let lines = wrapped(text, "", WIDTH - 12);
    let lines: Vec<&str> = lines.lines().collect();
    let count = lines.len();
    let lines = lines.iter().enumerate().map(|(at, line)| {
        let end = if at + 1 == count { "\",\n" } else { " \"\n" };
        format!("    \"{line}{end}")
    });
    lines.collect()
}
