//! Parses calls of `wpool run`: `[NAME=][TASK][(ARGUMENT, …)]`, with arguments in JSON.

use super::argv::quote;
use super::input::names::shorten;
use super::report::Report;
use super::units::count;
use serde::Deserialize;
use serde_json::value::RawValue;
use wpool::module::description::Task;
use wpool::wire::failure::json_error;

/// A call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// The name of the process, if one is given.
    pub(crate) name: Option<String>,
    /// The task, if it is named.
    pub(crate) task: Option<String>,
    /// The arguments, each as JSON.
    arguments: Vec<String>,
    /// The whole text of the call as it was given.
    text: String,
}

/// An error in a call, and its place.
#[derive(Debug)]
struct ParseError {
    /// The place of the error, as a byte offset in the text.
    at: usize,
    what: String,
    help: String,
}

impl ParseError {
    fn new(at: usize, what: impl Into<String>, help: impl Into<String>) -> Self {
        ParseError { at, what: what.into(), help: help.into() }
    }

    fn report(self, text: &str) -> Report {
        let column = text[..self.at].chars().count() + 1;
        let text = shorten(text);
        Report::usage(format!("call `{text}`, column {column}: {}", self.what)).help(self.help)
    }
}

impl Call {
    /// Parses a call.
    ///
    /// # Errors
    /// Fails if the text is not a call; the report names the column.
    pub(crate) fn parse(text: &str) -> Result<Call, Report> {
        read(text).map_err(|wrong| wrong.report(text))
    }

    /// Returns the call as a job for a task.
    ///
    /// # Errors
    /// Fails if the task takes another number of arguments.
    pub(crate) fn job(&self, task: &Task) -> Result<Vec<u8>, Report> {
        let given = self.arguments.len();
        if let Some(params) = &task.params
            && params.len() != given
        {
            let (text, takes) = (shorten(&self.text), params.len());
            return Err(Report::usage(format!(
                "call `{text}` gives {}, and the task takes {takes}",
                count(given as u64, "argument")
            ))
            .help(format!("it is {}", task.signature())));
        }
        Ok(match self.arguments.as_slice() {
            // A task without parameters ignores the job.
            [] => b"null".to_vec(),
            [only] => only.clone().into(),
            several => format!("[{}]", several.join(",")).into(),
        })
    }
}

fn read(text: &str) -> Result<Call, ParseError> {
    const FORM: &str = "write 'TASK(ARGUMENT, …)' or 'NAME=TASK(ARGUMENT, …)'";
    let open = text.find('(').unwrap_or(text.len());
    let head = &text[..open];
    if let Some(at) = head.find(')') {
        return Err(ParseError::new(at, "a `)` without a `(`", FORM));
    }
    let (name, task) = match head.split_once('=') {
        None => (None, head.trim()),
        Some((name, task)) => (Some(name.trim()), task.trim()),
    };
    if name == Some("") {
        return Err(ParseError::new(0, "no name before the `=`", FORM));
    }
    if task.is_empty() && open == text.len() {
        return Err(ParseError::new(text.len(), "no task", FORM));
    }
    let arguments = if open < text.len() { arguments(text, open + 1)? } else { Vec::new() };
    Ok(Call {
        name: name.map(str::to_owned),
        task: Some(task).filter(|task| !task.is_empty()).map(str::to_owned),
        arguments,
        text: text.to_owned(),
    })
}

/// Parses the arguments from after the `(` to the end of the text. The last argument may be
/// followed by a comma, as in Python.
fn arguments(text: &str, start: usize) -> Result<Vec<String>, ParseError> {
    let mut arguments = Vec::new();
    let mut at = skip_space(text, start);
    while !text[at..].starts_with(')') {
        let argument = value(text, at)?;
        at = skip_space(text, at + argument.len());
        arguments.push(argument.to_owned());
        match text.as_bytes().get(at) {
            Some(b',') => at = skip_space(text, at + 1),
            Some(b')') | None => {}
            Some(_) => {
                let help =
                    "arguments are JSON, with commas between them: 'TASK(1, \"text\", [2, 3])'";
                return Err(ParseError::new(at, "expected `,` or `)`", help));
            }
        }
        if at == text.len() {
            let whole = quote(&format!("{})", text.trim_end().trim_end_matches(',')));
            return Err(ParseError::new(at, "no `)` at the end", format!("write {whole}")));
        }
    }
    let rest = skip_space(text, at + 1);
    if rest < text.len() {
        let help = format!("each call is a word of its own: {} …", quote(&text[..=at]));
        return Err(ParseError::new(rest, "something follows the `)`", help));
    }
    Ok(arguments)
}

/// Returns the JSON value that begins at byte `at`.
fn value(text: &str, at: usize) -> Result<&str, ParseError> {
    let rest = &text[at..];
    let mut json = serde_json::Deserializer::from_str(rest);
    let error = match <&RawValue>::deserialize(&mut json) {
        Ok(value) => return Ok(value.get()),
        Err(error) => error,
    };
    if rest.is_empty() {
        return Err(ParseError::new(
            at,
            "no `)` at the end",
            format!("write {}", quote(&format!("{text})"))),
        ));
    }
    let word_end = rest.find([',', ')', ' ']).unwrap_or(rest.len());
    let word = rest[..word_end].trim_matches('\'');
    if word.starts_with(char::is_alphabetic) && !word.contains(['"', '\\']) {
        let whole = quote(&format!("{}\"{word}\"{}", &text[..at], &rest[word_end..]));
        let what = format!("{} is not JSON", &rest[..word_end]);
        return Err(ParseError::new(at, what, format!("a string has double quotes: {whole}")));
    }
    let help = "arguments are JSON: 'TASK(1, \"text\", [2, 3])'";
    let place = at + offset(rest, error.line(), error.column());
    Err(ParseError::new(place, json_error(&error), help))
}

/// Returns the byte offset of a line and column that serde_json reports.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    text.floor_char_boundary(before + column.saturating_sub(1))
}

fn skip_space(text: &str, at: usize) -> usize {
    let rest = &text[at.min(text.len())..];
    at.min(text.len()) + rest.len() - rest.trim_start().len()
}

/// Returns the names of the calls' processes. A process without a given name is called like its
/// task, with a number if that name is taken.
///
/// # Errors
/// Fails if two calls are given the same name.
pub(crate) fn names(calls: &[Call], tasks: &[&str]) -> Result<Vec<String>, Report> {
    let mut taken: Vec<String> = Vec::new();
    for name in calls.iter().filter_map(|call| call.name.as_ref()) {
        if taken.contains(name) {
            return Err(Report::usage(format!("two calls are named `{name}`"))
                .help("give each a name of its own"));
        }
        taken.push(name.clone());
    }
    let mut unnamed = |task: &str| {
        let numbered = (2..).map(|number| format!("{task}#{number}"));
        let free =
            std::iter::once(task.to_owned()).chain(numbered).find(|name| !taken.contains(name));
        let name = free.expect("there is no last number");
        taken.push(name.clone());
        name
    };
    let named = calls.iter().zip(tasks);
    Ok(named.map(|(call, task)| call.name.clone().unwrap_or_else(|| unnamed(task))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use wpool::module::description::{Form, Parameter};

    fn parsed(text: &str) -> (Option<String>, Option<String>, Vec<String>) {
        let call = Call::parse(text).expect("a call");
        (call.name, call.task, call.arguments)
    }

    fn call(
        name: Option<&str>,
        task: Option<&str>,
        arguments: &[&str],
    ) -> (Option<String>, Option<String>, Vec<String>) {
        let owned = |text: &str| text.to_owned();
        (name.map(owned), task.map(owned), arguments.iter().map(|a| owned(a)).collect())
    }

    fn wrong(text: &str) -> (String, String) {
        let report = Call::parse(text).expect_err("no call");
        (report.error, report.help.expect("help"))
    }

    #[test]
    fn a_call_is_a_task_with_arguments_in_json() {
        assert_eq!(parsed("square(12)"), call(None, Some("square"), &["12"]));
        assert_eq!(
            parsed(" f ( 1 ,\"a, (b)\" , [2, 3] ) "),
            call(None, Some("f"), &["1", "\"a, (b)\"", "[2, 3]"])
        );
        assert_eq!(
            parsed("f(9007199254740993, 1e400)"),
            call(None, Some("f"), &["9007199254740993", "1e400"])
        );
        assert_eq!(parsed("f(12,)"), call(None, Some("f"), &["12"]));
        assert_eq!(parsed("f(true)"), call(None, Some("f"), &["true"]));
    }

    #[test]
    fn a_task_may_stand_alone_and_so_may_arguments() {
        assert_eq!(parsed("f"), call(None, Some("f"), &[]));
        assert_eq!(parsed("f()"), call(None, Some("f"), &[]));
        assert_eq!(parsed("(1)"), call(None, None, &["1"]));
        assert_eq!(parsed("p1=(1)"), call(Some("p1"), None, &["1"]));
    }

    #[test]
    fn a_name_stands_before_the_first_equals_sign_outside_of_arguments() {
        assert_eq!(parsed("p 1 = f(\"a=b\")"), call(Some("p 1"), Some("f"), &["\"a=b\""]));
        assert_eq!(parsed("f(\"a=b\")"), call(None, Some("f"), &["\"a=b\""]));
    }

    #[test]
    fn what_is_wrong_is_pointed_at_and_repaired() {
        for (text, error, help) in [
            ("f(1", "call `f(1`, column 4: no `)` at the end", "write 'f(1)'"),
            ("f(", "call `f(`, column 3: no `)` at the end", "write 'f()'"),
            ("f(1, ", "call `f(1, `, column 6: no `)` at the end", "write 'f(1)'"),
            (
                "f(ж, to)",
                "call `f(ж, to)`, column 3: ж is not JSON",
                "a string has double quotes: 'f(\"ж\", to)'",
            ),
            (
                "f('to')",
                "call `f('to')`, column 3: 'to' is not JSON",
                "a string has double quotes: 'f(\"to\")'",
            ),
            (
                "f(1 2)",
                "call `f(1 2)`, column 5: expected `,` or `)`",
                "arguments are JSON, with commas between them: 'TASK(1, \"text\", [2, 3])'",
            ),
            (
                "f([1,)",
                "call `f([1,)`, column 6: expected value",
                "arguments are JSON: 'TASK(1, \"text\", [2, 3])'",
            ),
            (
                "f(,)",
                "call `f(,)`, column 3: expected value",
                "arguments are JSON: 'TASK(1, \"text\", [2, 3])'",
            ),
            (
                "f(1) g(2)",
                "call `f(1) g(2)`, column 6: something follows the `)`",
                "each call is a word of its own: 'f(1)' …",
            ),
            (
                "f)",
                "call `f)`, column 2: a `)` without a `(`",
                "write 'TASK(ARGUMENT, …)' or 'NAME=TASK(ARGUMENT, …)'",
            ),
            (
                "",
                "call ``, column 1: no task",
                "write 'TASK(ARGUMENT, …)' or 'NAME=TASK(ARGUMENT, …)'",
            ),
            (
                "=f(1)",
                "call `=f(1)`, column 1: no name before the `=`",
                "write 'TASK(ARGUMENT, …)' or 'NAME=TASK(ARGUMENT, …)'",
            ),
        ] {
            assert_eq!(wrong(text), (error.into(), help.into()), "{text}");
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic() {
        let pieces = ["f", "(", ")", ",", "\"", "\\", "ж", "[", "{", "1", " ", "=", "'", "\n", "-"];
        for a in pieces {
            for b in pieces {
                for c in pieces {
                    for d in pieces {
                        let _ = Call::parse(&format!("f({a}{b}{c}{d}"));
                        let _ = Call::parse(&format!("{a}{b}{c}{d}"));
                    }
                }
            }
        }
    }

    #[test]
    fn a_job_has_as_many_values_as_the_task_takes() {
        let task = |params: Option<usize>| Task {
            params: params.map(|count| vec![Parameter { name: None, ty: "json".into() }; count]),
            ..Task::new("f", Form::Byte)
        };
        let job = |text: &str, params| {
            let job = Call::parse(text).expect("a call").job(&task(params));
            job.map(|job| String::from_utf8(job).expect("JSON")).map_err(|report| report.error)
        };
        assert_eq!(job("f([1, 2])", Some(1)), Ok("[1, 2]".into()));
        assert_eq!(job("f(1, 2)", Some(2)), Ok("[1,2]".into()));
        assert_eq!(job("f()", None), Ok("null".into()));
        assert_eq!(job("f(1,[2])", None), Ok("[1,[2]]".into()));
        assert_eq!(
            job("f()", Some(1)),
            Err("call `f()` gives 0 arguments, and the task takes 1".into())
        );
        assert_eq!(
            job("f(1, 2)", Some(1)),
            Err("call `f(1, 2)` gives 2 arguments, and the task takes 1".into())
        );
        assert_eq!(
            job("f(1)", Some(0)),
            Err("call `f(1)` gives 1 argument, and the task takes 0".into())
        );
    }

    #[test]
    fn names_are_those_given_or_those_of_tasks_made_different() {
        let calls = ["f(1)", "f(2)", "f#2=f(3)", "g(1)", "f=g(2)", "f(4)"];
        let calls: Vec<Call> =
            calls.iter().map(|text| Call::parse(text).expect("a call")).collect();
        let tasks: Vec<&str> =
            calls.iter().map(|call| call.task.as_deref().expect("a task")).collect();
        assert_eq!(names(&calls, &tasks).expect("names"), ["f#3", "f#4", "f#2", "g", "f", "f#5"]);
        let twice = ["p=f(1)", "p=f(2)"].map(|text| Call::parse(text).expect("a call"));
        assert_eq!(names(&twice, &["f", "f"]).expect_err("twice").error, "two calls are named `p`");
    }
}
