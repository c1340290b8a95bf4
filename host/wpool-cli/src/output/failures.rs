//! Reports failed jobs to people: the first few in full, the others counted by kind.

use super::console::Console;
use crate::cli::input::names::{Names, shorten};
use crate::cli::{escape, units};
use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::time::Duration;
use wpool::pool::config::Config;
use wpool::wire::failure::{Failure, FailureDetail, FailureKind};
use wpool::wire::waits::{Awaited, Want};

/// The number of failures that are reported in full.
const FULL_MAX: u64 = 3;

/// The number of a backtrace's functions that are shown.
pub(crate) const FRAMES_MAX: usize = 20;

/// The limits that help lines propose to raise.
#[derive(Clone, Copy, Debug, Default)]
struct Limits {
    memory: u64,
    stack: u64,
    output: u64,
    scratch: Option<u64>,
    buffer: usize,
    fuel: Option<u64>,
    timeout: Option<Duration>,
    workers: usize,
}

/// The failures of a run so far.
#[derive(Debug)]
pub(crate) struct Failures {
    names: Names,
    limits: Limits,
    told: u64,
    untold: BTreeMap<FailureKind, u64>,
    helped: Vec<String>,
}

impl Failures {
    /// Makes an empty count for jobs with these names, in a run with this configuration.
    pub(crate) fn new(names: Names, config: &Config) -> Self {
        let limits = Limits::new(config);
        Failures { names, limits, told: 0, untold: BTreeMap::new(), helped: Vec::new() }
    }

    /// Returns the names of the jobs.
    pub(crate) fn names(&self) -> Names {
        self.names.clone()
    }

    /// Reports a failed job, or counts it. `path` is the file whose bytes were the job, and `input`
    /// the known part of the job itself.
    pub(crate) fn add(
        &mut self,
        console: &mut Console,
        job: u64,
        path: Option<&[u8]>,
        input: &[u8],
        failure: &Failure,
    ) {
        let tell = console.is_verbose() || self.told < FULL_MAX;
        if !tell || failure.kind == FailureKind::Cancelled {
            *self.untold.entry(failure.kind).or_default() += 1;
            return;
        }
        self.told += 1;
        let mut place = match path {
            Some(path) => shorten(&String::from_utf8_lossy(path)),
            None => self.names.place(job),
        };
        // A position in a file does not tell what the job is.
        if path.is_none() && self.names.are_positions() && !input.is_empty() {
            place = format!("{place}: {}", shorten(&escape::bytes(input)));
        }
        self.tell(console, sentence(job, &place, failure), failure);
    }

    /// Reports a failure in full, with a sentence that names what failed.
    pub(crate) fn tell(&mut self, console: &mut Console, sentence: String, failure: &Failure) {
        console.error(sentence);
        for frame in failure.backtrace.iter().take(FRAMES_MAX) {
            console.line(format_args!("    {}", escape::text(frame)));
        }
        if let Some(rest @ 1..) = failure.backtrace.len().checked_sub(FRAMES_MAX) {
            console.line(format_args!("    … {rest} more"));
        }
        if let Some(help) = self.limits.help(failure).filter(|help| !self.helped.contains(help)) {
            console.help(&help);
            self.helped.push(help);
        }
    }

    /// Reports the number of failures that were not shown.
    pub(crate) fn end(&mut self, console: &mut Console) {
        let untold = std::mem::take(&mut self.untold);
        let total: u64 = untold.values().sum();
        if total == 0 {
            return;
        }
        let kinds: Vec<String> =
            untold.iter().map(|(kind, number)| format!("{number} {}", kind.name())).collect();
        let more = if self.told > 0 { " more" } else { "" };
        let jobs = if total == 1 { "job" } else { "jobs" };
        console.error(format_args!("{total}{more} {jobs} failed: {}", kinds.join(", ")));
    }
}

/// Returns a sentence on what happened to the job.
fn sentence(job: u64, place: &str, failure: &Failure) -> String {
    let place = if place.is_empty() { String::new() } else { format!(" ({place})") };
    format!("job {job}{place} {}", happened(failure))
}

/// Returns what happened, as the rest of a sentence that begins with the job or process.
pub(crate) fn happened(failure: &Failure) -> String {
    let what = match failure.kind {
        FailureKind::GuestError => "failed".into(),
        FailureKind::Trap => "trapped".into(),
        FailureKind::Exit => match failure.code {
            Some(code) => format!("exited with code {code}"),
            None => "exited".into(),
        },
        FailureKind::OutOfMemory => "ran out of memory".into(),
        FailureKind::Timeout => "timed out".into(),
        FailureKind::Fuel => "used up its fuel".into(),
        FailureKind::WorkerLost => "lost its worker".into(),
        FailureKind::OutputTooLarge => "has too large a result".into(),
        FailureKind::InvalidJob => "is invalid".into(),
        FailureKind::Cancelled => "was cancelled".to_owned(),
    };
    match failure.message.as_str() {
        message if message.is_empty() || what.ends_with(message) => what,
        message => format!("{what}: {message}"),
    }
}

/// Returns advice on a failure in a run with this configuration, if there is any.
pub(crate) fn help(failure: &Failure, config: &Config) -> Option<String> {
    Limits::new(config).help(failure)
}

impl Limits {
    fn new(config: &Config) -> Limits {
        Limits {
            memory: config.settings.limits.memory_bytes_max,
            stack: config.settings.limits.stack_bytes_max,
            output: config.settings.limits.output_bytes_max,
            scratch: config.settings.grants.scratch.as_ref().map(|scratch| scratch.bytes_max),
            buffer: config.buffer_bytes_max,
            fuel: config.settings.limits.fuel,
            timeout: config.timeout,
            workers: config.workers,
        }
    }

    /// Returns advice on a failure, if there is any.
    fn help(&self, failure: &Failure) -> Option<String> {
        match failure.detail {
            Some(detail) => self.help_of_detail(detail),
            None => self.help_of_kind(failure),
        }
    }

    /// Returns advice on what exactly went wrong, if there is any.
    fn help_of_detail(&self, detail: FailureDetail) -> Option<String> {
        let raise = |flag: &str, bytes: u64| format!("raise the limit: {flag} {}", double(bytes));
        match detail {
            FailureDetail::Stack => Some(raise("--stack", self.stack)),
            FailureDetail::ScratchBytes => Some(raise("--scratch-size", self.scratch?)),
            FailureDetail::JobBytes => Some(raise("--max-buffer", self.buffer as u64)),
            FailureDetail::SignedRange => {
                Some("if the task takes unsigned integers, say so: --unsigned".into())
            }
            FailureDetail::NotJson => Some("jobs are JSON; -R takes each line as a string".into()),
            FailureDetail::ScratchFiles | FailureDetail::Signal => None,
        }
    }

    /// Returns advice on a failure of which no more than the kind is known, if there is any.
    fn help_of_kind(&self, failure: &Failure) -> Option<String> {
        match failure.kind {
            FailureKind::OutOfMemory => {
                // The advice is the size that the guest asked for, if it is above the limit. A
                // request below the limit did not fail because of the limit.
                let asked = failure.asked.map_or(self.memory.saturating_add(1), NonZeroU64::get);
                let unit = if asked < 1 << 30 { 1 << 20 } else { 1 << 29 };
                let asked = asked.checked_next_multiple_of(unit).filter(|_| asked > self.memory)?;
                let limit = units::size_text(asked.max(self.memory.saturating_mul(2)));
                Some(format!("raise the limit: --memory {limit}"))
            }
            FailureKind::OutputTooLarge => {
                // A result must fit both limits.
                let limit = self.output.min(self.buffer as u64);
                let raise = |flag, value| (value < limit.saturating_mul(2)).then_some(flag);
                let flags =
                    [raise("--max-output", self.output), raise("--max-buffer", self.buffer as u64)];
                let limit = double(limit);
                let flags: Vec<_> =
                    flags.into_iter().flatten().map(|flag| format!("{flag} {limit}")).collect();
                Some(format!("raise the limit: {}", flags.join(" ")))
            }
            FailureKind::Timeout if let Some(awaited) = &failure.awaited => {
                Some(self.help_of_wait(awaited))
            }
            FailureKind::Timeout => {
                let limit = units::duration_text(self.timeout? * 2);
                Some(format!("give it longer: --timeout {limit}"))
            }
            FailureKind::Fuel => {
                Some(format!("give it more: --fuel {}", self.fuel?.saturating_mul(2)))
            }
            _ => None,
        }
    }

    /// Returns advice on a job whose time was over while it waited.
    fn help_of_wait(&self, Awaited { want, name }: &Awaited) -> String {
        match want {
            Want::Room => format!(
                "have other jobs get from it while it is put to, or give it room for more: --queue \
                 {name}:MESSAGES:BYTES"
            ),
            Want::Message => "put as many messages as are got, or close the queue".into(),
            Want::Done => "say of each message that was got that it is done with".into(),
            Want::Parties { all, .. } if u64::from(*all) > self.workers as u64 => {
                format!("as many jobs have to run at once as it has parties: -j {all}")
            }
            Want::Parties { .. } => "all of its parties have to come".into(),
            Want::Lock | Want::Permit => "whoever has it must release it".into(),
            Want::Notification | Want::Event | Want::Change => {
                "it takes a job that runs at the same time".into()
            }
        }
    }
}

/// Returns twice a size, as a flag takes it.
fn double(bytes: u64) -> String {
    units::size_text(bytes.saturating_mul(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_names_the_job_its_place_and_what_happened() {
        let mut failure = Failure::new(FailureKind::Trap, "unreachable");
        assert_eq!(
            sentence(16, "line 17 of in.jsonl", &failure),
            "job 16 (line 17 of in.jsonl) trapped: unreachable"
        );
        failure = Failure::new(FailureKind::Exit, "");
        failure.code = Some(3);
        assert_eq!(sentence(0, "", &failure), "job 0 exited with code 3");
    }

    #[test]
    fn help_proposes_twice_the_limit() {
        let limits = Limits {
            memory: 64 << 20,
            stack: 2 << 20,
            timeout: Some(Duration::from_millis(1500)),
            ..Limits::default()
        };
        let help = |kind| limits.help(&Failure::new(kind, "unreachable"));
        assert_eq!(
            help(FailureKind::OutOfMemory).as_deref(),
            Some("raise the limit: --memory 128MiB")
        );
        let asked = |asked| {
            let failure = Failure::new(FailureKind::OutOfMemory, "");
            limits.help(&Failure { asked: NonZeroU64::new(asked), ..failure })
        };
        assert_eq!(asked(65 << 20).as_deref(), Some("raise the limit: --memory 128MiB"));
        assert_eq!(asked((200 << 20) + 1).as_deref(), Some("raise the limit: --memory 201MiB"));
        assert_eq!(asked((4 << 30) + 1).as_deref(), Some("raise the limit: --memory 4.5GiB"));
        assert_eq!(asked(64 << 20), None);
        assert_eq!(asked(u64::MAX), None);
        assert_eq!(help(FailureKind::Timeout).as_deref(), Some("give it longer: --timeout 3.00s"));
        assert_eq!(help(FailureKind::Trap), None);
        assert_eq!(help(FailureKind::InvalidJob), None);
        let stack = Failure::new(FailureKind::Trap, "").detailed(FailureDetail::Stack);
        assert_eq!(limits.help(&stack).as_deref(), Some("raise the limit: --stack 4MiB"));
        // Whatever it says: what a guest can make the message be decides nothing.
        let text = Failure::new(FailureKind::InvalidJob, "too large, not JSON for s32 (");
        assert_eq!(limits.help(&text), None);
        assert!(limits.help(&text.detailed(FailureDetail::NotJson)).is_some());
    }
}
