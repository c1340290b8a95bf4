//! The columns of a record: `--colsep` and `--csv`.

use regex::bytes::Regex;

/// The way in which a record is split into columns.
#[derive(Clone, Debug)]
pub(crate) enum Columns {
    /// The columns stand between matches of an expression. White space around a column is dropped,
    /// as in GNU parallel.
    Separated(Regex),
    /// The columns are separated by this byte, with quotes as in RFC 4180.
    Csv(u8),
}

/// A separator of columns.
#[derive(Clone, Debug)]
pub(crate) struct Separator {
    text: String,
    /// The expression that matches the separator.
    pub(crate) regex: Regex,
}

impl Separator {
    /// Returns the byte that the separator stands for, if it is a single byte.
    pub(crate) fn byte(&self) -> Option<u8> {
        match self.text.as_bytes() {
            b"\\t" => Some(b'\t'),
            &[byte] => Some(byte),
            _ => None,
        }
    }
}

/// Parses `--colsep`: a regular expression. A single character stands for itself, and `\t` for a
/// TAB.
///
/// # Errors
/// Fails if the text is no expression, or the expression matches the empty text.
pub(crate) fn separator(text: &str) -> Result<Separator, String> {
    let mut characters = text.chars();
    let expression = match (characters.next(), characters.next()) {
        (None, _) => return Err("the separator is empty; write , or '\\t' or '[ ,]+'".into()),
        (Some(_), None) => regex::escape(text),
        _ => text.to_owned(),
    };
    let regex = Regex::new(&expression).map_err(|error| {
        let text = error.to_string();
        let last = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
        format!("not a regular expression: {last}; a single character stands for itself")
    })?;
    match regex.is_match(b"") {
        true => Err("it matches where nothing is; write '[ ,]+' instead of '[ ,]*'".into()),
        false => Ok(Separator { text: text.to_owned(), regex }),
    }
}

impl Columns {
    /// Replaces `columns` by those of a record.
    ///
    /// # Errors
    /// Fails if a quote is not closed.
    pub(crate) fn split(
        &self,
        record: &[u8],
        columns: &mut Vec<Vec<u8>>,
    ) -> Result<(), &'static str> {
        columns.clear();
        let record = record.strip_suffix(b"\r").unwrap_or(record);
        match self {
            Columns::Separated(separator) => {
                columns.extend(separator.split(record).map(|column| column.trim_ascii().to_vec()));
                Ok(())
            }
            Columns::Csv(separator) => csv(record, *separator, columns),
        }
    }
}

fn csv(record: &[u8], separator: u8, columns: &mut Vec<Vec<u8>>) -> Result<(), &'static str> {
    let mut rest = record;
    loop {
        let mut column = Vec::new();
        // A quote opens only at the start of a column. Within quotes, two quotes stand for one.
        if let Some(mut quoted) = rest.strip_prefix(b"\"") {
            loop {
                let end = memchr::memchr(b'"', quoted).ok_or("a quote is not closed")?;
                column.extend_from_slice(&quoted[..end]);
                quoted = &quoted[end + 1..];
                match quoted.strip_prefix(b"\"") {
                    Some(more) => {
                        column.push(b'"');
                        quoted = more;
                    }
                    None => break,
                }
            }
            rest = quoted;
        }
        let end = memchr::memchr(separator, rest).unwrap_or(rest.len());
        column.extend_from_slice(&rest[..end]);
        columns.push(column);
        match rest.get(end + 1..) {
            Some(more) => rest = more,
            None => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(columns: &Columns, record: &str) -> Result<Vec<String>, &'static str> {
        let mut found = Vec::new();
        columns.split(record.as_bytes(), &mut found)?;
        Ok(found.into_iter().map(|text| String::from_utf8(text).expect("text")).collect())
    }

    #[test]
    fn csv_has_quotes_in_which_separators_and_line_ends_are_text() {
        let csv = |record| split(&Columns::Csv(b','), record);
        assert_eq!(csv("a,b c,"), Ok(vec!["a".into(), "b c".into(), "".into()]));
        assert_eq!(
            csv("\"1 big, 2 small\",\"2\"\"x4\"\" plank\",12.34\r"),
            Ok(vec!["1 big, 2 small".into(), "2\"x4\" plank".into(), "12.34".into(),])
        );
        assert_eq!(csv("\"a\nb\",c"), Ok(vec!["a\nb".into(), "c".into()]));
        assert_eq!(csv(""), Ok(vec!["".into()]));
        assert_eq!(csv("a\"b,c"), Ok(vec!["a\"b".into(), "c".into()]));
        assert!(csv("\"a").is_err());
        assert_eq!(split(&Columns::Csv(b';'), "a,b;c"), Ok(vec!["a,b".into(), "c".into()]));
    }

    #[test]
    fn a_separator_is_an_expression_and_a_single_character_itself() {
        let by = |text| Columns::Separated(separator(text).expect("a separator").regex);
        assert_eq!(split(&by("|"), "a | b"), Ok(vec!["a".into(), "b".into()]));
        assert_eq!(split(&by("."), "a.b"), Ok(vec!["a".into(), "b".into()]));
        assert_eq!(split(&by("\\t"), "a\tb c"), Ok(vec!["a".into(), "b c".into()]));
        assert_eq!(split(&by("[ ,]+"), "a, b c"), Ok(vec!["a".into(), "b".into(), "c".into()]));
        for text in ["", "(a", "a*"] {
            assert!(separator(text).is_err(), "{text}");
        }
    }
}
