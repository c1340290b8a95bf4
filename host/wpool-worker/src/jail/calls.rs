//! The policy of system calls: lists by what a process needs, and what becomes of the rest.
//!
//! Filters add up over forks and none can be taken off. So the list of a process that forks has all that its
//! children need.

use super::Needs;
use nix::libc as c;

/// The kernel's answer to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It does it.
    Allow,
    /// It does nothing and returns this error.
    Refuse(u16),
    /// It sends SIGSYS, whose handler tells which call it was, and ends the process.
    Trap,
    /// It ends the process at once.
    Kill,
}

/// A question about the lower half of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Test {
    /// Which argument, from 0.
    pub(super) argument: u8,
    /// The bits that are looked at.
    pub(super) mask: u32,
    /// The value that the bits are compared with.
    pub(super) value: u32,
    /// Whether they are to be equal to the value, or different from it.
    pub(super) equal: bool,
}

/// A call and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) call: i64,
    /// The answer if one of the cases holds, or if there are none.
    pub(super) answer: Answer,
    /// Each is a list of tests, all of which must hold.
    pub(super) cases: Vec<Vec<Test>>,
    /// The answer if none of the cases holds.
    pub(super) otherwise: Answer,
}

/// Calls with their names.
type List = &'static [(i64, &'static str)];

macro_rules! list {
    ($($(#[$attribute:meta])* $name:ident)*) => {
        &[$($(#[$attribute])* (c::$name, stringify!($name))),*]
    };
}

/// The calls that every process needs, the most frequent first: old kernels go through the list.
const EVERY: List = list![
    SYS_futex SYS_read SYS_write SYS_ppoll
    #[cfg(target_arch = "x86_64")]
    SYS_poll
    SYS_madvise SYS_munmap SYS_writev SYS_close SYS_statx SYS_fstat SYS_lseek SYS_pread64 SYS_pwrite64 SYS_brk SYS_mremap
    SYS_getrandom SYS_sigaltstack SYS_rt_sigaction SYS_rt_sigprocmask SYS_rt_sigreturn SYS_restart_syscall
    SYS_sched_yield SYS_sched_getaffinity SYS_clock_gettime SYS_clock_getres SYS_clock_nanosleep SYS_nanosleep
    SYS_gettimeofday SYS_getcpu SYS_getpid SYS_gettid SYS_exit SYS_exit_group SYS_fallocate
];

/// The calls in which an event loop waits.
const EVENTS: List = list![
    SYS_epoll_create1 SYS_epoll_ctl SYS_epoll_pwait SYS_epoll_pwait2 SYS_eventfd2
    #[cfg(target_arch = "x86_64")]
    SYS_epoll_wait
];

/// The first calls of a new thread.
const THREADS: List = list![SYS_rseq SYS_set_robust_list];

/// The calls for files below granted folders.
const FILES: List = list![
    SYS_openat SYS_openat2 SYS_newfstatat SYS_unlinkat SYS_mkdirat SYS_renameat2 SYS_linkat
    SYS_symlinkat SYS_readlinkat SYS_faccessat SYS_faccessat2 SYS_utimensat SYS_getdents64
    SYS_preadv SYS_pwritev SYS_preadv2 SYS_pwritev2 SYS_readv SYS_ftruncate SYS_fadvise64 SYS_fsync
    SYS_fdatasync SYS_fstatfs
    #[cfg(target_arch = "x86_64")]
    SYS_readlink
];

/// The call `renameat`, for which libc has no name on every architecture.
const RENAMEAT: List = &[(if cfg!(target_arch = "aarch64") { 38 } else { 264 }, "SYS_renameat")];

/// The calls of a process that forks another for each job.
const CHILDREN: List = list![
    SYS_wait4 SYS_pidfd_open SYS_getppid SYS_set_robust_list SYS_dup3 SYS_seccomp
    #[cfg(target_arch = "x86_64")]
    SYS_dup2
];

/// The further calls of the template process: it obeys the dispatcher, and its children enter jails of their own.
const TEMPLATE: List = list![
    SYS_recvmsg SYS_sendmsg SYS_memfd_create SYS_fchdir SYS_landlock_create_ruleset SYS_landlock_add_rule
    SYS_landlock_restrict_self SYS_kill SYS_capget SYS_capset SYS_geteuid
    #[cfg(target_arch = "x86_64")]
    SYS_open
];

/// The calls that ask for files by name. A guest may try, and is told that it may not.
const OPENS: List = list![
    SYS_openat SYS_openat2 SYS_newfstatat SYS_readlinkat SYS_faccessat SYS_faccessat2
    #[cfg(target_arch = "x86_64")]
    SYS_open
    #[cfg(target_arch = "x86_64")]
    SYS_stat
    #[cfg(target_arch = "x86_64")]
    SYS_lstat
    #[cfg(target_arch = "x86_64")]
    SYS_access
    #[cfg(target_arch = "x86_64")]
    SYS_readlink
];

/// The calls that no code of wpool or its libraries ever makes: the whole process is killed.
const HOSTILE: List = list![
    SYS_ptrace SYS_process_vm_readv SYS_process_vm_writev SYS_process_madvise SYS_pidfd_getfd SYS_bpf
    SYS_perf_event_open SYS_userfaultfd SYS_io_uring_setup SYS_io_uring_enter SYS_io_uring_register SYS_mount
    SYS_umount2 SYS_pivot_root SYS_chroot SYS_unshare SYS_setns SYS_open_by_handle_at SYS_keyctl SYS_add_key
    SYS_request_key SYS_init_module SYS_finit_module SYS_delete_module SYS_kexec_load SYS_reboot SYS_swapon
];

/// The names of other calls that are refused, for messages.
const OTHERS: List = list![
    SYS_socket SYS_socketpair SYS_connect SYS_bind SYS_listen SYS_accept4 SYS_sendto SYS_recvfrom SYS_sendmmsg
    SYS_recvmmsg SYS_execve SYS_execveat SYS_clone SYS_clone3 SYS_waitid SYS_kill SYS_tkill SYS_tgkill
    SYS_pidfd_send_signal SYS_ioctl SYS_mmap SYS_mprotect SYS_prctl SYS_fcntl SYS_fchmod SYS_fchmodat SYS_fchown
    SYS_fchownat SYS_setpgid SYS_setsid SYS_setpriority SYS_sched_setaffinity SYS_sched_setscheduler SYS_chdir
    SYS_pipe2 SYS_dup SYS_splice SYS_tee SYS_vmsplice SYS_copy_file_range SYS_sendfile SYS_flock SYS_mknodat
    SYS_memfd_create SYS_memfd_secret SYS_mlock SYS_mincore SYS_membarrier SYS_timer_create SYS_timerfd_create
    SYS_signalfd4 SYS_inotify_init1 SYS_fanotify_init SYS_setuid SYS_setresuid SYS_capset SYS_personality
    SYS_prlimit64 SYS_getrusage SYS_sysinfo SYS_uname SYS_getuid SYS_getcwd SYS_shmget SYS_msgget SYS_semget
    SYS_mq_open SYS_setxattr SYS_umask SYS_pkey_mprotect SYS_remap_file_pages SYS_seccomp
    #[cfg(target_arch = "x86_64")]
    SYS_fork
    #[cfg(target_arch = "x86_64")]
    SYS_vfork
    #[cfg(target_arch = "x86_64")]
    SYS_pipe
];

/// Returns the name of a call, if it is in any of the lists. A signal handler may call it.
pub(crate) fn name(call: i64) -> Option<&'static str> {
    let lists =
        [EVERY, EVENTS, THREADS, FILES, RENAMEAT, CHILDREN, TEMPLATE, OPENS, HOSTILE, OTHERS]
            .into_iter();
    let found = lists.flatten().find(|(number, _)| *number == call);
    found.map(|(_, name)| &name["SYS_".len()..])
}

/// The request by which wasmtime finds the pages that an instance has written.
const PAGEMAP_SCAN: u32 = 0xc060_6610;

/// The request for a terminal's settings that newer C libraries make.
const TCGETS2: u32 = 0x802c_542a;

/// The flags of `clone` that make a thread, as every C library gives them.
const THREAD: u32 = (c::CLONE_VM | c::CLONE_SIGHAND | c::CLONE_THREAD) as u32;

/// The flags of `clone` that say where ids are written: they matter to nobody else.
const IDS: u32 = (c::CLONE_SETTLS
    | c::CLONE_PARENT_SETTID
    | c::CLONE_CHILD_SETTID
    | c::CLONE_CHILD_CLEARTID
    | c::CLONE_DETACHED) as u32;

/// The flags of `clone` that a thread may have or not.
const SHARED: u32 = (c::CLONE_FS | c::CLONE_FILES | c::CLONE_SYSVSEM) as u32;

/// Tests that all the bits of a mask have these values.
fn masked(argument: u8, mask: u32, value: u32) -> Test {
    Test { argument, mask, value, equal: true }
}

/// Tests that an argument is this number.
fn is(argument: u8, value: u32) -> Test {
    masked(argument, u32::MAX, value)
}

/// Allows a call in some cases.
fn cases(call: i64, cases: impl IntoIterator<Item = Vec<Test>>) -> Rule {
    let (answer, otherwise) = (Answer::Allow, Answer::Trap);
    Rule { call, answer, cases: cases.into_iter().collect(), otherwise }
}

/// Allows a call where one of its arguments is one of some numbers.
fn choices(call: i64, argument: u8, numbers: &[u32]) -> Rule {
    cases(call, numbers.iter().map(|number| vec![is(argument, *number)]))
}

fn all(list: List, answer: Answer) -> impl Iterator<Item = Rule> {
    list.iter().map(move |(call, _)| Rule { call: *call, answer, cases: vec![], otherwise: answer })
}

/// Returns what becomes of calls of a process with these needs, whose id is `own`. The first rule of a call counts,
/// and a call without a rule traps.
pub(super) fn policy(needs: Needs, own: u32) -> Vec<Rule> {
    let mut rules: Vec<Rule> = all(EVERY, Answer::Allow).collect();
    rules.extend([memory(), protection(needs)]);
    rules.extend([ioctls(needs), fcntls(needs), prctls(needs)]);
    // Its own limits: memory that becomes shared as soon as it is there counts only until then.
    rules.push(cases(c::SYS_prlimit64, [vec![is(0, 0)]]));
    // An abort.
    rules.push(cases(c::SYS_tgkill, [vec![is(0, own), is(2, c::SIGABRT as u32)]]));
    let lists = [
        (needs.events, EVENTS),
        (needs.threads, THREADS),
        (needs.files || needs.template, FILES),
        (needs.files || needs.template, RENAMEAT),
        (needs.children || needs.template, CHILDREN),
        (needs.template, TEMPLATE),
    ];
    for (_, list) in lists.into_iter().filter(|(needed, _)| *needed) {
        rules.extend(all(list, Answer::Allow));
    }
    if let Some(clone) = clones(needs) {
        // Its flags are in memory, where no filter sees them. Libraries go on with `clone`.
        rules.extend([clone, refused(c::SYS_clone3, c::ENOSYS)]);
    }
    if needs.children && !needs.files && !needs.template {
        // What a process does that was forked: see `Needs::children`.
        let read = vec![masked(2, !(c::O_CLOEXEC as u32), 0)];
        rules.push(Rule { otherwise: Answer::Refuse(EPERM), ..cases(c::SYS_openat, [read]) });
    }
    rules.extend(all(OPENS, Answer::Refuse(EPERM)));
    rules.extend(all(HOSTILE, Answer::Kill));
    rules
}

/// Returns what becomes of calls of a job's own process, which has its parent's filter too: it forks nothing, and
/// has no need of its parent's files. A call without a rule is answered as the parent's filter says.
pub(super) fn narrower(needs: Needs) -> Vec<Rule> {
    let trap =
        |call| Rule { call, answer: Answer::Trap, cases: Vec::new(), otherwise: Answer::Trap };
    let clone = clones(Needs { children: false, ..needs });
    let mut rules = vec![clone.unwrap_or_else(|| trap(c::SYS_clone)), trap(c::SYS_seccomp)];
    if !needs.files {
        rules.push(refused(c::SYS_openat, c::EPERM));
    }
    rules
}

const EXEC: u32 = c::PROT_EXEC as u32;
const EPERM: u16 = c::EPERM as u16;

fn refused(call: i64, error: c::c_int) -> Rule {
    let answer = Answer::Refuse(error as u16);
    Rule { call, answer, cases: Vec::new(), otherwise: answer }
}

/// Memory is not executable, does not grow by itself, and is the process's own or of a file: anonymous memory that
/// is shared would count for nobody.
fn memory() -> Rule {
    let anonymous = (c::MAP_SHARED | c::MAP_ANONYMOUS) as u32;
    let counted = Test { argument: 3, mask: anonymous, value: anonymous, equal: false };
    let grows = masked(3, c::MAP_GROWSDOWN as u32, 0);
    cases(c::SYS_mmap, [vec![masked(2, EXEC, 0), grows, counted]])
}

/// Memory does not become executable, or is not written as long as it is.
fn protection(needs: Needs) -> Rule {
    let code = needs.code.then(|| vec![masked(2, EXEC | c::PROT_WRITE as u32, EXEC)]);
    cases(c::SYS_mprotect, [Some(vec![masked(2, EXEC, 0)]), code].into_iter().flatten())
}

fn ioctls(needs: Needs) -> Rule {
    let mut requests = vec![c::FIONBIO as u32, PAGEMAP_SCAN];
    if needs.terminal {
        requests.extend([c::TCGETS as u32, TCGETS2, c::TIOCGWINSZ as u32]);
    }
    choices(c::SYS_ioctl, 1, &requests)
}

/// No process is told of what a descriptor does, and none has a pipe grow.
fn fcntls(needs: Needs) -> Rule {
    let mut commands = vec![c::F_DUPFD_CLOEXEC, c::F_GETFD, c::F_SETFD, c::F_GETFL, c::F_SETFL];
    if needs.template {
        commands.push(c::F_ADD_SEALS);
    }
    let commands: Vec<u32> = commands.into_iter().map(c::c_int::cast_unsigned).collect();
    choices(c::SYS_fcntl, 1, &commands)
}

fn prctls(needs: Needs) -> Rule {
    let option = |option: c::c_int| is(0, option.cast_unsigned());
    let mut allowed = vec![vec![option(c::PR_SET_NAME)]];
    if needs.children || needs.template {
        // To die with its parent, and with nothing less.
        allowed.push(vec![option(c::PR_SET_PDEATHSIG), is(1, c::SIGKILL as u32)]);
    }
    if needs.template {
        allowed.push(vec![option(c::PR_SET_DUMPABLE), is(1, 0)]);
    }
    cases(c::SYS_prctl, allowed)
}

/// Threads of this process, and children that are told apart by nothing but their id; no namespaces, and no child
/// of somebody else.
fn clones(needs: Needs) -> Option<Rule> {
    let thread = needs.threads.then(|| vec![masked(0, !(SHARED | IDS), THREAD)]);
    let forks = needs.children || needs.template;
    let child = forks.then(|| vec![masked(0, !IDS, c::SIGCHLD as u32)]);
    let made: Vec<_> = thread.into_iter().chain(child).collect();
    (!made.is_empty()).then(|| cases(c::SYS_clone, made))
}
