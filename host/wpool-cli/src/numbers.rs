//! Numbers of shared values and arrays, as people and programs write them.

use std::str::FromStr;
use wpool::Number;

/// The type of a value's or an array's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    I32,
    I64,
    U32,
    U64,
    F32,
    F64,
    Bool,
}

impl FromStr for Type {
    type Err = ();

    fn from_str(text: &str) -> Result<Type, ()> {
        Ok(match text {
            "i32" => Type::I32,
            "i64" => Type::I64,
            "u32" => Type::U32,
            "u64" => Type::U64,
            "f32" => Type::F32,
            "f64" => Type::F64,
            "bool" => Type::Bool,
            _ => return Err(()),
        })
    }
}

/// A number that can be parsed from text.
pub(crate) trait Text: Number {
    /// Parses the text.
    ///
    /// # Errors
    /// Returns what is wrong with the text.
    fn read(text: &str) -> Result<Self, String>;
}

macro_rules! integers {
    ($($Integer:ident)+) => {$(
        impl Text for $Integer {
            fn read(text: &str) -> Result<Self, String> {
                let name = stringify!($Integer);
                match (text.parse(), text.parse::<i128>()) {
                    (Ok(number), _) => Ok(number),
                    // The text is -0, for which an unsigned type has no sign.
                    (_, Ok(0)) => Ok(0),
                    (_, Ok(_)) => {
                        let (least, most) = ($Integer::MIN, $Integer::MAX);
                        Err(format!("{text} is out of range for {name} ({least} to {most})"))
                    }
                    _ => Err(format!("{text:?} is not an integer ({name})")),
                }
            }
        }
    )+};
}

macro_rules! floats {
    ($($Float:ident)+) => {$(
        impl Text for $Float {
            fn read(text: &str) -> Result<Self, String> {
                let name = stringify!($Float);
                match text.parse::<$Float>() {
                    // An infinity that is spelled out, as in jobs and results, is a number.
                    Ok(number) if number.is_finite() || !text.contains(|c: char| c.is_ascii_digit()) => {
                        Ok(number)
                    }
                    Ok(_) => Err(format!("{text} is out of range for {name}")),
                    Err(_) => Err(format!("{text:?} is not a number ({name})")),
                }
            }
        }
    )+};
}

integers! { i32 i64 u32 u64 }
floats! { f32 f64 }

impl Text for bool {
    fn read(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| format!("{text:?} is neither true nor false"))
    }
}

/// Evaluates an expression with the Rust type of a [`Type`].
macro_rules! with_type {
    ($kind:expr, $T:ident => $body:expr) => {
        match $kind {
            $crate::cli::numbers::Type::I32 => {
                type $T = i32;
                $body
            }
            $crate::cli::numbers::Type::I64 => {
                type $T = i64;
                $body
            }
            $crate::cli::numbers::Type::U32 => {
                type $T = u32;
                $body
            }
            $crate::cli::numbers::Type::U64 => {
                type $T = u64;
                $body
            }
            $crate::cli::numbers::Type::F32 => {
                type $T = f32;
                $body
            }
            $crate::cli::numbers::Type::F64 => {
                type $T = f64;
                $body
            }
            $crate::cli::numbers::Type::Bool => {
                type $T = bool;
                $body
            }
        }
    };
}

pub(crate) use with_type;

/// Checks that a text is a number of a type.
///
/// # Errors
/// Returns what is wrong with the text.
pub(crate) fn check(kind: Type, text: &str) -> Result<(), String> {
    with_type!(kind, T => T::read(text).map(drop))
}

/// Checks that a text is a list of numbers of a type.
///
/// # Errors
/// Returns what is wrong with the text.
pub(crate) fn check_list(kind: Type, text: &str) -> Result<(), String> {
    with_type!(kind, T => list::<T>(text).map(drop))
}

/// Parses a list of numbers: an array in JSON, or numbers with white space between them.
///
/// # Errors
/// Returns which element is wrong, and what is wrong with it.
pub(crate) fn list<T: Text>(text: &str) -> Result<Vec<T>, String> {
    let text = text.trim();
    let Some(inside) = text.strip_prefix('[') else {
        return text
            .split_ascii_whitespace()
            .enumerate()
            .map(|(at, word)| element(at, word))
            .collect();
    };
    let inside = inside.strip_suffix(']').ok_or("the list does not end with ]")?.trim();
    if inside.is_empty() {
        return Ok(Vec::new());
    }
    let words = inside.split(',').enumerate();
    words.map(|(at, word)| element(at, word.trim())).collect()
}

fn element<T: Text>(at: usize, word: &str) -> Result<T, String> {
    // JSON writes "NaN" in quotes.
    let bare = word.strip_prefix('"').and_then(|word| word.strip_suffix('"')).unwrap_or(word);
    T::read(bare).map_err(|error| format!("element {at}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_of_its_type_and_in_its_range() {
        assert_eq!(i32::read("-7"), Ok(-7));
        assert_eq!(u64::read("18446744073709551615"), Ok(u64::MAX));
        assert_eq!(u32::read("-1"), Err("-1 is out of range for u32 (0 to 4294967295)".into()));
        assert_eq!((u32::read("-0"), i32::read("-0")), (Ok(0), Ok(0)));
        assert_eq!(i32::read("1.5"), Err("\"1.5\" is not an integer (i32)".into()));
        assert_eq!(f64::read("1e3"), Ok(1000.0));
        assert_eq!(f32::read("1e39"), Err("1e39 is out of range for f32".into()));
        assert_eq!(f64::read("-Infinity"), Ok(f64::NEG_INFINITY));
        assert!(f64::read("NaN").is_ok_and(f64::is_nan));
        assert_eq!(f64::read("ten"), Err("\"ten\" is not a number (f64)".into()));
        assert_eq!(bool::read("true"), Ok(true));
        assert_eq!(bool::read("1"), Err("\"1\" is neither true nor false".into()));
    }

    #[test]
    fn a_list_is_json_or_words() {
        assert_eq!(list::<i32>("[1, 2,\n3]\n"), Ok(vec![1, 2, 3]));
        assert_eq!(list::<i32>("1\n2\r\n3 4\n"), Ok(vec![1, 2, 3, 4]));
        assert_eq!(list::<f64>("[\"Infinity\",0.5]"), Ok(vec![f64::INFINITY, 0.5]));
        assert_eq!(list::<f64>(" "), Ok(vec![]));
        assert_eq!(list::<f64>("[ ]"), Ok(vec![]));
        assert_eq!(list::<i32>("[1,2"), Err("the list does not end with ]".into()));
        assert_eq!(list::<i32>("[1,,2]"), Err("element 1: \"\" is not an integer (i32)".into()));
        assert_eq!(list::<i32>("1 x"), Err("element 1: \"x\" is not an integer (i32)".into()));
    }
}
