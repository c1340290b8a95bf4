//! The numbers in values and arrays.

use crate::shared::{Scalar, Type};
use std::fmt::Debug;

/// A number of a [`Value`](super::Value) or an [`Array`](super::Array): `i32`, `i64`, `u32`, `u64`,
/// `f32`, `f64` or `bool`.
pub trait Number: Bits + Copy + PartialEq + Debug + Send + Sync + 'static {}

/// A number that can be added to: any type but `bool`.
pub trait Arithmetic: Number {}

/// The bits of a number. The trait is out of the reach of other crates.
pub trait Bits: Sized {
    /// The name of the type.
    const NAME: &'static str;

    /// The code of the type in [`Type`].
    const TYPE: u8;

    /// Returns the number's bits, in the low bits of the result.
    fn into_bits(self) -> u64;

    /// Returns the number with these bits.
    fn from_bits(bits: u64) -> Self;
}

macro_rules! numbers {
    ($($Number:ty = $Type:ident: $into:expr, $from:expr;)+) => {
        $(
            impl Bits for $Number {
                const NAME: &'static str = stringify!($Number);
                const TYPE: u8 = Type::$Type as u8;

                #[inline]
                fn into_bits(self) -> u64 {
                    $into(self)
                }

                #[inline]
                fn from_bits(bits: u64) -> Self {
                    $from(bits)
                }
            }

            impl Number for $Number {}
        )+

        /// Returns the name of a type.
        pub(super) fn name(kind: Type) -> &'static str {
            match kind {
                $(Type::$Type => <$Number>::NAME,)+
            }
        }
    };
}

numbers! {
    i32 = I32: |number: i32| u64::from(number as u32), |bits| bits as i32;
    i64 = I64: |number| number as u64, |bits| bits as i64;
    u32 = U32: u64::from, |bits| bits as u32;
    u64 = U64: |number| number, |bits| bits;
    f32 = F32: |number: f32| u64::from(number.to_bits()), |bits| f32::from_bits(bits as u32);
    f64 = F64: |number: f64| number.to_bits(), f64::from_bits;
    bool = Bool: u64::from, |bits| bits != 0;
}

impl Arithmetic for i32 {}
impl Arithmetic for i64 {}
impl Arithmetic for u32 {}
impl Arithmetic for u64 {}
impl Arithmetic for f32 {}
impl Arithmetic for f64 {}

/// Returns the type of `T`.
#[inline]
pub(super) fn type_of<T: Number>() -> Type {
    Type::unpack(T::TYPE).expect("it was a type's number")
}

#[inline]
pub(super) fn scalar<T: Number>(number: T) -> Scalar {
    Scalar::of(type_of::<T>(), number.into_bits())
}

#[inline]
pub(super) fn number<T: Number>(scalar: Scalar) -> T {
    T::from_bits(scalar.bits())
}
