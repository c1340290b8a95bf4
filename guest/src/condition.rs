//! Conditions: waiting, with a lock released, until somebody notifies.

use std::time::Duration;

use crate::error::{Error, answer};
use crate::guard::{Guard, lockable};
use crate::handle::{FOREVER, Handle, nanoseconds, object};
use crate::{Lock, raw};

/// In the answer to a wait: the time was over before a notification.
const TIME_OVER: u32 = 2;

/// A condition that processes share by its name, as Python's `Condition`.
///
/// It has a lock of its own, or one that was there before. What is waited for is a matter of other
/// objects, looked at with the lock held:
///
/// ```no_run
/// use wpool_guest::{Condition, Value};
///
/// let changed = Condition::open("changed")?;
/// let stock = Value::<u32>::open("stock")?;
///
/// // One process waits until there is something, and takes it.
/// let guard = changed.lock()?.wait_while(|| stock.get() == 0)?;
/// stock.set(stock.get() - 1);
/// drop(guard);
///
/// // Another adds something, and says so.
/// let guard = changed.lock()?;
/// stock.set(stock.get() + 1);
/// guard.notify_one()?;
/// # Ok::<(), wpool_guest::Error>(())
/// ```
#[derive(Debug)]
pub struct Condition {
    handle: Handle,
}

impl Condition {
    object! {
        "condition", open: raw::condition_open;

        /// Creates a condition with a recursive lock of its own.
        create, open_or_create(): |name| raw::condition_create(name, 0);

        /// Creates a condition with a lock that exists: whoever holds that may wait and notify.
        create_with, open_or_create_with(lock: &Lock):
            |name| raw::condition_create(name, lock.handle.id());
    }
}

lockable!(Condition: condition_acquire, condition_release, condition_mark_consistent);

impl Guard<'_, Condition> {
    /// Releases the lock, waits for a notification, and acquires the lock again as often as it was
    /// held before, however long that takes.
    ///
    /// What was waited for may be over again, and [`owner_died`](Guard::owner_died) may have changed:
    /// look at both. [`wait_while`](Guard::wait_while) looks at the first.
    ///
    /// # Errors
    /// [`NotOwner`](Error::NotOwner), [`Interrupted`](Error::Interrupted),
    /// [`Broken`](Error::Broken). The lock is not held any more.
    pub fn wait(self) -> Result<Self, Error> {
        self.wait_ns(FOREVER).map(|(guard, _)| guard)
    }

    /// Waits as [`wait`](Guard::wait) does, for a notification at most for so long, and says whether
    /// there was one.
    ///
    /// # Errors
    /// Those of `wait`. That the time was over is none, for the lock is held again.
    pub fn wait_timeout(self, timeout: Duration) -> Result<(Self, bool), Error> {
        self.wait_ns(nanoseconds(timeout))
    }

    /// Waits as often as `blocked` says so, which is called with the lock held.
    ///
    /// # Errors
    /// Those of [`wait`](Guard::wait).
    pub fn wait_while(self, mut blocked: impl FnMut() -> bool) -> Result<Self, Error> {
        let mut guard = self;
        while blocked() {
            guard = guard.wait()?;
        }
        Ok(guard)
    }

    fn wait_ns(mut self, timeout_ns: i64) -> Result<(Self, bool), Error> {
        match answer(raw::condition_wait(self.lock().handle.id(), timeout_ns)) {
            Ok(how) => {
                self.reacquired(how);
                Ok((self, how & TIME_OVER == 0))
            }
            Err(error) => {
                self.forget();
                Err(error)
            }
        }
    }

    /// Notifies one of the processes that wait, and says whether there was one.
    ///
    /// # Errors
    /// [`NotOwner`](Error::NotOwner), [`Broken`](Error::Broken).
    pub fn notify_one(&self) -> Result<bool, Error> {
        self.notify(1).map(|notified| notified > 0)
    }

    /// Notifies up to `count` of the processes that wait, those first that came first, and says how
    /// many.
    ///
    /// # Errors
    /// [`NotOwner`](Error::NotOwner), [`Broken`](Error::Broken).
    pub fn notify(&self, count: u32) -> Result<u32, Error> {
        answer(raw::condition_notify(self.lock().handle.id(), count))
    }

    /// Notifies all processes that wait, and says how many.
    ///
    /// # Errors
    /// [`NotOwner`](Error::NotOwner), [`Broken`](Error::Broken).
    pub fn notify_all(&self) -> Result<u32, Error> {
        answer(raw::condition_notify_all(self.lock().handle.id()))
    }
}
