//! Runs in one process: a child of the zygote has all jobs at once.

use super::fork::{self, Plan};
use super::role::{Held, Role};
use super::server::{poll_readable, reap};
use crate::wire::control::ExitStatus;
use crate::wire::jail::Jail;
use crate::wire::jobmem::{EXIT_OUT_OF_MEMORY, NEEDED_TOO_MUCH};
use crate::wire::packet::{Attachment, Attachments};
use crate::worker::alone::{Prepared, Work, memory};
use crate::worker::threads::Threads;
use nix::sys::signal::{Signal, kill};
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};

/// Runs all jobs in one process: see [`ToZygote::Alone`](crate::wire::control::ToZygote::Alone).
/// `watch` is the control socket: when it closes, the dispatcher is gone and the run has no purpose
/// any more.
///
/// # Errors
/// Returns the reason why there are no records, in words for the user.
pub(super) fn run(
    work: Work<'_>,
    jail: Jail,
    mut files: Attachments,
    threads: &Threads,
    held: &Held,
    watch: BorrowedFd<'_>,
) -> Result<(), String> {
    let mut take = |name| files.take(name).map(File::from).map_err(|error| error.to_string());
    let (jobs, results) = (take(Attachment::Jobs)?, take(Attachment::Results)?);
    let plan = Plan {
        threads,
        held,
        memory: memory(work.program, &jobs).map_err(|error| format!("cannot fork: {error}"))?,
        prepare: || work.prepare(jobs, jail).map_err(|_| 1),
        serve: |prepared: Prepared<'_>| match prepared.run(results) {
            Ok(()) => 0,
            Err(_) => 1,
        },
    };
    let child = fork::spawn(Role::Alone, plan).map_err(|error| format!("cannot fork: {error}"))?;
    loop {
        match poll_readable(&[child.pidfd.as_fd(), watch], None) {
            Ok(ready) if ready[0] => break,
            Ok(ready) if !ready[1] => {}
            // The dispatcher is gone, or has waited long enough.
            _ => {
                let _ = kill(child.pid, Signal::SIGKILL);
                break;
            }
        }
    }
    match reap(child.pid) {
        Ok(ExitStatus::Code(0)) => Ok(()),
        Ok(ExitStatus::Code(EXIT_OUT_OF_MEMORY)) => {
            Err(format!("out of memory: {NEEDED_TOO_MUCH}"))
        }
        Ok(ExitStatus::Code(code)) => Err(format!("the process ended with exit code {code}")),
        Ok(ExitStatus::Signal(signal)) => Err(format!("the process was killed by signal {signal}")),
        Err(error) => Err(format!("the process cannot be waited for: {error}")),
    }
}
