//! Untrusted bytes made fit for a terminal.
//!
//! Guests choose their messages and names. A control character among them could move the cursor,
//! rename the window or hide text, so none reaches standard error as it is.

use std::fmt::Write;

/// The text, with control characters and those that change the writing direction escaped.
pub(crate) fn text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    push(&mut escaped, text);
    escaped
}

/// The same for any bytes; those that are not UTF-8 become `\xNN`.
pub(crate) fn bytes(bytes: &[u8]) -> String {
    let mut escaped = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        push(&mut escaped, chunk.valid());
        for byte in chunk.invalid() {
            push_hex(&mut escaped, u32::from(*byte));
        }
    }
    escaped
}

fn push(escaped: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '\t' => escaped.push('\t'),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            _ if character.is_control() => push_hex(escaped, character as u32),
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                escaped.extend(character.escape_unicode());
            }
            _ => escaped.push(character),
        }
    }
}

fn push_hex(escaped: &mut String, code: u32) {
    write!(escaped, "\\x{code:02x}").expect("writing to a String cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_tabs_and_other_alphabets_pass_as_they_are() {
        assert_eq!(text("a\tb — ж"), "a\tb — ж");
    }

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(text("\x1b]0;x\x07\u{9b}\r\n"), "\\x1b]0;x\\x07\\x9b\\r\\n");
        assert_eq!(text("\u{202e}"), "\\u{202e}");
    }

    #[test]
    fn bytes_that_are_not_utf8_are_escaped() {
        assert_eq!(bytes(b"a\xff\xc3"), "a\\xff\\xc3");
    }
}
