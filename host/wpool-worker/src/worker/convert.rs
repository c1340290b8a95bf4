//! Conversion between a scalar task's numbers and lines of JSON.

use super::json::{Cursor, ParseError, short_integer, write_scalar};
use crate::module::description::Task;
use crate::module::scalar::Scalar;
use crate::wire::failure::Failure;
use wasmtime::ValRaw;

/// The types of a scalar task's parameters and results.
#[derive(Debug)]
pub(crate) struct Signature {
    params: Vec<Scalar>,
    results: Vec<Scalar>,
    /// The signature as text, for messages.
    text: String,
    /// True if strings are written without quotes.
    bare: bool,
    /// True if an integer of 32 bits may be a truth value, because the module does not give its
    /// type.
    assumed: bool,
}

impl Signature {
    /// Returns the signature of a scalar task, or `None` if one of its types is not a scalar.
    pub(crate) fn new(task: &Task, bare: bool) -> Option<Self> {
        let params = task.params.iter().flatten().map(|param| Scalar::from_wit(&param.ty));
        let results = task.results.iter().map(|ty| Scalar::from_wit(ty));
        Some(Signature {
            params: params.collect::<Option<_>>()?,
            results: results.collect::<Option<_>>()?,
            text: task.signature(),
            bare,
            assumed: task.assumed,
        })
    }

    /// Returns the greatest number of numbers that a call passes in either direction.
    pub(crate) fn width(&self) -> usize {
        self.params.len().max(self.results.len())
    }

    /// Returns the types of the parameters.
    pub(crate) fn params(&self) -> &[Scalar] {
        &self.params
    }

    /// Returns the types of the results.
    pub(crate) fn results(&self) -> &[Scalar] {
        &self.results
    }

    /// Reads a job into the numbers of a call.
    ///
    /// # Errors
    /// Returns a failure if the job is not one value for each parameter, of its type and range.
    #[inline]
    pub(crate) fn read(&self, job: &[u8], numbers: &mut [ValRaw]) -> Result<(), Failure> {
        if let [Scalar::Signed(64)] = self.params[..]
            && let Some(value) = short_integer(job)
        {
            numbers[0] = ValRaw::i64(value);
            return Ok(());
        }
        self.read_any(job, numbers).map_err(|wrong| wrong.failure(job))
    }

    fn read_any(&self, job: &[u8], numbers: &mut [ValRaw]) -> Result<(), ParseError> {
        let mut cursor = Cursor::new(job);
        match self.params[..] {
            [] => return Ok(()),
            [only] => numbers[0] = self.number(&mut cursor, only)?,
            _ => {
                let count = self.params.len();
                let expected = || format!("an array of {count} values for {}", self.text);
                if !cursor.take(b'[') {
                    return Err(cursor.expected(&expected()));
                }
                for (index, param) in self.params.iter().enumerate() {
                    if index > 0 && !cursor.take(b',') {
                        return Err(cursor.expected(&format!("a comma in {}", expected())));
                    }
                    numbers[index] = self.number(&mut cursor, *param)?;
                }
                if !cursor.take(b']') {
                    return Err(cursor.expected(&format!("the end of {}", expected())));
                }
            }
        }
        cursor.end()
    }

    fn number(&self, cursor: &mut Cursor<'_>, ty: Scalar) -> Result<ValRaw, ParseError> {
        match ty {
            Scalar::Signed(32) | Scalar::Unsigned(32)
                if self.assumed && (cursor.at(b't') || cursor.at(b'f')) =>
            {
                cursor.scalar(Scalar::Bool)
            }
            ty => cursor.scalar(ty),
        }
    }

    /// Appends the results of a call as a line of JSON, without the line's end.
    #[inline]
    pub(crate) fn write(&self, numbers: &[ValRaw], out: &mut Vec<u8>) {
        match self.results[..] {
            [] => out.extend_from_slice(b"null"),
            [only] => write_scalar(only, &numbers[0], self.bare, out),
            _ => {
                out.push(b'[');
                for (index, (ty, number)) in self.results.iter().zip(numbers).enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    write_scalar(*ty, number, self.bare, out);
                }
                out.push(b']');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::module::description::{Form, Parameter};
    use crate::wire::failure::FailureKind;

    fn signature(params: &[&str], results: &[&str]) -> Signature {
        let param = |ty: &&str| Parameter { name: None, ty: (*ty).into() };
        let task = Task {
            params: Some(params.iter().map(param).collect()),
            results: results.iter().map(|ty| (*ty).into()).collect(),
            ..Task::new("f", Form::Scalar)
        };
        Signature::new(&task, false).unwrap()
    }

    /// Reads a value of a type and writes it again.
    fn echo(ty: &str, job: &str) -> Result<String, String> {
        let signature = signature(&[ty], &[ty]);
        let mut numbers = [ValRaw::i64(0)];
        signature.read(job.as_bytes(), &mut numbers).map_err(|failure| failure.message)?;
        let mut out = Vec::new();
        signature.write(&numbers, &mut out);
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn every_type_keeps_its_extremes() {
        for (ty, values) in [
            ("s8", &["-128", "127", "0"][..]),
            ("u8", &["0", "255"]),
            ("s16", &["-32768", "32767"]),
            ("u16", &["65535"]),
            ("s32", &["-2147483648", "2147483647"]),
            ("u32", &["4294967295"]),
            ("s64", &["-9223372036854775808", "9223372036854775807", "-7", "0"]),
            ("u64", &["18446744073709551615"]),
            ("bool", &["true", "false"]),
            ("char", &["\"x\"", "\"é\"", "\"😀\"", "\"\\n\""]),
            (
                "f64",
                &[
                    "0.1",
                    "-0.0",
                    "1.7976931348623157e+308",
                    "5e-324",
                    "\"NaN\"",
                    "\"Infinity\"",
                    "\"-Infinity\"",
                ],
            ),
            ("f32", &["0.1", "16777216.0", "\"NaN\"", "\"-Infinity\""]),
        ] {
            for value in values {
                assert_eq!(echo(ty, value).as_deref(), Ok(*value), "{ty}");
                assert_eq!(echo(ty, &format!(" {value}\t\r\n")).as_deref(), Ok(*value), "{ty}");
            }
        }
        assert_eq!(echo("f64", "3").as_deref(), Ok("3.0"));
        assert_eq!(echo("s64", "-0").as_deref(), Ok("0"));
        assert_eq!(echo("u32", "-0").as_deref(), Ok("0"));
        assert_eq!(echo("f64", "1e21").as_deref(), Ok("1e+21"));
    }

    #[test]
    fn floats_are_read_to_the_last_bit() {
        for text in [
            "9007199254740993.0",
            "0.1234567890123456789",
            "122.416294033786585",
            "2.2250738585072014e-308",
        ] {
            let value: f64 = text.parse().unwrap();
            assert_eq!(
                echo("f64", text).unwrap().parse::<f64>().unwrap().to_bits(),
                value.to_bits()
            );
        }
    }

    #[test]
    fn what_does_not_fit_the_type_says_where_and_why() {
        for (ty, job, message) in [
            ("u8", "256", "line 1, column 1: 256 is out of range for u8 (0 to 255)"),
            (
                "u64",
                "-1",
                "line 1, column 1: -1 is out of range for u64 (0 to 18446744073709551615)",
            ),
            (
                "s64",
                "9223372036854775808",
                "line 1, column 1: 9223372036854775808 is out of range for s64 (-9223372036854775808 to 9223372036854775807)",
            ),
            ("s64", "1.0", "line 1, column 1: expected an integer (s64), found 1.0"),
            ("s64", "1e3", "line 1, column 1: expected an integer (s64), found 1e3"),
            ("s64", "007", "line 1, column 1: expected an integer (s64), found 007"),
            ("s64", "", "line 1, column 1: expected an integer (s64), found nothing"),
            ("s64", "[1]", "line 1, column 1: expected an integer (s64), found an array"),
            ("s64", "\"1\"", "line 1, column 1: expected an integer (s64), found a string"),
            ("s64", "1 2", "line 1, column 3: expected the end, found 2"),
            ("s64", "1\n\n x", "line 3, column 2: expected the end, found x"),
            ("f64", "1e999", "line 1, column 1: 1e999 is out of range for f64"),
            ("f64", "NaN", "line 1, column 1: expected a number (f64), found NaN"),
            ("f64", ".5", "line 1, column 1: expected a number (f64), found .5"),
            ("bool", "1", "line 1, column 1: expected true or false, found 1"),
            (
                "char",
                "\"ab\"",
                "line 1, column 1: expected a string of one character, found \"ab\"",
            ),
        ] {
            assert_eq!(echo(ty, job).unwrap_err(), message, "{ty} {job}");
        }
    }

    #[test]
    fn an_array_is_spread_over_several_parameters() {
        let signature = signature(&["s64", "f64"], &["f64", "s64"]);
        let mut numbers = [ValRaw::i64(0); 2];
        signature.read(b" [ -3 , 0.5 ] ", &mut numbers).unwrap();
        assert_eq!((numbers[0].get_i64(), f64::from_bits(numbers[1].get_f64())), (-3, 0.5));
        for (job, message) in [
            (
                "1",
                "line 1, column 1: expected an array of 2 values for f(s64, f64) -> (f64, s64), found 1",
            ),
            (
                "[1]",
                "line 1, column 3: expected a comma in an array of 2 values for f(s64, f64) -> (f64, s64), found ]",
            ),
            (
                "[1,2,3]",
                "line 1, column 5: expected the end of an array of 2 values for f(s64, f64) -> (f64, s64), found ,",
            ),
        ] {
            let failure = signature.read(job.as_bytes(), &mut numbers).unwrap_err();
            assert_eq!(
                (failure.kind, failure.message.as_str()),
                (FailureKind::InvalidJob, message)
            );
        }
    }

    #[test]
    fn a_job_without_parameters_is_ignored_and_no_result_is_null() {
        let signature = signature(&[], &[]);
        signature.read(b"anything", &mut []).unwrap();
        let mut out = Vec::new();
        signature.write(&[], &mut out);
        assert_eq!(out, b"null");
    }

    #[test]
    fn several_results_are_an_array() {
        let mut out = Vec::new();
        let numbers = [ValRaw::i64(-1), ValRaw::f64(f64::NAN.to_bits()), ValRaw::u32(0x1ff)];
        signature(&[], &["s64", "f64", "u8"]).write(&numbers, &mut out);
        assert_eq!(out, b"[-1,\"NaN\",255]");
    }
}
