//! Exit codes: every way in which `wpool` ends, and its number.

use super::input::encode::Differs;
use super::output::unwritable::Unwritable;
use super::signals::Cause;
use std::io;
use wpool::pool::error::PoolError;
use wpool::pool::summary::{End, Summary};
use wpool::{Failure, FailureKind};

/// The way in which the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Every job succeeded.
    Success,
    /// wpool has a bug.
    Internal,
    /// A flag, its value, or a file that it names is wrong.
    Usage,
    /// There were no jobs, and `--no-input fail` was given.
    NoInput,
    /// The environment does not allow the run: no process can be started, or
    /// the joblog cannot be written.
    Setup,
    /// Jobs failed after their retries, or `--halt` stopped the run because of failures.
    JobsFailed,
    /// The module cannot be read or used, or lacks the task.
    Module,
    /// The run was drained on SIGHUP; `--resume` runs the rest.
    Incomplete,
    /// Results could not be written.
    Output,
    /// `--deadline` passed.
    Deadline,
    /// SIGINT ended the run.
    Interrupted,
    /// The reader of the results went away.
    BrokenPipe,
    /// SIGTERM ended the run.
    Terminated,
    /// The process of the only call, or of the command, ended with this code.
    Process(u8),
}

impl Exit {
    /// Returns the number that the shell sees.
    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Success => 0,
            Exit::Internal => 1,
            Exit::Usage => 2,
            Exit::NoInput => 4,
            Exit::Setup => 96,
            Exit::JobsFailed => 100,
            Exit::Module => 101,
            Exit::Incomplete => 106,
            Exit::Output => 110,
            Exit::Deadline => 124,
            Exit::Interrupted => 130,
            Exit::BrokenPipe => 141,
            Exit::Terminated => 143,
            Exit::Process(code) => code,
        }
    }

    /// Returns `other` in place of a success, and any other exit unchanged.
    pub(crate) fn or(self, other: Exit) -> Exit {
        if self == Exit::Success { other } else { self }
    }

    /// Returns the exit for a signal that stopped the program's work.
    pub(crate) fn of_cause(cause: Option<Cause>) -> Self {
        match cause {
            Some(Cause::Interrupt) => Exit::Interrupted,
            Some(Cause::Terminate) => Exit::Terminated,
            Some(Cause::HangUp) | None => Exit::Incomplete,
        }
    }

    /// Returns the exit of a run that is complete or was stopped. `cause` is the signal that
    /// stopped the run, if one did.
    pub(crate) fn of_run(summary: &Summary, cause: Option<Cause>) -> Self {
        match summary.end {
            End::Complete if summary.stats.failed > 0 => Exit::JobsFailed,
            End::Complete => Exit::Success,
            _ if summary.undelivered > 0 && cause.is_none() && summary.end != End::Deadline => {
                Exit::Output
            }
            End::Halted { failed: true } => Exit::JobsFailed,
            End::Halted { failed: false } => Exit::Success,
            End::Drained | End::Killed => Exit::of_cause(cause),
            End::Deadline => Exit::Deadline,
        }
    }

    /// Returns the exit of a run of a single process, from the process's failure if there is one.
    pub(crate) fn of_process(failure: Option<&Failure>) -> Self {
        let Some(failure) = failure else { return Exit::Success };
        match failure.exit_code() {
            _ if failure.kind == FailureKind::Timeout => Exit::Deadline,
            code if code < 0 => Exit::Process((128 - code) as u8),
            code => Exit::Process(code as u8),
        }
    }

    /// Returns the exit for an error of a run.
    pub(crate) fn of_error(error: &PoolError) -> Self {
        if let Some(unwritable) = Unwritable::in_error(error) {
            return unwritable.exit();
        }
        if Differs::in_error(error).is_some() {
            return Exit::Usage;
        }
        match error {
            PoolError::Grant(_) | PoolError::CacheGranted { .. } => Exit::Usage,
            PoolError::Module(_)
            | PoolError::Task(_)
            | PoolError::Compile(_)
            | PoolError::Init { .. }
            | PoolError::InitTime { .. } => Exit::Module,
            PoolError::Deadline(_) => Exit::Deadline,
            PoolError::Jail(_)
            | PoolError::Setup { .. }
            | PoolError::Lost(_)
            | PoolError::Input(_) => Exit::Setup,
            PoolError::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                Exit::BrokenPipe
            }
            PoolError::Output(_) => Exit::Output,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wpool::pool::feed::Stats;

    fn exit(end: End, failed: u64, cause: Option<Cause>) -> u8 {
        let stats = Stats { failed, ..Stats::default() };
        Exit::of_run(&Summary { end, stats, input_exhausted: true, undelivered: 0 }, cause).code()
    }

    #[test]
    fn a_run_ends_with_the_documented_code() {
        assert_eq!(exit(End::Complete, 0, None), 0);
        assert_eq!(exit(End::Complete, 3, None), 100);
        assert_eq!(exit(End::Halted { failed: true }, 1, None), 100);
        assert_eq!(exit(End::Halted { failed: false }, 1, None), 0);
        assert_eq!(exit(End::Drained, 0, Some(Cause::Interrupt)), 130);
        assert_eq!(exit(End::Killed, 0, Some(Cause::Terminate)), 143);
        assert_eq!(exit(End::Drained, 0, Some(Cause::HangUp)), 106);
        assert_eq!(exit(End::Deadline, 0, None), 124);
    }

    #[test]
    fn a_process_ends_with_its_own_code_as_a_shell_sees_it() {
        let exit = |kind, code, signal| {
            let failure = Failure { code, signal, ..Failure::new(kind, "") };
            Exit::of_process(Some(&failure)).code()
        };
        assert_eq!(Exit::of_process(None).code(), 0);
        assert_eq!(exit(FailureKind::Exit, Some(3), None), 3);
        assert_eq!(exit(FailureKind::Exit, Some(0), None), 0);
        assert_eq!(exit(FailureKind::Trap, None, None), 134);
        assert_eq!(exit(FailureKind::Timeout, None, Some(9)), 124);
        assert_eq!(exit(FailureKind::WorkerLost, None, Some(9)), 137);
    }

    #[test]
    fn a_run_that_was_told_to_stop_but_had_finished_is_complete() {
        assert_eq!(exit(End::Complete, 0, Some(Cause::Interrupt)), 0);
    }

    #[test]
    fn a_closed_pipe_is_told_from_a_full_disk() {
        let broken = PoolError::Output(io::ErrorKind::BrokenPipe.into());
        let full = PoolError::Output(io::ErrorKind::StorageFull.into());
        assert_eq!(Exit::of_error(&broken).code(), 141);
        assert_eq!(Exit::of_error(&full).code(), 110);
    }
}
