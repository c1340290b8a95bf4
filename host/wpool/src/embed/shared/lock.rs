//! Locks, with one owner at a time.

use super::error::SharedError;
use super::guard::lockable;
use super::handle::{Handle, object};
use crate::shared::Spec;
use std::sync::Arc;

/// A lock that processes and threads share by its name, as Python's `Lock` and `RLock`.
///
/// A lock belongs to the thread or worker that acquired it, and no other can release it. If the
/// owner dies, the lock is not lost: the next owner is [told](super::Guard::owner_died).
///
/// ```
/// use wpool::{Lock, Shared, Value};
///
/// let shared = Shared::new()?;
/// let guard = Lock::create(&shared, "guard")?;
/// let balance = Value::create(&shared, "balance", 21_i64)?;
///
/// let held = guard.lock()?;
/// balance.set(balance.get()? * 2)?;
/// drop(held);
/// # assert_eq!(balance.get()?, 42);
/// # Ok::<(), wpool::SharedError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Lock {
    handle: Arc<Handle>,
}

impl Lock {
    object! {
        Lock "lock";

        /// Creates a lock. A thread that holds the lock and acquires it again gets an error.
        create, open_or_create(): Spec::Lock { recursive: false };

        /// Creates a lock that its owner may acquire again, and has to release as often.
        create_recursive, open_or_create_recursive(): Spec::Lock { recursive: true };
    }

    fn opened(handle: Handle) -> Result<Lock, SharedError> {
        Ok(Lock { handle: Arc::new(handle) })
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }
}

lockable!(Lock);
