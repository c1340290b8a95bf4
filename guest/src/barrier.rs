//! Barriers: processes that go on together.

use std::time::Duration;

use crate::error::{Error, answer, done, number};
use crate::handle::{FOREVER, Handle, nanoseconds, object};
use crate::raw;

/// A barrier that processes share by its name, as Python's `Barrier`.
///
/// A party that dies, or waits no longer, breaks it: nobody waits for a party that will not come.
///
/// ```no_run
/// use wpool_guest::Barrier;
///
/// let phase = Barrier::open_or_create("phase", 4)?;
/// // The first half of the work.
/// if phase.wait()? == 0 {
///     println!("all four are done with the first half");
/// }
/// # Ok::<(), wpool_guest::Error>(())
/// ```
#[derive(Debug)]
pub struct Barrier {
    handle: Handle,
}

impl Barrier {
    object! {
        "barrier", open: raw::barrier_open;

        /// Creates a barrier for so many parties.
        create, open_or_create(parties: u32): |name| raw::barrier_create(name, parties);
    }

    /// Waits until all parties wait, and answers which of them this is: 0 came first.
    ///
    /// # Errors
    /// [`Broken`](Error::Broken) if the barrier is, or is broken or reset meanwhile;
    /// [`Interrupted`](Error::Interrupted), which breaks it for the others.
    pub fn wait(&self) -> Result<u32, Error> {
        answer(raw::barrier_wait(self.handle.id(), FOREVER))
    }

    /// Waits as [`wait`](Barrier::wait) does, at most for so long.
    ///
    /// # Errors
    /// [`TimedOut`](Error::TimedOut), which breaks the barrier for the others; else those of `wait`.
    pub fn wait_timeout(&self, timeout: Duration) -> Result<u32, Error> {
        answer(raw::barrier_wait(self.handle.id(), nanoseconds(timeout)))
    }

    /// Breaks the barrier: all that wait, or will, get an error.
    ///
    /// # Errors
    /// [`Broken`](Error::Broken), if it is damaged.
    pub fn abort(&self) -> Result<(), Error> {
        done(raw::barrier_abort(self.handle.id()))
    }

    /// Makes the barrier as new: all that wait get an error, and then it can be used again.
    ///
    /// # Errors
    /// [`Broken`](Error::Broken), if it is damaged.
    pub fn reset(&self) -> Result<(), Error> {
        done(raw::barrier_reset(self.handle.id()))
    }

    /// How many parties it is for.
    pub fn parties(&self) -> u32 {
        number(raw::barrier_parties(self.handle.id()))
    }

    /// How many parties wait, at this moment.
    pub fn waiting(&self) -> u32 {
        number(raw::barrier_waiting(self.handle.id()))
    }

    /// Whether it is broken.
    pub fn is_broken(&self) -> bool {
        number(raw::barrier_is_broken(self.handle.id())) != 0
    }
}
