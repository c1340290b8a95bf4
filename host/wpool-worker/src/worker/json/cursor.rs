//! The walk through a job's JSON.
//!
//! serde_json would lose the last bit of some floats, and the column of an integer out of range.

use crate::module::scalar::Scalar;
use crate::wire::failure::{Failure, FailureDetail, FailureKind};
use wasmtime::ValRaw;

/// The reason why a text is not as it should be, with its place.
#[derive(Debug)]
pub(crate) struct ParseError {
    at: usize,
    message: String,
    detail: Option<FailureDetail>,
}

impl ParseError {
    /// Returns the failure of the job that is not as it should be.
    #[cold]
    pub(crate) fn failure(self, job: &[u8]) -> Failure {
        let message = self.describe(job);
        Failure { detail: self.detail, ..Failure::new(FailureKind::InvalidJob, message) }
    }

    /// Returns the place and the reason: `line 1, column 3: …`.
    pub(crate) fn describe(&self, text: &[u8]) -> String {
        let before = &text[..self.at.min(text.len())];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        format!("line {line}, column {}: {}", before.len() - line_start + 1, self.message)
    }
}

/// An offset in a text.
#[derive(Clone, Copy)]
pub(crate) struct Place(usize);

impl Place {
    /// Makes an error at this place.
    #[cold]
    pub(crate) fn wrong(self, message: impl Into<String>) -> ParseError {
        ParseError { at: self.0, message: message.into(), detail: None }
    }

    /// Makes an error at this place: there is a string or a name other than the expected one.
    #[cold]
    pub(crate) fn unexpected(self, what: &str, found: &str) -> ParseError {
        let found = found.chars().take(FOUND_CHARS_MAX).collect::<String>();
        self.wrong(format!("expected {what}, found \"{}\"", found.escape_debug()))
    }
}

/// The greatest number of characters of a job that a message quotes.
const FOUND_CHARS_MAX: usize = 40;

/// A cursor that walks through a JSON text.
pub(crate) struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Starts at the beginning of a text.
    pub(crate) fn new(text: &'a [u8]) -> Self {
        let mut cursor = Cursor { text, at: 0 };
        cursor.skip_space();
        cursor
    }

    /// Takes this byte, if it is the next one.
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let taken = self.text.get(self.at) == Some(&byte);
        if taken {
            self.at += 1;
            self.skip_space();
        }
        taken
    }

    /// Returns the place of the cursor.
    #[inline]
    pub(crate) fn place(&self) -> Place {
        Place(self.at)
    }

    /// Returns whether this byte is the next one.
    #[inline]
    pub(crate) fn at(&self, byte: u8) -> bool {
        self.text.get(self.at) == Some(&byte)
    }

    /// Takes `null`, if it is the next value.
    pub(crate) fn null(&mut self) -> bool {
        self.word("null")
    }

    /// Reads a string, which `what` describes in words.
    pub(crate) fn string(&mut self, what: &str) -> Result<String, ParseError> {
        if !self.at(b'"') {
            return Err(self.expected(what));
        }
        let rest = &self.text[self.at..];
        let mut strings = serde_json::Deserializer::from_slice(rest).into_iter::<String>();
        match strings.next() {
            Some(Ok(string)) => {
                self.at += strings.byte_offset();
                self.skip_space();
                Ok(string)
            }
            Some(Err(error)) if error.is_eof() => Err(self.not_json("the string has no end")),
            _ => Err(self.not_json("the string is not JSON, or not UTF-8")),
        }
    }

    /// Reads an array, value by value.
    pub(crate) fn list(
        &mut self,
        what: &str,
        mut value: impl FnMut(&mut Self) -> Result<(), ParseError>,
    ) -> Result<(), ParseError> {
        if !self.take(b'[') {
            return Err(self.expected(what));
        }
        if self.take(b']') {
            return Ok(());
        }
        loop {
            value(self)?;
            if self.take(b']') {
                return Ok(());
            }
            if !self.take(b',') {
                return Err(self.expected("a comma, or the end of the array"));
            }
        }
    }

    /// Reads an object, member by member, with each member's name and place.
    pub(crate) fn object(
        &mut self,
        what: &dyn Fn() -> String,
        mut member: impl FnMut(&mut Self, &str, Place) -> Result<(), ParseError>,
    ) -> Result<(), ParseError> {
        if !self.take(b'{') {
            return Err(self.expected(&what()));
        }
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            let place = self.place();
            let name = self.string("a name")?;
            if !self.take(b':') {
                return Err(self.expected("a colon"));
            }
            member(self, &name, place)?;
            if self.take(b'}') {
                return Ok(());
            }
            if !self.take(b',') {
                return Err(self.expected("a comma, or the end of the object"));
            }
        }
    }

    /// Makes an error at this place: something else was expected.
    pub(crate) fn expected(&self, what: &str) -> ParseError {
        self.place().wrong(format!("expected {what}, found {}", self.found()))
    }

    /// Makes an error at this place: the text is not JSON.
    fn not_json(&self, what: &str) -> ParseError {
        ParseError { detail: Some(FailureDetail::NotJson), ..self.place().wrong(what) }
    }

    /// Checks that nothing is left.
    pub(crate) fn end(&self) -> Result<(), ParseError> {
        if self.at < self.text.len() { Err(self.expected("the end")) } else { Ok(()) }
    }

    /// Reads a value of this type.
    pub(crate) fn scalar(&mut self, ty: Scalar) -> Result<ValRaw, ParseError> {
        let value = match ty {
            Scalar::Signed(bits) => {
                let max = i64::MAX >> (64 - bits);
                ValRaw::i64(self.integer(
                    &format_args!("s{bits}"),
                    -(max as i128) - 1,
                    max as i128,
                )? as i64)
            }
            Scalar::Unsigned(bits) => {
                let max = u64::MAX >> (64 - bits);
                ValRaw::u64(self.integer(&format_args!("u{bits}"), 0, max as i128)? as u64)
            }
            Scalar::F32 => ValRaw::f32(self.float::<f32>("f32", f32::is_finite)?.to_bits()),
            Scalar::F64 => ValRaw::f64(self.float::<f64>("f64", f64::is_finite)?.to_bits()),
            Scalar::Bool => ValRaw::u64(self.boolean()?.into()),
            Scalar::Char => ValRaw::u64(u32::from(self.char()?).into()),
        };
        self.skip_space();
        Ok(value)
    }

    fn skip_space(&mut self) {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    #[inline]
    fn integer(
        &mut self,
        ty: &std::fmt::Arguments,
        min: i128,
        max: i128,
    ) -> Result<i128, ParseError> {
        let rest = &self.text[self.at..];
        let end = rest.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b'-'));
        if let Some(value) = short_integer(&rest[..end.unwrap_or(rest.len())])
            && !matches!(end.map(|end| rest[end]), Some(b'.' | b'e' | b'E'))
            && (min..=max).contains(&i128::from(value))
        {
            self.at += end.unwrap_or(rest.len());
            return Ok(value.into());
        }
        self.any_integer(ty, min, max)
    }

    fn any_integer(
        &mut self,
        ty: &std::fmt::Arguments,
        min: i128,
        max: i128,
    ) -> Result<i128, ParseError> {
        let token = self.number().unwrap_or_default();
        let digits = token.strip_prefix('-').unwrap_or(token);
        // The numbers 1.0 and 1e3 are floats, as for serde.
        if token.is_empty() || token.contains(['.', 'e', 'E']) {
            return Err(self.expected(&format!("an integer ({ty})")));
        }
        // A number of more digits than any of the types has need not fit.
        let value = if digits.len() > 20 { None } else { token.parse::<i128>().ok() };
        match value.filter(|value| (min..=max).contains(value)) {
            Some(value) => {
                self.at += token.len();
                Ok(value)
            }
            None => {
                let message = format!("{} is out of range for {ty} ({min} to {max})", self.found());
                // A module does not say whether its integers of 32 and 64 bits have a sign.
                let has_words_size = max == i32::MAX.into() || max == i64::MAX.into();
                let detail =
                    (has_words_size && token == digits).then_some(FailureDetail::SignedRange);
                Err(ParseError { detail, ..self.place().wrong(message) })
            }
        }
    }

    fn float<F: std::str::FromStr + Copy>(
        &mut self,
        ty: &str,
        is_finite: fn(F) -> bool,
    ) -> Result<F, ParseError> {
        for name in ["\"NaN\"", "\"Infinity\"", "\"-Infinity\""] {
            if self.text[self.at..].starts_with(name.as_bytes())
                && let Ok(value) = name.trim_matches('"').parse()
            {
                self.at += name.len();
                return Ok(value);
            }
        }
        let token = self.number().unwrap_or_default();
        match token.parse::<F>() {
            Ok(value) if is_finite(value) => {
                self.at += token.len();
                Ok(value)
            }
            Ok(_) => Err(self.place().wrong(format!("{} is out of range for {ty}", self.found()))),
            Err(_) => Err(self.expected(&format!("a number ({ty})"))),
        }
    }

    fn boolean(&mut self) -> Result<bool, ParseError> {
        for (name, value) in [("true", true), ("false", false)] {
            if self.word(name) {
                return Ok(value);
            }
        }
        Err(self.expected("true or false"))
    }

    /// Takes this word, if it is the next value.
    fn word(&mut self, word: &str) -> bool {
        let is_next = self.text[self.at..].starts_with(word.as_bytes());
        if is_next {
            self.at += word.len();
            self.skip_space();
        }
        is_next
    }

    fn char(&mut self) -> Result<char, ParseError> {
        let place = self.place();
        let what = "a string of one character";
        let string = self.string(what)?;
        let mut chars = string.chars();
        match (chars.next(), chars.next()) {
            (Some(char), None) => Ok(char),
            _ => Err(place.unexpected(what, &string)),
        }
    }

    /// Returns the number that begins here, by JSON's grammar.
    fn number(&self) -> Option<&'a str> {
        let rest = &self.text[self.at..];
        let digits = |from: usize| rest[from..].iter().take_while(|b| b.is_ascii_digit()).count();
        let mut end = usize::from(rest.first() == Some(&b'-'));
        let whole = digits(end);
        if whole == 0 || (whole > 1 && rest[end] == b'0') {
            return None;
        }
        end += whole;
        if rest.get(end) == Some(&b'.') {
            let fraction = digits(end + 1);
            if fraction == 0 {
                return None;
            }
            end += 1 + fraction;
        }
        if matches!(rest.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(rest.get(end + 1), Some(b'+' | b'-')));
            let exponent = digits(end + 1 + sign);
            if exponent == 0 {
                return None;
            }
            end += 1 + sign + exponent;
        }
        std::str::from_utf8(&rest[..end]).ok()
    }

    /// Describes the next value in a few words.
    fn found(&self) -> String {
        let rest = &self.text[self.at.min(self.text.len())..];
        match rest.first() {
            None => "nothing".into(),
            Some(b'[') => "an array".into(),
            Some(b'{') => "an object".into(),
            Some(b'"') => "a string".into(),
            Some(_) => {
                let end = rest.iter().position(|byte| b" \t\r\n,]}".contains(byte));
                let word = &rest[..end.unwrap_or(rest.len()).clamp(1, FOUND_CHARS_MAX)];
                String::from_utf8_lossy(word).escape_debug().to_string()
            }
        }
    }
}

/// Returns the integer if the job is one of at most 18 digits and nothing else, as nearly every job
/// of numbers is.
#[inline]
pub(crate) fn short_integer(job: &[u8]) -> Option<i64> {
    let (negative, digits) = match job {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let leading_zero = digits.first() == Some(&b'0') && (digits.len() > 1 || negative);
    if digits.is_empty() || digits.len() > 18 || leading_zero {
        return None;
    }
    let mut value = 0i64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(if negative { -value } else { value })
}
