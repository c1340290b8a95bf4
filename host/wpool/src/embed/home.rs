//! The home of a pool: the process that made it, and the threads that may wait for it.

use super::error::Error;
use std::cell::Cell;
use std::process;

thread_local! {
    /// True if the calling thread is a pool's own.
    static IS_POOL: Cell<bool> = const { Cell::new(false) };
}

/// Marks the calling thread as a pool's own from now on.
pub(super) fn become_pool() {
    IS_POOL.set(true);
}

/// Returns whether the calling thread is a pool's own, as it is in a callback. If such a thread
/// waited, nobody might be left to end the wait: its own pool could not, nor a pool whose thread
/// waits for it.
#[inline]
pub(super) fn is_pool() -> bool {
    IS_POOL.get()
}

/// Checks that the calling thread may wait without a limit.
///
/// # Errors
/// Returns [`Error::Pool`] if the calling thread is a pool's own.
pub(super) fn may_wait() -> Result<(), Error> {
    match is_pool() {
        false => Ok(()),
        true => Err(Error::Pool(
            "a callback runs on its pool's own thread and must not wait: hand over to another thread"
                .into(),
        )),
    }
}

/// The process that a pool belongs to. A child forked from that process has copies of the handles,
/// but not the pool's thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Home {
    process: u32,
}

impl Default for Home {
    /// Returns the calling process.
    fn default() -> Home {
        Home { process: process::id() }
    }
}

impl Home {
    /// Returns whether the calling process is the pool's home.
    pub(super) fn is_here(self) -> bool {
        self == Home::default()
    }

    /// Checks that the pool can be used in this process. Callers check before they take the pool's
    /// locks: a fork may have copied the locks in their locked state.
    ///
    /// # Errors
    /// Returns [`Error::Pool`] if the calling process is another one.
    pub(super) fn enter(self) -> Result<(), Error> {
        match self.is_here() {
            true => Ok(()),
            false => Err(Error::Pool(
                "the pool belongs to the process that this one was forked from: make another here"
                    .into(),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::child::Child;
    use crate::{Lock, Pool, Process, Shared, SharedError};
    use std::cell::RefCell;
    use std::time::Duration;

    const SQUARE: &str = r#"(module (func (export "square") (param i64) (result i64)
        (i64.mul (local.get 0) (local.get 0))))"#;

    const STUCK: &str = r#"(module (func (export "stuck") (param i64) (loop (br 0))))"#;

    /// Runs `work` in a child, and returns its exit code: 0 if `work` returns true.
    fn in_child(work: impl FnOnce() -> bool) -> Option<i32> {
        Child::new(|| i32::from(!work())).wait(Duration::from_secs(30))
    }

    fn is_refused<T>(result: Result<T, Error>) -> bool {
        matches!(result, Err(Error::Pool(_)))
    }

    #[test]
    fn a_forked_child_waits_for_nothing_and_the_pool_of_its_parent_goes_on() {
        let pool = Pool::from_bytes(SQUARE).workers(1).cache(false).start().unwrap();
        let stuck = Process::from_bytes(STUCK).cache(false).start(1).unwrap();
        let mut square = pool.apply_async::<_, i64>(5).unwrap();
        let (pool, stuck) = (RefCell::new(Some(pool)), RefCell::new(Some(stuck)));
        let code = in_child(|| {
            let (pool, stuck) = (pool.take().unwrap(), stuck.take().unwrap());
            let calls = is_refused(square.get(None))
                && is_refused(pool.apply::<_, i64>(1))
                && pool.map::<_, i64>([1]).is_err()
                && pool.imap::<_, i64>(0..).take(9).filter(Result::is_err).count() == 1
                && pool.join().is_none();
            let joins = !stuck.join(None) && is_refused(stuck.result::<i64>(None));
            stuck.kill();
            pool.terminate();
            drop((pool, stuck));
            calls && joins
        });
        assert_eq!(code, Some(0));
        let (pool, stuck) = (pool.take().unwrap(), stuck.take().unwrap());
        assert_eq!(square.get(None), Ok(25));
        assert_eq!(pool.apply(6), Ok(36));
        assert!(stuck.is_alive());
    }

    #[test]
    fn a_forked_child_lets_go_of_nothing_that_its_parent_holds() {
        let shared = Shared::new().unwrap();
        let lock = Lock::create(&shared, "guard").unwrap();
        std::mem::forget(lock.lock().unwrap());
        let copies = RefCell::new(Some((shared.clone(), Lock::open(&shared, "guard").unwrap())));
        assert_eq!(in_child(|| copies.take().is_some()), Some(0));
        let another = std::thread::scope(|scope| {
            let taken = || lock.lock_timeout(Duration::ZERO).map(drop);
            scope.spawn(taken).join().unwrap()
        });
        assert_eq!(another, Err(SharedError::TimedOut));
        assert_eq!(shared.check(), Vec::<String>::new());
    }
}
