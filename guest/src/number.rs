//! The numbers in values and arrays.

use std::fmt::Debug;

use crate::code::{error::WRONG_TYPE, number};
use crate::raw;

/// A number of a [`Value`](crate::Value) or an [`Array`](crate::Array): `i32`, `i64`, `u32`, `u64`,
/// `f32`, `f64` or `bool`.
pub trait Number: Bits + Copy + PartialEq + Debug + 'static {}

/// A number that can be added to: any type but `bool`.
///
/// ```compile_fail
/// # fn set(flag: wpool_guest::Value<bool>) {
/// flag.add(true);
/// # }
/// ```
pub trait Arithmetic: Number {}

/// The bits in which a number crosses to the host. The trait is out of the reach of other crates.
pub trait Bits: Sized {
    /// The host's code for the type.
    const TYPE: i32;

    /// Returns the number's bits, in the low bits of an `i64`.
    fn into_bits(self) -> i64;

    /// Returns the number with these bits.
    fn from_bits(bits: i64) -> Self;
}

macro_rules! numbers {
    ($($Number:ty = $Code:ident: $into:expr, $from:expr;)+) => {$(
        impl Bits for $Number {
            const TYPE: i32 = number::$Code;

            #[inline]
            fn into_bits(self) -> i64 {
                $into(self)
            }

            #[inline]
            fn from_bits(bits: i64) -> Self {
                $from(bits)
            }
        }

        impl Number for $Number {}
    )+};
}

numbers! {
    i32 = I32: i64::from, |bits| bits as i32;
    i64 = I64: |number| number, |bits| bits;
    u32 = U32: i64::from, |bits| bits as u32;
    u64 = U64: |number| number as i64, |bits| bits as u64;
    f32 = F32: |number: f32| i64::from(number.to_bits()), |bits| f32::from_bits(bits as u32);
    f64 = F64: |number: f64| number.to_bits() as i64, |bits| f64::from_bits(bits as u64);
    bool = BOOL: i64::from, |bits| bits != 0;
}

impl Arithmetic for i32 {}
impl Arithmetic for i64 {}
impl Arithmetic for u32 {}
impl Arithmetic for u64 {}
impl Arithmetic for f32 {}
impl Arithmetic for f64 {}

/// Returns the answer to opening an object of numbers, or the error code if its numbers are of
/// another type than `T`.
pub(crate) fn checked<T: Number>(answer: i32, kind: extern "C" fn(i32) -> i32) -> i32 {
    if answer > 0 && kind(answer) != T::TYPE {
        raw::object_close(answer);
        return WRONG_TYPE;
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: Number>(numbers: &[(T, i64)]) {
        for &(number, bits) in numbers {
            assert_eq!(number.into_bits(), bits, "{number:?}");
            assert_eq!(T::from_bits(bits), number);
        }
    }

    #[test]
    fn numbers_cross_as_the_host_defines_it() {
        check(&[(-1_i32, -1), (i32::MAX, 0x7fff_ffff)]);
        check(&[(i64::MIN, i64::MIN)]);
        check(&[(u32::MAX, 0xffff_ffff)]);
        check(&[(u64::MAX, -1)]);
        check(&[(-0.0_f32, 0x8000_0000), (1.0, 0x3f80_0000)]);
        check(&[(-0.0_f64, i64::MIN), (1.0, 0x3ff0_0000_0000_0000)]);
        check(&[(false, 0), (true, 1)]);
    }

    #[test]
    fn only_the_bits_of_the_type_count() {
        assert_eq!(i32::from_bits(-1 << 32 | 5), 5);
        assert_eq!(u32::from_bits(-1), u32::MAX);
    }
}
