//! Reads the signals to wpool from a descriptor, and turns them into the dispatcher's commands.

use nix::sys::signal::{SigSet, Signal, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::cell::Cell;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;
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

/// The signals that steer a run, unless they were ignored when the program began: whoever starts
/// wpool with `nohup`, or with `&` in a script, wants it to outlive a hang-up or an interrupt.
const STEERING: [Signal; 6] = [
    Signal::SIGINT,
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGUSR1,
    Signal::SIGTSTP,
    Signal::SIGCONT,
];

/// The descriptor for the signals that steer a run.
#[derive(Debug)]
pub(crate) struct Signals {
    fd: SignalFd,
    taken: SigSet,
    grace: Duration,
    cause: SharedCause,
}

/// The signal that asked the run to end, if one did, shared with the code that reports it.
pub(crate) type SharedCause = Rc<Cell<Option<Cause>>>;

impl Signals {
    /// Blocks the signals and opens a descriptor for them. Must be called after the zygote has
    /// started, because a blocked signal stays blocked in children.
    ///
    /// # Errors
    /// Fails if no descriptor is left, or /proc is not there.
    pub(crate) fn take(grace: Duration) -> io::Result<Self> {
        let ignored = ignored()?;
        let is_ignored = |signal: &Signal| ignored & (1 << (*signal as i32 - 1)) != 0;
        let taken: SigSet = STEERING.into_iter().filter(|signal| !is_ignored(signal)).collect();
        taken.thread_block()?;
        let fd = SignalFd::with_flags(&taken, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        Ok(Signals { fd, taken, grace, cause: SharedCause::default() })
    }

    /// Returns the signal that asked the run to end, if one did.
    pub(crate) fn cause(&self) -> SharedCause {
        self.cause.clone()
    }

    /// Restores the default actions of the signals, so that the work after the run can be
    /// interrupted. Signals that arrived too late to steer the run are forgotten.
    pub(crate) fn release(self) {
        while let Ok(Some(_)) = self.fd.read_signal() {}
        // Unblocking signals that are blocked cannot fail.
        let _ = self.taken.thread_unblock();
    }
}

/// Returns the signals that this process ignores, a bit each, from signal 1 on. See
/// proc_pid_status(5).
fn ignored() -> io::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .ok_or_else(|| io::Error::other("/proc/self/status has no line SigIgn"))
}

impl Commands for Signals {
    fn next(&mut self) -> Option<Command> {
        let info = self.fd.read_signal().ok().flatten()?;
        let signal = Signal::try_from(info.ssi_signo as i32).ok()?;
        let (command, cause) = command(signal, self.cause.get(), self.grace)?;
        self.cause.set(cause);
        Some(command)
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.fd.as_fd())
    }

    fn paused(&mut self) {
        // SIGSTOP cannot be blocked, so `raise` returns only after SIGCONT, which then waits in the
        // descriptor and becomes `Resume`.
        let _ = raise(Signal::SIGSTOP);
    }
}

/// Commands that end a run at once on a signal, as the signal would end any program without a
/// handler.
#[derive(Debug)]
pub(crate) struct AtOnce<'a>(pub(crate) &'a mut Signals);

impl Commands for AtOnce<'_> {
    fn next(&mut self) -> Option<Command> {
        self.0.next().map(|command| match command {
            Command::Drain | Command::DrainFor(_) => Command::Kill,
            other => other,
        })
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.0.fd()
    }

    fn paused(&mut self) {
        self.0.paused();
    }
}

/// Returns the meaning of a signal after `cause` asked the run to end, and the new cause.
fn command(
    signal: Signal,
    cause: Option<Cause>,
    grace: Duration,
) -> Option<(Command, Option<Cause>)> {
    let again = matches!(cause, Some(Cause::Interrupt | Cause::Terminate));
    let (asked, cause) = match signal {
        Signal::SIGINT => (Command::Drain, Some(Cause::Interrupt)),
        Signal::SIGTERM => (Command::DrainFor(grace), Some(Cause::Terminate)),
        Signal::SIGHUP => return Some((Command::Drain, cause.or(Some(Cause::HangUp)))),
        Signal::SIGUSR1 => return Some((Command::Report, cause)),
        Signal::SIGTSTP => return Some((Command::Pause, cause)),
        Signal::SIGCONT => return Some((Command::Resume, cause)),
        _ => return None,
    };
    Some((if again { Command::Kill } else { asked }, cause))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: Duration = Duration::from_secs(10);

    fn commands(signals: &[Signal]) -> (Vec<Command>, Option<Cause>) {
        let mut cause = None;
        let mut next = |signal: &Signal| {
            let (command, next) = command(*signal, cause, GRACE)?;
            cause = next;
            Some(command)
        };
        let commands = signals.iter().filter_map(&mut next).collect();
        (commands, cause)
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
