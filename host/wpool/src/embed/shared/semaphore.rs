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
/// An **owned** one counts resources: whoever acquired a permit holds it, and when that one dies the
/// permit is restored.
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
/// arrivals.release()?; // Here something has arrived.
/// arrivals.acquire()?.forget(); // There it is waited for.
/// # assert_eq!(arrivals.count()?, 0);
/// # Ok::<(), wpool::SharedError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Semaphore {
    handle: Arc<Handle>,
}

/// The permits of a new semaphore, and whose they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permits {
    initial: u32,
    owned: bool,
    bounded: bool,
}

impl Permits {
    /// So many permits at the start. They belong to who acquired them, and are restored at its death.
    pub const fn owned(initial: u32) -> Permits {
        Permits { initial, owned: true, bounded: false }
    }

    /// So many permits at the start, which belong to nobody.
    pub const fn signal(initial: u32) -> Permits {
        Permits { initial, owned: false, bounded: false }
    }

    /// Never more permits than at the start.
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
    /// [`SharedError::Broken`], [`SharedError::NoSlot`].
    pub fn acquire(&self) -> Result<Permit<'_>, SharedError> {
        self.acquire_limit(None)
    }

    /// Acquires a permit if one is free.
    ///
    /// # Errors
    /// [`SharedError::TimedOut`] if none is; else those of [`Semaphore::acquire`].
    pub fn try_acquire(&self) -> Result<Permit<'_>, SharedError> {
        self.acquire_limit(Some(Duration::ZERO))
    }

    /// Acquires a permit, waiting at most for so long.
    ///
    /// # Errors
    /// [`SharedError::TimedOut`], and those of [`Semaphore::acquire`].
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

    /// Releases a permit, or adds one if this thread holds none: an event.
    ///
    /// # Errors
    /// [`SharedError::TooMany`] beyond a bounded semaphore's initial count; [`SharedError::Broken`],
    /// [`SharedError::NoSlot`].
    pub fn release(&self) -> Result<(), SharedError> {
        self.handle.act(|memory, me, id| memory.semaphore(id)?.release(me))
    }

    /// How many permits are free, at this moment.
    ///
    /// # Errors
    /// [`SharedError::Broken`].
    pub fn count(&self) -> Result<u64, SharedError> {
        self.handle.look(|memory, id| Ok(memory.semaphore(id)?.count()))
    }
}

/// A permit that this thread holds, released when this is dropped.
#[derive(Debug)]
#[must_use = "the permit is released at once if nobody keeps it"]
pub struct Permit<'a> {
    semaphore: &'a Semaphore,
    owner: Owner,
    restored: u32,
    culprit: Option<u32>,
    /// It is held by this thread and no other.
    not_send: PhantomData<*const ()>,
}

impl Permit<'_> {
    /// How many permits of the dead were restored and not told of before: what they were permits for
    /// may be in disorder.
    pub fn restored(&self) -> u32 {
        self.restored
    }

    /// The slot of the one that died (a guest's `process_slot`), if one did and it is known.
    pub fn culprit(&self) -> Option<u32> {
        self.culprit
    }

    /// Keeps the permit beyond this value's life: it is released by [`Semaphore::release`], or never,
    /// where it stands for an event.
    pub fn forget(self) {
        mem::forget(self);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        // An error would say that there is nothing to release any more.
        let release = |memory: &control::Shared, me: &control::Caller<'_>, id| {
            memory.semaphore(id)?.release(me)
        };
        let _ = self.semaphore.handle.act_as(self.owner, release);
    }
}
