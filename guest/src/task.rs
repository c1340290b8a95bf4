//! The code between the exports that `#[task]` writes and the functions under the attribute.

use std::fmt::Display;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::job;

/// A type that crosses the border of a module as one WebAssembly number.
///
/// The host checks the range before the call, so every number that arrives here fits.
pub trait Scalar {
    /// The WebAssembly type of the number.
    type Abi;

    /// Converts a parameter.
    fn from_abi(abi: Self::Abi) -> Self;

    /// Converts a result.
    fn into_abi(self) -> Self::Abi;
}

macro_rules! scalars {
    ($($abi:ty: $($rust:ty)+;)+) => {$($(
        impl Scalar for $rust {
            type Abi = $abi;

            fn from_abi(abi: $abi) -> Self {
                abi as $rust
            }

            fn into_abi(self) -> $abi {
                self as $abi
            }
        }
    )+)+};
}

scalars! {
    i32: i8 i16 i32 u8 u16 u32;
    i64: i64 u64;
    f32: f32;
    f64: f64;
}

impl Scalar for bool {
    type Abi = i32;

    fn from_abi(abi: i32) -> Self {
        abi != 0
    }

    fn into_abi(self) -> i32 {
        self.into()
    }
}

/// The unit type stands for no result.
impl Scalar for () {
    type Abi = ();

    fn from_abi((): ()) {}

    fn into_abi(self) {}
}

/// Decodes the job, runs the task and encodes its result. An error is the failure's message.
///
/// # Errors
///
/// Returns an error if the job does not decode, if the task fails, or if its result cannot be
/// written as JSON.
pub fn answer<J, R, E>(job: &[u8], task: impl FnOnce(J) -> Result<R, E>) -> Result<Vec<u8>, String>
where
    J: DeserializeOwned,
    R: Serialize,
    E: Display,
{
    let job = serde_json::from_slice(job).map_err(|error| format!("invalid job: {error}"))?;
    // The alternate form makes `anyhow` and similar crates print the whole chain of causes.
    let result = task(job).map_err(|error| format!("{error:#}"))?;
    serde_json::to_vec(&result).map_err(|error| format!("result is not JSON: {error}"))
}

/// Runs the body of a `task_NAME` export. Returns 0 after writing a result, or 1 after writing a
/// message.
pub fn byte_task(answer: fn(&[u8]) -> Result<Vec<u8>, String>) -> i32 {
    match answer(&job::job()) {
        Ok(result) => {
            job::result_write(&result);
            0
        }
        Err(message) => {
            job::result_write(message.as_bytes());
            1
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn check<J: DeserializeOwned, R: Serialize>(task: fn(J) -> R, job: &str, expect: &str) {
        let answer = answer(job.as_bytes(), |job| Ok::<_, Infallible>(task(job)));
        assert_eq!(answer.as_deref(), Ok(expect.as_bytes()), "job {job}");
    }

    #[test]
    fn one_parameter_is_the_job_itself() {
        check(|n: i64| n * n, "12", "144");
        check(|words: Vec<String>| words.len(), r#"["a", "b"]"#, "2");
        check(|word: Option<String>| word, "null", "null");
    }

    #[test]
    fn several_parameters_are_an_array() {
        check(|(word, n): (String, usize)| word.repeat(n), r#"["ab", 3]"#, r#""ababab""#);
    }

    #[test]
    fn no_result_is_null() {
        check(|()| (), "null", "null");
    }

    #[test]
    fn integers_keep_64_bits() {
        check(|n: u64| n, "18446744073709551615", "18446744073709551615");
    }

    #[test]
    fn a_job_that_does_not_decode_is_an_invalid_job() {
        let answer = answer(br#"[1, "two"]"#, |numbers: Vec<i64>| Ok::<_, Infallible>(numbers));
        let message = answer.unwrap_err();
        assert!(message.starts_with("invalid job: invalid type: string \"two\""), "{message}");
        assert!(message.ends_with("at line 1 column 9"), "{message}");
    }

    #[test]
    fn an_error_fails_the_job_with_its_message() {
        let answer = answer(b"0", |n: i64| 1_i64.checked_div(n).ok_or("division by zero"));
        assert_eq!(answer, Err("division by zero".to_owned()));
    }

    #[test]
    fn scalars_come_back_as_they_went() {
        fn check<S: Scalar + Copy + PartialEq + std::fmt::Debug>(values: &[S]) {
            for &value in values {
                assert_eq!(S::from_abi(value.into_abi()), value);
            }
        }
        check(&[i8::MIN, -1, i8::MAX]);
        check(&[0, u16::MAX]);
        check(&[0, u32::MAX]);
        check(&[i64::MIN, i64::MAX]);
        check(&[0, u64::MAX]);
        check(&[f32::MIN, f32::INFINITY]);
        check(&[f64::MIN_POSITIVE, -0.0]);
        check(&[true, false]);
        assert_eq!(200_u8.into_abi(), 200, "unsigned values are not sign-extended");
    }

    mod expanded {
        //! The attribute on every kind of function compiles, and leaves it callable.

        use crate::task;

        #[task]
        fn plain(a: i8, b: u64, c: f32, d: bool) -> f64 {
            f64::from(a) + b as f64 + f64::from(c) + f64::from(u8::from(d))
        }

        #[task]
        fn nothing() {}

        #[task]
        fn join(words: &[String], separator: &str) -> String {
            words.join(separator)
        }

        #[task]
        fn parse(text: &str) -> Result<Option<(i64, f64)>, std::num::ParseIntError> {
            text.parse().map(|n: i64| Some((n, n as f64)))
        }

        #[task]
        fn discard(mut bytes: Vec<u8>, _seed: u32) {
            bytes.clear();
        }

        #[test]
        fn tasks_are_still_functions() {
            nothing();
            discard(vec![1], 2);
            assert_eq!(plain(-1, 2, 0.5, true), 2.5);
            assert_eq!(join(&["a".into(), "b".into()], "+"), "a+b");
            assert_eq!(parse("7"), Ok(Some((7, 7.0))));
            assert!(parse("seven").is_err());
        }
    }
}
