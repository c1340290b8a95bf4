//! The first layers, which need nothing of the kernel: no new privileges, no core dumps, an empty environment
//! (cleared by the exec), no descriptor that is not needed, and bounds of memory, files and processes.

use super::Needs;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::{Pid, SysconfVar, close as close_fd, getppid, sysconf};
use rustix::process::{Signal, set_parent_process_death_signal};
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
use std::ffi::CStr;
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

/// Enters the zygote's layers, which its children inherit.
///
/// # Errors
/// Returns the error of a system call: a process that cannot be jailed must not go on.
pub(crate) fn enter_zygote(keep: BorrowedFd<'_>) -> io::Result<()> {
    nix::sys::prctl::set_no_new_privs()?;
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    close_all_but(keep)
}

/// The bound of a process's private memory.
///
/// Memory that is merely reserved does not count, and neither do code and files mapped for reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Memory {
    /// The process may have as much as its parent.
    Inherited,
    /// The process may have this many bytes in all.
    Total(u64),
    /// The process may have `bytes` bytes more than it has now. It may go `above` that for memory
    /// that becomes shared as soon as it exists (regions).
    More { bytes: u64, above: u64 },
}

/// Bounds the descriptors of a process that runs guests. A process that forks workers has a
/// descriptor for each; if it has run a guest itself, it takes the bound off again
/// ([`unbound_files`]).
///
/// # Errors
/// Returns the error of `setrlimit`.
pub(crate) fn bound_files(files_max: u64) -> io::Result<()> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    Ok(setrlimit(Resource::RLIMIT_NOFILE, most.min(files_max), most)?)
}

/// Lets this process have as many descriptors as it may.
///
/// # Errors
/// Returns the error of `setrlimit`.
pub(crate) fn unbound_files() -> io::Result<()> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    Ok(setrlimit(Resource::RLIMIT_NOFILE, most, most)?)
}

/// Bounds the private memory of this process, and of the processes that it forks.
///
/// # Errors
/// Returns the error of `setrlimit`, or an error if the system does not tell what the process has.
pub(crate) fn bound_memory(memory: Memory) -> io::Result<()> {
    let (bytes, above) = match memory {
        Memory::Inherited => return Ok(()),
        Memory::Total(bytes) => (bytes, 0),
        Memory::More { bytes, above } => (private_bytes()?.saturating_add(bytes), above),
    };
    let (_, most) = getrlimit(Resource::RLIMIT_DATA)?;
    let most = most.min(bytes.saturating_add(above));
    Ok(setrlimit(Resource::RLIMIT_DATA, bytes.min(most), most)?)
}

/// Root's rights that its guests may use on granted files. Any other right gives access to other processes or to the
/// kernel, past the rest of the jail.
const KEPT: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::DAC_READ_SEARCH)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID);

/// Gives up the capabilities that nobody needs. An ordinary user has none.
///
/// # Errors
/// Returns the error of `capget` or `capset`.
pub(crate) fn give_up_capabilities() -> io::Result<()> {
    let mut sets = capabilities(None)?;
    if KEPT.contains(sets.permitted | sets.inheritable) {
        return Ok(());
    }
    for set in [&mut sets.effective, &mut sets.permitted, &mut sets.inheritable] {
        *set &= KEPT;
    }
    Ok(set_capabilities(None, sets)?)
}

/// Bounds what nobody needs: locked memory, and further threads and processes. The latter does not bind root.
///
/// # Errors
/// Returns the error of setrlimit.
pub(crate) fn bound_rest(needs: Needs) -> io::Result<()> {
    setrlimit(Resource::RLIMIT_MEMLOCK, 0, 0)?;
    if !needs.threads && !needs.children && !needs.template {
        bound_processes()?;
    }
    Ok(())
}

/// Has this process make no further threads and processes. It does not bind root.
///
/// # Errors
/// Returns the error of setrlimit.
pub(crate) fn bound_processes() -> io::Result<()> {
    Ok(setrlimit(Resource::RLIMIT_NPROC, 0, 0)?)
}

/// Returns the bytes of private memory that this process may write.
fn private_bytes() -> io::Result<u64> {
    let statm = fs::read_to_string("/proc/self/statm")?;
    let pages = statm.split_whitespace().nth(5).and_then(|pages| pages.parse::<u64>().ok());
    let pages = pages.ok_or_else(|| io::Error::other("/proc/self/statm is not as it should be"))?;
    let page = sysconf(SysconfVar::PAGE_SIZE)?.and_then(|bytes| u64::try_from(bytes).ok());
    Ok(pages.saturating_mul(page.unwrap_or(4096)))
}

/// Names this process, for `ps` and `top`.
///
/// # Errors
/// Returns the error of `prctl`.
pub(crate) fn name(name: &CStr) -> io::Result<()> {
    Ok(nix::sys::prctl::set_name(name)?)
}

/// Closes the descriptors that the parent of this program left open without close-on-exec.
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

/// Closes descriptors by number. For a process that owns none of them: right after exec, or after a
/// fork in whose child the parent's owners are never dropped.
pub(crate) fn close(fds: &[RawFd]) {
    for &fd in fds {
        // The call fails only for the descriptor of the folder that listed them, which is closed by
        // then.
        let _ = close_fd(fd);
    }
}

/// Asks to be killed when `parent` dies, and checks that it has not died before.
///
/// # Errors
/// Returns an error if the parent has ended.
pub(crate) fn die_with(parent: Pid) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    if getppid() == parent { Ok(()) } else { Err(io::Error::other("the parent has ended")) }
}
