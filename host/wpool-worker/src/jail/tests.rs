//! Tests of the policy, by running its programs as the kernel would.

use super::calls::{Answer, narrower, policy};
use super::{Needs, filter, name};
use nix::libc::{self as c, c_int, c_long, sock_filter};

const OWN: u32 = 77;

#[cfg(target_arch = "x86_64")]
const HERE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const HERE: u32 = 0xc000_00b7;

/// Returns the answer of a program to a call, as the kernel would run it.
fn run(program: &[sock_filter], architecture: u32, call: u32, arguments: [u64; 6]) -> Answer {
    let (mut accumulator, mut at) = (0, 0);
    loop {
        let sock_filter { code, jt, jf, k } = program[at];
        at += 1;
        let jump = |holds: bool| usize::from(if holds { jt } else { jf });
        match u32::from(code) {
            0x20 => {
                accumulator = match k {
                    0 => call,
                    4 => architecture,
                    _ if (k - 16).is_multiple_of(8) => arguments[(k as usize - 16) / 8] as u32,
                    _ => panic!("loads from {k}"),
                }
            }
            0x54 => accumulator &= k,
            0x15 => at += jump(accumulator == k),
            0x35 => at += jump(accumulator >= k),
            0x06 => return answer(k),
            code => panic!("code {code:#x}"),
        }
    }
}

fn answer(action: u32) -> Answer {
    match action & 0xffff_0000 {
        c::SECCOMP_RET_ALLOW => Answer::Allow,
        c::SECCOMP_RET_TRAP => Answer::Trap,
        c::SECCOMP_RET_KILL_PROCESS => Answer::Kill,
        c::SECCOMP_RET_ERRNO => Answer::Refuse(action as u16),
        other => panic!("action {other:#x}"),
    }
}

fn asked(needs: Needs, call: c_long, arguments: &[c_int]) -> Answer {
    let mut all = [0; 6];
    // The upper halves say nothing.
    all.iter_mut().zip(arguments).for_each(|(to, from)| *to = *from as u64);
    run(&filter::compile(&policy(needs, OWN), Answer::Trap), HERE, call as u32, all)
}

const PLAIN: Needs = Needs {
    events: false,
    threads: false,
    code: false,
    files: false,
    terminal: false,
    children: false,
    template: false,
};

fn every_worker() -> impl Iterator<Item = Needs> {
    (0..16).map(|bits| Needs {
        events: bits & 1 > 0,
        threads: bits & 2 > 0,
        files: bits & 4 > 0,
        children: bits & 8 > 0,
        ..PLAIN
    })
}

#[test]
fn what_is_not_listed_traps_and_what_is_hostile_kills() {
    for needs in every_worker() {
        for call in [c::SYS_socket, c::SYS_execve, c::SYS_kill, c::SYS_memfd_create, c::SYS_fchmod]
        {
            assert_eq!(asked(needs, call, &[]), Answer::Trap, "{call} {needs:?}");
        }
        for call in [c::SYS_ptrace, c::SYS_process_vm_readv, c::SYS_bpf, c::SYS_io_uring_setup] {
            assert_eq!(asked(needs, call, &[]), Answer::Kill, "{call} {needs:?}");
        }
        assert_eq!(asked(needs, c::SYS_read, &[]), Answer::Allow);
    }
}

#[test]
fn calls_by_another_architecture_s_numbers_kill() {
    let program = filter::compile(&policy(PLAIN, OWN), Answer::Trap);
    let read = c::SYS_read as u32;
    assert_eq!(run(&program, HERE, read, [0; 6]), Answer::Allow);
    // That of 32 bits (AUDIT_ARCH_I386).
    assert_eq!(run(&program, 0x4000_0003, read, [0; 6]), Answer::Kill);
    assert_eq!(run(&program, HERE, 0x4000_0000 | read, [0; 6]), Answer::Kill);
}

#[test]
fn no_memory_becomes_executable_or_counts_for_nobody() {
    let map = |access, flags| asked(PLAIN, c::SYS_mmap, &[0, 4096, access, flags]);
    let (write, private) = (c::PROT_READ | c::PROT_WRITE, c::MAP_PRIVATE | c::MAP_ANONYMOUS);
    assert_eq!(map(write, private), Answer::Allow);
    assert_eq!(map(write, c::MAP_SHARED), Answer::Allow);
    assert_eq!(map(write | c::PROT_EXEC, private), Answer::Trap);
    assert_eq!(map(c::PROT_EXEC, c::MAP_SHARED), Answer::Trap);
    assert_eq!(map(write, private | c::MAP_GROWSDOWN), Answer::Trap);
    for shared in [c::MAP_SHARED, c::MAP_SHARED_VALIDATE] {
        assert_eq!(map(write, shared | c::MAP_ANONYMOUS), Answer::Trap);
    }
    let protect = |access| asked(PLAIN, c::SYS_mprotect, &[0, 4096, access]);
    assert_eq!(protect(write), Answer::Allow);
    assert_eq!(protect(c::PROT_READ | c::PROT_EXEC), Answer::Trap);
    let code = Needs { code: true, ..PLAIN };
    let protect = |access| asked(code, c::SYS_mprotect, &[0, 4096, access]);
    assert_eq!(protect(c::PROT_READ | c::PROT_EXEC), Answer::Allow);
    assert_eq!(protect(write | c::PROT_EXEC), Answer::Trap);
}

#[test]
fn a_process_makes_the_threads_and_children_that_it_needs_and_no_others() {
    // As glibc and musl make them.
    let thread = 0x003d_0f00;
    let fork = c::CLONE_CHILD_SETTID | c::CLONE_CHILD_CLEARTID | c::SIGCHLD;
    let (threads, children) = (Needs { threads: true, ..PLAIN }, Needs { children: true, ..PLAIN });
    let clone = |needs, flags| asked(needs, c::SYS_clone, &[flags]);
    assert_eq!(clone(threads, thread), Answer::Allow);
    assert_eq!(clone(threads, thread | c::CLONE_DETACHED), Answer::Allow);
    assert_eq!(clone(children, fork), Answer::Allow);
    assert_eq!(clone(children, c::SIGCHLD), Answer::Allow);
    assert_eq!(clone(threads, fork), Answer::Trap);
    assert_eq!(clone(children, thread), Answer::Trap);
    assert_eq!(clone(PLAIN, thread), Answer::Trap);
    for flag in [c::CLONE_NEWUSER, c::CLONE_NEWNS, c::CLONE_PARENT, c::CLONE_VM, c::CLONE_VFORK] {
        assert_eq!(clone(children, fork | flag), Answer::Trap, "{flag:#x}");
    }
    assert_eq!(asked(threads, c::SYS_clone3, &[]), Answer::Refuse(c::ENOSYS as u16));
}

#[test]
fn files_that_are_not_granted_are_refused_without_an_end() {
    let flags = |needs, flags| asked(needs, c::SYS_openat, &[c::AT_FDCWD, 0, flags]);
    assert_eq!(flags(PLAIN, c::O_RDONLY), Answer::Refuse(c::EPERM as u16));
    assert_eq!(flags(Needs { files: true, ..PLAIN }, c::O_RDWR), Answer::Allow);
    // What wasmtime opens in each child.
    let children = Needs { children: true, ..PLAIN };
    assert_eq!(flags(children, c::O_CLOEXEC), Answer::Allow);
    assert_eq!(flags(children, c::O_RDWR), Answer::Refuse(c::EPERM as u16));
}

#[test]
fn a_terminal_is_asked_and_never_typed_into() {
    let terminal = Needs { terminal: true, ..PLAIN };
    let ask = |needs, request: u64| asked(needs, c::SYS_ioctl, &[0, request as c_int]);
    assert_eq!(ask(terminal, c::TCGETS), Answer::Allow);
    assert_eq!(ask(PLAIN, c::TCGETS), Answer::Trap);
    for request in [c::TIOCSTI, c::TIOCSCTTY, c::TIOCLINUX, c::FIOASYNC] {
        assert_eq!(ask(terminal, request), Answer::Trap, "{request:#x}");
    }
}

#[test]
fn a_process_aborts_and_signals_nobody_else() {
    let kill = |whom: u32, signal| asked(PLAIN, c::SYS_tgkill, &[whom as c_int, 1, signal]);
    assert_eq!(kill(OWN, c::SIGABRT), Answer::Allow);
    assert_eq!(kill(OWN + 1, c::SIGABRT), Answer::Trap);
    assert_eq!(kill(OWN, c::SIGKILL), Answer::Trap);
    let limit = |whom| asked(PLAIN, c::SYS_prlimit64, &[whom, 2]);
    assert_eq!((limit(0), limit(1)), (Answer::Allow, Answer::Trap));
}

/// Arguments that some calls are allowed with, and others.
fn samples() -> Vec<[u64; 6]> {
    let mut samples = vec![[0; 6], [0, 0, 0x8_0000, 2, 0, 0], [u64::from(OWN), 1, 6, 1, 0, 0]];
    let numbers = [1, 2, 3, 4, 15, 17, 1030, 0x3d_0f00, 0x120_0011, 0x5421, 0xc060_6610];
    samples.extend(numbers.map(|number| [number; 6]));
    samples.extend(numbers.map(|number| [0, number, 0, 0, 0, 0]));
    samples
}

#[test]
fn a_template_may_do_all_that_its_workers_may() {
    let all = Needs { events: true, threads: true, children: true, template: true, ..PLAIN };
    let template = filter::compile(&policy(all, OWN), Answer::Trap);
    for needs in every_worker() {
        let worker = filter::compile(&policy(needs, OWN), Answer::Trap);
        // Those with a name are those with a rule, and others.
        let calls = (0..500).filter(|call| name((*call).into()).is_some());
        for call in calls.filter(|call| *call != c::SYS_clone3 as u32) {
            for arguments in samples() {
                let allowed = run(&worker, HERE, call, arguments) == Answer::Allow;
                let above = run(&template, HERE, call, arguments);
                let named = name(call.into());
                assert!(!allowed || above == Answer::Allow, "{named:?} {arguments:?} {needs:?}");
            }
        }
    }
}

#[test]
fn a_job_s_own_process_forks_nothing() {
    let rules = |needs| filter::compile(&narrower(needs), Answer::Allow);
    let ask = |needs, call: c_long, flags| {
        run(&rules(needs), HERE, call as u32, [flags, 0, flags, 0, 0, 0])
    };
    let fork = c::SIGCHLD as u64;
    let children = Needs { children: true, ..PLAIN };
    let polling = Needs { threads: true, ..children };
    assert_eq!(ask(children, c::SYS_clone, fork), Answer::Trap);
    assert_eq!(ask(children, c::SYS_clone, 0x3d_0f00), Answer::Trap);
    assert_eq!(ask(polling, c::SYS_clone, fork), Answer::Trap);
    assert_eq!(ask(polling, c::SYS_clone, 0x3d_0f00), Answer::Allow);
    assert_eq!(ask(children, c::SYS_openat, 0), Answer::Refuse(c::EPERM as u16));
    assert_eq!(ask(Needs { files: true, ..children }, c::SYS_openat, 0), Answer::Allow);
    assert_eq!(ask(children, c::SYS_read, 0), Answer::Allow);
}

#[test]
fn refused_calls_have_names() {
    assert_eq!(name(c::SYS_socket), Some("socket"));
    assert_eq!(name(c::SYS_ptrace), Some("ptrace"));
    assert_eq!(name(-1), None);
}
