//! The messages of errors: texts with holes, which each language fills with the facts it has.

use crate::Result;

/// A message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message(Vec<Piece>);

/// A part of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    /// A hole: `{name}`, or `{name|words}` with the words for a hole that cannot be filled.
    Hole {
        name: String,
        words: String,
    },
}

impl Message {
    /// Parses a message.
    ///
    /// # Errors
    /// Fails on a brace without the other one.
    pub(super) fn parse(text: &str) -> Result<Message> {
        let text = super::docs::one_line(text);
        let mut pieces = Vec::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let (hole, after) = after.split_once('}').ok_or("a `{` without its `}`")?;
            let (name, words) = hole.split_once('|').unwrap_or((hole, ""));
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(Piece::Hole { name: name.to_owned(), words: words.to_owned() });
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        pieces.retain(|piece| *piece != Piece::Text(String::new()));
        Ok(Message(pieces))
    }

    /// Returns the names of the holes.
    pub(super) fn holes(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Hole { name, .. } => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }

    /// Returns the text, with the known holes filled.
    pub(super) fn filled(&self, known: impl Fn(&str) -> Option<String>) -> String {
        let pieces = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Hole { name, words } => known(name).unwrap_or_else(|| words.clone()),
        });
        pieces.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_filled_with_what_is_known_or_with_their_words() {
        let message = Message::parse("{object} is {kind|something\n else}: look").unwrap();
        assert_eq!(message.holes().collect::<Vec<_>>(), ["object", "kind"]);
        let known = |name: &str| (name == "object").then(|| "it".to_owned());
        assert_eq!(message.filled(known), "it is something else: look");
    }

    #[test]
    fn a_brace_without_the_other_is_refused() {
        assert!(Message::parse("{object is").is_err());
    }
}
