//! The zygote's own side: it answers requests, forks workers, reaps them, and ends with the
//! dispatcher.

use super::client::payload;
use super::fork::{self, ChildProcess, Plan};
use super::role::{Held, Role};
use super::template;
use super::{FromZygote, Unloaded, alone, compiler};
use crate::jail::limits::{self, Memory};
use crate::module::description::Description;
use crate::module::{ModuleError, compile};
use crate::shared::Shared;
use crate::wire::control::{
    ExitStatus, Load, Membership, PROTOCOL, ProcessId, ToZygote, WorkerId, cut_text,
};
use crate::wire::jail::Jail;
use crate::wire::packet::{Attachment, Attachments, ControlSocket};
use crate::wire::settings::Settings;
use crate::worker::alone::Work;
use crate::worker::guest::Guest;
use crate::worker::program::Program;
use crate::worker::stdio::Stdio;
use crate::worker::threads::Threads;
use crate::worker::wasi::Folders;
use crate::worker::{self, fault};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, dup2_stdin};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{SocketType, sockopt};
use rustix::process::{Signal, getppid, getuid, set_parent_process_death_signal};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The time that workers may take to end when all is done.
const FINISH: Duration = Duration::from_secs(1);

/// The module that a zygote has loaded, with its surroundings.
struct Loaded {
    program: Program,
    settings: Settings,
    shared: Option<Arc<Shared>>,
    stdio: Option<Stdio>,
    jail: Jail,
}

/// The zygote's state.
struct Server {
    socket: ControlSocket,
    threads: &'static Threads,
    /// The loaded module, which is leaked: there is rarely more than one, and it lives as long as
    /// the process.
    loaded: Option<&'static Loaded>,
    /// An initialised guest of the loaded module.
    guest: Option<Guest<'static>>,
    /// True if there is nothing more to do: another process serves in the place of this one, or
    /// nobody asks.
    is_over: bool,
    workers: Vec<(WorkerId, ChildProcess)>,
}

/// The origin of a control socket.
pub(super) enum Origin {
    /// There is no control socket.
    None,
    /// The process that has started this one has made the socket.
    Parent,
    /// Another process has made the socket.
    Other,
}

/// Returns whether standard input is a sequenced-packet socket, as only a dispatcher provides it,
/// and who made it.
pub(super) fn control_socket() -> Origin {
    let stdin = io::stdin();
    match sockopt::socket_type(&stdin) {
        Ok(SocketType::SEQPACKET) => {}
        _ => return Origin::None,
    }
    match (sockopt::socket_peercred(&stdin), getppid()) {
        (Ok(maker), Some(parent)) if maker.pid == parent && maker.uid == getuid() => Origin::Parent,
        _ => Origin::Other,
    }
}

/// Runs a zygote. Returns its exit code.
pub(super) fn main() -> i32 {
    // Panics are reported by exit codes and messages; standard error is /dev/null anyway.
    std::panic::set_hook(Box::new(|_| {}));
    match start().and_then(|mut server| {
        greet(&server.socket)?;
        server.run()
    }) {
        Ok(()) => 0,
        Err(_) => 1,
    }
}

fn start() -> io::Result<Server> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    fork::default_signals()?;
    let socket = io::stdin().as_fd().try_clone_to_owned()?;
    dup2_stdin(File::open("/dev/null")?)?;
    Role::Zygote.enter(&Held::default(), Memory::Inherited)?;
    limits::enter_zygote(socket.as_fd())?;
    fault::install()?;
    fault::install_refused()?;
    Ok(Server {
        socket: ControlSocket::from_fd(socket),
        threads: Threads::open()?,
        loaded: None,
        guest: None,
        is_over: false,
        workers: Vec::new(),
    })
}

/// Waits for the dispatcher's hello, and refuses a dispatcher that speaks another protocol.
///
/// # Errors
/// Returns an error if the dispatcher begins with something else, or with another protocol.
fn greet(socket: &ControlSocket) -> io::Result<()> {
    match socket.receive(true)? {
        Some((ToZygote::Hello { protocol }, _)) if protocol == PROTOCOL => return Ok(()),
        Some((ToZygote::Hello { protocol }, _)) => {
            let why = format!("it speaks {PROTOCOL}, and is asked in {protocol:?}");
            socket.send(&FromZygote::Unfit(cut_text(why)), &[])?;
        }
        _ => {}
    }
    Err(io::ErrorKind::InvalidData.into())
}

impl Server {
    /// Returns the descriptors that this process holds for itself.
    fn held(&self) -> Held {
        let children = self.workers.iter().map(|(_, child)| child.pidfd.as_raw_fd()).collect();
        Held { control: Some(self.socket.as_fd().as_raw_fd()), children }
    }

    /// Serves until the dispatcher closes the control socket.
    fn run(&mut self) -> io::Result<()> {
        while !self.is_over {
            let mut fds = vec![self.socket.as_fd()];
            fds.extend(self.workers.iter().map(|(_, child)| child.pidfd.as_fd()));
            let ready = poll_readable(&fds, None)?;
            self.reap_ended(&ready[1..])?;
            if ready[0] {
                match self.socket.receive(true)? {
                    Some((request, files)) => self.answer(request, files)?,
                    None => return Ok(()),
                }
            }
        }
        Ok(())
    }

    /// Waits until the workers have ended, as they do when their pipes have ended, but no longer
    /// than a second.
    fn finish(&mut self) -> io::Result<()> {
        self.is_over = true;
        let deadline = Instant::now() + FINISH;
        for (_, child) in std::mem::take(&mut self.workers) {
            let left = deadline.saturating_duration_since(Instant::now());
            if poll_readable(&[child.pidfd.as_fd()], Some(left))?[0] {
                reap(child.pid)?;
            }
        }
        Ok(())
    }

    /// Reaps the workers that ended, and reports how.
    fn reap_ended(&mut self, ended: &[bool]) -> io::Result<()> {
        // The loop starts at the end, so that an element moved into a gap has been looked at.
        for at in (0..ended.len()).rev().filter(|&at| ended[at]) {
            let (worker, child) = self.workers.swap_remove(at);
            let status = reap(child.pid)?;
            self.socket.send(&FromZygote::Exited { worker, status }, &[])?;
        }
        Ok(())
    }

    fn answer(&mut self, request: ToZygote, files: Attachments) -> io::Result<()> {
        let answer = match request {
            ToZygote::Hello { .. } => return Err(io::ErrorKind::InvalidData.into()),
            ToZygote::Compatibility { fuel } => match fork::other_threads() {
                None => FromZygote::Compatible { hash: compile::compatibility(fuel) },
                Some(why) => FromZygote::Unfit(cut_text(why)),
            },
            ToZygote::Compile { .. } => {
                let (held, watch) = (self.held(), self.socket.as_fd());
                FromZygote::Compiled(compiler::run(&request, files, self.threads, &held, watch))
            }
            ToZygote::Load => match load(files) {
                Ok(loaded) => {
                    let loaded: &Loaded = Box::leak(Box::new(loaded));
                    self.loaded = Some(loaded);
                    // The guest belongs to the module loaded before.
                    self.guest = None;
                    if loaded.program.init.is_some() {
                        return self.initialise(loaded);
                    }
                    FromZygote::Loaded(Ok(()))
                }
                Err(error) => FromZygote::Loaded(Err(Unloaded::Refused(error.cut()))),
            },
            ToZygote::Alone { threads, timeout_ms } => FromZygote::Alone(match self.loaded {
                Some(loaded) => {
                    let (held, watch) = (self.held(), self.socket.as_fd());
                    let guest = self.guest.take();
                    let timeout = timeout_ms.map(Duration::from_millis);
                    let work = Work { program: &loaded.program, guest, threads, timeout };
                    alone::run(work, loaded.jail, files, self.threads, &held, watch)
                        .map_err(cut_text)
                }
                None => Err("no module is loaded".into()),
            }),
            ToZygote::Finish => return self.finish(),
            ToZygote::Fork { worker, member } => return self.fork(worker, member, files),
        };
        self.socket.send(&answer, &[])
    }

    /// Lets a child initialise a guest and serve from then on, as long as it lives.
    fn initialise(&mut self, loaded: &'static Loaded) -> io::Result<()> {
        let (program, jail) = (&loaded.program, loaded.jail);
        let plan = Plan {
            threads: self.threads,
            held: &self.held(),
            memory: program.memory(0),
            prepare: || {
                let (threads, cell) = (Threads::open(), template::cell(program, jail));
                Ok((threads.map_err(|_| 1)?, cell.map_err(|_| 1)?))
            },
            serve: |threads| {
                self.threads = threads;
                // The workers are not this process's children, and their pidfds are closed.
                std::mem::take(&mut self.workers).into_iter().for_each(std::mem::forget);
                match self.serve_initialised(program) {
                    Ok(()) => 0,
                    Err(_) => 1,
                }
            },
        };
        let child = fork::spawn(Role::Template, plan)?;
        self.is_over = true;
        match reap(child.pid)? {
            ExitStatus::Code(0) => Ok(()),
            // If the child had answered already, the dispatcher takes this message for the end that
            // it is.
            status => {
                let lost = Unloaded::Refused(template::lost(status));
                self.socket.send(&FromZygote::Loaded(Err(lost)), &[])
            }
        }
    }

    fn serve_initialised(&mut self, program: &'static Program) -> io::Result<()> {
        let (guest, printed) = template::initialise(program);
        // A parent has a descriptor for each worker, so the bound is taken off.
        limits::unbound_files()?;
        let printed = payload("wpool-printed", &printed)?;
        let printed = (Attachment::Printed, printed.as_fd());
        match guest {
            Ok(guest) => {
                self.guest = Some(guest);
                self.socket.send(&FromZygote::Loaded(Ok(())), &[printed])?;
            }
            Err(failure) => {
                let mut encoded = Vec::new();
                failure.encode(&mut encoded);
                let failure = payload("wpool-failure", &encoded)?;
                let files = [printed, (Attachment::Failure, failure.as_fd())];
                self.socket.send(&FromZygote::Loaded(Err(Unloaded::Init)), &files)?;
            }
        }
        self.run()
    }

    /// Forks a worker and sends its pidfd.
    fn fork(
        &mut self,
        worker: WorkerId,
        member: Option<Membership>,
        files: Attachments,
    ) -> io::Result<()> {
        match self.spawn(worker.slot, member, files) {
            Ok(child) => {
                let pid = ProcessId::try_from(child.pid.as_raw()).map_err(io::Error::other)?;
                let forked = FromZygote::Forked { worker, pid: Ok(pid) };
                self.socket.send(&forked, &[(Attachment::Process, child.pidfd.as_fd())])?;
                self.workers.push((worker, child));
                Ok(())
            }
            Err(error) => {
                let pid = Err(cut_text(error.to_string()));
                self.socket.send(&FromZygote::Forked { worker, pid }, &[])
            }
        }
    }

    fn spawn(
        &mut self,
        slot: u32,
        member: Option<Membership>,
        mut files: Attachments,
    ) -> io::Result<ChildProcess> {
        let loaded = self.loaded.ok_or_else(|| io::Error::other("no module is loaded"))?;
        let start = worker::Start {
            program: &loaded.program,
            settings: &loaded.settings,
            slot,
            jobs: files.take(Attachment::Jobs)?,
            results: files.take(Attachment::Results)?,
            memory: files.take(Attachment::Memory)?,
            shared: loaded.shared.clone().zip(member),
            stdio: loaded.stdio.as_ref(),
            fork: fork::run_job,
            jail: loaded.jail,
        };
        let (threads, held) = (self.threads, self.held());
        let guest = &mut self.guest;
        let plan = Plan {
            threads,
            held: &held,
            memory: loaded.program.memory(0),
            // The child takes its copy of the guest: the next child has another.
            prepare: || start.prepare(guest.take()),
            serve: worker::Prepared::serve,
        };
        fork::spawn(Role::Worker, plan)
    }
}

fn load(mut files: Attachments) -> Result<Loaded, ModuleError> {
    let lacks = |what: String| ModuleError::Loader(what);
    let mut take = |name| files.take(name).map_err(|error| lacks(error.to_string()));
    let (code, load) = (take(Attachment::Code)?, take(Attachment::Load)?);
    let load: Load<Settings, Description> =
        serde_json::from_reader(io::BufReader::new(File::from(load)))
            .map_err(|error| lacks(format!("the settings cannot be read: {error}")))?;
    let stdio = match load.settings.grants.stdio {
        true => {
            let streams =
                [take(Attachment::Input)?, take(Attachment::Output)?, take(Attachment::Error)?];
            let streams = Stdio::of_parent(streams);
            Some(streams.map_err(|error| lacks(format!("no dispatcher: {error}")))?)
        }
        false => None,
    };
    let dirs = &load.settings.grants.dirs;
    let folders = (0..).zip(dirs).map(|(at, dir)| Ok((dir.clone(), take(Attachment::Folder(at))?)));
    let folders = folders.collect::<Result<Vec<_>, ModuleError>>()?;
    let scratch = load.settings.grants.scratch.as_ref();
    let base =
        scratch.map(|scratch| take(Attachment::Scratch).map(|base| (base, scratch.guest.clone())));
    let folders = Folders::open(folders, base.transpose()?)
        .map_err(|(path, error)| lacks(format!("cannot open directory {path}: {error}")))?;
    let shared = match files.find(Attachment::Control) {
        Some(control) => {
            let regions = files.take(Attachment::Regions);
            let shared = regions.and_then(|regions| Shared::map(control, regions));
            let shared = shared.map_err(|error| lacks(format!("cannot map shared state: {error}")));
            Some(Arc::new(shared?))
        }
        None => None,
    };
    let program = Program::load(&load.settings, &load.description, File::from(code), folders)?;
    Ok(Loaded { program, settings: load.settings, shared, stdio, jail: load.jail })
}

/// Waits for a child that has ended. Returns the way it ended.
pub(super) fn reap(pid: Pid) -> io::Result<ExitStatus> {
    loop {
        match waitpid(pid, None) {
            Ok(WaitStatus::Exited(_, code)) => return Ok(ExitStatus::Code(code)),
            Ok(WaitStatus::Signaled(_, signal, _)) => return Ok(ExitStatus::Signal(signal as i32)),
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Waits until one of the descriptors is readable (or closed). Returns which are.
pub(super) fn poll_readable(
    fds: &[BorrowedFd<'_>],
    timeout: Option<Duration>,
) -> io::Result<Vec<bool>> {
    let mut polled: Vec<_> =
        fds.iter().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
    let timeout = timeout.map(|left| {
        Timespec::try_from(left).unwrap_or(Timespec { tv_sec: i64::from(i32::MAX), tv_nsec: 0 })
    });
    loop {
        match poll(&mut polled, timeout.as_ref()) {
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
            Ok(_) => return Ok(polled.iter().map(|fd| !fd.revents().is_empty()).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the zygote's reaction to its first message.
    fn greeted(with: &ToZygote) -> (io::Result<()>, Option<FromZygote>) {
        let (dispatcher, zygote) = ControlSocket::pair().unwrap();
        let zygote = ControlSocket::from_fd(zygote);
        dispatcher.send(with, &[]).unwrap();
        let greeted = greet(&zygote);
        drop(zygote);
        (greeted, dispatcher.receive(true).unwrap().map(|(answer, _)| answer))
    }

    #[test]
    fn a_dispatcher_of_another_version_is_refused_by_name() {
        let hello = |protocol: &str| greeted(&ToZygote::Hello { protocol: protocol.into() });
        let (same, answer) = hello(PROTOCOL);
        assert!(same.is_ok() && answer.is_none());
        let (other, answer) = hello("wpool 9.9.9");
        assert!(other.is_err());
        let why = format!("it speaks {PROTOCOL}, and is asked in \"wpool 9.9.9\"");
        assert_eq!(answer, Some(FromZygote::Unfit(why)));
    }

    #[test]
    fn whoever_does_not_say_hello_gets_no_answer() {
        let (other, answer) = greeted(&ToZygote::Finish);
        assert!(other.is_err() && answer.is_none());
    }
}
