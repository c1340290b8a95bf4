//! Rows of `--jsonl`: one JSON object for each job.

use crate::cli::escape;
use crate::cli::input::encode::is_json;
use serde_json::to_writer;
use std::borrow::Cow;
use std::io::Write;
use std::time::Duration;
use wpool::pool::feed::{Attempt, Outcome};
use wpool::wire::base64::base64;
use wpool::{Failure, FailureKind};

const MEMORY: &str = "writing to memory cannot fail";

/// Appends the row of a job; `command` says that the job is a command's. `start` is the run's
/// start, in time since 1970.
pub(crate) fn push(
    row: &mut Vec<u8>,
    outcome: &Outcome<'_>,
    input: &[u8],
    start: Duration,
    command: bool,
) {
    let begin = row.len();
    write!(row, "{{\"seq\":{},\"input\":", outcome.job).expect(MEMORY);
    push_value(row, input);
    push_result(row, outcome);
    match outcome.result {
        Ok(_) if command => {
            let exit_code = outcome.attempt.exit_code.unwrap_or(0);
            write!(row, ",\"exit_code\":{exit_code}").expect(MEMORY);
        }
        Err(Failure { kind: FailureKind::Exit, code: Some(code), .. }) if command => {
            write!(row, ",\"exit_code\":{code}").expect(MEMORY);
        }
        _ => {}
    }
    push_attempt(row, &outcome.attempt, start);
    row.extend_from_slice(b"}\n");
    escape::json_from(row, begin);
}

/// Appends the row of a process, with its name, the task it called, and its exit code.
pub(crate) fn push_process(
    row: &mut Vec<u8>,
    outcome: &Outcome<'_>,
    [name, task]: [&str; 2],
    input: &[u8],
    start: Duration,
) {
    let begin = row.len();
    write!(row, "{{\"seq\":{},\"name\":", outcome.job).expect(MEMORY);
    to_writer(&mut *row, name).expect(MEMORY);
    row.extend_from_slice(b",\"task\":");
    to_writer(&mut *row, task).expect(MEMORY);
    row.extend_from_slice(b",\"input\":");
    push_value(row, input);
    push_result(row, outcome);
    let exit_code = outcome.result.err().map_or(0, Failure::exit_code);
    write!(row, ",\"exit_code\":{exit_code}").expect(MEMORY);
    push_attempt(row, &outcome.attempt, start);
    row.extend_from_slice(b"}\n");
    escape::json_from(row, begin);
}

fn push_result(row: &mut Vec<u8>, outcome: &Outcome<'_>) {
    match outcome.result {
        Ok(output) => {
            row.extend_from_slice(b",\"ok\":true,\"output\":");
            push_value(row, output);
        }
        Err(failure) => {
            row.extend_from_slice(b",\"ok\":false,\"error\":");
            to_writer(&mut *row, failure).expect(MEMORY);
            if !failure.stdout.is_empty() {
                row.extend_from_slice(b",\"stdout\":");
                push_text(row, &failure.stdout);
            }
        }
    }
}

fn push_attempt(row: &mut Vec<u8>, attempt: &Attempt, start: Duration) {
    write!(row, ",\"attempt\":{}", attempt.number).expect(MEMORY);
    if attempt.pid > 0 {
        let start = (start + attempt.sent).as_secs_f64();
        write!(row, ",\"worker\":{},\"start\":{start:.6}", attempt.pid).expect(MEMORY);
    }
    if let Some(ran) = attempt.ran {
        write!(row, ",\"ms\":{:.3}", ran.as_secs_f64() * 1e3).expect(MEMORY);
    }
    if let Some(bytes) = attempt.memory_bytes {
        write!(row, ",\"peak_mem\":{bytes}").expect(MEMORY);
    }
}

/// Appends bytes as a JSON value: unchanged if they are JSON, as a string if they are text,
/// otherwise as `{"base64": …}`.
fn push_value(row: &mut Vec<u8>, bytes: &[u8]) {
    if is_json(bytes) && std::str::from_utf8(bytes).is_ok() {
        row.extend_from_slice(&on_one_line(bytes.trim_ascii()));
    } else {
        push_text(row, bytes);
    }
}

/// Appends bytes as a string, or, if they are no text, as `{"base64": …}`.
fn push_text(row: &mut Vec<u8>, bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        to_writer(row, text).expect(MEMORY);
    } else {
        write!(row, "{{\"base64\":\"{}\"}}", base64(bytes)).expect(MEMORY);
    }
}

/// Replaces the line ends in JSON, which can only stand between its tokens, by spaces.
fn on_one_line(json: &[u8]) -> Cow<'_, [u8]> {
    match memchr::memchr2(b'\n', b'\r', json) {
        None => Cow::Borrowed(json),
        Some(_) => {
            json.iter().map(|&b| if matches!(b, b'\n' | b'\r') { b' ' } else { b }).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(input: &[u8], result: Result<&[u8], &Failure>, attempt: Attempt) -> String {
        let mut row = Vec::new();
        let outcome = Outcome { job: 7, input: None, result, attempt };
        push(&mut row, &outcome, input, Duration::from_secs(1000), false);
        let row = String::from_utf8(row).expect("UTF-8");
        serde_json::from_str::<serde_json::Value>(&row).expect("a row is JSON");
        row
    }

    #[test]
    fn a_row_tells_everything_about_its_job() {
        let attempt = Attempt {
            number: 2,
            pid: 42,
            slot: 0,
            sent: Duration::from_millis(1500),
            began: None,
            ran: Some(Duration::from_micros(1234)),
            memory_bytes: Some(65536),
            exit_code: Some(0),
        };
        assert_eq!(
            row(b"[1, 2]", Ok(b"3"), attempt),
            "{\"seq\":7,\"input\":[1, 2],\"ok\":true,\"output\":3,\"attempt\":2,\"worker\":42,\
             \"start\":1001.500000,\"ms\":1.234,\"peak_mem\":65536}\n"
        );
    }

    #[test]
    fn a_failure_is_a_row_too() {
        let failure = Failure::new(FailureKind::Trap, "unreachable");
        assert_eq!(
            row(b"word", Err(&failure), Attempt::default()),
            "{\"seq\":7,\"input\":\"word\",\"ok\":false,\
             \"error\":{\"kind\":\"trap\",\"message\":\"unreachable\"},\"attempt\":0}\n"
        );
    }

    #[test]
    fn a_result_cannot_forge_a_second_row() {
        let row = row(b"1", Ok(b"[1,\n2]\n"), Attempt::default());
        assert!(row.contains("\"output\":[1, 2],"), "{row}");
        assert_eq!(row.matches('\n').count(), 1);
    }

    #[test]
    fn what_could_steer_a_terminal_is_escaped_and_means_the_same() {
        let row = row("\"\u{9b}2J\u{202e}\u{7f}é\"".as_bytes(), Ok(b"1"), Attempt::default());
        assert!(row.contains("\"input\":\"\\u009b2J\\u202e\\u007fé\","), "{row}");
    }

    #[test]
    fn what_a_failed_command_has_printed_is_text() {
        let exit = Failure { code: Some(1), ..Failure::new(FailureKind::Exit, "with code 1") };
        let failure = Failure { stdout: b"0\n".to_vec().into(), ..exit };
        let row = row(b"a", Err(&failure), Attempt::default());
        assert!(row.contains("\"code\":1},\"stdout\":\"0\\n\","), "{row}");
    }

    #[test]
    fn bytes_that_are_not_text_are_in_base64() {
        assert!(row(b"1", Ok(b"\xff"), Attempt::default()).contains("{\"base64\":\"/w==\"}"));
    }
}
