//! What a run took, and other programs whose runs are timed.

use super::subject::Asking;
use crate::error::Error;
use crate::units;
use nix::sys::resource::{UsageWho, getrusage};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};
use wpool::pool::feed::{Command as Asked, Commands};

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

/// Most bytes of what a program prints.
const OUTPUT_BYTES_MAX: u64 = 1 << 30;

/// How long the output of a program that has ended may be held open by others that it has started.
const HELD_OPEN_MAX: Duration = Duration::from_secs(1);

/// Runs a program whose standard streams are piped, and answers with its output.
///
/// # Errors
/// It cannot be run, fails, prints too much, or takes longer than the limit. `name` is what messages call
/// it.
pub(crate) fn run_program(
    mut command: Command,
    input: Vec<u8>,
    limit: Duration,
    name: &str,
    asking: &Asking<'_>,
) -> Result<(Vec<u8>, Timing), Error> {
    let failed = |what: String| Error::failed(format!("{name}: {what}"));
    let program = command.get_program().to_string_lossy().into_owned();
    let group = Group::begin()
        .map_err(|error| Error::setup(format!("{name}: cannot start sh: {error}")))?;
    let before = Processors::now();
    let begun = Instant::now();
    let mut child = command.process_group(group.id()).spawn().map_err(|error| {
        Error::setup(format!("{name}: cannot start {program}: {error}"))
            .help(format!("install {program}, or leave the mode out"))
    })?;
    // Before there are threads, which a signal would otherwise find; behind the start of the program,
    // which would have them blocked. One that comes earlier ends wpool, and the watcher the group.
    let signals =
        asking().map_err(|error| Error::setup(format!("cannot take signals: {error}")))?;
    let (send, printed) = channel();
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    // Nobody waits for these two: a process that has left the group may hold their pipes.
    thread::spawn(move || {
        send.send(stdout.map_or(Ok(Vec::new()), |pipe| read(pipe, OUTPUT_BYTES_MAX)))
    });
    thread::spawn(move || stdin.map(|mut pipe| pipe.write_all(&input)));
    let early = wait(&child, limit, signals);
    group.kill();
    let status = child.wait();
    let took = begun.elapsed();
    let status = match early.and_then(|early| Ok((early, status?))) {
        Ok((None, status)) => status,
        Ok((Some(Early::TooSlow), _)) => {
            let what = format!("{name}: it took longer than {} s", limit.as_secs_f64());
            return Err(Error::deadline(what));
        }
        Ok((Some(Early::Asked), _)) => return Err(Error::Asked),
        Err(error) => return Err(failed(format!("cannot wait for it: {error}"))),
    };
    let timing = before.timing(took);
    let printed = printed.recv_timeout(HELD_OPEN_MAX).unwrap_or_else(|_| {
        Err(io::Error::other("a process that it has started holds its output open"))
    });
    match (printed, status.success()) {
        (Ok(output), true) => Ok((output, timing)),
        (Err(error), true) => Err(failed(format!("cannot read its output: {error}"))),
        // What it printed too much may be why.
        (Err(error), false) if error.kind() == io::ErrorKind::FileTooLarge => {
            Err(failed(error.to_string()))
        }
        (_, false) => Err(failed(format!("{program} ended with {status}"))),
    }
}

/// All that comes from a pipe.
fn read(pipe: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut output = Vec::new();
    match pipe.take(most + 1).read_to_end(&mut output)? {
        bytes if bytes as u64 > most => {
            let what = format!("it printed more than {}", units::size_text(most));
            Err(io::Error::new(io::ErrorKind::FileTooLarge, what))
        }
        _ => Ok(output),
    }
}

/// A process group for a program and all that it starts. It ends with this, or with wpool if that is
/// killed: its leader is a shell that waits until wpool has closed the shell's standard input.
struct Group {
    watcher: Child,
}

impl Group {
    fn begin() -> io::Result<Group> {
        let mut sh = Command::new("sh");
        sh.args(["-c", "read -r nothing; kill -KILL 0"]).process_group(0);
        sh.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Group { watcher: sh.spawn()? })
    }

    fn id(&self) -> i32 {
        self.watcher.id().cast_signed()
    }

    /// Kills all that are in it.
    fn kill(&self) {
        if let Some(id) = Pid::from_raw(self.id()) {
            // The leader is not reaped, so the group is still its own. It fails only if all have ended.
            let _ = kill_process_group(id, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
        // It was killed, so it ends.
        let _ = self.watcher.wait();
    }
}

/// Why a program is not waited for any longer.
enum Early {
    TooSlow,
    /// Somebody asked wpool to end.
    Asked,
}

/// Waits for a child's end, which it does not reap, unless it takes too long, or wpool is to end.
fn wait(child: &Child, limit: Duration, mut asked: Box<dyn Commands>) -> io::Result<Option<Early>> {
    let pid = Pid::from_raw(child.id().cast_signed()).expect("a child has an id");
    let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
    let begun = Instant::now();
    loop {
        let left = limit.saturating_sub(begun.elapsed());
        let timeout = Timespec::try_from(left).ok();
        let ended = {
            let asked = asked.fd();
            let mut fds = vec![PollFd::new(&pidfd, PollFlags::IN)];
            fds.extend(asked.iter().map(|fd| PollFd::new(fd, PollFlags::IN)));
            match poll(&mut fds, timeout.as_ref()) {
                Ok(_) | Err(rustix::io::Errno::INTR) => !fds[0].revents().is_empty(),
                Err(error) => return Err(error.into()),
            }
        };
        // What else may be asked for has no meaning here.
        let mut to_end = false;
        while let Some(command) = asked.next() {
            to_end |= matches!(command, Asked::Drain | Asked::DrainFor(_) | Asked::Kill);
        }
        match ended {
            true => return Ok(None),
            false if to_end => return Ok(Some(Early::Asked)),
            false if left.is_zero() => return Ok(Some(Early::TooSlow)),
            false => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Stdio;
    use wpool::pool::feed::NoCommands;

    fn shell(script: &str, limit: Duration) -> Result<Vec<u8>, Error> {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let asking = || Ok(Box::new(NoCommands) as Box<dyn Commands>);
        run_program(command, b"input".to_vec(), limit, "sh", &asking).map(|(output, _)| output)
    }

    #[test]
    fn a_program_s_output_is_what_it_made_of_its_input() {
        assert_eq!(shell("cat", Duration::from_secs(60)).unwrap(), b"input");
        assert_eq!(shell("echo no input", Duration::from_secs(60)).unwrap(), b"no input\n");
    }

    #[test]
    fn a_program_that_fails_or_takes_too_long_is_an_error() {
        match shell("exit 3", Duration::from_secs(60)).unwrap_err() {
            Error::Failed(told) => assert_eq!(told.text, "sh: sh ended with exit status: 3"),
            other => panic!("{other:?}"),
        }
        match shell("sleep 60", Duration::from_millis(10)).unwrap_err() {
            Error::Deadline(told) => assert_eq!(told.text, "sh: it took longer than 0.01 s"),
            other => panic!("{other:?}"),
        }
    }
    #[test]
    fn an_output_that_a_process_elsewhere_holds_open_is_not_waited_for() {
        let script = r#"m=$(mktemp -u); setsid sh -c ": > $m; exec sleep 5" &
            until [ -e "$m" ]; do :; done; rm "$m""#;
        match shell(script, Duration::from_secs(60)).unwrap_err() {
            Error::Failed(held) => {
                assert!(held.text.ends_with("holds its output open"), "{held:?}")
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_output_without_end_is_cut_off() {
        assert_eq!(read(&b"12345"[..], 5).unwrap(), b"12345");
        let error = read(io::repeat(b'y'), 1 << 20).unwrap_err();
        assert_eq!(error.to_string(), "it printed more than 1MiB");
    }
}
