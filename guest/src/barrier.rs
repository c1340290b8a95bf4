//! Barriers: processes that wait for one another and go on together.

use std::time::Duration;

use crate::error::{Error, answer, done, number};
use crate::handle::{FOREVER, Handle, nanoseconds, object};
use crate::raw;

/// A barrier that processes share by its name, as Python's `Barrier`.
///
/// A party that dies, or gives up waiting, breaks the barrier: no party waits for one that will not
/// come.
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

        /// Creates a barrier for this many parties.
        create, open_or_create(parties: u32): |name| raw::barrier_create(name, parties);
    }

    /// Waits until all parties wait. Returns the place of the caller in the order of arrival: 0
    /// came first.
    ///
    /// # Errors
    /// Returns [`Broken`](Error::Broken) if the barrier is broken, or is broken or reset meanwhile;
    /// [`Interrupted`](Error::Interrupted), which breaks the barrier for the others.
    pub fn wait(&self) -> Result<u32, Error> {
        answer(raw::barrier_wait(self.handle.id(), FOREVER))
    }

    /// Waits like [`wait`](Barrier::wait), but at most for `timeout`.
    ///
    /// # Errors
    /// Returns [`TimedOut`](Error::TimedOut), which breaks the barrier for the others; otherwise
    /// the errors of `wait`.
    pub fn wait_timeout(&self, timeout: Duration) -> Result<u32, Error> {
        answer(raw::barrier_wait(self.handle.id(), nanoseconds(timeout)))
    }

    /// Breaks the barrier. All parties that wait now or later get an error.
    ///
    /// # Errors
    /// Returns [`Broken`](Error::Broken) if the barrier is damaged.
    pub fn abort(&self) -> Result<(), Error> {
        done(raw::barrier_abort(self.handle.id()))
    }

    /// Resets the barrier. All waiting parties get an error; after that the barrier can be used
    /// again.
    ///
    /// # Errors
    /// Returns [`Broken`](Error::Broken) if the barrier is damaged.
    pub fn reset(&self) -> Result<(), Error> {
        done(raw::barrier_reset(self.handle.id()))
    }

    /// Returns the number of parties.
    pub fn parties(&self) -> u32 {
        number(raw::barrier_parties(self.handle.id()))
    }

    /// Returns how many parties wait at this moment.
    pub fn waiting(&self) -> u32 {
        number(raw::barrier_waiting(self.handle.id()))
    }

    /// Returns whether the barrier is broken.
    pub fn is_broken(&self) -> bool {
        number(raw::barrier_is_broken(self.handle.id())) != 0
    }
}
