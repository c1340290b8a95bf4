//! The writing of values as JSON.

use crate::module::scalar::Scalar;
use wasmtime::ValRaw;

/// Appends a number as a value of this type. If `bare` is true, strings are written without quotes.
#[inline]
pub(crate) fn write_scalar(ty: Scalar, number: &ValRaw, bare: bool, out: &mut Vec<u8>) {
    let mut digits = itoa::Buffer::new();
    // A guest may leave anything in the bits above those of the type: they are cut.
    let text = match ty {
        Scalar::Signed(64) => digits.format(number.get_i64()),
        Scalar::Unsigned(64) => digits.format(number.get_u64()),
        Scalar::Signed(32) => digits.format(number.get_i32()),
        Scalar::Signed(16) => digits.format(number.get_i32() as i16),
        Scalar::Signed(_) => digits.format(number.get_i32() as i8),
        Scalar::Unsigned(32) => digits.format(number.get_u32()),
        Scalar::Unsigned(16) => digits.format(number.get_u32() as u16),
        Scalar::Unsigned(_) => digits.format(number.get_u32() as u8),
        Scalar::Bool if number.get_u32() == 0 => "false",
        Scalar::Bool => "true",
        Scalar::F64 => return write_float(f64::from_bits(number.get_f64()), bare, out),
        Scalar::F32 => {
            let value = f32::from_bits(number.get_f32());
            match value.is_finite() {
                true => return serialize(&value, out),
                false => return write_float(value.into(), bare, out),
            }
        }
        Scalar::Char => {
            let char = char::from_u32(number.get_u32()).unwrap_or(char::REPLACEMENT_CHARACTER);
            return write_string(char.encode_utf8(&mut [0; 4]), bare, out);
        }
    };
    out.extend_from_slice(text.as_bytes());
}

fn write_float(value: f64, bare: bool, out: &mut Vec<u8>) {
    if value.is_nan() {
        write_string("NaN", bare, out);
    } else if value.is_infinite() {
        write_string(if value > 0.0 { "Infinity" } else { "-Infinity" }, bare, out);
    } else {
        serialize(&value, out);
    }
}

/// Appends a string. If `bare` is true, it has no quotes.
pub(crate) fn write_string(text: &str, bare: bool, out: &mut Vec<u8>) {
    if bare {
        out.extend_from_slice(text.as_bytes());
    } else {
        serialize(text, out);
    }
}

fn serialize<T: serde::Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).expect("it has a JSON form, and a vector takes it");
}
