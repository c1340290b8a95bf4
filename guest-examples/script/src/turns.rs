//! Conditions, events and barriers: objects with which processes wait for each other.

use serde_json::json;
use wpool_guest::{Barrier, Condition, Error, Event, Guard, Lock};

use crate::answer::{Answer, done, given, unknown};
use crate::objects::{How, Made, Object};
use crate::permits::{held, mark_consistent};
use crate::step::{Within, Words};

/// Makes a condition from `[LOCK]`.
pub(crate) fn condition(how: How, name: &str, mut words: Words<'_>) -> Made {
    let open = || Condition::open(name);
    if how == How::Open {
        return how.make(words, open, open, open);
    }
    let Some(lock) = words.next() else {
        let ensure = || Condition::open_or_create(name);
        return how.make(words, open, || Condition::create(name), ensure);
    };
    let lock = Lock::open(lock)?;
    let create = || Condition::create_with(name, &lock);
    how.make(words, open, create, || Condition::open_or_create_with(name, &lock))
}

impl Object for Condition {
    fn act(&mut self, operation: &str, within: Within, mut words: Words<'_>) -> Answer {
        if operation == "notify" {
            let count = words.number()?;
            words.end()?;
            return notify(self, |guard| guard.notify(count));
        }
        words.end()?;
        match operation {
            "acquire" => {
                let timed = |limit| self.lock_timeout(limit);
                held(within.of(|| self.lock(), || self.try_lock(), timed)?)
            }
            "release" => done(self.held().release()),
            "mark-consistent" => mark_consistent(self.held()),
            "wait" => wait(self, within),
            "notify-all" => notify(self, |guard| guard.notify_all()),
            _ => unknown(operation),
        }
    }

    fn delete(&self) -> Result<(), Error> {
        Condition::delete(self)
    }
}

/// Waits with the lock that was acquired by an earlier step, and keeps it.
fn wait(condition: &Condition, within: Within) -> Answer {
    let forever = || condition.held().wait().map(|guard| (guard, true));
    let timed = |limit| condition.held().wait_timeout(limit);
    let (guard, notified) = within.of_two(forever, timed)?;
    let mut answer = json!({"notified": notified});
    if guard.owner_died() {
        answer["owner-died"] = true.into();
        answer["culprit"] = guard.culprit().into();
    }
    guard.forget();
    Ok(answer)
}

/// Notifies as `notify` says, with the lock that was acquired by an earlier step.
fn notify(
    condition: &Condition,
    notify: impl FnOnce(&Guard<'_, Condition>) -> Result<u32, Error>,
) -> Answer {
    let guard = condition.held();
    let notified = notify(&guard);
    guard.forget();
    given(notified)
}

pub(crate) fn event(how: How, name: &str, words: Words<'_>) -> Made {
    let ensure = || Event::open_or_create(name);
    how.make(words, || Event::open(name), || Event::create(name), ensure)
}

impl Object for Event {
    fn act(&mut self, operation: &str, within: Within, words: Words<'_>) -> Answer {
        words.end()?;
        match operation {
            "set" => done(self.set()),
            "clear" => done(self.clear()),
            "is-set" => Ok(self.is_set().into()),
            "wait" => done(within.of_two(|| self.wait(), |limit| self.wait_timeout(limit))),
            _ => unknown(operation),
        }
    }

    fn delete(&self) -> Result<(), Error> {
        Event::delete(self)
    }
}

/// Makes a barrier from `PARTIES`.
pub(crate) fn barrier(how: How, name: &str, mut words: Words<'_>) -> Made {
    let parties = how.number(&mut words)?;
    let create = || Barrier::create(name, parties);
    let ensure = || Barrier::open_or_create(name, parties);
    how.make(words, || Barrier::open(name), create, ensure)
}

impl Object for Barrier {
    fn act(&mut self, operation: &str, within: Within, words: Words<'_>) -> Answer {
        words.end()?;
        match operation {
            "wait" => given(within.of_two(|| self.wait(), |limit| self.wait_timeout(limit))),
            "abort" => done(self.abort()),
            "reset" => done(self.reset()),
            "parties" => Ok(self.parties().into()),
            "waiting" => Ok(self.waiting().into()),
            "is-broken" => Ok(self.is_broken().into()),
            _ => unknown(operation),
        }
    }

    fn delete(&self) -> Result<(), Error> {
        Barrier::delete(self)
    }
}
