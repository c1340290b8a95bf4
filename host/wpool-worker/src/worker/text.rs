//! The jobs and results of byte tasks, as JSON or as bare text.

use super::outcome::guest_error;
use crate::module::description::Task;
use crate::module::scalar::Scalar;
use crate::wire::failure::{Failure, FailureDetail, FailureKind, json_error};
use crate::wire::settings::{InputForm, OutputForm};
use memchr::{memchr2, memchr2_iter};
use serde::de::IgnoredAny;
use std::str::Utf8Error;

/// The greatest depth of lists and objects in a result; serde_json, too, takes no more.
const DEPTH_MAX: usize = 128;

/// The parameters of a byte task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// The task takes nothing: the job is ignored.
    Nothing,
    /// The task takes one parameter that may be a string.
    Text,
    /// The task takes one integer.
    Integer,
    /// The task takes any other JSON.
    Json,
}

impl Takes {
    /// Returns what this task takes. If its module does not say, the parameter may be a string.
    pub(crate) fn of(task: &Task) -> Takes {
        match task.params.as_deref() {
            Some([]) => Takes::Nothing,
            None => Takes::Text,
            Some([only]) if matches!(only.ty.as_str(), "string" | "json") => Takes::Text,
            Some([only]) if is_integer(&only.ty) => Takes::Integer,
            Some(_) => Takes::Json,
        }
    }
}

fn is_integer(ty: &str) -> bool {
    matches!(Scalar::from_wit(ty), Some(Scalar::Signed(_) | Scalar::Unsigned(_)))
}

/// A job in the form in which its guest reads it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Input<'a> {
    /// The guest reads the bytes unchanged.
    AsIs(&'a [u8]),
    /// The guest reads the text as a JSON string.
    Quoted(&'a str),
}

impl Input<'_> {
    /// Appends the bytes that the guest reads.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        match self {
            Input::AsIs(bytes) => out.extend_from_slice(bytes),
            Input::Quoted(text) => {
                serde_json::to_writer(out, text).expect("a string has a JSON form");
            }
        }
    }
}

/// Returns the job in the form in which the guest reads it.
///
/// # Errors
/// Returns a failure if the job is neither JSON nor, if the task takes one, a string.
pub(crate) fn job(form: InputForm, takes: Takes, job: &[u8]) -> Result<Input<'_>, Failure> {
    let quoted = || std::str::from_utf8(job).map(Input::Quoted).map_err(|error| not_text(&error));
    if takes == Takes::Nothing {
        return Ok(Input::AsIs(job));
    }
    if form == InputForm::Raw {
        return quoted();
    }
    match serde_json::from_slice::<IgnoredAny>(job) {
        // The integer -0 is a float to serde, in guests.
        Ok(_) if takes == Takes::Integer && job.trim_ascii() == b"-0" => Ok(Input::AsIs(b"0")),
        Ok(_) => Ok(Input::AsIs(job)),
        Err(_) if form == InputForm::Word && takes == Takes::Text => quoted(),
        Err(error) => {
            let (line, column) = (error.line(), error.column().max(1));
            let message = format!("line {line}, column {column}: {}", json_error(&error));
            Err(Failure::new(FailureKind::InvalidJob, message).detailed(FailureDetail::NotJson))
        }
    }
}

fn not_text(error: &Utf8Error) -> Failure {
    let message = format!("byte {}: not UTF-8, so not a string", error.valid_up_to() + 1);
    Failure::new(FailureKind::InvalidJob, message)
}

/// Appends the bytes that a byte task wrote, if they may be a result in this form.
///
/// # Errors
/// Returns a failure if the bytes are not one value of JSON on one line.
pub(crate) fn result(form: OutputForm, written: &[u8], out: &mut Vec<u8>) -> Result<(), Failure> {
    match form {
        OutputForm::Bytes => out.extend_from_slice(written),
        OutputForm::Raw => match serde_json::from_slice::<String>(written) {
            Ok(text) => out.extend_from_slice(text.as_bytes()),
            Err(_) => out.extend_from_slice(written),
        },
        OutputForm::Json => {
            let one_line = memchr2(b'\n', b'\r', written).is_none();
            // The parser does not look at the bytes of a string.
            if !one_line || std::str::from_utf8(written).is_err() || !is_json(written) {
                return Err(guest_error(b"result is not one line of JSON"));
            }
            out.extend_from_slice(written);
        }
    }
    Ok(())
}

/// Returns whether the bytes are one value of JSON that any parser can take.
fn is_json(bytes: &[u8]) -> bool {
    is_shallow(bytes) && serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}

/// Returns whether no list or object of this JSON is nested too deeply: parsers without a bound
/// would fail.
fn is_shallow(json: &[u8]) -> bool {
    if memchr2_iter(b'[', b'{', json).nth(DEPTH_MAX).is_none() {
        return true;
    }
    let (mut depth, mut text, mut escaped) = (0_usize, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = text,
            b'"' => text = !text,
            _ if text => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_json_or_becomes_a_string_where_the_task_takes_one() {
        for (form, takes, bytes, input) in [
            (InputForm::Json, Takes::Text, &b"[1, 2]"[..], Input::AsIs(b"[1, 2]")),
            (InputForm::Raw, Takes::Text, b"[1, 2]", Input::Quoted("[1, 2]")),
            (InputForm::Word, Takes::Text, b"12", Input::AsIs(b"12")),
            (InputForm::Json, Takes::Nothing, b"any\xff", Input::AsIs(b"any\xff")),
            (InputForm::Word, Takes::Text, b"twelve", Input::Quoted("twelve")),
            (InputForm::Json, Takes::Integer, b" -0", Input::AsIs(b"0")),
            (InputForm::Json, Takes::Json, b"-0", Input::AsIs(b"-0")),
        ] {
            assert_eq!(job(form, takes, bytes), Ok(input));
        }
        let mut out = Vec::new();
        Input::Quoted("a \"b\"\n").put(&mut out);
        assert_eq!(out, br#""a \"b\"\n""#);
    }

    #[test]
    fn a_job_that_is_neither_says_where() {
        for (form, takes, bytes, message) in [
            (
                InputForm::Json,
                Takes::Text,
                &b"[1,"[..],
                "line 1, column 3: EOF while parsing a value",
            ),
            (InputForm::Json, Takes::Text, b"", "line 1, column 1: EOF while parsing a value"),
            (InputForm::Word, Takes::Json, b"twelve", "line 1, column 2: expected ident"),
            (InputForm::Raw, Takes::Text, b"a\xff", "byte 2: not UTF-8, so not a string"),
        ] {
            let failure = job(form, takes, bytes).unwrap_err();
            assert_eq!((failure.kind, &*failure.message), (FailureKind::InvalidJob, message));
        }
    }

    #[test]
    fn a_result_that_is_not_one_line_of_text_fails_unless_bytes_are_wanted() {
        for forged in [&b"1\n2"[..], b"\"\xff\"", b""] {
            let mut out = Vec::new();
            let failure = result(OutputForm::Json, forged, &mut out).unwrap_err();
            assert_eq!(failure.to_string(), "guest error: result is not one line of JSON");
            result(OutputForm::Bytes, forged, &mut out).unwrap();
            result(OutputForm::Raw, forged, &mut out).unwrap();
            assert_eq!(out, [forged, forged].concat());
        }
    }

    #[test]
    fn a_result_is_one_value_and_not_too_deep() {
        let nested = |depth| ["[".repeat(depth), "]".repeat(depth)].concat();
        let flat = format!("[{}]", vec!["[\"[[{\\\"[\"]"; 1000].join(","));
        for (written, good) in [
            ("1", true),
            ("[1, 2] ", true),
            ("1 2", false),
            ("{", false),
            ("nul", false),
            ("1\r", false),
            ("\"\x1b[2J\"", false),
            (&nested(128), true),
            (&nested(129), false),
            (&flat, true),
        ] {
            let mut out = Vec::new();
            assert_eq!(result(OutputForm::Json, written.as_bytes(), &mut out).is_ok(), good);
        }
    }

    #[test]
    fn raw_output_is_a_string_s_text_and_anything_else_as_it_is() {
        for (written, text) in [(&b"\"a\\nb\""[..], &b"a\nb"[..]), (b"[\"a\"]", b"[\"a\"]")] {
            let mut out = Vec::new();
            result(OutputForm::Raw, written, &mut out).unwrap();
            assert_eq!(out, text);
        }
    }
}
