//! Commands: the contents of their jobs, and the arguments made from them.

use crate::wire::failure::{Failure, FailureKind};
use crate::wire::settings::{CommandLine, split_command_job};
use crate::wire::template::{Filling, Template};
use std::sync::atomic::{AtomicU32, Ordering};

/// The slot of this worker in its pool, from 1. A worker is a process of its own.
static SLOT: AtomicU32 = AtomicU32::new(1);

/// Sets the slot of this process's worker, counted from 0, for the arguments of commands.
pub(super) fn take_slot(slot: u32) {
    SLOT.store(slot.saturating_add(1), Ordering::Relaxed);
}

/// A command's job, as [`command_job`](crate::wire::settings::command_job) encodes it.
pub struct CommandJob<'a> {
    words: &'a [u8],
    /// The standard input.
    pub(crate) stdin: &'a [u8],
}

impl<'a> CommandJob<'a> {
    /// Decodes a job.
    ///
    /// # Errors
    /// Returns a failure if the job is shorter than it says.
    pub fn decode(job: &'a [u8]) -> Result<Self, Failure> {
        match split_command_job(job) {
            Some((words, stdin)) => Ok(CommandJob { words, stdin }),
            None => Err(Failure::new(FailureKind::InvalidJob, "a command's job is torn")),
        }
    }
}

/// A command with a template of its arguments.
#[derive(Debug)]
pub struct Command {
    name: String,
    template: Template,
    append: bool,
}

impl Command {
    /// Makes the command that the settings describe.
    pub fn new(line: &CommandLine) -> Self {
        Command {
            name: line.name.clone(),
            template: Template::parse(&line.template, line.replace.as_deref()),
            append: line.append,
        }
    }

    /// Returns the arguments of job `number`, the command's name first.
    ///
    /// # Errors
    /// Returns a failure if a word is not UTF-8, because WASI could not pass it on.
    pub fn arguments(&self, number: u64, job: &CommandJob) -> Result<Vec<String>, Failure> {
        let appended = self.append && !self.template.has_replacement();
        let words = match std::str::from_utf8(job.words) {
            Ok(words) => words,
            // The word is the name of a file whose bytes are the standard input.
            Err(_) if !appended && !self.template.has_words() => "",
            Err(_) => {
                let message = "an argument is not UTF-8, which is all that WASI can pass on";
                return Err(Failure::new(FailureKind::InvalidJob, message));
            }
        };
        let words: Vec<&str> = words.split_terminator('\0').collect();
        let mut arguments = vec![self.name.clone()];
        let slot = SLOT.load(Ordering::Relaxed);
        self.template.expand(Filling { words: &words, number: number + 1, slot }, &mut arguments);
        if appended {
            arguments.extend(words.into_iter().map(str::to_owned));
        }
        Ok(arguments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::settings::command_job;

    fn arguments(template: &[&str], append: bool, words: &[&str]) -> Vec<String> {
        let template = template.iter().map(|text| (*text).into()).collect();
        let name = "tool".into();
        let command = Command::new(&CommandLine { name, template, append, replace: None });
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        let job = command_job(&words, b"input").unwrap();
        let job = CommandJob::decode(&job).unwrap();
        assert_eq!(job.stdin, b"input");
        command.arguments(6, &job).unwrap()
    }

    #[test]
    fn words_are_appended_where_the_template_has_no_place_for_them() {
        assert_eq!(arguments(&["-v"], true, &["a b", "c"]), ["tool", "-v", "a b", "c"]);
        assert_eq!(arguments(&["{}", "-v"], true, &["a"]), ["tool", "a", "-v"]);
        assert_eq!(arguments(&["{#}"], true, &["a"]), ["tool", "7"]);
    }

    #[test]
    fn an_empty_word_is_an_argument_and_no_word_is_none() {
        assert_eq!(arguments(&[], true, &[""]), ["tool", ""]);
        assert_eq!(arguments(&[], true, &[]), ["tool"]);
        assert_eq!(arguments(&[], false, &[]), ["tool"]);
    }

    #[test]
    fn a_torn_job_and_a_word_that_is_not_text_are_invalid_jobs() {
        for job in [&b""[..], b"\x01\0\0", b"\x05\0\0\0abc"] {
            assert!(CommandJob::decode(job).is_err());
        }
        let command = Command::new(&CommandLine { append: true, ..CommandLine::default() });
        let job = command_job(&[b"\xff"], b"").unwrap();
        let failure = command.arguments(0, &CommandJob::decode(&job).unwrap()).unwrap_err();
        assert_eq!(failure.kind, FailureKind::InvalidJob);
        // This command does not use the word.
        let command = Command::new(&CommandLine::default());
        let arguments = command.arguments(0, &CommandJob::decode(&job).unwrap()).unwrap();
        assert_eq!(arguments, [""]);
    }
}
