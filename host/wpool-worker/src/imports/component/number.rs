//! Numbers of values and arrays, converted from and to a component's types.

use super::wit::types::{Number, NumberType, Numbers};
use crate::shared::{Error, Scalar, Type};

/// Does an operation with numbers, unless one of them is of the wrong type. The guest gets that as
/// an error.
pub(super) fn of_type<T, const N: usize>(
    kind: Type,
    numbers: [Scalar; N],
    operation: impl FnOnce() -> Result<T, Error>,
) -> Result<Result<T, Error>, Error> {
    if numbers.iter().all(|number| number.kind() == kind) {
        operation().map(Ok)
    } else {
        Ok(Err(Error::WrongType))
    }
}

macro_rules! types {
    ($($Case:ident)+) => {
        impl From<Type> for NumberType {
            fn from(kind: Type) -> NumberType {
                match kind {
                    $(Type::$Case => NumberType::$Case,)+
                }
            }
        }

        impl From<NumberType> for Type {
            fn from(kind: NumberType) -> Type {
                match kind {
                    $(NumberType::$Case => Type::$Case,)+
                }
            }
        }

        impl From<Scalar> for Number {
            fn from(number: Scalar) -> Number {
                match number {
                    $(Scalar::$Case(number) => Number::$Case(number),)+
                }
            }
        }

        impl From<Number> for Scalar {
            fn from(number: Number) -> Scalar {
                match number {
                    $(Number::$Case(number) => Scalar::$Case(number),)+
                }
            }
        }
    };
}

types!(I32 I64 U32 U64 F32 F64 Bool);

macro_rules! lists {
    ($($Case:ident($Number:ty))+) => {
        /// Returns the numbers in the bytes of elements.
        pub(super) fn of_bytes(kind: Type, bytes: &[u8]) -> Numbers {
            match kind {
                $(Type::$Case => {
                    let (numbers, _) = bytes.as_chunks();
                    let number = |bytes: &[u8; _]| <$Number>::from_le_bytes(*bytes);
                    Numbers::$Case(numbers.iter().map(number).collect())
                })+
                Type::Bool => Numbers::Bool(bytes.iter().map(|byte| *byte != 0).collect()),
            }
        }

        /// Returns the type of numbers, their count, and their bytes as elements.
        pub(super) fn to_bytes(numbers: &Numbers) -> (Type, usize, Vec<u8>) {
            match numbers {
                $(Numbers::$Case(numbers) => {
                    let bytes = numbers.iter().flat_map(|number| number.to_le_bytes());
                    (Type::$Case, numbers.len(), bytes.collect())
                })+
                Numbers::Bool(bools) => {
                    (Type::Bool, bools.len(), bools.iter().copied().map(u8::from).collect())
                }
            }
        }
    };
}

lists!(I32(i32) I64(i64) U32(u32) U64(u64) F32(f32) F64(f64));
