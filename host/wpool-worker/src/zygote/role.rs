//! Roles: the purposes of the processes of the untrusted side, with their properties.

use crate::jail::limits::{self, Memory};
use std::ffi::CStr;
use std::io;
use std::os::fd::RawFd;

/// The purpose of a process of the untrusted side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The process loads a module and forks the others. It is the only role that begins with an
    /// exec.
    Zygote,
    /// The process turns a module into machine code.
    Compiler,
    /// The process initialises a guest, and then serves in the zygote's place.
    Template,
    /// The process runs the jobs of its batches.
    Worker,
    /// The process runs one job of a worker in `process` isolation.
    JobChild,
    /// The process runs all jobs of a benchmark, and is not replaced.
    Alone,
}

/// The properties that all processes of a role have in common.
struct Profile {
    /// The name in `ps` and `top`; the parent's name if `None`.
    name: Option<&'static CStr>,
    /// The greatest number of descriptors; the parent's bound if `None`.
    files_max: Option<u64>,
    /// The descriptors that it keeps of those that its parent holds for itself.
    keeps: Keeps,
}

/// The descriptors that a process keeps of those that its parent holds for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keeps {
    /// The process keeps all of them.
    All,
    /// The process keeps the control socket.
    Control,
    /// The process keeps none of them.
    Nothing,
}

/// The greatest number of descriptors of a process that runs guests.
const GUEST_FILES_MAX: u64 = 1024;

/// The descriptors that a process holds for itself. A forked child gets a copy, which its role may
/// keep.
#[derive(Clone, Debug, Default)]
pub(super) struct Held {
    /// The control socket.
    pub(super) control: Option<RawFd>,
    /// The pidfds of the process's children.
    pub(super) children: Vec<RawFd>,
}

impl Role {
    fn profile(self) -> Profile {
        let (name, files_max, keeps) = match self {
            Role::Zygote => (Some(c"wpool-zygote"), None, Keeps::Control),
            Role::Compiler => (Some(c"wpool-compiler"), None, Keeps::Nothing),
            Role::Template => (Some(c"wpool-template"), Some(GUEST_FILES_MAX), Keeps::Control),
            Role::Worker => (Some(c"wpool-worker"), Some(GUEST_FILES_MAX), Keeps::Nothing),
            Role::JobChild => (None, None, Keeps::All),
            Role::Alone => (Some(c"wpool-alone"), Some(GUEST_FILES_MAX), Keeps::Nothing),
        };
        Profile { name, files_max, keeps }
    }

    /// Gives this forked process its role: it takes the role's name and limits, and closes the
    /// descriptors that its parent holds for itself.
    ///
    /// # Errors
    /// Returns the error of a system call: a process that cannot be bounded must not go on.
    pub(super) fn enter(self, parents: &Held, memory: Memory) -> io::Result<()> {
        let profile = self.profile();
        // The owners of the descriptors are never dropped in a child.
        limits::close(&parents.given_up(profile.keeps));
        if let Some(name) = profile.name {
            limits::name(name)?;
        }
        if let Some(most) = profile.files_max {
            limits::bound_files(most)?;
        }
        limits::bound_memory(memory)
    }
}

impl Held {
    /// Returns the descriptors that a child does not keep.
    fn given_up(&self, keeps: Keeps) -> Vec<RawFd> {
        let control = self.control.filter(|_| keeps == Keeps::Nothing);
        let children = self.children.iter().filter(|_| keeps != Keeps::All);
        control.into_iter().chain(children.copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_runs_jobs_of_others_or_untrusted_bytes_keeps_nothing_of_the_zygote_s() {
        let held = Held { control: Some(3), children: vec![7, 8] };
        for (role, given_up) in [
            (Role::Compiler, &[3, 7, 8][..]),
            (Role::Worker, &[3, 7, 8]),
            (Role::Alone, &[3, 7, 8]),
            (Role::Template, &[7, 8]),
            (Role::JobChild, &[]),
        ] {
            assert_eq!(held.given_up(role.profile().keeps), given_up, "{role:?}");
        }
    }

    #[test]
    fn whatever_runs_a_guest_has_a_bound_of_descriptors_or_a_parent_s() {
        for role in [Role::Template, Role::Worker, Role::Alone] {
            assert_eq!(role.profile().files_max, Some(GUEST_FILES_MAX), "{role:?}");
        }
    }
}
