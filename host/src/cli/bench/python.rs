//! Python's `multiprocessing.Pool`, running an equivalent function.

use super::subject::Subject;
use super::timing::{Timing, run_program};
use crate::cli::exit::Exit;
use crate::cli::report::Report;
use serde::Deserialize;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

/// What Python is told to do.
const DRIVER: &str = include_str!("python.py");

/// A function in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PythonFunction {
    pub(crate) file: PathBuf,
    pub(crate) function: String,
}

impl PythonFunction {
    /// `FILE.py:FUNCTION`.
    pub(crate) fn parse(text: &str) -> Result<PythonFunction, String> {
        match text.rsplit_once(':') {
            Some((file, function)) if !file.is_empty() && !function.is_empty() => {
                Ok(PythonFunction { file: file.into(), function: function.into() })
            }
            _ => Err("no function of a file; write FILE.py:FUNCTION".into()),
        }
    }
}

/// What the driver writes before the results.
#[derive(Deserialize)]
struct Head {
    seconds: f64,
    #[serde(default)]
    error: Option<String>,
}

/// Runs the function over all jobs, in a pool or by itself; `keep` takes the results, one line of JSON each.
///
/// # Errors
/// Python cannot be run, or the function raised an exception.
pub(crate) fn run(
    subject: &Subject<'_>,
    function: &PythonFunction,
    workers: Option<usize>,
    keep: &mut dyn FnMut(&[u8]),
) -> Result<Timing, Report> {
    let name = format!("--python {}:{}", function.file.display(), function.function);
    let mut command = Command::new("python3");
    command.args(["-c", DRIVER]).arg(&function.file).arg(&function.function);
    command
        .args(workers.map(|workers| workers.to_string()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut input = Vec::new();
    for job in subject.jobs.iter() {
        input.extend_from_slice(job);
        input.push(b'\n');
    }
    let (output, timing) = run_program(command, input, subject.limit(), &name)?;
    let (head, results) = match memchr::memchr(b'\n', &output) {
        Some(end) => (&output[..end], &output[end + 1..]),
        None => (&output[..], &[][..]),
    };
    let wrong = |what: &str| Report::new(Exit::JobsFailed, format!("{name}: {what}"));
    let head: Head = serde_json::from_slice(head).map_err(|_| wrong("it answers nothing"))?;
    if let Some(error) = head.error {
        return Err(wrong(&error).help("run it alone with python3 to see where"));
    }
    results.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).for_each(keep);
    Ok(Timing { took: Duration::from_secs_f64(head.seconds), ..timing })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_named_behind_the_last_colon_of_a_file() {
        let parsed = PythonFunction::parse("a:b/c.py:cubes").unwrap();
        assert_eq!((parsed.file, parsed.function.as_str()), ("a:b/c.py".into(), "cubes"));
        for text in ["c.py", ":f", "c.py:"] {
            assert!(PythonFunction::parse(text).is_err());
        }
    }
}
