//! Signals to wpool, read from a descriptor and turned into the dispatcher's commands.

use nix::sys::signal::{SigSet, Signal, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;
use wpool::pool::feed::{Command, Commands};

/// The signal that asked a run to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// SIGINT.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// SIGHUP.
    HangUp,
}

const TAKEN: [Signal; 6] = [
    Signal::SIGINT,
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGUSR1,
    Signal::SIGTSTP,
    Signal::SIGCONT,
];

/// The signals that steer a run.
#[derive(Debug)]
pub(crate) struct Signals {
    fd: SignalFd,
    grace: Duration,
    state: State,
}

/// What the signals so far amount to. Pure, so that it can be tested.
#[derive(Debug, Default)]
struct State {
    cause: Option<Cause>,
}

impl Signals {
    /// Blocks the signals and opens a descriptor for them. Call it after the zygote has started:
    /// a blocked signal stays blocked in children.
    ///
    /// # Errors
    /// No descriptor is left.
    pub(crate) fn take(grace: Duration) -> io::Result<Self> {
        let mask: SigSet = TAKEN.into_iter().collect();
        mask.thread_block()?;
        let fd = SignalFd::with_flags(&mask, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        Ok(Signals { fd, grace, state: State::default() })
    }

    /// The signal that asked the run to end, if one did.
    pub(crate) fn cause(&self) -> Option<Cause> {
        self.state.cause
    }
}

impl Commands for Signals {
    fn next(&mut self) -> Option<Command> {
        let info = self.fd.read_signal().ok().flatten()?;
        let signal = Signal::try_from(info.ssi_signo as i32).ok()?;
        self.state.command(signal, self.grace)
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.fd.as_fd())
    }

    fn paused(&mut self) {
        // SIGSTOP cannot be blocked, so this returns only after SIGCONT, which then waits in the
        // descriptor and becomes `Resume`.
        let _ = raise(Signal::SIGSTOP);
    }
}

impl State {
    fn command(&mut self, signal: Signal, grace: Duration) -> Option<Command> {
        let again = self.cause.is_some_and(|cause| cause != Cause::HangUp);
        match signal {
            Signal::SIGINT => {
                self.cause = Some(Cause::Interrupt);
                Some(if again { Command::Kill } else { Command::Drain })
            }
            Signal::SIGTERM => {
                self.cause = Some(Cause::Terminate);
                Some(if again { Command::Kill } else { Command::DrainFor(grace) })
            }
            Signal::SIGHUP => {
                self.cause = self.cause.or(Some(Cause::HangUp));
                Some(Command::Drain)
            }
            Signal::SIGUSR1 => Some(Command::Report),
            Signal::SIGTSTP => Some(Command::Pause),
            Signal::SIGCONT => Some(Command::Resume),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: Duration = Duration::from_secs(10);

    fn commands(signals: &[Signal]) -> (Vec<Command>, Option<Cause>) {
        let mut state = State::default();
        let commands = signals.iter().filter_map(|s| state.command(*s, GRACE)).collect();
        (commands, state.cause)
    }

    #[test]
    fn the_first_interrupt_drains_and_the_second_kills() {
        assert_eq!(
            commands(&[Signal::SIGINT, Signal::SIGINT]),
            (vec![Command::Drain, Command::Kill], Some(Cause::Interrupt))
        );
    }

    #[test]
    fn terminate_drains_for_the_grace_time() {
        assert_eq!(
            commands(&[Signal::SIGTERM]),
            (vec![Command::DrainFor(GRACE)], Some(Cause::Terminate))
        );
    }

    #[test]
    fn an_interrupt_after_a_hang_up_still_drains_first() {
        assert_eq!(
            commands(&[Signal::SIGHUP, Signal::SIGINT]),
            (vec![Command::Drain, Command::Drain], Some(Cause::Interrupt))
        );
    }

    #[test]
    fn job_control_pauses_and_resumes_without_ending_the_run() {
        assert_eq!(
            commands(&[Signal::SIGTSTP, Signal::SIGCONT, Signal::SIGUSR1]),
            (vec![Command::Pause, Command::Resume, Command::Report], None)
        );
    }
}
