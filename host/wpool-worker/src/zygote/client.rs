//! The dispatcher's side of a zygote.

use super::{FromZygote, Uncompiled, Unloaded};
use crate::module::ModuleError;
use crate::wire::control::{PROTOCOL, ToZygote};
use crate::wire::failure::Failure;
use crate::wire::line::{self, Line};
use crate::wire::packet::{Attachment, Attachments, ControlSocket};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, Signal, kill_process_group};
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The time that a zygote may take for its first answer.
const FIRST_ANSWER: Duration = Duration::from_secs(5);

/// The function that is called when a module begins to be compiled.
type Begun<'a> = Option<&'a dyn Fn()>;

/// The descriptors that travel beside a message, with their names.
type Attached<'a> = [(Attachment, BorrowedFd<'a>)];

/// The time that a zygote may take to load a module.
pub const LOADED: Duration = Duration::from_secs(30);

/// The greatest number of bytes that are read of the lines that a guest prints while it is
/// initialised.
const PRINTED_BYTES_MAX: u64 = 64 << 20;

/// The reason why a module is not loaded.
#[derive(Debug)]
pub enum LoadError {
    /// The module cannot be linked.
    Refused(ModuleError),
    /// The guest failed while it was initialised.
    Init(Failure),
}

/// A running zygote. Dropping it ends the zygote and all its workers.
#[derive(Debug)]
pub struct Zygote {
    socket: ControlSocket,
    process: Child,
}

/// Returns what is missing of the system without which no zygote can start, if anything is.
pub fn obstacle() -> Option<&'static str> {
    let needed = [("/proc/self", "/proc is not mounted"), ("/dev/null", "there is no /dev/null")];
    needed.into_iter().find(|(path, _)| !Path::new(path).exists()).map(|(_, obstacle)| obstacle)
}

impl Zygote {
    /// Executes this program (or `executable`) again as a zygote.
    ///
    /// The zygote dies with the *thread* that starts it.
    ///
    /// # Errors
    /// Returns the error of `socketpair`, `fork` or `exec`.
    pub fn start(executable: Option<&Path>) -> io::Result<Zygote> {
        if super::fork::is_privileged() {
            let why =
                "a program with more rights than its user (set-uid, capabilities) may not have one";
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
        }
        if let Some(obstacle) = obstacle() {
            return Err(io::Error::new(io::ErrorKind::NotFound, obstacle));
        }
        super::fork::keep_before_main();
        let (socket, theirs) = ControlSocket::pair()?;
        let program = executable.unwrap_or(Path::new("/proc/self/exe"));
        let process = Command::new(program)
            .arg0("wpool-zygote")
            .env_clear()
            .env(super::fork::MARKER, PROTOCOL)
            .stdin(theirs)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // The zygote has a process group of its own: a terminal's Ctrl-C is for the dispatcher
            // alone.
            .process_group(0)
            .spawn()?;
        // A zygote that has ended already is noticed at the first request.
        let _ = socket.send(&ToZygote::Hello { protocol: PROTOCOL.into() }, &[]);
        Ok(Zygote { socket, process })
    }

    /// Sends a signal to the zygote and all its descendants: they are one process group.
    pub fn signal_group(&self, signal: Signal) {
        let pid = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // The zygote is not reaped, so the id is still its own; the call fails only if all have
            // ended.
            let _ = kill_process_group(pid, signal);
        }
    }

    /// Returns the process id.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.process.id()).unwrap_or(0)
    }

    /// Sets the niceness of the zygote, which its children inherit.
    ///
    /// # Errors
    /// Returns an error if the system does not allow it.
    pub fn set_nice(&self, nice: i8) -> io::Result<()> {
        let pid = rustix::process::Pid::from_raw(self.pid());
        Ok(rustix::process::setpriority_process(pid, nice.into())?)
    }

    /// Sends a request.
    ///
    /// # Errors
    /// Returns the error of the control socket.
    pub fn send(&self, message: &ToZygote, attached: &Attached<'_>) -> io::Result<()> {
        self.socket.send(message, attached)
    }

    /// Receives the next message. Returns `Ok(None)` if the zygote is gone.
    ///
    /// # Errors
    /// Returns `WouldBlock` if there is no message yet, or the error of the control socket.
    pub fn receive(&self) -> io::Result<Option<(FromZygote, Attachments)>> {
        self.socket.receive(false)
    }

    /// Asks for the hash that identifies the machine code that this program can run. The answer is
    /// the zygote's first one.
    ///
    /// # Errors
    /// Returns an error if the zygote does not answer, because the executed program lacks this
    /// crate; an error of the kind `Unsupported` holds the zygote's own reason.
    pub fn compatibility(&self, fuel: bool) -> io::Result<u64> {
        match self.ask(&ToZygote::Compatibility { fuel }, &[], FIRST_ANSWER)? {
            FromZygote::Compatible { hash } => Ok(hash),
            other => Err(unexpected(&other)),
        }
    }

    /// Compiles or describes a module in a process of its own. On success the memfds are filled.
    /// `begun` is called when compiling begins.
    ///
    /// # Errors
    /// Returns an outer error if the zygote is of no use any more, and an inner error if the module
    /// cannot be compiled.
    pub fn compile(
        &self,
        request: &ToZygote,
        files: &Attached<'_>,
        timeout: Duration,
        begun: &Begun<'_>,
    ) -> io::Result<Result<(), Uncompiled>> {
        let mut attached = files.to_vec();
        let pipe = begun.map(|_| pipe_with(PipeFlags::CLOEXEC)).transpose()?;
        attached.extend(pipe.iter().map(|(_, write)| (Attachment::Begun, write.as_fd())));
        self.socket.send(request, &attached)?;
        let mut heard = pipe.map(|(read, _)| read);
        let answered = self.wait(timeout.saturating_add(FIRST_ANSWER), &mut heard, begun)?;
        match answered.0 {
            FromZygote::Compiled(result) => Ok(result),
            other => Err(unexpected(&other)),
        }
    }

    /// Loads and links a module: see [`ToZygote::Load`]. Also returns the lines printed by a guest
    /// that was initialised.
    ///
    /// # Errors
    /// Returns an error if the zygote is of no use any more.
    pub fn load(&self, files: &Attached<'_>, timeout: Duration) -> io::Result<Loaded> {
        let (answer, files) = self.ask_for_files(&ToZygote::Load, files, timeout)?;
        match answer {
            FromZygote::Loaded(answer) => loaded(answer, files),
            other => Err(unexpected(&other)),
        }
    }

    /// Runs all jobs in one process. The records are in the second file afterwards.
    ///
    /// # Errors
    /// Returns an outer error if the zygote is of no use any more, and an inner error if there are
    /// no records.
    pub fn run_alone(
        &self,
        request: &ToZygote,
        files: &Attached<'_>,
        timeout: Duration,
    ) -> io::Result<Result<(), String>> {
        match self.ask(request, files, timeout)? {
            FromZygote::Alone(result) => Ok(result),
            other => Err(unexpected(&other)),
        }
    }

    /// Sends a request and waits for its answer. Used only while there are no workers, so that the
    /// next message is the answer.
    fn ask(
        &self,
        request: &ToZygote,
        attached: &Attached<'_>,
        timeout: Duration,
    ) -> io::Result<FromZygote> {
        self.ask_for_files(request, attached, timeout).map(|(answer, _)| answer)
    }

    fn ask_for_files(
        &self,
        request: &ToZygote,
        attached: &Attached<'_>,
        timeout: Duration,
    ) -> io::Result<(FromZygote, Attachments)> {
        self.socket.send(request, attached)?;
        self.wait(timeout, &mut None, &None)
    }

    /// Waits for an answer. Calls `begun` if something comes out of the pipe first.
    fn wait(
        &self,
        timeout: Duration,
        pipe: &mut Option<OwnedFd>,
        begun: &Begun<'_>,
    ) -> io::Result<(FromZygote, Attachments)> {
        let deadline = Instant::now().checked_add(timeout);
        loop {
            let left =
                deadline.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    format!("the zygote did not answer within {} s", timeout.as_secs()),
                ));
            }
            let mut fds = vec![PollFd::new(&self.socket, PollFlags::IN)];
            fds.extend(pipe.iter().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
            let left = Timespec::try_from(left).unwrap_or(Timespec { tv_sec: 60, tv_nsec: 0 });
            match poll(&mut fds, Some(&left)) {
                Err(rustix::io::Errno::INTR) | Ok(0) => continue,
                Err(error) => return Err(error.into()),
                Ok(_) => {}
            }
            let answered = !fds[0].revents().is_empty();
            let told = fds.get(1).is_some_and(|pipe| pipe.revents().contains(PollFlags::IN));
            let closed = fds.get(1).is_some_and(|pipe| !pipe.revents().is_empty());
            if closed {
                // The compiler writes once, or never.
                *pipe = None;
            }
            if let (true, Some(begun)) = (told, begun) {
                begun();
            }
            if !answered {
                continue;
            }
            return match self.receive()? {
                Some((FromZygote::Unfit(why), _)) => {
                    Err(io::Error::new(io::ErrorKind::Unsupported, why))
                }
                Some(answer) => Ok(answer),
                None => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the zygote ended")),
            };
        }
    }

    /// Lets the zygote end by itself once its workers have ended, or ends it if that takes too
    /// long.
    pub fn close(mut self) {
        // The send fails only if the other side is gone.
        let _ = self.socket.send(&ToZygote::Finish, &[]);
        let deadline = Instant::now() + FIRST_ANSWER;
        while let (Ok(None), true) = (self.process.try_wait(), Instant::now() < deadline) {
            std::thread::sleep(Duration::from_micros(200));
        }
        self.end();
    }

    /// Returns whether a signal has ended the zygote, or is about to. If the socket is closed, the
    /// function waits a moment for the end.
    pub fn was_killed(&mut self) -> bool {
        let deadline = Instant::now() + FIRST_ANSWER;
        let mut fds = [PollFd::new(&self.socket, PollFlags::empty())];
        let hung_up = poll(&mut fds, Some(&Timespec::default())).is_ok_and(|ready| ready > 0);
        loop {
            match self.process.try_wait() {
                Ok(Some(status)) => return status.signal().is_some(),
                Ok(None) if hung_up && Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_micros(200));
                }
                _ => return false,
            }
        }
    }

    /// Ends the zygote at once. Returns the way it had ended, if it had ended already.
    pub fn end(&mut self) -> String {
        let ended = match self.process.try_wait() {
            Ok(Some(status)) => status.to_string(),
            _ => "still running".into(),
        };
        // The calls fail only if the zygote has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
        ended
    }
}

impl Drop for Zygote {
    fn drop(&mut self) {
        self.end();
    }
}

impl AsFd for Zygote {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// The answer of a zygote to a request to load a module, with the lines printed by a guest that was
/// initialised.
pub type Loaded = (Result<(), LoadError>, Vec<Line>);

/// Reads the answer of a zygote to a request to load a module. The answer is not trusted.
///
/// # Errors
/// Returns an error if the answer is malformed, or if its files cannot be read.
pub fn loaded(answer: Result<(), Unloaded>, mut files: Attachments) -> io::Result<Loaded> {
    let lines = files.find(Attachment::Printed).map(File::from);
    let lines = lines.map_or_else(|| Ok(Vec::new()), printed)?;
    let loaded = match answer {
        Ok(()) => Ok(()),
        Err(Unloaded::Refused(error)) => Err(LoadError::Refused(error)),
        Err(Unloaded::Init) => {
            Err(LoadError::Init(failure(files.take(Attachment::Failure)?.into())?))
        }
    };
    Ok((loaded, lines))
}

/// Reads the printed lines of a guest from the file that the zygote has sent.
fn printed(file: File) -> io::Result<Vec<Line>> {
    let mut bytes = Vec::new();
    file.take(PRINTED_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(line::decode(&bytes))
}

/// Reads the failure of a guest from the file that the zygote has sent. The file is not trusted.
fn failure(file: File) -> io::Result<Failure> {
    let mut json = Vec::new();
    file.take(PRINTED_BYTES_MAX).read_to_end(&mut json)?;
    Failure::decode(&json).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn unexpected(message: &FromZygote) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("unexpected answer: {message:?}"))
}

/// Makes a sealed memfd with these bytes, to be handed to another process.
///
/// # Errors
/// Returns the error of `memfd_create` or `write`.
pub fn payload(name: &str, bytes: &[u8]) -> io::Result<File> {
    let mut file = File::from(memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?);
    file.write_all(bytes)?;
    file.rewind()?;
    let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL;
    fcntl_add_seals(&file, seals)?;
    Ok(file)
}
