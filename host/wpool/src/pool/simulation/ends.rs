//! The two ends of a simulated run (a source of random jobs, and a sink that checks what it
//! receives), and its commands.

use super::crew::Job;
use crate::pool::feed::{Command, Commands, Fill, InputQueue, Notice, Outcome, Sink, Source};
use crate::wire::failure::{Failure, FailureKind};
use rand::RngExt;
use rand::rngs::StdRng;
use std::collections::{HashSet, VecDeque};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

/// Returns a descriptor that serves only to be watched.
pub(super) fn nothing() -> File {
    File::open("/dev/null").expect("it is always there")
}

pub(super) struct RandomSource {
    pub(super) rng: StdRng,
    pub(super) left: u64,
    /// The upper limits of the numbers of a job.
    pub(super) job: Job,
    pub(super) fd: File,
}

impl Source for RandomSource {
    fn fill(&mut self, inputs: &mut InputQueue, room: usize) -> io::Result<Fill> {
        let most = self.rng.random_range(0..60u64).min(self.left);
        for _ in 0..most {
            if inputs.bytes() > room {
                break;
            }
            self.left -= 1;
            match self.rng.random_range(0..40) {
                0 => inputs.skip(),
                1 => inputs.fail(b"bad", Failure::new(FailureKind::InvalidJob, "as it should")),
                _ => {
                    let job = Job {
                        time: self.rng.random_range(0..=self.job.time),
                        result_bytes: self.rng.random_range(0..=self.job.result_bytes),
                        failures: self.rng.random_range(0..=self.job.failures),
                    };
                    inputs.push(&job.encode());
                }
            }
        }
        Ok(match self.left {
            0 => Fill::End,
            _ if self.rng.random_range(0..5) == 0 => Fill::Blocked,
            _ => Fill::More,
        })
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.fd.as_fd())
    }

    fn remaining(&self) -> Option<u64> {
        Some(self.left)
    }
}

/// A sink that records outcomes, and now and then does not pass everything on.
pub(super) struct CheckedSink {
    pub(super) rng: StdRng,
    pub(super) ordered: bool,
    pub(super) done: HashSet<u64>,
    pub(super) last: Option<u64>,
    pub(super) held: usize,
    /// The number of attempts to pass on what is held of which one fails; 0 for none.
    pub(super) blocks: u32,
    pub(super) fd: File,
}

impl Sink for CheckedSink {
    fn take(&mut self, outcome: &Outcome<'_>) -> io::Result<()> {
        let job = outcome.job;
        assert!(self.done.insert(job), "job {job} has two outcomes");
        assert!(!self.ordered || self.last.is_none_or(|last| last < job), "{job} is out of order");
        self.last = Some(job);
        self.held += outcome.result.map_or(0, <[u8]>::len);
        Ok(())
    }

    fn notice(&mut self, _: Notice) {}

    fn held(&self) -> usize {
        self.held
    }

    fn flush(&mut self) -> io::Result<bool> {
        if self.blocks > 0 && self.rng.random_range(0..self.blocks) == 0 {
            self.held /= 2;
        } else {
            self.held = 0;
        }
        Ok(self.held == 0)
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.fd.as_fd())
    }
}

/// The source of commands that come one at a time.
pub(super) struct Script(pub(super) VecDeque<Command>);

impl Commands for Script {
    fn next(&mut self) -> Option<Command> {
        self.0.pop_front()
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}
