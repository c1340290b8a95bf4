//! Types of errors in Rust: the host's own, that of its library, and that of the SDK. Each has the cases of
//! `types.error`, with what it knows of each.

use std::fmt::Write;

use super::docs::{one_line, wrapped};
use super::vocabulary::{ErrorCode, Vocabulary, constant, pascal};

/// A type of errors.
pub(super) struct Front {
    /// The type's name.
    name: &'static str,
    /// What the holes of messages are filled with.
    holes: &'static [Hole],
    /// The case that it does not have.
    without: Option<&'static str>,
}

/// What is known for a hole of messages.
struct Hole {
    name: &'static str,
    /// What is said there, as `write!` takes it.
    format: &'static str,
    /// What `write!` is given for it, if that is not a field.
    argument: &'static str,
    /// What the cases that have such a hole know.
    field: Option<Field>,
}

/// A field of cases.
#[derive(Clone, Copy)]
struct Field {
    name: &'static str,
    ty: &'static str,
    docs: &'static str,
    /// Its value, where the error is made of a code or of another error.
    value: &'static str,
}

impl Hole {
    /// One that is filled with the same words each time.
    const fn fixed(name: &'static str, words: &'static str) -> Hole {
        Hole { name, format: words, argument: "", field: None }
    }

    /// One that is filled with a field.
    const fn field(name: &'static str, format: &'static str, field: Field) -> Hole {
        Hole { name, format, argument: "", field: Some(field) }
    }

    /// That of the process which did it.
    const fn culprit(ty: &'static str, value: &'static str) -> Hole {
        let docs = "Whose death or abort did it, if that is known: a process's slot.";
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
    Field { name: "kind", ty: "Kind", docs: "What the object of this name is.", value: "" };

/// `shared::Error`.
pub(super) const CONTROL: Front = Front {
    name: "Error",
    holes: &[
        Hole::culprit("Option<Owner>", ""),
        Hole::field("kind", "{kind:#}", KIND),
        Hole::fixed("object", "object"),
    ],
    without: None,
};

/// `wpool::SharedError`.
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
                docs: "The type of its numbers.",
                value: "\"another type\"",
            },
        ),
        Hole::field(
            "limits",
            "{limits}",
            Field { name: "limits", ty: "String", docs: "Its limits.", value: "limits()" },
        ),
        Hole::fixed("who", "thread"),
        Hole::fixed("space", "the state more space"),
        Hole::fixed("also", ""),
    ],
    // Nobody interrupts a thread of the program.
    without: Some("interrupted"),
};

/// `wpool_guest::Error`.
pub(super) const SDK: Front = Front {
    name: "Error",
    holes: &[
        Hole::culprit("Option<u32>", "culprit()"),
        Hole::field("object", "{object}", Field { value: "object", ..OBJECT }),
    ],
    without: None,
};

impl Front {
    /// The cases: each with its name, and the holes of its message that are known.
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

    /// The cases in the type's definition.
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

    /// Arms of a match that make an error of a code, or of the host's own error.
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

    /// A pattern for a case, with the names of its fields.
    pub(super) fn pattern(&self, vocabulary: &Vocabulary, error: &ErrorCode) -> String {
        let mut cases = self.cases(vocabulary);
        let case = cases.find(|(other, ..)| other.code.name == error.code.name);
        let (_, name, holes) = case.expect("it has all cases");
        let fields: Vec<_> = holes.iter().filter_map(|hole| Some(hole.field?.name)).collect();
        format!("{}::{name}{}", self.name, braced(fields.join(", "), " "))
    }

    /// Arms of a match that answer without looking at fields.
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

    /// Arms of a match that write what each case says to `f`.
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

/// A text in quotes, in lines as long as they may be where messages stand.
fn literal(text: &str) -> String {
    let lines = wrapped(text, "", 80);
    format!("{:?}", lines).replace("\\n", &format!(" \\\n{}", " ".repeat(5)))
}

/// What stands in braces, with something between them and it, or nothing at all.
fn braced(inside: String, between: &str) -> String {
    match (inside.is_empty(), between) {
        (true, _) => inside,
        (false, " ") => format!(" {{ {inside} }}"),
        (false, _) => format!(" {{\n{inside}    }}"),
    }
}

/// The name of a code's constant.
pub(super) fn code(error: &ErrorCode) -> String {
    format!("code::{}", constant(&error.code.name))
}
