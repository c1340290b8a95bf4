//! The time that a run takes, and the run of other programs with their time.

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

/// The time that a run took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Timing {
    /// The wall-clock time.
    pub(crate) took: Duration,
    /// The processor time in user mode, of all processes, with their start.
    pub(crate) user: Duration,
    /// The processor time in the kernel, of all processes, with their start.
    pub(crate) system: Duration,
}

/// The processor time of this process and of its descendants that have ended.
#[derive(Clone, Copy)]
pub(crate) struct Processors {
    user: Duration,
    system: Duration,
}

impl Processors {
    /// Returns the time so far.
    pub(crate) fn now() -> Processors {
        let (mut user, mut system) = (Duration::ZERO, Duration::ZERO);
        for who in [UsageWho::RUSAGE_SELF, UsageWho::RUSAGE_CHILDREN] {
            // `getrusage` cannot fail for a valid `who`.
            let Ok(usage) = getrusage(who) else { continue };
            user += duration(usage.user_time());
            system += duration(usage.system_time());
        }
        Processors { user, system }
    }

    /// Returns the timing of a run that began at `self` and took `took`.
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

/// The most bytes that a program may print.
const OUTPUT_BYTES_MAX: u64 = 1 << 30;

/// The time for which other processes may hold the output of a program open after the program has
/// ended.
const HELD_OPEN_MAX: Duration = Duration::from_secs(1);

/// Runs a program whose standard streams are piped, and returns its output. `name` is the program's
/// name in messages.
///
/// # Errors
/// Fails if the program cannot be run, fails itself, prints too much, or takes longer than the
/// limit.
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
    // Signals are taken before there are threads, which a signal would otherwise find, and after
    // the start of the program, which would inherit the blocked signals. A signal that comes
    // earlier ends wpool, and the watcher then ends the group.
    let signals =
        asking().map_err(|error| Error::setup(format!("cannot take signals: {error}")))?;
    let (send, printed) = channel();
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    // Nobody waits for the two threads: a process that has left the group may hold their pipes.
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
        // The program may have failed because it printed too much.
        (Err(error), false) if error.kind() == io::ErrorKind::FileTooLarge => {
            Err(failed(error.to_string()))
        }
        (_, false) => Err(failed(format!("{program} ended with {status}"))),
    }
}

/// Reads everything from a pipe, up to `most` bytes.
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

/// A process group for a program and all processes that it starts. The group is killed on drop, or
/// when wpool is killed: its leader is a shell that waits until wpool has closed the shell's
/// standard input.
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

    /// Kills all processes of the group.
    fn kill(&self) {
        if let Some(id) = Pid::from_raw(self.id()) {
            // The leader has not been reaped, so no other group has this id. The call fails only if
            // all have ended.
            let _ = kill_process_group(id, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
        // The leader was killed, so the wait ends.
        let _ = self.watcher.wait();
    }
}

/// The reason why a program is not waited for any longer.
enum Early {
    TooSlow,
    /// A command asked wpool to end.
    Asked,
}

/// Waits for the end of a child, but does not reap it. Returns earlier if the child takes too long,
/// or wpool is to end.
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
        // Other commands have no meaning here.
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
