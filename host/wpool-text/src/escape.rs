//! Makes untrusted bytes safe for a terminal.
//!
//! Guests choose their messages and names. A control character among them could move the cursor,
//! rename the window or hide text, so every one is escaped before it reaches standard error.

use serde::de::IgnoredAny;
use std::borrow::Cow;
use std::fmt::Write;

/// Escapes control characters in a text, and those that change the writing direction.
pub fn text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    push(&mut escaped, text);
    escaped
}

/// Escapes bytes as [`text`] does; those that are not UTF-8 become `\xNN`.
pub fn bytes(bytes: &[u8]) -> String {
    let mut escaped = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        push(&mut escaped, chunk.valid());
        for byte in chunk.invalid() {
            push_hex(&mut escaped, u32::from(*byte));
        }
    }
    escaped
}

/// Makes a result safe for a terminal. Lines and tabs stay; other control characters are escaped,
/// in JSON with JSON's own escapes.
pub fn shown(result: &[u8]) -> Cow<'_, [u8]> {
    if let (Ok(_), Ok(IgnoredAny)) = (std::str::from_utf8(result), serde_json::from_slice(result)) {
        let mut json = result.to_vec();
        json_from(&mut json, 0);
        return Cow::Owned(json);
    }
    let lines: Vec<String> = result.split(|&byte| byte == b'\n').map(bytes).collect();
    Cow::Owned(lines.join("\n").into_bytes())
}

/// Escapes control characters in the JSON from byte `begin` on. Outside white space they can only
/// stand in strings, so the JSON keeps its meaning.
pub fn json_from(bytes: &mut Vec<u8>, begin: usize) {
    // DEL is the only character of ASCII to be escaped, and most rows are ASCII.
    if bytes[begin..].iter().all(|&byte| byte < 0x7f) {
        return;
    }
    let Ok(text) = std::str::from_utf8(&bytes[begin..]) else { return };
    if !text.contains(|character: char| character != '\n' && is_steering(character)) {
        return;
    }
    let mut escaped = String::with_capacity(text.len() + 64);
    for character in text.chars() {
        match character {
            '\0'..' ' => escaped.push(character),
            _ if is_steering(character) => {
                write!(escaped, "\\u{:04x}", character as u32)
                    .expect("writing to a String cannot fail");
            }
            _ => escaped.push(character),
        }
    }
    bytes.truncate(begin);
    bytes.extend_from_slice(escaped.as_bytes());
}

/// Returns whether a terminal may take the character as a command, or the character changes the
/// writing direction.
fn is_steering(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}')
}

fn push(escaped: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '\t' => escaped.push('\t'),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            _ if character.is_control() => push_hex(escaped, character as u32),
            _ if is_steering(character) => escaped.extend(character.escape_unicode()),
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
    fn a_result_keeps_its_lines_and_gives_no_orders() {
        let shown = |result: &str| String::from_utf8(shown(result.as_bytes()).into_owned());
        assert_eq!(shown("a\tb\n\x1b[2J\n").as_deref(), Ok("a\tb\n\\x1b[2J\n"));
        assert_eq!(shown("\"\u{9b}2J\"").as_deref(), Ok("\"\\u009b2J\""));
        assert_eq!(shown("[1,\n 2]").as_deref(), Ok("[1,\n 2]"));
    }

    #[test]
    fn bytes_that_are_not_utf8_are_escaped() {
        assert_eq!(bytes(b"a\xff\xc3"), "a\\xff\\xc3");
    }
}
