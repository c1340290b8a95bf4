//! The threads of a process that forks: there must be only one.

use rustix::fs::{AtFlags, Mode, OFlags, StatxFlags, open, statx};
use std::fs;
use std::io;
use std::os::fd::OwnedFd;

/// The folder in which the system lists the threads of a process. It has two links of its own, and one for each
/// thread.
const TASKS: &str = "/proc/self/task";

/// The links of the folder that stand for no thread.
const OWN_LINKS: u32 = 2;

/// The count of threads of the process that has opened it.
///
/// The count is opened once and read before each fork, which takes one system call and no name of a
/// file. A forked process opens its own count: its parent's goes on counting the parent's threads.
#[derive(Debug)]
pub(crate) struct Threads(OwnedFd);

impl Threads {
    /// Opens the count of this process, for as long as the process lives.
    ///
    /// # Errors
    /// Returns the error of `open`, or an error if the system does not count threads in this way.
    pub(crate) fn open() -> io::Result<&'static Threads> {
        let threads = Threads::of_this_process()?;
        match fs::read_dir(TASKS)?.count() == threads.count()? {
            true => Ok(Box::leak(Box::new(threads))),
            false => Err(io::Error::other(format!("{TASKS} does not count threads"))),
        }
    }

    fn of_this_process() -> io::Result<Threads> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Threads(open(TASKS, flags, Mode::empty())?))
    }

    /// Returns the number of threads.
    ///
    /// # Errors
    /// Returns the error of `statx`, or an error if no thread is counted.
    fn count(&self) -> io::Result<usize> {
        let stat = statx(&self.0, "", AtFlags::EMPTY_PATH, StatxFlags::NLINK)?;
        match stat.stx_nlink.checked_sub(OWN_LINKS) {
            Some(threads @ 1..) => Ok(threads as usize),
            _ => Err(io::Error::other(format!("{TASKS} counts no thread"))),
        }
    }

    /// Checks that there is one thread, so that this process may fork.
    ///
    /// # Errors
    /// Returns an error if there are several threads, or if they cannot be counted.
    pub(crate) fn claim_one(&self) -> io::Result<()> {
        match self.count()? {
            1 => Ok(()),
            more => Err(io::Error::other(format!("a process with {more} threads must not fork"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;
    use std::thread;

    #[test]
    fn a_process_with_a_second_thread_must_not_fork() {
        // The test program has several threads anyway: a further one is seen at once.
        let threads = Threads::of_this_process().unwrap();
        let (done, wait) = channel::<()>();
        thread::scope(|scope| {
            scope.spawn(move || wait.recv());
            assert!(threads.count().unwrap() > 1);
            assert!(threads.claim_one().unwrap_err().to_string().ends_with("must not fork"));
            drop(done);
        });
    }
}
