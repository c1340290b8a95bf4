//! The jail: what a process of the untrusted side gives up before it touches anything untrusted, so that whatever
//! breaks out of the engine reaches nothing but its own jobs.
//!
//! A process has entered it for good, and so has all that it forks. The order matters: descriptors that are
//! needed are opened first; rules of Landlock hold for the thread that makes them, so there is one; and the
//! filter of system calls, which allows nothing of this, comes last.

mod calls;
mod files;
mod filter;
pub(crate) mod limits;
mod system;
#[cfg(test)]
mod tests;

pub(crate) use calls::name;

use crate::wire::jail::{Features, Jail, Layers};
use calls::Answer;
use nix::sys::prctl::set_dumpable;
use rustix::fs::{Mode, OFlags, open};
use rustix::process::geteuid;
use std::io;
use std::os::fd::{IntoRawFd, RawFd};

/// The needs of a process beside its memory, its pipes and the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// An event loop that waits for time and for descriptors.
    pub events: bool,
    /// Threads.
    pub threads: bool,
    /// Machine code of its own. (Wasmtime can only describe a component with its code ready to be run.)
    pub code: bool,
    /// Files below granted folders.
    pub files: bool,
    /// The standard streams of whoever runs wpool, which may be a terminal.
    pub terminal: bool,
    /// A process for each job.
    pub children: bool,
    /// Requests of the dispatcher, for workers in jails of their own.
    pub template: bool,
}

const NOTHING: Needs = Needs {
    events: false,
    threads: false,
    code: false,
    files: false,
    terminal: false,
    children: false,
    template: false,
};

/// The kinds of processes that enter a jail, and what each needs.
pub const KINDS: [(&str, Needs); 7] = [
    ("compiler", Needs { threads: true, code: true, ..NOTHING }),
    ("template", Needs { events: true, threads: true, children: true, template: true, ..NOTHING }),
    ("worker", NOTHING),
    ("worker that polls", Needs { events: true, threads: true, ..NOTHING }),
    ("worker with folders", Needs { files: true, ..NOTHING }),
    ("worker of a command", Needs { terminal: true, ..NOTHING }),
    ("worker that forks", Needs { children: true, ..NOTHING }),
];

impl Needs {
    /// Returns how many system calls a process with these needs may make at all.
    pub fn calls(self) -> usize {
        calls::policy(self, 0).iter().filter(|rule| rule.answer == Answer::Allow).count()
    }
}

/// A folder, or a file to be read, that the jail does not hide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The descriptor, which stays open.
    pub fd: RawFd,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// Whether nothing is written there.
    pub read_only: bool,
}

/// The jail that one process enters.
#[derive(Clone, Debug)]
pub struct Cell {
    /// None where the process is in its parent's jail already, or is trusted.
    layers: Option<Layers>,
    needs: Needs,
    grants: Vec<Grant>,
    /// Whether limits on processes do not bind this one.
    is_root: bool,
}

/// Returns what this kernel has for jails.
pub fn features() -> Features {
    Features { filters: system::has_filters(), landlock: system::landlock() }
}

impl Cell {
    /// Returns the jail of a process that has its parent's, or none.
    pub fn none() -> Cell {
        Cell { layers: None, needs: Needs::default(), grants: Vec::new(), is_root: false }
    }

    /// Returns a jail with what a process needs. Opens what the process needs of the system itself.
    ///
    /// # Errors
    /// A layer is missing that must be there; or returns the error of `open`.
    pub fn new(jail: Jail, needs: Needs, mut grants: Vec<Grant>) -> io::Result<Cell> {
        let system = |path: &str, is_folder| -> io::Result<Grant> {
            let flags = OFlags::PATH | OFlags::CLOEXEC;
            let fd = open(path, flags, Mode::empty())?.into_raw_fd();
            Ok(Grant { fd, is_folder, read_only: true })
        };
        if needs.template {
            // Each child looks at itself there.
            grants.push(system("/proc", true)?);
        }
        if needs.children || needs.template {
            // Wasmtime opens it in each child that cannot have /proc/self/pagemap, or ends the child.
            grants.push(system("/dev/null", false)?);
        }
        let writes = grants.iter().any(|grant| !grant.read_only);
        let (layers, _) = jail.layers(features(), writes).map_err(io::Error::other)?;
        Ok(Cell { layers: Some(layers), needs, grants, is_root: geteuid().is_root() })
    }

    /// Enters the jail, for good. Called while this process has one thread.
    ///
    /// # Errors
    /// The system refuses a layer: the process must not go on.
    pub fn enter(&self) -> io::Result<()> {
        self.layers.map_or(Ok(()), |layers| self.enter_layers(layers))
    }

    /// Leaves to this process, which was forked for a job by one in this jail, what a job needs.
    ///
    /// # Errors
    /// Returns the error of the system.
    pub fn narrow(&self) -> io::Result<()> {
        let Some(layers) = self.layers.filter(|layers| layers.filters) else { return Ok(()) };
        // The limit costs a hundredth of the filter, and suffices where Landlock holds for files.
        if layers.landlock > 0 && !self.needs.threads && !self.is_root {
            return limits::bound_processes();
        }
        let narrower = calls::narrower(self.needs);
        system::filter(&mut filter::compile(&narrower, Answer::Allow))
    }

    /// Enters some layers of the jail.
    ///
    /// # Errors
    /// Returns the error of the system.
    pub fn enter_layers(&self, layers: Layers) -> io::Result<()> {
        if !layers.any {
            return Ok(());
        }
        limits::bound_rest(self.needs)?;
        limits::give_up_capabilities()?;
        // The children of a template read what the system shows of them to their owner alone.
        if !self.needs.template {
            set_dumpable(false)?;
        }
        if layers.landlock > 0 {
            files::confine(layers.landlock, &self.grants)?;
        }
        if layers.filters {
            let own = std::process::id();
            let policy = calls::policy(self.needs, own);
            system::filter(&mut filter::compile(&policy, Answer::Trap))?;
        }
        Ok(())
    }
}
