//! Generates the error types in Rust: the host's own, that of its library, and that of the SDK.
//! Each type has the cases of `types.error`, with the fields that its errors know.

use std::fmt::Write;

use super::docs::{one_line, wrapped};
use super::vocabulary::{ErrorCode, Vocabulary, constant, pascal};

/// An error type.
pub(super) struct Front {
    /// The name of the type.
    name: &'static str,
    /// The fillings for the holes of messages.
    holes: &'static [Hole],
    /// The case that the type lacks.
    without: Option<&'static str>,
}

/// The filling for a hole of messages.
struct Hole {
    name: &'static str,
    /// The text that fills the hole, as `write!` takes it.
    format: &'static str,
    /// The argument of `write!` for the text, if it is not a field.
    argument: &'static str,
    /// The field of the cases whose messages have such a hole.
    field: Option<Field>,
}

/// A field of cases.
#[derive(Clone, Copy)]
struct Field {
    name: &'static str,
    ty: &'static str,
    docs: &'static str,
    /// The value of the field, in an error that is made from a code or from another error.
    value: &'static str,
}

impl Hole {
    /// Makes a hole that is filled with the same words each time.
    const fn fixed(name: &'static str, words: &'static str) -> Hole {
        Hole { name, format: words, argument: "", field: None }
    }

    /// Makes a hole that is filled with a field.
    const fn field(name: &'static str, format: &'static str, field: Field) -> Hole {
        Hole { name, format, argument: "", field: Some(field) }
    }

    /// Makes the hole for the process whose death or abort caused the error.
    const fn culprit(ty: &'static str, value: &'static str) -> Hole {
        let docs = "The slot of the process whose death or abort caused the error, if it is known.";
        let field = Field { name: "culprit", ty, docs, value };
        Hole { name: "culprit", format: "{}", argument: "by(*culprit)", field: Some(field) }
    }
}

const OBJECT: Field = Field {
    name: "object",
    ty: "String",
    docs: "The object's kind and name, such as lock `guard`.",
    value: "object()",
};

const KIND: Field =
    Field { name: "kind", ty: "Kind", docs: "The kind of the object with this name.", value: "" };

/// The type `wpool_objects::Error`.
pub(super) const CONTROL: Front = Front {
    name: "Error",
    holes: &[
        Hole::culprit("Option<Owner>", ""),
        Hole::field("kind", "{kind:#}", KIND),
        Hole::fixed("object", "object"),
    ],
    without: None,
};

/// The type `wpool::SharedError`.
pub(super) const LIBRARY: Front = Front {
    name: "SharedError",
    holes: &[
        Hole::culprit("Option<u32>", "culprit.map(|owner| owner.slot.into())"),
        Hole::field("kind", "{kind:#}", Field { ty: "ObjectKind", value: "kind.into()", ..KIND }),
        Hole::field("object", "{object}", OBJECT),
        Hole::field("new", "{object}", OBJECT),
        Hole::field(
            "holds",
            "{holds}",
            Field {
                name: "holds",
                ty: "&'static str",
                docs: "The type of the object's numbers.",
                value: "\"another type\"",
            },
        ),
        Hole::field(
            "limits",
            "{limits}",
            Field { name: "limits", ty: "String", docs: "The limits.", value: "limits()" },
        ),
        Hole::fixed("who", "thread"),
        Hole::fixed("space", "the state more space"),
        Hole::fixed("also", ""),
    ],
    // Nobody interrupts a thread of the program.
    without: Some("interrupted"),
};

/// The type `wpool_guest::Error`.
pub(super) const SDK: Front = Front {
    name: "Error",
    holes: &[
        Hole::culprit("Option<u32>", "culprit()"),
        Hole::field("object", "{object}", Field { value: "object", ..OBJECT }),
    ],
    without: None,
};

impl Front {
    /// Returns the cases, each with its name and the known holes of its message.
    fn cases<'a>(
        &'a self,
        vocabulary: &'a Vocabulary,
    ) -> impl Iterator<Item = (&'a ErrorCode, String, Vec<&'a Hole>)> {
        let errors = vocabulary.errors.iter();
        let errors = errors.filter(|error| self.without != Some(&error.code.name));
        errors.map(|error| {
            let known = |name| self.holes.iter().find(|hole| hole.name == name);
            let holes = error.message.holes().filter_map(known).collect();
            (error, pascal(&error.code.name), holes)
        })
    }

    /// Returns the cases of the type's definition.
    pub(super) fn variants(&self, vocabulary: &Vocabulary) -> String {
        let mut text = String::new();
        for (error, name, holes) in self.cases(vocabulary) {
            let docs = wrapped(&one_line(&error.code.docs), "    /// ", 100);
            let fields = holes.iter().filter_map(|hole| hole.field);
            let fields = fields.map(|Field { name, ty, docs, .. }| {
                format!("        /// {docs}\n        {name}: {ty},\n")
            });
            let fields = braced(fields.collect(), "\n    ");
            writeln!(text, "{docs}\n    {name}{fields},").expect("a text can be written to");
        }
        text
    }

    /// Returns the arms of a match that makes an error from a code, or from the host's own error.
    pub(super) fn made(
        &self,
        vocabulary: &Vocabulary,
        of: impl Fn(&ErrorCode) -> String,
    ) -> String {
        let mut text = String::new();
        for (error, name, holes) in self.cases(vocabulary) {
            let values = holes.iter().filter_map(|hole| hole.field).map(|field| match field {
                Field { name, value, .. } if name == value => name.to_owned(),
                Field { name, value, .. } => format!("{name}: {value}"),
            });
            let values = braced(values.collect::<Vec<_>>().join(", "), " ");
            writeln!(text, "{} => {}::{name}{values},", of(error), self.name)
                .expect("a text can be written to");
        }
        text
    }

    /// Returns a pattern for a case, with the names of its fields.
    pub(super) fn pattern(&self, vocabulary: &Vocabulary, error: &ErrorCode) -> String {
        let mut cases = self.cases(vocabulary);
        let case = cases.find(|(other, ..)| other.code.name == error.code.name);
        let (_, name, holes) = case.expect("it has all cases");
        let fields: Vec<_> = holes.iter().filter_map(|hole| Some(hole.field?.name)).collect();
        format!("{}::{name}{}", self.name, braced(fields.join(", "), " "))
    }

    /// Returns the arms of a match that does not look at fields.
    pub(super) fn arms(
        &self,
        vocabulary: &Vocabulary,
        answer: impl Fn(&ErrorCode) -> String,
    ) -> String {
        let mut text = String::new();
        for (error, name, holes) in self.cases(vocabulary) {
            let fields = if holes.iter().any(|hole| hole.field.is_some()) { " { .. }" } else { "" };
            writeln!(text, "{}::{name}{fields} => {},", self.name, answer(error))
                .expect("a text can be written to");
        }
        text
    }

    /// Returns the arms of a match that writes the message of each case to `f`.
    pub(super) fn messages(&self, vocabulary: &Vocabulary) -> String {
        let mut text = String::new();
        for (error, name, holes) in self.cases(vocabulary) {
            let known = |name: &str| holes.iter().find(|hole| hole.name == name);
            let words = error.message.filled(|name| Some(known(name)?.format.to_owned()));
            let shown = holes.iter().filter(|hole| hole.format.contains('{'));
            let arguments = shown.clone().filter(|hole| !hole.argument.is_empty());
            let arguments: String = arguments.map(|hole| format!(", {}", hole.argument)).collect();
            let mut shown: Vec<_> = shown.filter_map(|hole| Some(hole.field?.name)).collect();
            let write = if shown.is_empty() { "f.write_str(" } else { "write!(f, " };
            if shown.len() < holes.iter().filter(|hole| hole.field.is_some()).count() {
                shown.push("..");
            }
            let fields = braced(shown.join(", "), " ");
            let words = literal(&words);
            writeln!(text, "{}::{name}{fields} => {write}{words}{arguments}),", self.name)
                .expect("a text can be written to");
        }
        text
    }
}

/// Quotes a text, in lines as long as messages may have.
fn literal(text: &str) -> String {
    let lines = wrapped(text, "", 80);
    format!("{:?}", lines).replace("\\n", &format!(" \\\n{}", " ".repeat(5)))
}

/// Puts braces around a text, with a separator inside them; an empty text has no braces.
fn braced(inside: String, between: &str) -> String {
    match (inside.is_empty(), between) {
        (true, _) => inside,
        (false, " ") => format!(" {{ {inside} }}"),
        (false, _) => format!(" {{\n{inside}    }}"),
    }
}

/// Returns the name of a code's constant.
pub(super) fn code(error: &ErrorCode) -> String {
    format!("code::{}", constant(&error.code.name))
}
