//! Locks, with one owner at a time.

use crate::guard::lockable;
use crate::handle::{Handle, object};
use crate::raw;

/// A lock that processes share by its name, as Python's `Lock` and `RLock`.
///
/// A lock belongs to the process that acquired it, and no other can release it. If that process
/// dies, the lock is not lost: the next owner is [told](crate::Guard::owner_died).
///
/// ```no_run
/// use wpool_guest::{Lock, Value};
///
/// let guard = Lock::open("guard")?;
/// let balance = Value::<i64>::open("balance")?;
///
/// let held = guard.lock()?;
/// if held.owner_died() {
///     eprintln!("process slot {:?} died here; a value is whole, so all is well", held.culprit());
/// }
/// balance.set(balance.get() * 2);
/// drop(held);
/// # Ok::<(), wpool_guest::Error>(())
/// ```
///
/// Acquiring and releasing the lock take one host call each.
#[derive(Debug)]
pub struct Lock {
    pub(crate) handle: Handle,
}

impl Lock {
    object! {
        "lock", open: raw::lock_open;

        /// Creates a lock. A process that holds the lock and acquires it again gets an error.
        create, open_or_create(): |name| raw::lock_create(name, 0);

        /// Creates a lock that its owner may acquire again, and has to release as often.
        create_recursive, open_or_create_recursive(): |name| raw::lock_create(name, 1);
    }
}

lockable!(Lock: lock_acquire, lock_release, lock_mark_consistent);
