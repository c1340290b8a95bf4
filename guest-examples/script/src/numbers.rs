//! Values and arrays.

use std::any::type_name;
use std::fmt::Display;
use std::str::FromStr;

use serde_json::{Value as Json, json};
use wpool_guest::{Array, Error, Number, Value};

use crate::answer::{Answer, Failure, unknown};
use crate::objects::{How, Made, Object};
use crate::step::{Within, Words};

/// A number that a script can write and its answers can show.
trait Word: Number + FromStr + Default + Display {
    /// Adds to a value, if such numbers can be added.
    fn add_to_value(self, value: &Value<Self>) -> Option<Self>;

    /// Adds to an element, if such numbers can be added.
    fn add_to_element(self, array: &Array<Self>, index: usize) -> Option<Self>;
}

macro_rules! words {
    ($($Number:ty)+) => {$(
        impl Word for $Number {
            fn add_to_value(self, value: &Value<Self>) -> Option<Self> {
                Some(value.add(self))
            }

            fn add_to_element(self, array: &Array<Self>, index: usize) -> Option<Self> {
                Some(array.add(index, self))
            }
        }
    )+};
}

words!(i32 i64 u32 u64 f32 f64);

impl Word for bool {
    fn add_to_value(self, _: &Value<Self>) -> Option<Self> {
        None
    }

    fn add_to_element(self, _: &Array<Self>, _: usize) -> Option<Self> {
        None
    }
}

/// Calls a function for the type of this name, or else for the first one that the object has.
macro_rules! for_type {
    ($type_name:expr, $function:ident($($argument:expr),*)) => {
        match $type_name {
            "i32" => $function::<i32>($($argument),*),
            "i64" => $function::<i64>($($argument),*),
            "u32" => $function::<u32>($($argument),*),
            "u64" => $function::<u64>($($argument),*),
            "f32" => $function::<f32>($($argument),*),
            "f64" => $function::<f64>($($argument),*),
            "bool" => $function::<bool>($($argument),*),
            other => Err(Failure::Step(format!("there is no type {other:?}"))),
        }
    };
}

const TYPES: [&str; 7] = ["i32", "i64", "u32", "u64", "f32", "f64", "bool"];

/// Makes an object of the type that is named, or opens one of whatever type it has.
fn of_type(how: How, words: &mut Words<'_>, make: impl Fn(&str, Words<'_>) -> Made) -> Made {
    match words.next() {
        Some(named) => make(named, *words),
        None if how == How::Open => {
            let mut attempts = TYPES.iter().map(|named| make(named, Words::default()));
            let is_other =
                |made: &Made| matches!(made, Err(Failure::Answer(Error::WrongType { .. })));
            attempts.find(|made| !is_other(made)).expect("an object has one of the types")
        }
        None => Err(Failure::Step("there is a type missing".to_owned())),
    }
}

/// Makes a value from `TYPE NUMBER`.
pub(crate) fn value(how: How, name: &str, mut words: Words<'_>) -> Made {
    of_type(how, &mut words, |named, words| for_type!(named, make_value(how, name, words)))
}

fn make_value<T: Word>(how: How, name: &str, mut words: Words<'_>) -> Made {
    let initial: T = how.number(&mut words)?;
    let create = || Value::create(name, initial);
    how.make(words, || Value::<T>::open(name), create, || Value::open_or_create(name, initial))
}

/// Makes an array from `TYPE LENGTH`.
pub(crate) fn array(how: How, name: &str, mut words: Words<'_>) -> Made {
    of_type(how, &mut words, |named, words| for_type!(named, make_array(how, name, words)))
}

fn make_array<T: Word>(how: How, name: &str, mut words: Words<'_>) -> Made {
    let length = how.number(&mut words)?;
    let ensure = || Array::open_or_create(name, length);
    how.make(words, || Array::<T>::open(name), || Array::create(name, length), ensure)
}

impl<T: Word> Object for Value<T> {
    fn act(&mut self, operation: &str, _: Within, mut words: Words<'_>) -> Answer {
        let mut number = || words.number::<T>();
        let answer = match operation {
            "type" => type_name::<T>().into(),
            "get" => json(self.get()),
            "set" => {
                self.set(number()?);
                true.into()
            }
            "swap" => json(self.swap(number()?)),
            "add" => number()?.add_to_value(self).map_or_else(no_sum, |was| Ok(json(was)))?,
            "compare-exchange" => exchanged(self.compare_exchange(number()?, number()?)),
            _ => return unknown(operation),
        };
        words.end()?;
        Ok(answer)
    }

    fn delete(&self) -> Result<(), Error> {
        Value::delete(self)
    }
}

impl<T: Word> Object for Array<T> {
    fn act(&mut self, operation: &str, _: Within, mut words: Words<'_>) -> Answer {
        match operation {
            "type" => return Ok(type_name::<T>().into()),
            "len" => return Ok(self.len().into()),
            _ => {}
        }
        let at = words.number()?;
        if operation == "write" {
            self.write(at, &list::<T>(words.rest())?);
            return Ok(true.into());
        }
        let mut number = || words.number::<T>();
        let answer = match operation {
            "get" => json(self.get(at)),
            "set" => {
                self.set(at, number()?);
                true.into()
            }
            "swap" => json(self.swap(at, number()?)),
            "add" => number()?.add_to_element(self, at).map_or_else(no_sum, |was| Ok(json(was)))?,
            "compare-exchange" => exchanged(self.compare_exchange(at, number()?, number()?)),
            "read" => {
                let mut numbers = vec![T::default(); words.number()?];
                self.read(at, &mut numbers);
                numbers.into_iter().map(json).collect()
            }
            _ => return unknown(operation),
        };
        words.end()?;
        Ok(answer)
    }

    fn delete(&self) -> Result<(), Error> {
        Array::delete(self)
    }
}

/// Returns the failure of an addition that the SDK has no way to write; `raw_misuse` has one.
fn no_sum() -> Answer {
    Err(Failure::Step("a bool cannot be added to".to_owned()))
}

fn exchanged<T: Word>(exchanged: Result<T, T>) -> Json {
    let (Ok(was) | Err(was)) = exchanged;
    json!({"was": json(was), "exchanged": exchanged.is_ok()})
}

/// Returns a number as JSON, or as a string if JSON has no such number.
fn json<T: Word>(number: T) -> Json {
    let text = number.to_string().replace("inf", "Infinity");
    serde_json::from_str(&text).unwrap_or(Json::String(text))
}

/// Reads `[1, 2, 3]`, as numbers of one type.
fn list<T: Word>(text: &str) -> Result<Vec<T>, String> {
    let inside = text.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let inside = inside.ok_or_else(|| format!("{text:?} is no list"))?;
    let words = inside.split(',').map(str::trim).filter(|word| !word.is_empty());
    let number =
        |word: &str| word.parse().map_err(|_| format!("{word:?} is no number of the type"));
    words.map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_json_as_far_as_it_has_them() {
        assert_eq!(
            [json(-1_i64), json(u64::MAX), json(true)],
            [json!(-1), json!(u64::MAX), json!(true)]
        );
        assert_eq!(
            [json(0.1_f32), json(1e300), json(f64::NAN)],
            [json!(0.1), json!(1e300), json!("NaN")]
        );
    }

    #[test]
    fn lists_are_of_one_type() {
        assert_eq!(list("[1, -2,3]"), Ok(vec![1, -2, 3]));
        assert_eq!(list::<u32>("[]"), Ok(vec![]));
        assert_eq!(list::<bool>("[true, 1]").unwrap_err(), r#""1" is no number of the type"#);
        assert!(list::<f64>("1, 2").is_err());
    }
}
