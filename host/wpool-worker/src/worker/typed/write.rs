//! The writing of values as JSON.

use super::ty::Ty;
use crate::module::scalar::Scalar;
use crate::wire::base64::base64;
use crate::worker::json::{write_scalar, write_string};
use wasmtime::ValRaw;
use wasmtime::component::Val;

/// The error of more text than allowed.
#[derive(Debug)]
pub(super) struct TooLong;

/// A writer of JSON.
pub(super) struct Writer<'a> {
    pub(super) out: &'a mut Vec<u8>,
    /// The greatest length of `out` in bytes.
    pub(super) end_max: usize,
    /// True if `list<u8>` is a string in base64.
    pub(super) base64: bool,
}

impl Writer<'_> {
    /// Writes a value of this type.
    ///
    /// # Errors
    /// Returns an error if there is more text than allowed; some of the text has been written then.
    pub(super) fn value(&mut self, ty: &Ty, value: &Val) -> Result<(), TooLong> {
        match (ty, value) {
            (Ty::Scalar(scalar), value) => write_scalar(*scalar, &raw(value), false, self.out),
            (Ty::String, Val::String(text)) => write_string(text, false, self.out),
            (Ty::Bytes, Val::List(bytes)) if self.base64 => self.in_base64(bytes),
            (Ty::Bytes, Val::List(values)) => {
                let byte = Ty::Scalar(Scalar::Unsigned(8));
                self.array(values.iter().map(|value| (&byte, value)))?;
            }
            (Ty::List(element), Val::List(values)) => {
                self.array(values.iter().map(|value| (&**element, value)))?;
            }
            (Ty::Tuple(types), Val::Tuple(values)) => self.array(types.iter().zip(values))?,
            (Ty::Record(fields), Val::Record(members)) => {
                let members = fields.iter().zip(members);
                self.separated(members, b"{}", |writer, ((name, ty), (_, value))| {
                    writer.named(name, ty, value)
                })?;
            }
            (Ty::Variant(cases), Val::Variant(case, value)) => {
                let ty =
                    cases.iter().find(|(name, _)| name == case).and_then(|(_, ty)| ty.as_ref());
                match (ty, value) {
                    (Some(ty), Some(value)) => self.member(case, Some(ty), Some(value))?,
                    _ => write_string(case, false, self.out),
                }
            }
            (Ty::Enum(_), Val::Enum(case)) => write_string(case, false, self.out),
            (Ty::Option(_), Val::Option(None)) => self.out.extend_from_slice(b"null"),
            (Ty::Option(inner), Val::Option(Some(value))) => match &**inner {
                nested @ Ty::Option(_) => self.member("some", Some(nested), Some(value))?,
                inner => self.value(inner, value)?,
            },
            (Ty::Result(outcome), Val::Result(Ok(value))) => {
                self.member("ok", outcome.ok.as_ref(), value.as_deref())?;
            }
            (Ty::Result(outcome), Val::Result(Err(value))) => {
                self.member("error", outcome.error.as_ref(), value.as_deref())?;
            }
            (Ty::Flags(_), Val::Flags(names)) => {
                self.separated(names.iter(), b"[]", |writer, name| {
                    write_string(name, false, writer.out);
                    Ok(())
                })?;
            }
            (Ty::Stream(_) | Ty::Future(_), value) => self.value(ty.whole(), value)?,
            (ty, value) => unreachable!("wasmtime made {value:?} of {ty:?}"),
        }
        if self.out.len() > self.end_max { Err(TooLong) } else { Ok(()) }
    }

    fn array<'v>(
        &mut self,
        values: impl Iterator<Item = (&'v Ty, &'v Val)>,
    ) -> Result<(), TooLong> {
        self.separated(values, b"[]", |writer, (ty, value)| writer.value(ty, value))
    }

    fn named(&mut self, name: &str, ty: &Ty, value: &Val) -> Result<(), TooLong> {
        write_string(name, false, self.out);
        self.out.push(b':');
        self.value(ty, value)
    }

    /// Writes an object with one member, whose value is `null` if there is none.
    fn member(&mut self, name: &str, ty: Option<&Ty>, value: Option<&Val>) -> Result<(), TooLong> {
        self.out.push(b'{');
        match (ty, value) {
            (Some(ty), Some(value)) => self.named(name, ty, value)?,
            _ => {
                write_string(name, false, self.out);
                self.out.extend_from_slice(b":null");
            }
        }
        self.out.push(b'}');
        Ok(())
    }

    /// Writes items with commas between them, in brackets.
    fn separated<T>(
        &mut self,
        items: impl Iterator<Item = T>,
        brackets: &[u8; 2],
        mut write: impl FnMut(&mut Self, T) -> Result<(), TooLong>,
    ) -> Result<(), TooLong> {
        self.out.push(brackets[0]);
        for (index, item) in items.enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            write(self, item)?;
        }
        self.out.push(brackets[1]);
        Ok(())
    }

    fn in_base64(&mut self, values: &[Val]) {
        let mut bytes = Vec::new();
        put_bytes(values, &mut bytes);
        self.out.push(b'"');
        self.out.extend_from_slice(base64(&bytes).as_bytes());
        self.out.push(b'"');
    }
}

/// Appends the bytes of a `list<u8>`.
pub(super) fn put_bytes(values: &[Val], out: &mut Vec<u8>) {
    out.extend(values.iter().map(|value| match value {
        Val::U8(byte) => *byte,
        value => unreachable!("wasmtime made {value:?} of a u8"),
    }));
}

fn raw(value: &Val) -> ValRaw {
    match *value {
        Val::Bool(value) => ValRaw::u32(value.into()),
        Val::S8(value) => ValRaw::i32(value.into()),
        Val::U8(value) => ValRaw::u32(value.into()),
        Val::S16(value) => ValRaw::i32(value.into()),
        Val::U16(value) => ValRaw::u32(value.into()),
        Val::S32(value) => ValRaw::i32(value),
        Val::U32(value) => ValRaw::u32(value),
        Val::S64(value) => ValRaw::i64(value),
        Val::U64(value) => ValRaw::u64(value),
        Val::Float32(value) => ValRaw::f32(value.to_bits()),
        Val::Float64(value) => ValRaw::f64(value.to_bits()),
        Val::Char(value) => ValRaw::u32(value.into()),
        ref value => unreachable!("wasmtime made {value:?} of a number"),
    }
}
