//! Processes of each role, in their jails.
#![expect(unsafe_code, reason = "fork; _exit")]

use super::Fate;
use super::acts::{Act, Place};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Gid, Pid, Uid, fork, geteuid, setgid, setgroups, setuid};
use std::time::{Duration, Instant};
use wpool_wire::jail::{Jail, Layers};
use wpool_worker::jail::{Cell, Grant, Needs};

/// How long an act may take.
const WATCHDOG: Duration = Duration::from_secs(10);

/// Whose process it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum User {
    Ordinary,
    Root,
}

/// The purpose of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A worker whose guests have no grant.
    Worker,
    /// One whose guests wait for clocks in threads.
    Polling,
    /// One whose guests have a folder to write and one to read.
    Files,
    /// One with the streams of whoever runs wpool.
    Command,
    /// One that forks a process for each job.
    Resident,
    /// Such a process.
    Job,
    /// The process in which a guest is initialised.
    Template,
    /// The compiler.
    Compiler,
}

impl Role {
    pub(crate) const ALL: [Role; 8] = [
        Role::Worker,
        Role::Polling,
        Role::Files,
        Role::Command,
        Role::Resident,
        Role::Job,
        Role::Template,
        Role::Compiler,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Role::Worker => "worker",
            Role::Polling => "polling",
            Role::Files => "with folders",
            Role::Command => "command",
            Role::Resident => "resident",
            Role::Job => "job",
            Role::Template => "template",
            Role::Compiler => "compiler",
        }
    }

    fn needs(self) -> Needs {
        let none = Needs::default();
        match self {
            Role::Worker => none,
            Role::Polling => Needs { events: true, threads: true, ..none },
            Role::Files => Needs { files: true, ..none },
            Role::Command => Needs { terminal: true, ..none },
            Role::Resident | Role::Job => Needs { children: true, ..none },
            Role::Template => {
                Needs { events: true, threads: true, children: true, template: true, ..none }
            }
            Role::Compiler => Needs { threads: true, code: true, ..none },
        }
    }
}

impl User {
    /// Becomes this user.
    pub(crate) fn enter(self) {
        if self == User::Ordinary && geteuid().is_root() {
            setgroups(&[]).expect("setgroups");
            setgid(Gid::from_raw(65534)).expect("setgid");
            setuid(Uid::from_raw(65534)).expect("setuid");
            nix::sys::prctl::set_dumpable(true).expect("dumpable");
        }
        nix::sys::prctl::set_no_new_privs().expect("no new privileges");
    }
}

/// Forks a child that does something and ends with its answer.
pub(crate) fn child(life: impl FnOnce() -> i32) -> Pid {
    // SAFETY: the child has one thread, whose allocator can be used after a fork, and takes no lock of the tests.
    match unsafe { fork() }.expect("fork") {
        ForkResult::Parent { child } => child,
        ForkResult::Child => {
            let life = std::panic::AssertUnwindSafe(life);
            let code = std::panic::catch_unwind(life).unwrap_or(250);
            // SAFETY: _exit has no preconditions.
            unsafe { nix::libc::_exit(code) }
        }
    }
}

/// Waits for the end of a child, and kills it if that takes too long.
pub(crate) fn end(child: Pid) -> WaitStatus {
    let deadline = Instant::now() + WATCHDOG;
    loop {
        match waitpid(child, Some(WaitPidFlag::WNOHANG)).expect("waitpid") {
            WaitStatus::StillAlive if Instant::now() > deadline => {
                kill(child, Signal::SIGKILL).expect("kill");
                waitpid(child, None).expect("waitpid");
                panic!("an act hangs");
            }
            WaitStatus::StillAlive => std::thread::yield_now(),
            status => return status,
        }
    }
}

/// Tries an act in a process of this role that has entered some layers of its jail.
pub(crate) fn run(role: Role, user: User, layers: Layers, act: &Act, place: &Place) -> Fate {
    place.restore();
    let child = child(|| {
        user.enter();
        let grants = match role {
            Role::Files => place
                .grants
                .map(|(fd, read_only)| Grant { fd, is_folder: true, read_only })
                .to_vec(),
            _ => Vec::new(),
        };
        let cell = Cell::new(Jail::default(), role.needs(), grants).expect("a cell");
        cell.enter_layers(layers).expect("the jail");
        if role == Role::Job && layers.filters {
            cell.narrow().expect("the jail of a job");
        }
        (act.act)(place)
    });
    match end(child) {
        WaitStatus::Exited(_, 0) => Fate::Done,
        WaitStatus::Exited(_, 250) => panic!("{}: the child panicked", act.name),
        WaitStatus::Exited(_, error) => Fate::Error(error),
        WaitStatus::Signaled(_, signal, _) => Fate::Ended(signal as i32),
        status => panic!("{status:?}"),
    }
}
