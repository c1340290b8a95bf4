//! Child processes of tests: forked, watched, stepped, killed.
#![expect(unsafe_code, reason = "fork")]

use nix::errno::Errno;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::ptrace;
use nix::sys::signal::{Signal, kill, raise};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};
use std::time::{Duration, Instant};

/// Keeps this thread and its children on one CPU: a step then costs two switches and no wake-up.
pub(super) fn stay_on_one_cpu() {
    let here = Pid::from_raw(0);
    let all = sched_getaffinity(here).expect("affinity");
    let last = (0..CpuSet::count()).rev().find(|cpu| all.is_set(*cpu).unwrap_or(false));
    let mut one = CpuSet::new();
    one.set(last.expect("a CPU")).expect("a CPU");
    sched_setaffinity(here, &one).expect("affinity");
}

/// A forked child, which is killed and reaped when dropped.
pub(crate) struct Child {
    pid: Pid,
    reaped: bool,
}

/// The result of stepping a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The child went on by one instruction.
    Stepped,
    /// The child sleeps in the kernel.
    Asleep,
    /// The child stopped by itself, or ended.
    Through,
}

impl Child {
    /// Forks a child that runs `work` and exits with its result.
    pub(crate) fn new(work: impl FnOnce() -> i32) -> Child {
        // SAFETY: the child only uses memory of its own copy and shared mappings, and leaves by
        // `_exit`. The C library's allocator can be used after a fork; no lock of the tests is
        // held.
        match unsafe { fork() }.expect("fork") {
            ForkResult::Parent { child } => Child { pid: child, reaped: false },
            ForkResult::Child => {
                let work = std::panic::AssertUnwindSafe(work);
                let code = std::panic::catch_unwind(work).unwrap_or(99);
                // SAFETY: the call ends the child without running what the parent registered for
                // its exit.
                unsafe { nix::libc::_exit(code) }
            }
        }
    }

    /// Forks a child that stops before `work`, to be stepped, and again after it.
    pub(super) fn stopped(work: impl FnOnce()) -> Child {
        let child = Child::new(|| {
            ptrace::traceme().expect("traceme");
            raise(Signal::SIGSTOP).expect("stop");
            work();
            raise(Signal::SIGSTOP).expect("stop");
            0
        });
        assert!(matches!(waitpid(child.pid, None), Ok(WaitStatus::Stopped(..))));
        child
    }

    /// Steps the child by one instruction.
    pub(super) fn step(&self) -> Step {
        // Only a system call can sleep; after any other instruction it is enough to wait for the
        // child.
        let may_sleep = self.is_at_a_system_call();
        ptrace::step(self.pid, None).expect("step");
        for turn in 0.. {
            let flags = may_sleep.then_some(WaitPidFlag::WNOHANG);
            match waitpid(self.pid, flags) {
                Ok(WaitStatus::Stopped(_, Signal::SIGTRAP)) => return Step::Stepped,
                Ok(WaitStatus::StillAlive) if turn > 50 && self.is_asleep() => return Step::Asleep,
                Ok(WaitStatus::StillAlive) => std::thread::yield_now(),
                Ok(_) => return Step::Through,
                Err(Errno::EINTR) => {}
                Err(error) => panic!("waitpid: {error}"),
            }
        }
        unreachable!()
    }

    #[cfg(target_arch = "x86_64")]
    fn is_at_a_system_call(&self) -> bool {
        const SYSCALL: i64 = 0x050f;
        let at = ptrace::getregs(self.pid).expect("registers").rip;
        let code = ptrace::read(self.pid, at as ptrace::AddressType).expect("code");
        code & 0xffff == SYSCALL
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn is_at_a_system_call(&self) -> bool {
        true
    }

    fn is_asleep(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid)).unwrap_or_default();
        stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('S'))
    }

    /// Stops the child at its present instruction.
    pub(super) fn freeze(&self) {
        kill(self.pid, Signal::SIGSTOP).expect("stop");
        let flags = Some(WaitPidFlag::WUNTRACED);
        assert!(matches!(waitpid(self.pid, flags), Ok(WaitStatus::Stopped(..))));
    }

    /// Kills and reaps the child.
    pub(super) fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if !self.reaped {
            let _ = kill(self.pid, Signal::SIGKILL);
            while let Ok(status) = waitpid(self.pid, None) {
                if matches!(status, WaitStatus::Signaled(..) | WaitStatus::Exited(..)) {
                    break;
                }
            }
            self.reaped = true;
        }
    }

    /// Returns the child's exit code if it ends within `limit`.
    pub(crate) fn wait(mut self, limit: Duration) -> Option<i32> {
        let since = Instant::now();
        loop {
            match waitpid(self.pid, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(_, code)) => {
                    self.reaped = true;
                    return Some(code);
                }
                Ok(WaitStatus::StillAlive) if since.elapsed() < limit => std::thread::yield_now(),
                _ => return None,
            }
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.end();
    }
}
