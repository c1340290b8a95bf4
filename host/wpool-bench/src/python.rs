//! Runs an equivalent function in Python's `multiprocessing.Pool`.

use super::subject::Subject;
use super::timing::{Timing, run_program};
use crate::error::Error;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;
use wpool::wire::settings::InputForm;

/// The program that Python runs.
const DRIVER: &str = include_str!("python.py");

/// A function in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PythonFunction {
    pub(crate) file: PathBuf,
    pub(crate) function: String,
}

impl PythonFunction {
    /// Parses `FILE.py:FUNCTION`.
    pub fn parse(text: &str) -> Result<PythonFunction, String> {
        match text.rsplit_once(':') {
            Some((file, function)) if !file.is_empty() && !function.is_empty() => {
                Ok(PythonFunction { file: file.into(), function: function.into() })
            }
            _ => Err("no function of a file; write FILE.py:FUNCTION".into()),
        }
    }
}

/// The line that the driver writes before the results.
#[derive(Deserialize)]
struct Head {
    seconds: f64,
    #[serde(default)]
    error: Option<String>,
}

/// Runs the function over all jobs, in a pool or in one process; `keep` takes the results, one line
/// of JSON each.
///
/// # Errors
/// Fails if Python cannot be run, or the function raised an exception.
pub(crate) fn run(
    subject: &Subject<'_>,
    function: &PythonFunction,
    workers: Option<usize>,
    keep: &mut dyn FnMut(&[u8]),
) -> Result<Timing, Error> {
    let name = format!("--python {}:{}", function.file.display(), function.function);
    let mut command = Command::new("python3");
    command.args(["-c", DRIVER]).arg(&function.file).arg(&function.function);
    command
        .args(workers.map(|workers| workers.to_string()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let form = subject.config().settings.task.input;
    let mut input = Vec::new();
    for (number, job) in subject.jobs.iter().enumerate() {
        write_job(form, job, &mut input).map_err(|why| {
            Error::usage(format!("{name}: job {number} {why}"))
                .help("leave --python out, or measure other jobs")
        })?;
        input.push(b'\n');
    }
    let (output, timing) = run_program(command, input, subject.limit(), &name, subject.asking)?;
    let (head, results) = match memchr::memchr(b'\n', &output) {
        Some(end) => (&output[..end], &output[end + 1..]),
        None => (&output[..], &[][..]),
    };
    let wrong = |what: &str| Error::failed(format!("{name}: {what}"));
    let head: Head = serde_json::from_slice(head).map_err(|_| wrong("it answers nothing"))?;
    if let Some(error) = head.error {
        return Err(wrong(&error).help("run it alone with python3 to see where"));
    }
    results.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).for_each(keep);
    Ok(Timing { took: Duration::from_secs_f64(head.seconds), ..timing })
}

/// Writes a job as JSON on one line, as a task would get it.
///
/// # Errors
/// Fails if the job is not text.
fn write_job(form: InputForm, job: &[u8], to: &mut Vec<u8>) -> Result<(), &'static str> {
    let is_json = || serde_json::from_slice::<IgnoredAny>(job).is_ok();
    if form != InputForm::Raw && is_json() {
        // Line ends can only stand between the parts of JSON, where a space can replace them.
        to.extend(job.iter().map(|&byte| if byte < b' ' { b' ' } else { byte }));
        return Ok(());
    }
    let text = std::str::from_utf8(job).map_err(|_| "is not UTF-8, so not a Python string")?;
    serde_json::to_writer(to, text).expect("a string has a JSON form, and memory takes it");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_one_line_of_json_whatever_it_is() {
        for (form, job, line) in [
            (InputForm::Json, "[1,\r\n\t2]", "[1,   2]"),
            (InputForm::Word, "12", "12"),
            (InputForm::Word, "twelve\u{2028}", "\"twelve\u{2028}\""),
            (InputForm::Raw, "12\n13", "\"12\\n13\""),
        ] {
            let mut written = Vec::new();
            write_job(form, job.as_bytes(), &mut written).unwrap();
            assert_eq!(String::from_utf8(written).unwrap(), line);
        }
        assert!(write_job(InputForm::Raw, b"\xff", &mut Vec::new()).is_err());
    }

    #[test]
    fn a_function_is_named_behind_the_last_colon_of_a_file() {
        let parsed = PythonFunction::parse("a:b/c.py:cubes").unwrap();
        assert_eq!((parsed.file, parsed.function.as_str()), ("a:b/c.py".into(), "cubes"));
        for text in ["c.py", ":f", "c.py:"] {
            assert!(PythonFunction::parse(text).is_err());
        }
    }
}
