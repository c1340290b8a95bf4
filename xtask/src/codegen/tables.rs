//! Generates tables in Markdown pages.

use super::docs::one_line;
use super::vocabulary::{Vocabulary, pascal};

/// Returns the table of errors, for `wit/README.md`.
pub(super) fn errors(vocabulary: &Vocabulary) -> String {
    let rows = vocabulary.errors.iter().map(|error| {
        let code = &error.code;
        format!("| `{}` | {} | {} |\n", code.name, code.number, one_line(&code.docs))
    });
    "| error | core modules | when |\n|---|---|---|\n".to_owned() + &rows.collect::<String>()
}

/// Returns the table of exceptions, for `guest/python/README.md`.
pub(super) fn exceptions(vocabulary: &Vocabulary) -> String {
    let rows = vocabulary.errors.iter().map(|error| {
        let python = error.python.as_ref().map(|name| format!("`{name}`")).unwrap_or_default();
        let (class, docs) = (pascal(&error.code.name), one_line(&error.code.docs));
        format!("| `{class}` | {python} | {docs} |\n")
    });
    "| exception | is also Python's | when |\n|---|---|---|\n".to_owned()
        + &rows.collect::<String>()
}
