//! Semaphores: counts of permits.

use super::error::SharedError;
use super::handle::{Handle, object};
use crate::shared::{self as control, Owner, Spec};
use std::marker::PhantomData;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

/// A semaphore that processes and threads share by its name, as Python's `Semaphore` and
/// `BoundedSemaphore`.
///
/// An **owned** semaphore counts resources: a thread or worker that has acquired a permit holds it,
/// and the permit is restored when its holder dies.
///
/// ```
/// use wpool::{Permits, Semaphore, Shared};
///
/// let shared = Shared::new()?;
/// let connections = Semaphore::create(&shared, "connections", Permits::owned(2).bounded())?;
/// let permit = connections.acquire()?;
/// // At most two are here at the same time.
/// drop(permit);
/// # assert_eq!(connections.count()?, 2);
/// # Ok::<(), wpool::SharedError>(())
/// ```
///
/// A **signal** semaphore counts events: one side releases, the other acquires and forgets.
///
/// ```
/// # use wpool::{Permits, Semaphore, Shared};
/// # let shared = Shared::new()?;
/// let arrivals = Semaphore::create(&shared, "arrivals", Permits::signal(0))?;
/// arrivals.release()?; // Something has arrived.
/// arrivals.acquire()?.forget(); // The other side waits for it.
/// # assert_eq!(arrivals.count()?, 0);
/// # Ok::<(), wpool::SharedError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Semaphore {
    handle: Arc<Handle>,
}

/// The permits of a new semaphore, and whether they have owners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permits {
    initial: u32,
    owned: bool,
    bounded: bool,
}

impl Permits {
    /// Returns `initial` permits. Permits belong to the thread or worker that acquired them, and
    /// are restored when it dies.
    pub const fn owned(initial: u32) -> Permits {
        Permits { initial, owned: true, bounded: false }
    }

    /// Returns `initial` permits, which belong to nobody.
    pub const fn signal(initial: u32) -> Permits {
        Permits { initial, owned: false, bounded: false }
    }

    /// Bounds the semaphore: there are never more permits than at the start.
    #[must_use]
    pub const fn bounded(self) -> Permits {
        Permits { bounded: true, ..self }
    }

    fn spec(self) -> Spec {
        let Permits { initial, owned, bounded } = self;
        Spec::Semaphore { initial, owned, bounded }
    }
}

impl Semaphore {
    object! {
        Semaphore "semaphore";

        /// Creates a semaphore.
        create, open_or_create(permits: Permits): permits.spec();
    }

    fn opened(handle: Handle) -> Result<Semaphore, SharedError> {
        Ok(Semaphore { handle: Arc::new(handle) })
    }

    /// Acquires a permit, however long that takes.
    ///
    /// # Errors
    /// Returns [`SharedError::Broken`] or [`SharedError::NoSlot`].
    pub fn acquire(&self) -> Result<Permit<'_>, SharedError> {
        self.acquire_limit(None)
    }

    /// Acquires a permit if one is free.
    ///
    /// # Errors
    /// Returns [`SharedError::TimedOut`] if no permit is free; otherwise the errors of
    /// [`Semaphore::acquire`].
    pub fn try_acquire(&self) -> Result<Permit<'_>, SharedError> {
        self.acquire_limit(Some(Duration::ZERO))
    }

    /// Acquires a permit, waiting at most for `timeout`.
    ///
    /// # Errors
    /// Returns [`SharedError::TimedOut`], and the errors of [`Semaphore::acquire`].
    pub fn acquire_timeout(&self, timeout: Duration) -> Result<Permit<'_>, SharedError> {
        self.acquire_limit(Some(timeout))
    }

    fn acquire_limit(&self, limit: Option<Duration>) -> Result<Permit<'_>, SharedError> {
        let owner = self.handle.owner()?;
        let acquired =
            self.handle.act_as(owner, |memory, me, id| memory.semaphore(id)?.acquire(me, limit))?;
        let (restored, culprit) = match acquired {
            control::Permit::Clean => (0, None),
            control::Permit::Restored { permits, culprit } => (permits, culprit),
        };
        let culprit = culprit.map(|owner| owner.slot.into());
        Ok(Permit { semaphore: self, owner, restored, culprit, not_send: PhantomData })
    }

    /// Releases a permit of this thread, or adds a new one if this thread holds none.
    ///
    /// # Errors
    /// Returns [`SharedError::TooMany`] beyond a bounded semaphore's initial count;
    /// [`SharedError::Broken`] or [`SharedError::NoSlot`].
    pub fn release(&self) -> Result<(), SharedError> {
        self.handle.act(|memory, me, id| memory.semaphore(id)?.release(me))
    }

    /// Returns how many permits are free at this moment.
    ///
    /// # Errors
    /// Returns [`SharedError::Broken`].
    pub fn count(&self) -> Result<u64, SharedError> {
        self.handle.look(|memory, id| Ok(memory.semaphore(id)?.count()))
    }
}

/// A permit that this thread holds. Dropping it releases the permit.
#[derive(Debug)]
#[must_use = "the permit is released at once if nobody keeps it"]
pub struct Permit<'a> {
    semaphore: &'a Semaphore,
    owner: Owner,
    restored: u32,
    culprit: Option<u32>,
    /// A marker that keeps the permit in the thread that holds it.
    not_send: PhantomData<*const ()>,
}

impl Permit<'_> {
    /// Returns how many permits of dead holders were restored and not reported before. The
    /// resources that those permits stood for may be in disorder.
    pub fn restored(&self) -> u32 {
        self.restored
    }

    /// Returns the slot of the dead holder (a guest's `process_slot`), if a holder died and its
    /// slot is known.
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
    fn drop(&mut self) {
        // An error would mean that there is nothing to release any more.
        let release = |memory: &control::Shared, me: &control::Caller<'_>, id| {
            memory.semaphore(id)?.release(me)
        };
        let _ = self.semaphore.handle.act_as(self.owner, release);
    }
}
