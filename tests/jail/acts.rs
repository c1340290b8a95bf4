//! The acts by which native code tries to reach beyond its jobs.
#![expect(unsafe_code, reason = "system calls, as an attacker makes them")]

use super::cells::{Role, User, child};
use nix::libc::{self as c, c_int, c_long, c_ulong};
use nix::pty::openpty;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, chown, geteuid};
use std::ffi::CString;
use std::fs::{self, Permissions};
use std::os::fd::{IntoRawFd, RawFd};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::ptr::null;
use tempfile::TempDir;

/// An act, and who may do it.
pub(crate) struct Act {
    pub(crate) name: &'static str,
    /// Answers with 0 if it was done, or with the number of the error.
    pub(crate) act: fn(&Place) -> i32,
    /// The layers of the jail that refuse the act to a worker.
    pub(crate) by: &'static str,
    /// The roles that need it.
    pub(crate) allowed: &'static [Role],
}

/// The files and folders with which acts are tried.
pub(crate) struct Place {
    folder: TempDir,
    user: User,
    /// A file of the user that nobody has granted, and one that is not there.
    secret: CString,
    new: CString,
    /// Folders that are granted, and whether they are only read.
    pub(crate) grants: [(RawFd, bool); 2],
    /// A process of the same user.
    victim: Pid,
    /// A terminal.
    terminal: RawFd,
}

impl Place {
    pub(crate) fn new(user: User) -> Place {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let text = |path: &Path| CString::new(path.to_str().expect("UTF-8")).expect("a path");
        for name in ["write", "read"] {
            fs::create_dir(at(name)).expect("a folder");
        }
        symlink(at("secret"), at("write/link")).expect("a link");
        let open = |name| fs::File::open(at(name)).expect("a folder").into_raw_fd();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("permissions");
        let victim = child(|| {
            user.enter();
            nix::unistd::pause();
            0
        });
        let pty = openpty(None, None).expect("a terminal");
        std::mem::forget(pty.master);
        Place {
            secret: text(&at("secret")),
            new: text(&at("new")),
            grants: [(open("write"), false), (open("read"), true)],
            victim,
            terminal: pty.slave.into_raw_fd(),
            folder,
            user,
        }
    }

    /// Puts everything back to where it was before an act.
    pub(crate) fn restore(&self) {
        let at = |name: &str| self.folder.path().join(name);
        for name in ["new", "write/hard", "write/moved"] {
            let _ = fs::remove_file(at(name));
        }
        fs::write(at("secret"), "secret").expect("a file");
        fs::write(at("read/file"), "read").expect("a file");
        fs::set_permissions(at("secret"), Permissions::from_mode(0o600)).expect("permissions");
        if self.user == User::Ordinary && geteuid().is_root() {
            for name in ["", "write", "read", "secret", "read/file"] {
                chown(&at(name), Some(65534.into()), Some(65534.into())).expect("chown");
            }
        }
    }

    fn write(&self) -> c_int {
        self.grants[0].0
    }

    fn read(&self) -> c_int {
        self.grants[1].0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = kill(self.victim, Signal::SIGKILL);
        let _ = waitpid(self.victim, None);
    }
}

fn told(result: c_long) -> i32 {
    if result >= 0 { 0 } else { std::io::Error::last_os_error().raw_os_error().unwrap_or(1) }
}

/// Makes a system call; 0, or the number of the error.
macro_rules! call {
    ($number:expr $(, $argument:expr)*) => {
        // SAFETY: whatever it does, it does to a child that ends then; pointers are to what lives longer, or null.
        told(unsafe { c::syscall($number as c_long $(, $argument)*) })
    };
}

/// Makes one call after the other until one fails.
macro_rules! calls {
    ($first:expr $(, $next:expr)*) => {{
        let first: i32 = $first;
        $(let first = if first == 0 { $next } else { first };)*
        first
    }};
}

const HERE: c_int = c::AT_FDCWD;
const NEW: c_int = c::O_WRONLY | c::O_CREAT;

fn of_victim(place: &Place, file: &str) -> CString {
    CString::new(format!("/proc/{}/{file}", place.victim)).expect("a path")
}

fn socket(family: c_int, kind: c_int) -> i32 {
    call!(c::SYS_socket, family, kind, 0)
}

/// Maps a page; -1 is no descriptor.
fn map(access: c_int, flags: c_int) -> i32 {
    call!(c::SYS_mmap, 0usize, 4096usize, access, flags, -1, 0usize)
}

fn page() -> *mut c::c_void {
    // SAFETY: a new page, wherever there is room.
    unsafe { c::mmap(std::ptr::null_mut(), 4096, 3, c::MAP_PRIVATE | c::MAP_ANONYMOUS, -1, 0) }
}

/// Opens a path as an attacker does, relative to a folder.
fn open(folder: c_int, path: &std::ffi::CStr, flags: c_int) -> i32 {
    call!(c::SYS_openat, folder, path.as_ptr(), flags, 0o600)
}

const BOTH: &str = "filter+rules";

macro_rules! acts {
    ($($name:literal, $by:expr, [$($allowed:ident)*], $act:expr;)*) => {
        vec![$(Act { name: $name, by: $by, allowed: &[$(Role::$allowed),*], act: $act }),*]
    };
}

/// Returns all acts.
pub(crate) fn acts() -> Vec<Act> {
    let mut acts = files();
    acts.extend(programs());
    acts.extend(network());
    acts.extend(processes());
    acts.extend(kernel());
    acts
}

fn files() -> Vec<Act> {
    acts! {
        "read a file of the user", BOTH, [], |p| open(HERE, &p.secret, c::O_RDONLY);
        "write a file of the user", BOTH, [], |p| open(HERE, &p.secret, c::O_WRONLY);
        "make a file", BOTH, [], |p| open(HERE, &p.new, NEW);
        "read /etc/passwd", BOTH, [], |_| open(HERE, c"/etc/passwd", c::O_RDONLY);
        "list /", BOTH, [], |_| open(HERE, c"/", c::O_RDONLY | c::O_DIRECTORY);
        "leave a granted folder by ..", BOTH, [], |p| open(p.write(), c"../secret", c::O_RDONLY);
        "leave it by a link", BOTH, [], |p| open(p.write(), c"link", c::O_RDONLY);
        "have a file of the user in it", BOTH, [], |p| {
            calls!(call!(c::SYS_linkat, HERE, p.secret.as_ptr(), p.write(), c"hard".as_ptr(), 0),
                open(p.write(), c"hard", c::O_RDONLY))
        };
        "move a file of the user into it", BOTH, [], |p| {
            call!(c::SYS_renameat, HERE, p.secret.as_ptr(), p.write(), c"moved".as_ptr())
        };
        "write a folder that is only read", BOTH, [], |p| open(p.read(), c"file", c::O_WRONLY);
        "remove from it", BOTH, [], |p| call!(c::SYS_unlinkat, p.read(), c"file".as_ptr(), 0);
        "change the rights of a file", "filter", [], |p| {
            call!(c::SYS_fchmodat, HERE, p.secret.as_ptr(), 0o777)
        };
        "read the memory of another process", BOTH, [], |p| {
            open(HERE, &of_victim(p, "mem"), c::O_RDWR)
        };
        "read its environment", BOTH, [], |p| {
            open(HERE, &of_victim(p, "environ"), c::O_RDONLY)
        };
        "open one of its files", BOTH, [], |p| {
            open(HERE, &of_victim(p, "fd/0"), c::O_RDONLY)
        };
        "make a file without a name", "filter", [Template], |_| {
            call!(c::SYS_memfd_create, c"x".as_ptr(), 0)
        };
    }
}

fn programs() -> Vec<Act> {
    acts! {
        "run a program", BOTH, [], |_| {
            let arguments = [c"true".as_ptr(), null()];
            call!(c::SYS_execve, c"/bin/true".as_ptr(), arguments.as_ptr(), null::<u8>())
        };
        "run a file without a name", "filter", [], |_| {
            let arguments = [c"true".as_ptr(), null()];
            call!(c::SYS_execveat, 99, c"".as_ptr(), arguments.as_ptr(), null::<u8>(), c::AT_EMPTY_PATH)
        };
        "map memory to be executed", "filter", [], |_| {
            map(c::PROT_READ | c::PROT_EXEC, c::MAP_PRIVATE | c::MAP_ANONYMOUS)
        };
        "have memory executed", "filter", [Compiler], |_| {
            call!(c::SYS_mprotect, page(), 4096usize, c::PROT_READ | c::PROT_EXEC)
        };
        "map memory that counts for nobody", "filter", [], |_| {
            map(c::PROT_READ | c::PROT_WRITE, c::MAP_SHARED | c::MAP_ANONYMOUS)
        };
        "have memory for good (System V)", "filter", [], |_| {
            calls!(call!(c::SYS_shmget, 0, 4096usize, 0o600))
        };
    }
}

fn network() -> Vec<Act> {
    acts! {
        "a TCP socket", "filter", [], |_| socket(c::AF_INET, c::SOCK_STREAM);
        "a UDP socket", "filter", [], |_| socket(c::AF_INET, c::SOCK_DGRAM);
        "a Unix socket", "filter", [], |_| socket(c::AF_UNIX, c::SOCK_STREAM);
        "a netlink socket", "filter", [], |_| socket(c::AF_NETLINK, c::SOCK_RAW);
        "a socket of any packets", "filter", [], |_| socket(c::AF_PACKET, c::SOCK_RAW);
        "a crypto socket", "filter", [], |_| socket(c::AF_ALG, c::SOCK_SEQPACKET);
        "a vsock", "filter", [], |_| socket(c::AF_VSOCK, c::SOCK_STREAM);
        "pass descriptors", "filter", [], |_| {
            let mut pair = [0; 2];
            call!(c::SYS_socketpair, c::AF_UNIX, c::SOCK_STREAM, 0, pair.as_mut_ptr())
        };
    }
}

fn processes() -> Vec<Act> {
    acts! {
        "trace another process", BOTH, [], |p| {
            call!(c::SYS_ptrace, c::PTRACE_SEIZE, p.victim.as_raw(), 0usize, 0usize)
        };
        "read its memory by a call", BOTH, [], |p| {
            let mut byte = [0u8; 8];
            let here = c::iovec { iov_base: byte.as_mut_ptr().cast(), iov_len: 8 };
            // The program's own page, which is at the same place in a child of the same process.
            let there = c::iovec { iov_base: p.secret.as_ptr() as *mut _, iov_len: 8 };
            let (here, there) = (&raw const here, &raw const there);
            call!(c::SYS_process_vm_readv, p.victim.as_raw(), here, 1usize, there, 1usize, 0usize)
        };
        "take its descriptors", BOTH, [], |p| {
            // SAFETY: the call takes no memory.
            let pidfd = unsafe { c::syscall(c::SYS_pidfd_open, p.victim.as_raw(), 0) };
            if pidfd < 0 { return told(-1) }
            call!(c::SYS_pidfd_getfd, pidfd, 0, 0)
        };
        "signal it", BOTH, [], |p| call!(c::SYS_kill, p.victim.as_raw(), 0);
        "have it abort", BOTH, [], |p| {
            call!(c::SYS_tgkill, p.victim.as_raw(), p.victim.as_raw(), 0)
        };
        "have its signals by a descriptor", "filter", [], |p| {
            call!(c::SYS_fcntl, p.terminal, c::F_SETOWN, p.victim.as_raw())
        };
        "raise its limits", "filter", [], |p| {
            let limit = c::rlimit { rlim_cur: 100, rlim_max: 100 };
            call!(c::SYS_prlimit64, p.victim.as_raw(), c::RLIMIT_NOFILE, &raw const limit, null::<u8>())
        };
        "have it served later", "filter", [], |p| {
            call!(c::SYS_setpriority, c::PRIO_PROCESS, p.victim.as_raw(), 19)
        };
        "fork", "filter", [Resident Template], |_| {
            // SAFETY: the child ends at once.
            let child = unsafe { c::fork() };
            if child == 0 {
                // SAFETY: _exit has no preconditions.
                unsafe { c::_exit(0) }
            }
            told(child.into())
        };
        "outlive the run", "filter", [], |_| call!(c::SYS_prctl, c::PR_SET_PDEATHSIG, 0);
        "leave its session", "filter", [], |_| call!(c::SYS_setsid);
        "enter a user namespace", "filter", [], |_| call!(c::SYS_unshare, c::CLONE_NEWUSER);
        "enter a namespace of another", "filter", [], |p| {
            // SAFETY: the call takes no memory.
            let pidfd = unsafe { c::syscall(c::SYS_pidfd_open, p.victim.as_raw(), 0) };
            if pidfd < 0 { return told(-1) }
            call!(c::SYS_setns, pidfd, c::CLONE_NEWUTS)
        };
        "type into the terminal", "filter", [], |p| {
            call!(c::SYS_ioctl, p.terminal, c::TIOCSTI as c_ulong, c"#".as_ptr())
        };
    }
}

fn kernel() -> Vec<Act> {
    acts! {
        "mount", "filter", [], |_| {
            let none = null::<u8>();
            call!(c::SYS_mount, none, c"/".as_ptr(), none, c::MS_PRIVATE | c::MS_REC, none)
        };
        "change the root", "filter", [], |_| call!(c::SYS_chroot, c"/".as_ptr());
        "io_uring", BOTH, [], |_| {
            let parameters = [0u64; 32];
            call!(c::SYS_io_uring_setup, 1, parameters.as_ptr())
        };
        "bpf", "filter", [], |_| {
            // A map of one element.
            let attributes = [2u32, 4, 4, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            call!(c::SYS_bpf, 0, attributes.as_ptr(), 64usize)
        };
        "userfaultfd", "filter", [], |_| call!(c::SYS_userfaultfd, 1);
        "perf", "filter", [], |_| {
            // The time that a process has run: type 1, size 112, counter 1.
            let mut attributes = [0u64; 14];
            (attributes[0], attributes[1]) = (1 | 112 << 32, 1);
            call!(c::SYS_perf_event_open, attributes.as_ptr(), 0, -1, -1, 0usize)
        };
        "keys", "filter", [], |_| call!(c::SYS_keyctl, 0, -4, 1);
        "open by handle", "filter", [], |_| {
            let handle = [0u32; 4];
            call!(c::SYS_open_by_handle_at, HERE, handle.as_ptr(), 0)
        };
        "watch files", "filter", [], |_| call!(c::SYS_inotify_init1, 0);
        "another personality", "filter", [], |_| call!(c::SYS_personality, 0x0040_0000usize);
        "lock memory", BOTH, [], |_| call!(c::SYS_mlock, page(), 4096usize);
    }
}
