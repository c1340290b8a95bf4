//! Conditions: waiting for a notification, with a lock released meanwhile.

use std::time::Duration;

use crate::error::{Error, answer};
use crate::guard::{Guard, lockable};
use crate::handle::{FOREVER, Handle, nanoseconds, object};
use crate::{Lock, raw};

/// A flag in the answer to a wait: the time was over before a notification came.
const TIME_OVER: u32 = 2;

/// A condition that processes share by its name, as Python's `Condition`.
///
/// A condition has a lock of its own, or uses one that exists. The state that is waited for is kept
/// in other objects, and is looked at with the lock held:
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
/// // Another process adds something, and says so.
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

        /// Creates a condition that uses an existing lock: a holder of that lock may wait and
        /// notify.
        create_with, open_or_create_with(lock: &Lock):
            |name| raw::condition_create(name, lock.handle.id());
    }
}

lockable!(Condition: condition_acquire, condition_release, condition_mark_consistent);

impl Guard<'_, Condition> {
    /// Releases the lock, waits for a notification, and acquires the lock again as often as it was
    /// held before, however long that takes.
    ///
    /// The awaited state may have changed again, and [`owner_died`](Guard::owner_died) may have
    /// changed: check both. [`wait_while`](Guard::wait_while) checks the first.
    ///
    /// # Errors
    /// Returns [`NotOwner`](Error::NotOwner), [`Interrupted`](Error::Interrupted) or
    /// [`Broken`](Error::Broken). The lock is not held any more.
    pub fn wait(self) -> Result<Self, Error> {
        self.wait_ns(FOREVER).map(|(guard, _)| guard)
    }

    /// Waits like [`wait`](Guard::wait), but at most for `timeout` for a notification. Returns
    /// whether there was one.
    ///
    /// # Errors
    /// Returns the errors of `wait`. A wait that ends by `timeout` is not an error, because the
    /// lock is held again.
    pub fn wait_timeout(self, timeout: Duration) -> Result<(Self, bool), Error> {
        self.wait_ns(nanoseconds(timeout))
    }

    /// Waits as long as `blocked`, which is called with the lock held, returns true.
    ///
    /// # Errors
    /// Returns the errors of [`wait`](Guard::wait).
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

    /// Notifies one waiting process. Returns whether there was one.
    ///
    /// # Errors
    /// Returns [`NotOwner`](Error::NotOwner) or [`Broken`](Error::Broken).
    pub fn notify_one(&self) -> Result<bool, Error> {
        self.notify(1).map(|notified| notified > 0)
    }

    /// Notifies up to `count` waiting processes, the longest waiting first. Returns how many were
    /// notified.
    ///
    /// # Errors
    /// Returns [`NotOwner`](Error::NotOwner) or [`Broken`](Error::Broken).
    pub fn notify(&self, count: u32) -> Result<u32, Error> {
        answer(raw::condition_notify(self.lock().handle.id(), count))
    }

    /// Notifies all waiting processes. Returns how many were notified.
    ///
    /// # Errors
    /// Returns [`NotOwner`](Error::NotOwner) or [`Broken`](Error::Broken).
    pub fn notify_all(&self) -> Result<u32, Error> {
        answer(raw::condition_notify_all(self.lock().handle.id()))
    }
}
