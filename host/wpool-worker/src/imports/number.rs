//! Numbers of values and arrays, as they cross between guest and host: 64 bits, whatever their
//! type.

use super::answers::misuse;
use crate::shared::{Scalar, Type};

/// Returns the type with this code.
pub(super) fn kind(call: &'static str, code: i32) -> wasmtime::Result<Type> {
    let kind = u8::try_from(code).ok().and_then(Type::unpack);
    kind.ok_or_else(|| misuse(call, format!("{code} is not a type of numbers")))
}

/// Returns the number with a guest's bits.
#[inline]
pub(super) fn number(kind: Type, bits: i64) -> Scalar {
    Scalar::of(kind, bits as u64)
}

/// Returns the bits of a number, with its sign if it has one.
#[inline]
pub(super) fn bits(number: Scalar) -> i64 {
    match number {
        Scalar::I32(number) => number.into(),
        Scalar::I64(number) => number,
        Scalar::U32(number) => number.into(),
        Scalar::U64(number) => number as i64,
        Scalar::F32(number) => number.to_bits().into(),
        Scalar::F64(number) => number.to_bits() as i64,
        Scalar::Bool(number) => number.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_cross_with_their_sign_and_without_what_lies_above_them() {
        for (code, inwards, outwards) in [
            (1, -1, -1),
            (1, 0x1_8000_0000, -0x8000_0000),
            (2, i64::MIN, i64::MIN),
            (3, -1, 0xffff_ffff),
            (4, -1, -1),
            (5, -1 << 32 | 0x3f80_0000, 0x3f80_0000),
            (6, 0x3ff0_0000_0000_0000, 0x3ff0_0000_0000_0000),
            (7, 0x100, 1),
            (7, 0, 0),
        ] {
            let kind = kind("test", code).unwrap();
            assert_eq!(bits(number(kind, inwards)), outwards, "{kind:?}");
        }
        for code in [-1, 0, 8, 257] {
            assert!(kind("test", code).is_err(), "{code}");
        }
    }
}
