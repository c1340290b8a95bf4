//! What a process of the untrusted side gives up before it touches anything untrusted.
//!
//! These are the first layers: no new privileges, no core dumps, an empty environment (cleared by the
//! exec), and no descriptor that it does not need.

use nix::sys::resource::{Resource, setrlimit};
use nix::unistd::{Pid, close as close_fd, getppid};
use rustix::process::{Signal, set_parent_process_death_signal};
use std::ffi::CStr;
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

/// The zygote's layers; its children inherit them.
///
/// # Errors
/// Those of the system calls: a process that cannot be jailed must not go on.
pub(crate) fn enter_zygote(keep: BorrowedFd<'_>) -> io::Result<()> {
    name(c"wpool-zygote")?;
    nix::sys::prctl::set_no_new_privs()?;
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    close_all_but(keep)
}

/// Names this process, for `ps` and `top`.
///
/// # Errors
/// That of prctl.
pub(crate) fn name(name: &CStr) -> io::Result<()> {
    Ok(nix::sys::prctl::set_name(name)?)
}

/// Closes what the parent of this program left open without close-on-exec.
fn close_all_but(keep: BorrowedFd<'_>) -> io::Result<()> {
    let mut inherited: Vec<RawFd> = Vec::new();
    for entry in fs::read_dir("/proc/self/fd")? {
        if let Some(fd) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) {
            inherited.push(fd);
        }
    }
    inherited.retain(|&fd| fd > 2 && fd != keep.as_raw_fd());
    close(&inherited);
    Ok(())
}

/// Closes descriptors by number. For a process that owns none of them: right after exec, or after
/// a fork whose parent's owners are never dropped in the child.
pub(crate) fn close(fds: &[RawFd]) {
    for &fd in fds {
        // Fails only for the descriptor of the folder that listed them, closed by then.
        let _ = close_fd(fd);
    }
}

/// Asks to be killed when `parent` dies, and checks that it has not died before.
///
/// # Errors
/// The parent has ended.
pub(crate) fn die_with(parent: Pid) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    if getppid() == parent { Ok(()) } else { Err(io::Error::other("the parent has ended")) }
}
