//! Values and arrays: conversions between the types of WIT and numbers as bits, as in
//! `crate::number`.

use std::{ptr, slice};

use super::host::array::Array;
use super::host::types::{Error, Number, NumberType, Numbers};
use super::host::value::Value;
use super::{TYPE, made_of, with};
use crate::number::Bits;

macro_rules! numbers {
    ($($Case:ident($Number:ty))+) => {
        /// Returns the code of a type.
        fn code(kind: NumberType) -> i32 {
            match kind {
                $(NumberType::$Case => <$Number>::TYPE,)+
            }
        }

        /// Returns the bits of a number.
        fn bits(number: Number) -> i64 {
            match number {
                $(Number::$Case(number) => number.into_bits(),)+
            }
        }

        /// Returns the number with these bits, of the type with this code.
        fn number(code: i32, bits: i64) -> Number {
            match code {
                $(<$Number>::TYPE => Number::$Case(<$Number as Bits>::from_bits(bits)),)+
                _ => unreachable!("{code} is not a type of numbers"),
            }
        }

        /// Returns the type with this code.
        fn number_type(code: i32) -> NumberType {
            match code {
                $(<$Number>::TYPE => NumberType::$Case,)+
                _ => unreachable!("{code} is not a type of numbers"),
            }
        }

        /// Copies numbers to `dst`, in their natural size.
        ///
        /// # Safety
        /// There is room for the numbers at `dst`.
        unsafe fn store(numbers: &Numbers, dst: *mut u8) {
            match numbers {
                $(Numbers::$Case(list) => {
                    let (src, bytes) = (list.as_ptr().cast(), size_of_val(list.as_slice()));
                    // SAFETY: as the caller promises.
                    unsafe { ptr::copy_nonoverlapping(src, dst, bytes) };
                })+
            }
        }

        /// Returns the numbers at `src`, of the type with this code.
        ///
        /// # Safety
        /// There are `count` numbers of that type at `src`.
        unsafe fn load(code: i32, src: *const u8, count: usize) -> Numbers {
            match code {
                $(<$Number>::TYPE => {
                    // SAFETY: as the caller promises.
                    let list = unsafe { slice::from_raw_parts(src.cast::<$Number>(), count) };
                    Numbers::$Case(list.to_vec())
                })+
                _ => unreachable!("{code} is not a type of numbers"),
            }
        }
    };
}

numbers!(I32(i32) I64(i64) U32(u32) U64(u64) F32(f32) F64(f64) Bool(bool));

/// Returns the code of the type of an object's numbers.
fn type_of(handle: i32) -> i32 {
    handle >> TYPE & 7
}

/// Returns the result of changing a number, whose type is always the object's.
fn changed<T>(changed: Result<T, Error>) -> T {
    changed.expect("the number is of the object's type")
}

pub(crate) fn value_open(name: &str) -> i32 {
    made_of(Value::open(name), |value| code(value.number_type()))
}

pub(crate) fn value_create(name: &str, kind: i32, initial: i64) -> i32 {
    made_of(Value::create(name, number(kind, initial)), |_| kind)
}

pub(crate) extern "C" fn value_type(handle: i32) -> i32 {
    type_of(handle)
}

pub(crate) fn value_get(handle: i32) -> i64 {
    bits(with(handle, |value: &Value| value.get()))
}

pub(crate) fn value_set(handle: i32, new: i64) {
    let new = number(type_of(handle), new);
    changed(with(handle, |value: &Value| value.set(new)));
}

pub(crate) fn value_swap(handle: i32, new: i64) -> i64 {
    let new = number(type_of(handle), new);
    bits(changed(with(handle, |value: &Value| value.swap(new))))
}

pub(crate) fn value_add(handle: i32, more: i64) -> i64 {
    let more = number(type_of(handle), more);
    bits(changed(with(handle, |value: &Value| value.add(more))))
}

pub(crate) fn value_compare_exchange(handle: i32, expected: i64, new: i64) -> i64 {
    let kind = type_of(handle);
    let (expected, new) = (number(kind, expected), number(kind, new));
    bits(changed(with(handle, |value: &Value| value.compare_exchange(expected, new))))
}

pub(crate) fn array_open(name: &str) -> i32 {
    made_of(Array::open(name), |array| code(array.number_type()))
}

pub(crate) fn array_create(name: &str, kind: i32, length: u32) -> i32 {
    made_of(Array::create(name, number_type(kind), length), |_| kind)
}

pub(crate) extern "C" fn array_type(handle: i32) -> i32 {
    type_of(handle)
}

pub(crate) fn array_len(handle: i32) -> i32 {
    with(handle, |array: &Array| array.len()) as i32
}

pub(crate) fn array_get(handle: i32, index: u32) -> i64 {
    bits(with(handle, |array: &Array| array.get(index)))
}

pub(crate) fn array_set(handle: i32, index: u32, new: i64) {
    let new = number(type_of(handle), new);
    changed(with(handle, |array: &Array| array.set(index, new)));
}

pub(crate) fn array_swap(handle: i32, index: u32, new: i64) -> i64 {
    let new = number(type_of(handle), new);
    bits(changed(with(handle, |array: &Array| array.swap(index, new))))
}

pub(crate) fn array_add(handle: i32, index: u32, more: i64) -> i64 {
    let more = number(type_of(handle), more);
    bits(changed(with(handle, |array: &Array| array.add(index, more))))
}

pub(crate) fn array_compare_exchange(handle: i32, index: u32, expected: i64, new: i64) -> i64 {
    let kind = type_of(handle);
    let (expected, new) = (number(kind, expected), number(kind, new));
    let exchange = |array: &Array| array.compare_exchange(index, expected, new);
    bits(changed(with(handle, exchange)))
}

/// # Safety
/// There is room for `count` elements at `dst`.
pub(crate) unsafe fn array_read(handle: i32, first: u32, dst: *mut u8, count: usize) {
    let numbers = with(handle, |array: &Array| array.read(first, count as u32));
    // SAFETY: as the caller promises.
    unsafe { store(&numbers, dst) };
}

/// # Safety
/// There are `count` elements at `src`.
pub(crate) unsafe fn array_write(handle: i32, first: u32, src: *const u8, count: usize) {
    // SAFETY: as the caller promises.
    let numbers = unsafe { load(type_of(handle), src, count) };
    changed(with(handle, |array: &Array| array.write(first, &numbers)));
}
