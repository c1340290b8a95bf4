//! Conditions: waiting for a notification, with a lock released meanwhile.

use super::error::SharedError;
use super::guard::{Guard, lockable};
use super::handle::{Handle, ObjectKind, object};
use super::{Lock, Shared};
use crate::shared::Spec;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A condition that processes and threads share by its name, as Python's `Condition`.
///
/// A condition has a lock of its own, or uses one that exists. The state that is waited for is kept
/// in other objects, and is looked at with the lock held:
///
/// ```
/// use wpool::{Condition, Shared, Value};
///
/// let shared = Shared::new()?;
/// let changed = Condition::create(&shared, "changed")?;
/// let stock = Value::create(&shared, "stock", 0_u32)?;
///
/// std::thread::scope(|scope| {
///     scope.spawn(|| -> Result<(), wpool::SharedError> {
///         // Waits until there is something, and takes it.
///         let _held = changed.lock()?.wait_while(|| stock.get() == Ok(0))?;
///         stock.add(u32::MAX).map(drop)
///     });
///     // Adds something, and says so.
///     let held = changed.lock()?;
///     stock.add(1)?;
///     held.notify_one()
/// })?;
/// assert_eq!(stock.get()?, 0);
/// # Ok::<(), wpool::SharedError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Condition {
    handle: Arc<Handle>,
}

impl Condition {
    object! {
        Condition "condition";

        /// Creates a condition with a recursive lock of its own.
        create, open_or_create(): Spec::Condition { lock: None };
    }

    /// Creates a condition that uses an existing lock: a holder of that lock may wait and notify.
    ///
    /// # Errors
    /// Returns the errors of [`Condition::create`]; [`SharedError::NotFound`] if the lock belongs
    /// to another state.
    pub fn create_with(shared: &Shared, name: &str, lock: &Lock) -> Result<Condition, SharedError> {
        let spec = Spec::Condition { lock: Some(lock.handle().id_in(shared)?) };
        Condition::opened(Handle::create(shared, ObjectKind::Condition, name, &spec)?)
    }

    fn opened(handle: Handle) -> Result<Condition, SharedError> {
        Ok(Condition { handle: Arc::new(handle) })
    }
}

lockable!(Condition);

impl Guard<'_, Condition> {
    /// Releases the lock, waits for a notification, and acquires the lock again as often as it was
    /// held before, however long that takes.
    ///
    /// The awaited state may have changed again, and [`owner_died`](Guard::owner_died) may have
    /// changed: check both. [`wait_while`](Guard::wait_while) checks the first.
    ///
    /// # Errors
    /// Returns [`SharedError::NotOwner`] or [`SharedError::Broken`]. The lock is not held any more.
    pub fn wait(self) -> Result<Self, SharedError> {
        self.wait_limit(None).map(|(guard, _)| guard)
    }

    /// Waits like [`wait`](Guard::wait), but at most for `timeout` for a notification. Returns
    /// whether there was one.
    ///
    /// # Errors
    /// Returns the errors of `wait`. A wait that ends by `timeout` is not an error, because the
    /// lock is held again.
    pub fn wait_timeout(self, timeout: Duration) -> Result<(Self, bool), SharedError> {
        self.wait_limit(Some(timeout))
    }

    /// Waits as long as `blocked`, which is called with the lock held, returns true.
    ///
    /// # Errors
    /// Returns the errors of [`wait`](Guard::wait).
    pub fn wait_while(self, mut blocked: impl FnMut() -> bool) -> Result<Self, SharedError> {
        let mut guard = self;
        while blocked() {
            guard = guard.wait()?;
        }
        Ok(guard)
    }

    /// Waits like [`wait_while`](Guard::wait_while), but at most for `timeout`. Returns whether
    /// `blocked` returned false.
    ///
    /// # Errors
    /// Returns the errors of [`wait`](Guard::wait).
    pub fn wait_timeout_while(
        self,
        timeout: Duration,
        mut blocked: impl FnMut() -> bool,
    ) -> Result<(Self, bool), SharedError> {
        let since = Instant::now();
        let mut guard = self;
        while blocked() {
            let left = timeout.saturating_sub(since.elapsed());
            if left.is_zero() {
                return Ok((guard, false));
            }
            (guard, _) = guard.wait_timeout(left)?;
        }
        Ok((guard, true))
    }

    fn wait_limit(mut self, limit: Option<Duration>) -> Result<(Self, bool), SharedError> {
        self.give_up();
        let waited = self
            .handle()
            .act_as(self.owner(), |memory, me, id| memory.condition(id)?.wait(me, limit))?;
        self.reacquired(waited.lock);
        Ok((self, waited.notified))
    }

    /// Notifies one waiter. Returns whether there was one.
    ///
    /// # Errors
    /// Returns [`SharedError::NotOwner`] or [`SharedError::Broken`].
    pub fn notify_one(&self) -> Result<bool, SharedError> {
        self.notify(1).map(|notified| notified > 0)
    }

    /// Notifies up to `count` waiters, the longest waiting first. Returns how many were notified.
    ///
    /// # Errors
    /// Returns [`SharedError::NotOwner`] or [`SharedError::Broken`].
    pub fn notify(&self, count: u32) -> Result<u32, SharedError> {
        self.handle().act_as(self.owner(), |memory, me, id| memory.condition(id)?.notify(me, count))
    }

    /// Notifies all waiters. Returns how many were notified.
    ///
    /// # Errors
    /// Returns [`SharedError::NotOwner`] or [`SharedError::Broken`].
    pub fn notify_all(&self) -> Result<u32, SharedError> {
        self.notify(u32::MAX)
    }
}
