//! Locks and semaphores.

use serde_json::json;
use wpool_guest::{Error, Guard, Lock, Lockable, Permits, Semaphore};

use crate::answer::{Answer, done, unknown};
use crate::objects::{How, Made, Object};
use crate::step::{Within, Words};

/// Makes a lock from `[recursive]`.
pub(crate) fn lock(how: How, name: &str, mut words: Words<'_>) -> Made {
    if how.flag(&mut words, "recursive") {
        let create = || Lock::create_recursive(name);
        return how.make(words, create, create, || Lock::open_or_create_recursive(name));
    }
    let ensure = || Lock::open_or_create(name);
    how.make(words, || Lock::open(name), || Lock::create(name), ensure)
}

impl Object for Lock {
    fn act(&mut self, operation: &str, within: Within, words: Words<'_>) -> Answer {
        words.end()?;
        match operation {
            "acquire" => {
                let timed = |limit| self.lock_timeout(limit);
                held(within.of(|| self.lock(), || self.try_lock(), timed)?)
            }
            "release" => done(self.held().release()),
            "mark-consistent" => mark_consistent(self.held()),
            _ => unknown(operation),
        }
    }

    fn delete(&self) -> Result<(), Error> {
        Lock::delete(self)
    }
}

/// Keeps the lock until a `release`.
pub(crate) fn held<L: Lockable>(guard: Guard<'_, L>) -> Answer {
    let (owner_died, culprit) = (guard.owner_died(), guard.culprit());
    guard.forget();
    if owner_died {
        return Ok(json!({"owner-died": true, "culprit": culprit}));
    }
    Ok(true.into())
}

pub(crate) fn mark_consistent<L: Lockable>(mut guard: Guard<'_, L>) -> Answer {
    let marked = guard.mark_consistent();
    guard.forget();
    done(marked)
}

/// Makes a semaphore from `PERMITS [owned] [bounded]`.
pub(crate) fn semaphore(how: How, name: &str, mut words: Words<'_>) -> Made {
    let count = how.number(&mut words)?;
    let owned = how.flag(&mut words, "owned");
    let permits = if owned { Permits::owned(count) } else { Permits::signal(count) };
    let bounded = how.flag(&mut words, "bounded");
    let permits = if bounded { permits.bounded() } else { permits };
    let create = || Semaphore::create(name, permits);
    let ensure = || Semaphore::open_or_create(name, permits);
    how.make(words, || Semaphore::open(name), create, ensure)
}

impl Object for Semaphore {
    fn act(&mut self, operation: &str, within: Within, words: Words<'_>) -> Answer {
        words.end()?;
        match operation {
            "acquire" => {
                let timed = |limit| self.acquire_timeout(limit);
                let permit = within.of(|| self.acquire(), || self.try_acquire(), timed)?;
                let (restored, culprit) = (permit.restored(), permit.culprit());
                permit.forget();
                if restored == 0 {
                    return Ok(true.into());
                }
                Ok(json!({"restored": restored, "culprit": culprit}))
            }
            "release" => done(self.release()),
            "count" => Ok(self.count().into()),
            _ => unknown(operation),
        }
    }

    fn delete(&self) -> Result<(), Error> {
        Semaphore::delete(self)
    }
}
