//! The system calls by which a process gives up rights for good.
#![expect(unsafe_code, reason = "system calls that no library wraps")]

use nix::libc::{
    SECCOMP_FILTER_FLAG_TSYNC, SECCOMP_GET_ACTION_AVAIL, SECCOMP_RET_TRAP, SECCOMP_SET_MODE_FILTER,
    SYS_landlock_add_rule, SYS_landlock_create_ruleset, SYS_landlock_restrict_self, SYS_seccomp,
    c_long, sock_filter, sock_fprog, syscall,
};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// Asks for the version instead of making rules.
const VERSION: u32 = 1;

/// A rule for what is beneath a folder.
const PATH_BENEATH: u32 = 1;

/// The rights that a set of rules handles (`landlock_ruleset_attr`).
#[repr(C)]
struct Ruleset {
    files: u64,
    network: u64,
    scoped: u64,
}

/// The rights beneath a folder (`landlock_path_beneath_attr`).
#[repr(C, packed)]
struct PathBeneath {
    access: u64,
    folder: RawFd,
}

fn checked(result: c_long) -> io::Result<c_long> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Returns the version of Landlock; 0 if there is none, or it is switched off.
pub(super) fn landlock() -> u32 {
    // SAFETY: with this flag the call reads no memory.
    let version = unsafe { syscall(SYS_landlock_create_ruleset, 0usize, 0usize, VERSION) };
    u32::try_from(version).unwrap_or(0)
}

/// Returns whether the kernel filters system calls and knows traps.
pub(super) fn has_filters() -> bool {
    let action = SECCOMP_RET_TRAP;
    // SAFETY: the call reads one word, which lives longer.
    unsafe { syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0u32, &raw const action) == 0 }
}

/// Makes a set of rules that refuse all of this.
///
/// # Errors
/// Returns the error of the system, which does not know some of it.
pub(super) fn new_rules([files, network, scoped]: [u64; 3]) -> io::Result<OwnedFd> {
    let set = Ruleset { files, network, scoped };
    // SAFETY: the call reads the struct, whose size it is given. Older kernels know a shorter one, and take a
    // longer one whose rest is zero.
    let fd = checked(unsafe {
        syscall(SYS_landlock_create_ruleset, &raw const set, size_of::<Ruleset>(), 0u32)
    })?;
    // SAFETY: the descriptor is new, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// Allows this beneath a folder.
///
/// # Errors
/// Returns the error of the system: the descriptor is closed.
pub(super) fn add_rule(rules: BorrowedFd<'_>, folder: RawFd, access: u64) -> io::Result<()> {
    let rule = PathBeneath { access, folder };
    // SAFETY: the call reads the struct, which is of the kind that it is told.
    let added = unsafe {
        syscall(SYS_landlock_add_rule, rules.as_raw_fd(), PATH_BENEATH, &raw const rule, 0u32)
    };
    checked(added).map(drop)
}

/// Puts rules in force, for this thread and all that it makes.
///
/// # Errors
/// Returns the error of the system: it needs `no_new_privs`.
pub(super) fn restrict(rules: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: the call takes no memory.
    let restricted = unsafe { syscall(SYS_landlock_restrict_self, rules.as_raw_fd(), 0u32) };
    checked(restricted).map(drop)
}

/// Has the kernel filter the calls of all threads of this process, and of all processes that it makes.
///
/// # Errors
/// Returns the error of the system: it needs `no_new_privs`, or a thread has other filters.
pub(super) fn filter(program: &mut [sock_filter]) -> io::Result<()> {
    let len = u16::try_from(program.len()).map_err(io::Error::other)?;
    let program = sock_fprog { len, filter: program.as_mut_ptr() };
    // SAFETY: the call copies the program, whose length it is given. What the filter refuses is an error or the
    // end of the process, and changes no memory.
    let installed = unsafe {
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &raw const program)
    };
    match checked(installed)? {
        0 => Ok(()),
        thread => Err(io::Error::other(format!("thread {thread} has other filters"))),
    }
}
