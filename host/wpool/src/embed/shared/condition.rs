//! Conditions: waiting, with a lock released, until somebody notifies.

use super::error::SharedError;
use super::guard::{Guard, lockable};
use super::handle::{Handle, ObjectKind, object};
use super::{Lock, Shared};
use crate::shared::Spec;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A condition that processes and threads share by its name, as Python's `Condition`.
///
/// It has a lock of its own, or one that was there before. What is waited for is a matter of other
/// objects, looked at with the lock held:
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

    /// Creates a condition with a lock that exists: whoever holds that may wait and notify.
    ///
    /// # Errors
    /// Those of [`Condition::create`]; [`SharedError::NotFound`] if the lock is of another state.
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
    /// What was waited for may be over again, and [`owner_died`](Guard::owner_died) may have changed:
    /// look at both. [`wait_while`](Guard::wait_while) looks at the first.
    ///
    /// # Errors
    /// [`SharedError::NotOwner`], [`SharedError::Broken`]. The lock is not held any more.
    pub fn wait(self) -> Result<Self, SharedError> {
        self.wait_limit(None).map(|(guard, _)| guard)
    }

    /// Waits as [`wait`](Guard::wait) does, for a notification at most for so long, and says whether
    /// there was one.
    ///
    /// # Errors
    /// Those of `wait`. That the time was over is none, for the lock is held again.
    pub fn wait_timeout(self, timeout: Duration) -> Result<(Self, bool), SharedError> {
        self.wait_limit(Some(timeout))
    }

    /// Waits as often as `blocked` says so, which is called with the lock held.
    ///
    /// # Errors
    /// Those of [`wait`](Guard::wait).
    pub fn wait_while(self, mut blocked: impl FnMut() -> bool) -> Result<Self, SharedError> {
        let mut guard = self;
        while blocked() {
            guard = guard.wait()?;
        }
        Ok(guard)
    }

    /// Waits as [`wait_while`](Guard::wait_while) does, at most for so long, and says whether `blocked`
    /// ended it.
    ///
    /// # Errors
    /// Those of [`wait`](Guard::wait).
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

    /// Notifies one of those that wait, and says whether there was one.
    ///
    /// # Errors
    /// [`SharedError::NotOwner`], [`SharedError::Broken`].
    pub fn notify_one(&self) -> Result<bool, SharedError> {
        self.notify(1).map(|notified| notified > 0)
    }

    /// Notifies up to `count` of those that wait, those first that came first, and says how many.
    ///
    /// # Errors
    /// [`SharedError::NotOwner`], [`SharedError::Broken`].
    pub fn notify(&self, count: u32) -> Result<u32, SharedError> {
        self.handle().act_as(self.owner(), |memory, me, id| memory.condition(id)?.notify(me, count))
    }

    /// Notifies all that wait, and says how many.
    ///
    /// # Errors
    /// [`SharedError::NotOwner`], [`SharedError::Broken`].
    pub fn notify_all(&self) -> Result<u32, SharedError> {
        self.notify(u32::MAX)
    }
}
