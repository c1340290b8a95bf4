//! The beginnings of processes: the start of a zygote before `main`, and the fork of its children.
#![expect(unsafe_code, reason = "a function in .init_array; sigaction; fork; _exit")]

use super::role::{Held, Role};
use super::server::Origin;
use crate::jail::Cell;
use crate::jail::limits::{self, Memory};
use crate::wire::control::{ExitStatus, PROTOCOL};
use crate::worker::threads::Threads;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, kill, sigaction};
use nix::unistd::{ForkResult, Pid, fork, getpid};
use rustix::io::{Errno, fcntl_getfd};
use rustix::process::{PidfdFlags, pidfd_open};
use std::fs::DirEntry;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// The name of the environment variable that makes this program a zygote. Its value is the id of
/// the control protocol: another version of this crate in the same program, which speaks another
/// protocol, does not react to it.
pub(super) const MARKER: &str = "WPOOL_ZYGOTE";

/// The standard streams that were closed when this program began, one bit each.
static CLOSED: AtomicU8 = AtomicU8::new(0);

/// Returns which of standard input, output and error were closed when this program began. Before
/// `main` Rust puts /dev/null in their place, which swallows everything that is written.
pub fn closed_at_start() -> [bool; 3] {
    let closed = CLOSED.load(Relaxed);
    [0, 1, 2].map(|stream| closed & (1 << stream) != 0)
}

fn note_closed() {
    let (input, output, error) = (io::stdin(), io::stdout(), io::stderr());
    for (bit, fd) in [(1, input.as_fd()), (2, output.as_fd()), (4, error.as_fd())] {
        if fcntl_getfd(fd) == Err(Errno::BADF) {
            CLOSED.fetch_or(bit, Relaxed);
        }
    }
}

/// Starts a zygote, if this program is to be one. The loader calls the function before `main`, in
/// every program that contains this crate.
///
/// The function notes which standard streams are closed. It does nothing else unless the marker is
/// there and standard input is a socket: a marker that leaked into an ordinary environment must not
/// turn a program into a zygote. Neither may a user who starts a program with the rights of another
/// user: the module that the zygote loads would run with these rights.
extern "C" fn before_main() {
    note_closed();
    if std::env::var_os(MARKER).is_none_or(|value| value != PROTOCOL) || is_privileged() {
        return;
    }
    match super::server::control_socket() {
        Origin::Parent => exit_now(catch_unwind(super::server::main).unwrap_or(CRASHED)),
        // The dispatcher is gone, or never existed.
        Origin::Other => exit_now(1),
        Origin::None => {}
    }
}

/// Returns whether the system has given this program more rights than its user has: it is set-uid
/// or set-gid, or has capabilities.
pub(super) fn is_privileged() -> bool {
    // SAFETY: getauxval has no preconditions.
    unsafe { nix::libc::getauxval(nix::libc::AT_SECURE) != 0 }
}

// SAFETY: the loader calls each pointer in `.init_array` once, single-threaded, before `main`. The
// function is `extern "C"`, takes no arguments, and does not unwind: panics are caught.
#[used]
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = before_main;

/// Refers to the function before `main`, so that it is linked wherever a zygote can be started: nothing else does.
pub(super) fn keep_before_main() {
    std::hint::black_box(&BEFORE_MAIN);
}

/// Resets every signal to its default action: signals that the program that started this one
/// ignores or blocks (`nohup`, a shell's `&`) must still end a worker. A write beyond `ulimit -f`,
/// however, is an error for the writer, and does not end the process.
///
/// # Errors
/// Returns the error of `sigaction` or `sigprocmask`.
pub(super) fn default_signals() -> io::Result<()> {
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    let ignore = SigAction::new(SigHandler::SigIgn, SaFlags::empty(), SigSet::empty());
    for signal in Signal::iterator() {
        let action = if signal == Signal::SIGXFSZ { &ignore } else { &default };
        if !matches!(signal, Signal::SIGKILL | Signal::SIGSTOP) {
            // SAFETY: no handler is installed, so there is no code that a signal could interrupt.
            unsafe { sigaction(signal, action) }?;
        }
    }
    Ok(SigSet::all().thread_unblock()?)
}

/// A child process as its parent sees it.
#[derive(Debug)]
pub(super) struct ChildProcess {
    pub(super) pid: Pid,
    pub(super) pidfd: OwnedFd,
}

/// The exit code of a child that cannot begin, or that panics.
const CRASHED: i32 = 101;

/// The plan of a child: the things that it begins with, and its work.
pub(super) struct Plan<'a, P, S> {
    /// The threads of the process that forks.
    pub(super) threads: &'a Threads,
    /// The descriptors that the forking process holds for itself.
    pub(super) held: &'a Held,
    /// The private memory of the child.
    pub(super) memory: Memory,
    /// Opens all that the child will need, while it has one thread, and says in which jail it is used; fails
    /// with an exit code.
    pub(super) prepare: P,
    /// Does the work of the child with what is open then. Returns the exit code.
    pub(super) serve: S,
}

impl<T, P: FnOnce() -> Result<(T, Cell), i32>, S: FnOnce(T) -> i32> Plan<'_, P, S> {
    /// Runs the life of a child. Returns its exit code.
    fn live(self, role: Role, parent: Pid) -> i32 {
        let entered = limits::die_with(parent).and_then(|()| role.enter(self.held, self.memory));
        if entered.is_err() {
            return CRASHED;
        }
        // The jail is entered between the two: nothing more has to be opened, and a thread that starts
        // later is confined as well.
        match (self.prepare)() {
            Ok((prepared, cell)) => match cell.enter() {
                Ok(()) => (self.serve)(prepared),
                Err(_) => CRASHED,
            },
            Err(code) => code,
        }
    }
}

/// Forks a child. The child asks to die with its parent, takes its role, prepares and serves, and
/// never returns from here; a panic in it becomes exit code 101.
///
/// # Errors
/// Returns an error if this process has several threads, or if they cannot be counted; or the error
/// of `fork` or `pidfd_open`.
pub(super) fn spawn<T>(
    role: Role,
    plan: Plan<'_, impl FnOnce() -> Result<(T, Cell), i32>, impl FnOnce(T) -> i32>,
) -> io::Result<ChildProcess> {
    plan.threads.claim_one()?;
    let parent = getpid();
    // SAFETY: this process has one thread (claimed above), so the child inherits no lock that
    // another thread holds, and may do anything.
    match unsafe { fork() }? {
        ForkResult::Child => {
            let life = AssertUnwindSafe(|| plan.live(role, parent));
            exit_now(catch_unwind(life).unwrap_or(CRASHED))
        }
        ForkResult::Parent { child } => {
            let pid = rustix::process::Pid::from_raw(child.as_raw()).expect("a child's pid is > 0");
            // The child is not reaped yet, so the pid is still its own.
            match pidfd_open(pid, PidfdFlags::empty()) {
                Ok(pidfd) => Ok(ChildProcess { pid: child, pidfd }),
                Err(error) => {
                    // Nobody could watch over the child. The kill fails only if the child has ended
                    // already.
                    let _ = kill(child, Signal::SIGKILL);
                    super::server::reap(child)?;
                    Err(error.into())
                }
            }
        }
    }
}

/// Forks a process for one job, runs `body` in it, and waits. Returns the child's exit code, or
/// `None` if a signal ended it.
///
/// # Errors
/// Returns the error of [`spawn`], or of `waitpid`.
pub(super) fn run_job(threads: &Threads, body: &mut dyn FnMut() -> i32) -> io::Result<Option<i32>> {
    let (held, memory) = (&Held::default(), Memory::Inherited);
    let plan =
        Plan { threads, held, memory, prepare: || Ok(((), Cell::none())), serve: |()| body() };
    let child = spawn(Role::JobChild, plan)?;
    Ok(match super::server::reap(child.pid)? {
        ExitStatus::Code(code) => Some(code),
        ExitStatus::Signal(_) => None,
    })
}

/// Ends the process without running any destructor or `atexit` function of the program it is a
/// copy of.
fn exit_now(code: i32) -> ! {
    // SAFETY: _exit has no preconditions.
    unsafe { nix::libc::_exit(code) }
}

/// Returns the names of other threads in this process, which tell who has started them, if there
/// are any.
pub(super) fn other_threads() -> Option<String> {
    let this = getpid().to_string();
    let tasks = std::fs::read_dir("/proc/self/task").ok()?.flatten();
    let others = tasks.filter(|task| task.file_name() != *this);
    let name = |task: DirEntry| std::fs::read_to_string(task.path().join("comm")).ok();
    let names: Vec<String> = others.filter_map(name).map(|name| name.trim().to_owned()).collect();
    if names.is_empty() {
        return None;
    }
    let preloaded = std::fs::read_to_string("/etc/ld.so.preload").unwrap_or_default();
    let libraries: Vec<&str> = preloaded
        .lines()
        .filter_map(|line| line.split('#').next())
        .flat_map(|line| line.split([' ', '\t', ':']))
        .filter(|library| !library.is_empty())
        .collect();
    let whose = match &libraries[..] {
        [] => "a library that the program is linked with starts it".to_owned(),
        some => format!("a library of /etc/ld.so.preload ({}) may start it", some.join(", ")),
    };
    let names = names.join(", ");
    Some(format!(
        "it must have one thread, to fork, and has another before it begins ({names}): {whose}"
    ))
}
