//! The words of a job, read back from the kept part of its input.

use serde_json::value::RawValue;
use std::borrow::Cow;
use wpool::wire::settings::split_command_job;

/// The meaning of a job's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WordsOf {
    /// The arguments of a command, or its standard input if it has none.
    Command,
    /// The elements of an array, or the values of an object.
    Columns,
    /// The job itself.
    Value,
}

impl WordsOf {
    /// Returns the words of the job with this input.
    pub(crate) fn read(self, input: &[u8]) -> Vec<String> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let columns = match self {
            WordsOf::Command => match split_command_job(input) {
                Some((b"", stdin)) => return vec![text(stdin)],
                Some((words, _)) => {
                    return words
                        .split_inclusive(|byte| *byte == 0)
                        .map(|w| text(&w[..w.len() - 1]))
                        .collect();
                }
                None => None,
            },
            WordsOf::Columns => columns(input),
            WordsOf::Value => None,
        };
        columns.unwrap_or_else(|| vec![text(input)])
    }
}

/// Returns a command's job as the user knows it: its words, or its standard input if it has none.
pub(crate) fn command_text(job: &[u8]) -> Cow<'_, [u8]> {
    match split_command_job(job) {
        Some((b"", stdin)) => Cow::Borrowed(stdin),
        Some((words, _)) => words_text(words),
        // The kept input is the beginning of a long job.
        None => words_text(job.get(4..).unwrap_or_default()),
    }
}

fn words_text(words: &[u8]) -> Cow<'_, [u8]> {
    let words = words.strip_suffix(b"\0").unwrap_or(words);
    words.iter().map(|&b| if b == 0 { b' ' } else { b }).collect()
}

fn columns(input: &[u8]) -> Option<Vec<String>> {
    let array = serde_json::from_slice::<Vec<&RawValue>>(input);
    let values =
        array.or_else(|_| serde_json::from_slice::<Members<'_>>(input).map(|members| members.0));
    let bare = |value: &RawValue| {
        serde_json::from_str::<String>(value.get()).unwrap_or_else(|_| value.get().to_owned())
    };
    Some(values.ok()?.into_iter().map(bare).collect())
}

/// The values of an object, in the object's own order.
struct Members<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Members<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Vec<&'de RawValue>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Self::Value, A::Error> {
                let mut values = Vec::new();
                while let Some((serde::de::IgnoredAny, value)) = map.next_entry()? {
                    values.push(value);
                }
                Ok(values)
            }
        }
        deserializer.deserialize_map(Visitor).map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_that_the_job_was_made_of() {
        assert_eq!(WordsOf::Command.read(b"\x04\0\0\0a\0b\0stdin"), ["a", "b"]);
        assert_eq!(WordsOf::Command.read(b"\x03\0\0\0a\0\0"), ["a", ""]);
        assert_eq!(WordsOf::Command.read(b"\0\0\0\0stdin"), ["stdin"]);
        assert_eq!(WordsOf::Columns.read(b"[1,\"a b\",[2]]"), ["1", "a b", "[2]"]);
        assert_eq!(WordsOf::Columns.read(b"{\"b\":1,\"a\":\"x\"}"), ["1", "x"]);
        assert_eq!(WordsOf::Columns.read(b"12"), ["12"]);
        assert_eq!(WordsOf::Value.read(b"[1,2]"), ["[1,2]"]);
    }

    #[test]
    fn a_commands_job_is_called_by_its_words_or_its_input() {
        assert_eq!(&*command_text(b"\x03\0\0\0a\0bstdin"), b"a b");
        assert_eq!(&*command_text(b"\0\0\0\0stdin"), b"stdin");
        assert_eq!(&*command_text(b"\xff\0\0\0be\0gin"), b"be gin");
    }
}
