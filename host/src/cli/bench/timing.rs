//! What a run took, and other programs whose runs are timed.

use crate::cli::exit::Exit;
use crate::cli::report::Report;
use crate::cli::signals::{Cause, Signals};
use nix::sys::resource::{UsageWho, getrusage};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};
use wpool::pool::feed::Commands;

/// What a run took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Timing {
    /// Time on the clock.
    pub(crate) took: Duration,
    /// Processor time in user mode, of all processes, with their start.
    pub(crate) user: Duration,
    /// The same in the kernel.
    pub(crate) system: Duration,
}

/// Processor time of this process and of those below it that have ended.
#[derive(Clone, Copy)]
pub(crate) struct Processors {
    user: Duration,
    system: Duration,
}

impl Processors {
    /// The time so far.
    pub(crate) fn now() -> Processors {
        let (mut user, mut system) = (Duration::ZERO, Duration::ZERO);
        for who in [UsageWho::RUSAGE_SELF, UsageWho::RUSAGE_CHILDREN] {
            // It fails for no valid `who`.
            let Ok(usage) = getrusage(who) else { continue };
            user += duration(usage.user_time());
            system += duration(usage.system_time());
        }
        Processors { user, system }
    }

    /// A run that began then and took so long.
    pub(crate) fn timing(self, took: Duration) -> Timing {
        let now = Processors::now();
        let (user, system) = (now.user - self.user, now.system - self.system);
        Timing { took, user, system }
    }
}

fn duration(time: nix::sys::time::TimeVal) -> Duration {
    let micros = time.tv_sec() * 1_000_000 + time.tv_usec();
    Duration::from_micros(micros.try_into().unwrap_or_default())
}

/// Runs a program whose standard streams are piped, and answers with its output.
///
/// # Errors
/// It cannot be run, fails, or takes longer than the limit. `name` is what messages call it.
pub(crate) fn run_program(
    mut command: Command,
    input: Vec<u8>,
    limit: Duration,
    name: &str,
) -> Result<(Vec<u8>, Timing), Report> {
    let before = Processors::now();
    let begun = Instant::now();
    let failed = |what: String| Report::new(Exit::JobsFailed, format!("{name}: {what}"));
    let program = command.get_program().to_string_lossy().into_owned();
    // A group of its own, so that whatever it has started ends with it.
    let mut child = command.process_group(0).spawn().map_err(|error| {
        Report::new(Exit::Setup, format!("{name}: cannot start {program}: {error}"))
            .help(format!("install {program}, or leave the mode out"))
    })?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    // Before there are threads, which a signal would otherwise find; behind the start of the program,
    // which would have them blocked.
    let signals = Signals::take(Duration::ZERO)
        .map_err(|error| Report::new(Exit::Setup, format!("cannot take signals: {error}")))?;
    let (end, output) = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut output = Vec::new();
            stdout.map_or(Ok(0), |mut pipe| pipe.read_to_end(&mut output)).map(|_| output)
        });
        // A program that does not read its input is no error.
        scope.spawn(|| stdin.map(|mut pipe| pipe.write_all(&input)));
        let end = wait(&mut child, limit, signals);
        (end, reader.join().expect("no reader panics"))
    });
    let took = begun.elapsed();
    match end.map_err(|error| failed(format!("cannot wait for it: {error}")))? {
        Ended::Itself(status) if status.success() => {
            let output = output.map_err(|error| failed(format!("cannot read it: {error}")))?;
            Ok((output, before.timing(took)))
        }
        Ended::Itself(status) => Err(failed(format!("{program} ended with {status}"))),
        Ended::TooSlow => Err(Report::new(
            Exit::Deadline,
            format!("{name}: it took longer than {} s", limit.as_secs_f64()),
        )),
        Ended::Asked(cause) => Err(Report::new(Exit::of_cause(Some(cause)), "killed on request")),
    }
}

/// How a program's run ended.
enum Ended {
    Itself(ExitStatus),
    TooSlow,
    /// A signal asked wpool to end.
    Asked(Cause),
}

/// Waits for a child's end, or kills its group if it takes too long, or wpool is to end.
fn wait(child: &mut Child, limit: Duration, mut signals: Signals) -> io::Result<Ended> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a child has an id");
    let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
    let deadline = Instant::now() + limit;
    let early = loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).ok();
        let ended = {
            let asked = signals.fd().expect("there is one");
            let mut fds = [PollFd::new(&pidfd, PollFlags::IN), PollFd::new(&asked, PollFlags::IN)];
            match poll(&mut fds, timeout.as_ref()) {
                Ok(_) | Err(rustix::io::Errno::INTR) => !fds[0].revents().is_empty(),
                Err(error) => return Err(error.into()),
            }
        };
        // What else signals may mean has no meaning here.
        while signals.next().is_some() {}
        match signals.cause().get() {
            _ if ended => break None,
            Some(cause) => break Some(Ended::Asked(cause)),
            None if left.is_zero() => break Some(Ended::TooSlow),
            None => {}
        }
    };
    signals.release();
    // Its leader is not reaped, so the group is still its own. It fails only if all have ended.
    let _ = kill_process_group(pid, Signal::KILL);
    let status = child.wait()?;
    Ok(early.unwrap_or(Ended::Itself(status)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Stdio;

    fn shell(script: &str, limit: Duration) -> Result<Vec<u8>, Report> {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped());
        run_program(command, b"input".to_vec(), limit, "sh").map(|(output, _)| output)
    }

    #[test]
    fn a_program_s_output_is_what_it_made_of_its_input() {
        assert_eq!(shell("cat", Duration::from_secs(60)).unwrap(), b"input");
        assert_eq!(shell("echo no input", Duration::from_secs(60)).unwrap(), b"no input\n");
    }

    #[test]
    fn a_program_that_fails_or_takes_too_long_is_an_error() {
        let failed = shell("exit 3", Duration::from_secs(60)).unwrap_err();
        assert_eq!(
            (failed.exit, failed.error.as_str()),
            (Exit::JobsFailed, "sh: sh ended with exit status: 3")
        );
        let slow = shell("exec sleep 60", Duration::from_millis(10)).unwrap_err();
        assert_eq!(
            (slow.exit, slow.error.as_str()),
            (Exit::Deadline, "sh: it took longer than 0.01 s")
        );
    }
}
