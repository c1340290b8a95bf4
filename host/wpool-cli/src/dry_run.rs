//! `wpool map --dry-run`: shows what would be run.

use super::argv::quote;
use super::exit::Exit;
use super::input::encode::is_json;
use super::input::{Input, fill_waiting};
use super::report::Report;
use super::units::{duration_text, size_text};
use std::io::{self, BufWriter, Write};
use wpool::module::description::{Form, Task};
use wpool::pool::config::Config;
use wpool::pool::feed::{Fill, InputQueue, Source};
use wpool::pool::session::Session;
use wpool::wire::settings::{CommandLine, InputForm, split_command_job};
use wpool::wire::template::{Filling, Template};

/// Shows the settings of the run, unless quiet, and its jobs.
///
/// # Errors
/// Fails if a job cannot be read, or standard output cannot be written.
pub(crate) fn run(
    session: &Session,
    task: &Task,
    config: &Config,
    source: Input,
    quiet: bool,
) -> Result<Exit, Report> {
    if !quiet {
        tell(session, task, config, source.remaining());
    }
    show(task, config, source.unpaced())
}

/// Prints the task and its limits to standard error.
fn tell(session: &Session, task: &Task, config: &Config, jobs: Option<u64>) {
    let (description, settings) = (session.description(), &config.settings);
    let optional = |limit: Option<String>| limit.unwrap_or_else(|| "none".into());
    let timeout = match config.timeout_percent {
        Some(percent) => Some(format!("{percent}% of the median")),
        None => config.timeout.map(duration_text),
    };
    let rows = [
        ("module", format!("{} ({})", session.digest(), size_text(description.bytes))),
        ("kind", format!("{:?}", description.kind).to_lowercase()),
        ("task", task.name.escape_default().to_string()),
        ("jobs", jobs.map_or("not known before they are read".into(), |jobs| jobs.to_string())),
        ("workers", config.workers.to_string()),
        ("isolation", format!("{:?}", settings.task.isolation).to_lowercase()),
        ("timeout", optional(timeout)),
        ("deadline", optional(config.deadline.map(duration_text))),
        ("memory", size_text(settings.limits.memory_bytes_max)),
        ("fuel", optional(settings.limits.fuel.map(|fuel| fuel.to_string()))),
        ("max-output", size_text(settings.limits.output_bytes_max)),
        ("max-log", size_text(settings.limits.log_bytes_max)),
        ("max-buffer", size_text(config.buffer_bytes_max as u64)),
        ("retries", config.retry.attempts.to_string()),
    ];
    let text: String = rows.iter().map(|(name, value)| format!("{name:11}{value}\n")).collect();
    // Nobody is left to tell if standard error cannot be written.
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Prints each job on standard output as it would be run: as a command with its arguments, quoted
/// for a shell, or as a call of a task.
///
/// # Errors
/// Fails if a job cannot be read, or standard output cannot be written.
fn show(task: &Task, config: &Config, mut source: impl Source) -> Result<Exit, Report> {
    let settings = &config.settings;
    let template =
        Template::parse(&settings.task.command.template, settings.task.command.replace.as_deref());
    let mut out = BufWriter::new(io::stdout().lock());
    let mut inputs = InputQueue::default();
    loop {
        let first = inputs.next_number();
        let fill = fill_waiting(&mut source, &mut inputs)
            .map_err(|error| Report::usage(format!("cannot read the jobs: {error}")))?;
        let mut failed = inputs.take_failed().into_iter().peekable();
        let mut jobs = Vec::new();
        inputs.drain(|job| jobs.push(job.to_vec()));
        let mut jobs = jobs.into_iter();
        let mut text = String::new();
        for number in first..inputs.next_number() {
            text += &match failed.next_if(|(job, _)| *job == number) {
                Some((job, failure)) => format!("# job {job} cannot be run: {failure}"),
                None => {
                    let job = jobs.next().unwrap_or_default();
                    match split_command_job(&job).filter(|_| task.form == Form::Command) {
                        Some((words, stdin)) => {
                            command(&settings.task.command, &template, number, words, stdin)
                        }
                        None => call(task, settings.task.input, &job),
                    }
                }
            };
            text.push('\n');
        }
        let written = out.write_all(text.as_bytes());
        match written.and_then(|()| if fill == Fill::End { out.flush() } else { Ok(()) }) {
            Ok(()) if fill == Fill::End => return Ok(Exit::Success),
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Exit::BrokenPipe),
            Err(error) => {
                return Err(Report::new(Exit::Output, format!("standard output: {error}")));
            }
        }
    }
}

/// Formats a command with its arguments, quoted for a shell, and the size of its standard input.
fn command(
    line: &CommandLine,
    template: &Template,
    job: u64,
    words: &[u8],
    stdin: &[u8],
) -> String {
    let words = String::from_utf8_lossy(words);
    let words: Vec<&str> = words.split_terminator('\0').collect();
    let mut arguments = vec![line.name.clone()];
    template.expand(Filling { words: &words, number: job + 1, slot: 1 }, &mut arguments);
    if line.append && !template.has_replacement() {
        arguments.extend(words.into_iter().map(str::to_owned));
    }
    let mut text = arguments.iter().map(quote).collect::<Vec<_>>().join(" ");
    if !stdin.is_empty() {
        text += &format!(" # with {} of standard input", size_text(stdin.len() as u64));
    }
    text
}

/// Formats a job as a call for `wpool run`.
fn call(task: &Task, form: InputForm, job: &[u8]) -> String {
    let several = task.params.as_ref().is_some_and(|params| params.len() != 1);
    let is_text = match form {
        InputForm::Raw => true,
        InputForm::Word => !is_json(job),
        InputForm::Json => false,
    };
    let job = String::from_utf8_lossy(job);
    let job = match is_text {
        true => serde_json::to_string(&job).expect("a string can be written to memory"),
        false => job.trim().to_owned(),
    };
    let inside = job.strip_prefix('[').and_then(|job| job.strip_suffix(']'));
    match inside.filter(|_| several && !is_text) {
        Some(arguments) => format!("{}({arguments})", task.name),
        None => format!("{}({job})", task.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wpool::module::description::Parameter;

    #[test]
    fn a_job_is_a_call_of_its_task() {
        let task = |count| Task {
            params: Some(vec![Parameter { name: None, ty: "json".into() }; count]),
            ..Task::new("f", Form::Byte)
        };
        assert_eq!(call(&task(1), InputForm::Json, b" 12"), "f(12)");
        assert_eq!(call(&task(1), InputForm::Json, b"[1,2]"), "f([1,2])");
        assert_eq!(call(&task(2), InputForm::Json, b"[1,\"a\"]"), "f(1,\"a\")");
        assert_eq!(call(&task(1), InputForm::Raw, b"12"), "f(\"12\")");
        assert_eq!(call(&task(1), InputForm::Word, b"a b"), "f(\"a b\")");
    }

    #[test]
    fn a_command_is_quoted_for_a_shell() {
        let line = CommandLine { name: "wc".into(), append: true, ..CommandLine::default() };
        let template = Template::parse(&[], None);
        assert_eq!(command(&line, &template, 0, b"a b\0", b""), "wc 'a b'");
        let template = Template::parse(&["{#}".into(), "{}".into()], None);
        assert_eq!(
            command(&line, &template, 6, b"x\0", b"1234"),
            "wc 7 x # with 4B of standard input"
        );
    }
}
