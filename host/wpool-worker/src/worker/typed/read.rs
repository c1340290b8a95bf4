//! The reading of values from JSON.

use super::ty::{Outcome, Ty};
use crate::module::scalar::Scalar;
use crate::wire::base64::from_base64;
use crate::worker::json::{Cursor, ParseError};
use wasmtime::ValRaw;
use wasmtime::component::Val;

impl Ty {
    /// Reads a value of this type.
    ///
    /// # Errors
    /// Returns an error if the next value is not of this type.
    pub(super) fn read(&self, cursor: &mut Cursor<'_>) -> Result<Val, ParseError> {
        Ok(match self {
            Ty::Scalar(scalar) => from_raw(*scalar, cursor.scalar(*scalar)?),
            Ty::String => Val::String(cursor.string("a string")?),
            Ty::Bytes => Val::List(bytes(cursor)?.into_iter().map(Val::U8).collect()),
            Ty::List(element) => Val::List(list(cursor, element)?),
            Ty::Tuple(types) => {
                let what = || format!("an array of {} values", types.len());
                Val::Tuple(tuple(cursor, types.iter(), &what)?)
            }
            Ty::Record(fields) => record(cursor, fields)?,
            Ty::Variant(cases) => variant(cursor, cases)?,
            Ty::Enum(names) => Val::Enum(name(cursor, names, "the name of a case")?),
            Ty::Option(inner) => option(cursor, inner)?,
            Ty::Result(outcome) => result(cursor, outcome)?,
            Ty::Flags(names) => {
                let mut set = Vec::new();
                cursor.list("an array of names", |cursor| {
                    set.push(name(cursor, names, "the name of a flag")?);
                    Ok(())
                })?;
                Val::Flags(set)
            }
            Ty::Stream(_) | Ty::Future(_) => self.whole().read(cursor)?,
        })
    }
}

/// Reads an array with one value for each of the types. `what` describes the array in words.
pub(super) fn tuple<'a>(
    cursor: &mut Cursor<'_>,
    types: impl ExactSizeIterator<Item = &'a Ty>,
    what: &dyn Fn() -> String,
) -> Result<Vec<Val>, ParseError> {
    if !cursor.take(b'[') {
        return Err(cursor.expected(&what()));
    }
    let mut values = Vec::new();
    for ty in types {
        if !values.is_empty() && !cursor.take(b',') {
            return Err(cursor.expected(&format!("a comma in {}", what())));
        }
        values.push(ty.read(cursor)?);
    }
    match cursor.take(b']') {
        true => Ok(values),
        false => Err(cursor.expected(&format!("the end of {}", what()))),
    }
}

fn from_raw(scalar: Scalar, raw: ValRaw) -> Val {
    match scalar {
        Scalar::Bool => Val::Bool(raw.get_u32() != 0),
        Scalar::Signed(8) => Val::S8(raw.get_i32() as i8),
        Scalar::Signed(16) => Val::S16(raw.get_i32() as i16),
        Scalar::Signed(32) => Val::S32(raw.get_i32()),
        Scalar::Signed(_) => Val::S64(raw.get_i64()),
        Scalar::Unsigned(8) => Val::U8(raw.get_u32() as u8),
        Scalar::Unsigned(16) => Val::U16(raw.get_u32() as u16),
        Scalar::Unsigned(32) => Val::U32(raw.get_u32()),
        Scalar::Unsigned(_) => Val::U64(raw.get_u64()),
        Scalar::F32 => Val::Float32(f32::from_bits(raw.get_f32())),
        Scalar::F64 => Val::Float64(f64::from_bits(raw.get_f64())),
        Scalar::Char => {
            Val::Char(char::from_u32(raw.get_u32()).expect("it was read as a character"))
        }
    }
}

fn list(cursor: &mut Cursor<'_>, element: &Ty) -> Result<Vec<Val>, ParseError> {
    let mut values = Vec::new();
    cursor.list("an array", |cursor| {
        values.push(element.read(cursor)?);
        Ok(())
    })?;
    Ok(values)
}

/// Reads bytes: an array of numbers, or a string in base64.
pub(super) fn bytes(cursor: &mut Cursor<'_>) -> Result<Vec<u8>, ParseError> {
    if cursor.at(b'"') {
        let place = cursor.place();
        let text = cursor.string("a string")?;
        return from_base64(&text).ok_or_else(|| place.wrong("the string is not base64"));
    }
    let mut bytes = Vec::new();
    cursor.list("an array", |cursor| {
        bytes.push(cursor.scalar(Scalar::Unsigned(8))?.get_u32() as u8);
        Ok(())
    })?;
    Ok(bytes)
}

/// Reads one of the names, as a string.
fn name(cursor: &mut Cursor<'_>, names: &[String], what: &str) -> Result<String, ParseError> {
    let place = cursor.place();
    let text = cursor.string(what)?;
    match names.contains(&text) {
        true => Ok(text),
        false => Err(place.unexpected(&format!("{what}: {}", listed(names.iter())), &text)),
    }
}

fn listed<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}

fn record(cursor: &mut Cursor<'_>, fields: &[(String, Ty)]) -> Result<Val, ParseError> {
    let what = || format!("an object with {}", listed(fields.iter().map(|(name, _)| name)));
    let begin = cursor.place();
    let mut values: Vec<Option<Val>> = fields.iter().map(|_| None).collect();
    cursor.object(&what, |cursor, key, place| {
        let Some(at) = fields.iter().position(|(name, _)| name == key) else {
            return Err(place.unexpected(&what(), key));
        };
        if values[at].is_some() {
            return Err(place.wrong(format!("the field \"{key}\" is there twice")));
        }
        values[at] = Some(fields[at].1.read(cursor)?);
        Ok(())
    })?;
    let mut members = Vec::with_capacity(fields.len());
    for ((name, ty), value) in fields.iter().zip(values) {
        let value = match (value, ty) {
            (Some(value), _) => value,
            (None, Ty::Option(_)) => Val::Option(None),
            (None, _) => return Err(begin.wrong(format!("the field \"{name}\" is missing"))),
        };
        members.push((name.clone(), value));
    }
    Ok(Val::Record(members))
}

fn variant(cursor: &mut Cursor<'_>, cases: &[(String, Option<Ty>)]) -> Result<Val, ParseError> {
    let what = || {
        let cases = cases.iter().map(|(name, ty)| match ty {
            Some(_) => format!("{{\"{name}\": …}}"),
            None => format!("\"{name}\""),
        });
        cases.collect::<Vec<_>>().join(" or ")
    };
    if cursor.at(b'"') {
        let place = cursor.place();
        let text = cursor.string("a string")?;
        let is_case = cases.iter().any(|(name, ty)| *name == text && ty.is_none());
        return match is_case {
            true => Ok(Val::Variant(text, None)),
            false => Err(place.unexpected(&what(), &text)),
        };
    }
    let (name, value) = single(cursor, &what, |cursor, key| {
        let (_, ty) = cases.iter().find(|(name, _)| name == key)?;
        Some(payload(cursor, ty.as_ref()))
    })?;
    Ok(Val::Variant(name, value.map(Box::new)))
}

fn result(cursor: &mut Cursor<'_>, outcome: &Outcome) -> Result<Val, ParseError> {
    let what = || "{\"ok\": …} or {\"error\": …}".to_owned();
    let (name, value) = single(cursor, &what, |cursor, key| match key {
        "ok" => Some(payload(cursor, outcome.ok.as_ref())),
        "error" => Some(payload(cursor, outcome.error.as_ref())),
        _ => None,
    })?;
    let value = value.map(Box::new);
    Ok(Val::Result(if name == "ok" { Ok(value) } else { Err(value) }))
}

/// Reads an object with one member, by a function that knows its name.
fn single(
    cursor: &mut Cursor<'_>,
    what: &dyn Fn() -> String,
    mut read: impl FnMut(&mut Cursor<'_>, &str) -> Option<Result<Option<Val>, ParseError>>,
) -> Result<(String, Option<Val>), ParseError> {
    let begin = cursor.place();
    let mut found = None;
    cursor.object(what, |cursor, key, place| {
        match (&found, read(cursor, key)) {
            (None, Some(value)) => found = Some((key.to_owned(), value?)),
            _ => return Err(place.unexpected(&what(), key)),
        }
        Ok(())
    })?;
    found.ok_or_else(|| begin.wrong(format!("expected {}, found an empty object", what())))
}

/// Reads the value of a case, or `null` if it has none.
fn payload(cursor: &mut Cursor<'_>, ty: Option<&Ty>) -> Result<Option<Val>, ParseError> {
    match ty {
        Some(ty) => ty.read(cursor).map(Some),
        None if cursor.null() => Ok(None),
        None => Err(cursor.expected("null")),
    }
}

fn option(cursor: &mut Cursor<'_>, inner: &Ty) -> Result<Val, ParseError> {
    if cursor.null() {
        return Ok(Val::Option(None));
    }
    let value = match inner {
        Ty::Option(_) => {
            let what = || "null or {\"some\": …}".to_owned();
            let (_, value) = single(cursor, &what, |cursor, key| {
                (key == "some").then(|| inner.read(cursor).map(Some))
            })?;
            value.expect("it has been read")
        }
        _ => inner.read(cursor)?,
    };
    Ok(Val::Option(Some(Box::new(value))))
}
