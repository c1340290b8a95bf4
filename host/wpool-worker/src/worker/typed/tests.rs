//! Tests of the JSON of each type, and of the messages for other JSON.

use super::ty::Outcome;
use super::*;
use crate::module::scalar::Scalar;

fn signature(ty: Ty) -> Signature {
    Signature {
        params: vec![ty],
        answer: None,
        text: "f(x)".into(),
        input: InputForm::Json,
        output: OutputForm::Json,
        base64: false,
        output_bytes_max: 1 << 20,
        quick: None,
    }
}

/// Reads a value and writes it again.
fn echo(ty: Ty, json: &str) -> Result<String, String> {
    let mut signature = signature(ty);
    let values = signature.read(json.as_bytes()).map_err(|failure| failure.message)?;
    signature.answer = signature.params.pop();
    let mut out = Vec::new();
    signature.write(&values, &mut out).map_err(|failure| failure.to_string())?;
    Ok(String::from_utf8(out).unwrap())
}

fn number() -> Ty {
    Ty::Scalar(Scalar::Unsigned(8))
}

fn point() -> Ty {
    Ty::Record(vec![("x".into(), number()), ("label".into(), option(Ty::String))])
}

fn option(inner: Ty) -> Ty {
    Ty::Option(Box::new(inner))
}

fn shape() -> Ty {
    Ty::Variant(vec![("circle".into(), Some(number())), ("none".into(), None)])
}

fn outcome() -> Ty {
    let outcome = Outcome { ok: Some(number()), error: None };
    // The result lies in a tuple, so that it is not the function's own.
    Ty::Tuple(vec![Ty::Result(Box::new(outcome))])
}

#[test]
fn members_may_come_in_any_order_and_options_be_left_out() {
    for (ty, json, written) in [
        (point(), r#"{"label":"a","x":1}"#, r#"{"x":1,"label":"a"}"#),
        (point(), r#" { "x" : 1 } "#, r#"{"x":1,"label":null}"#),
        (shape(), r#"{"circle":2}"#, r#"{"circle":2}"#),
        (shape(), r#"{"none":null}"#, r#""none""#),
        (shape(), r#""none""#, r#""none""#),
        (option(option(number())), r#"{"some":null}"#, r#"{"some":null}"#),
        (option(option(number())), r#"{"some":1}"#, r#"{"some":1}"#),
        (option(option(number())), "null", "null"),
        (Ty::Bytes, r#""AQI=""#, "[1,2]"),
        (Ty::Flags(vec!["r".into(), "w".into()]), r#"["w"]"#, r#"["w"]"#),
        (Ty::Bytes, "[1, 2]", "[1,2]"),
    ] {
        assert_eq!(echo(ty, json).as_deref(), Ok(written), "{json}");
    }
    // The outermost brackets of the tuple are the list of arguments here.
    assert_eq!(echo(outcome(), r#"[{"error":null}]"#).as_deref(), Ok(r#"[{"error":null}]"#));
}

#[test]
fn a_wrong_value_is_an_error_that_names_the_place_and_what_is_expected() {
    let pair = || Ty::Tuple(vec![number(), number()]);
    let kind = || Ty::Enum(vec!["a".into(), "b".into()]);
    let flags = || Ty::Flags(vec!["r".into(), "w".into()]);
    for (ty, json, message) in [
        (point(), "1", r#"column 1: expected an object with "x", "label", found 1"#),
        (point(), r#"{"label":"a"}"#, r#"column 1: the field "x" is missing"#),
        (
            point(),
            r#"{"x":1,"y":2}"#,
            r#"column 8: expected an object with "x", "label", found "y""#,
        ),
        (point(), r#"{"x":1,"x":2}"#, r#"column 8: the field "x" is there twice"#),
        (point(), r#"{"x":300}"#, "column 6: 300 is out of range for u8 (0 to 255)"),
        (point(), r#"{"x" 1}"#, "column 6: expected a colon, found 1"),
        (
            point(),
            r#"{"x":1"#,
            "column 7: expected a comma, or the end of the object, found nothing",
        ),
        (shape(), r#""square""#, r#"column 1: expected {"circle": …} or "none", found "square""#),
        (shape(), r#""circle""#, r#"column 1: expected {"circle": …} or "none", found "circle""#),
        (shape(), "{}", r#"column 1: expected {"circle": …} or "none", found an empty object"#),
        (
            shape(),
            r#"{"circle":1,"none":null}"#,
            r#"column 13: expected {"circle": …} or "none", found "none""#,
        ),
        (shape(), r#"{"none":1}"#, "column 9: expected null, found 1"),
        (
            outcome(),
            "[{}]",
            r#"column 2: expected {"ok": …} or {"error": …}, found an empty object"#,
        ),
        (outcome(), "[7]", r#"column 2: expected {"ok": …} or {"error": …}, found 7"#),
        (pair(), "[1]", "column 3: expected a comma in an array of 2 values, found ]"),
        (pair(), "[1,2,3]", "column 5: expected the end of an array of 2 values, found ,"),
        (kind(), r#""c""#, r#"column 1: expected the name of a case: "a", "b", found "c""#),
        (kind(), "3", "column 1: expected the name of a case, found 3"),
        (flags(), r#"["x"]"#, r#"column 2: expected the name of a flag: "r", "w", found "x""#),
        (Ty::String, "\"a", "column 1: the string has no end"),
        (Ty::String, "\"\\q\"", "column 1: the string is not JSON, or not UTF-8"),
        (Ty::String, "[]", "column 1: expected a string, found an array"),
        (Ty::Bytes, "\"A\"", "column 1: the string is not base64"),
        (
            Ty::List(Box::new(number())),
            "[1 2]",
            "column 4: expected a comma, or the end of the array, found 2",
        ),
        (option(number()), "nul", "column 1: expected an integer (u8), found nul"),
        (number(), "1 2", "column 3: expected the end, found 2"),
    ] {
        assert_eq!(echo(ty, json), Err(format!("line 1, {message}")), "{json}");
    }
}

#[test]
fn several_arguments_are_an_array() {
    let mut signature = signature(number());
    signature.params.push(Ty::String);
    assert_eq!(signature.read(b"[1, \"a\"]").unwrap().len(), 2);
    assert_eq!(
        signature.read(b"1").unwrap_err().message,
        "line 1, column 1: expected an array of 2 values for f(x), found 1"
    );
    signature.params.clear();
    assert_eq!(signature.read(b"anything").unwrap().len(), 0);
}

#[test]
fn text_and_bytes_are_taken_and_given_as_they_are_where_that_is_asked() {
    let read =
        |ty, input, job: &[u8]| Signature { input, ..signature(ty) }.read(job).unwrap().remove(0);
    assert_eq!(read(Ty::String, InputForm::Raw, b"5"), Val::String("5".into()));
    assert_eq!(read(Ty::String, InputForm::Word, b"a b"), Val::String("a b".into()));
    assert_eq!(read(Ty::String, InputForm::Word, b"\"a\""), Val::String("a".into()));
    assert_eq!(read(Ty::Bytes, InputForm::Raw, b"\xff"), Val::List(vec![Val::U8(255)]));
    let not_text = Signature { input: InputForm::Raw, ..signature(Ty::String) };
    assert_eq!(not_text.read(b"a\xff").unwrap_err().message, "byte 2: not UTF-8, so not a string");

    let written = |ty, output, base64, value| {
        let mut out = Vec::new();
        let signature = Signature { answer: Some(ty), output, base64, ..signature(Ty::String) };
        signature.write(&[value], &mut out).unwrap();
        out
    };
    let bytes = || Val::List(vec![Val::U8(255), Val::U8(10)]);
    assert_eq!(written(Ty::Bytes, OutputForm::Raw, false, bytes()), b"\xff\n");
    assert_eq!(written(Ty::Bytes, OutputForm::Bytes, true, bytes()), b"\xff\n");
    assert_eq!(written(Ty::Bytes, OutputForm::Json, true, bytes()), b"\"/wo=\"");
    let text = || Val::String("a\"b".into());
    assert_eq!(written(Ty::String, OutputForm::Raw, false, text()), b"a\"b");
    assert_eq!(written(Ty::String, OutputForm::Bytes, false, text()), b"\"a\\\"b\"");
}

#[test]
fn an_error_of_the_function_is_the_job_s_failure_and_too_much_is_one_too() {
    let answer = |ok, error| Some(Ty::Result(Box::new(Outcome { ok, error })));
    let write = |signature: &Signature, value| {
        let mut out = Vec::new();
        let written = signature.write(&[Val::Result(value)], &mut out);
        written.map(|()| String::from_utf8(out).unwrap()).map_err(|failure| failure.to_string())
    };
    let texts =
        Signature { answer: answer(Some(Ty::String), Some(Ty::String)), ..signature(number()) };
    let text = |text: &str| Some(Box::new(Val::String(text.into())));
    assert_eq!(write(&texts, Ok(text("fine"))).as_deref(), Ok("\"fine\""));
    assert_eq!(write(&texts, Err(text("not\ngood"))), Err("guest error: not good".into()));
    let bare = Signature { answer: answer(None, Some(point())), ..signature(number()) };
    assert_eq!(write(&bare, Ok(None)).as_deref(), Ok("null"));
    let members = vec![("x".into(), Val::U8(1)), ("label".into(), Val::Option(None))];
    let record = Some(Box::new(Val::Record(members)));
    assert_eq!(write(&bare, Err(record)), Err(r#"guest error: {"x":1,"label":null}"#.into()));
    for (bytes, fits) in [(7, true), (6, false)] {
        let short = Signature { output_bytes_max: bytes, ..signature(number()) };
        let short = Signature { answer: answer(Some(Ty::String), None), ..short };
        assert_eq!(write(&short, Ok(text("aaaaa"))).is_ok(), fits, "{bytes}");
    }
}
