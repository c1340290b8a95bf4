//! Semaphores: counts of permits.

use std::mem;
use std::time::Duration;

use crate::error::{Error, answer, culprit, done, number};
use crate::handle::{FOREVER, Handle, NOW, nanoseconds, object};
use crate::raw;

const OWNED: i32 = 1;
const BOUNDED: i32 = 2;

/// A semaphore that processes share by its name, as Python's `Semaphore` and `BoundedSemaphore`.
///
/// An **owned** semaphore counts resources: a process that has acquired a permit holds it, and the
/// permit is restored when the process dies.
///
/// ```no_run
/// use wpool_guest::{Permits, Semaphore};
///
/// let connections = Semaphore::open_or_create("connections", Permits::owned(2).bounded())?;
/// let permit = connections.acquire()?;
/// // At most two processes are here at the same time.
/// drop(permit);
/// # Ok::<(), wpool_guest::Error>(())
/// ```
///
/// A **signal** semaphore counts events: one side releases, the other acquires and forgets.
///
/// ```no_run
/// use wpool_guest::{Permits, Semaphore};
///
/// let arrivals = Semaphore::open_or_create("arrivals", Permits::signal(0))?;
/// arrivals.release()?; // Something has arrived.
/// arrivals.acquire()?.forget(); // The other side waits for it.
/// # Ok::<(), wpool_guest::Error>(())
/// ```
#[derive(Debug)]
pub struct Semaphore {
    handle: Handle,
}

/// The permits of a new semaphore, and whether they have owners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permits {
    initial: u32,
    flags: i32,
}

impl Permits {
    /// Returns `initial` permits. Permits belong to the process that acquired them, and are
    /// restored when it dies.
    pub const fn owned(initial: u32) -> Permits {
        Permits { initial, flags: OWNED }
    }

    /// Returns `initial` permits, which belong to nobody.
    pub const fn signal(initial: u32) -> Permits {
        Permits { initial, flags: 0 }
    }

    /// Bounds the semaphore: there are never more permits than at the start.
    pub const fn bounded(self) -> Permits {
        Permits { flags: self.flags | BOUNDED, ..self }
    }
}

impl Semaphore {
    object! {
        "semaphore", open: raw::semaphore_open;

        /// Creates a semaphore.
        create, open_or_create(permits: Permits):
            |name| raw::semaphore_create(name, permits.initial, permits.flags);
    }

    /// Acquires a permit, however long that takes.
    ///
    /// # Errors
    /// Returns [`Interrupted`](Error::Interrupted) or [`Broken`](Error::Broken).
    #[inline]
    pub fn acquire(&self) -> Result<Permit<'_>, Error> {
        self.acquire_ns(FOREVER)
    }

    /// Acquires a permit if one is free.
    ///
    /// # Errors
    /// Returns [`TimedOut`](Error::TimedOut) if no permit is free, or [`Broken`](Error::Broken).
    #[inline]
    pub fn try_acquire(&self) -> Result<Permit<'_>, Error> {
        self.acquire_ns(NOW)
    }

    /// Acquires a permit, waiting at most for `timeout`.
    ///
    /// # Errors
    /// Returns [`TimedOut`](Error::TimedOut), and the errors of [`acquire`](Semaphore::acquire).
    pub fn acquire_timeout(&self, timeout: Duration) -> Result<Permit<'_>, Error> {
        self.acquire_ns(nanoseconds(timeout))
    }

    #[inline]
    fn acquire_ns(&self, timeout_ns: i64) -> Result<Permit<'_>, Error> {
        let restored = answer(raw::semaphore_acquire(self.handle.id(), timeout_ns))?;
        let culprit = if restored > 0 { culprit() } else { None };
        Ok(Permit { semaphore: self, restored, culprit })
    }

    /// Releases a permit of this process, or adds a new one if this process holds none.
    ///
    /// # Errors
    /// Returns [`TooMany`](Error::TooMany) beyond a bounded semaphore's initial count;
    /// [`Broken`](Error::Broken).
    #[inline]
    pub fn release(&self) -> Result<(), Error> {
        done(raw::semaphore_release(self.handle.id()))
    }

    /// Returns how many permits are free at this moment.
    pub fn count(&self) -> u32 {
        number(raw::semaphore_count(self.handle.id()))
    }
}

/// A permit that this process holds. Dropping it releases the permit.
#[derive(Debug)]
#[must_use = "the permit is released at once if nobody keeps it"]
pub struct Permit<'a> {
    semaphore: &'a Semaphore,
    restored: u32,
    culprit: Option<u32>,
}

impl Permit<'_> {
    /// Returns how many permits of dead processes were restored and not reported before. The
    /// resources that those permits stood for may be in disorder.
    pub fn restored(&self) -> u32 {
        self.restored
    }

    /// Returns the [slot](crate::process_slot) of the process that died, if one died and its slot
    /// is known.
    pub fn culprit(&self) -> Option<u32> {
        self.culprit
    }

    /// Keeps the permit acquired beyond the life of this value. [`Semaphore::release`] releases it;
    /// a permit that stands for an event is never released.
    pub fn forget(self) {
        mem::forget(self);
    }
}

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        // An error would mean that there is nothing to release any more.
        let _ = self.semaphore.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permits_are_owned_or_signals_and_bounded_or_not() {
        assert_eq!(Permits::owned(2).bounded(), Permits { initial: 2, flags: 3 });
        assert_eq!(Permits::signal(0), Permits { initial: 0, flags: 0 });
    }
}
