//! The cost of shared objects: each task does one thing `n` times, for benchmarks.
//!
//! The tasks create the objects that wpool was not told to create.

use wpool_guest::{
    Capacity, Condition, Dict, Error, Event, List, Lock, Permits, Queue, Semaphore, Value, task,
};

/// The message that travels through the queue.
const MESSAGE: [u8; 64] = [b'x'; 64];

/// Acquires and releases the lock `guard`.
#[task]
fn lock_pair(n: u64) {
    let guard = done(Lock::open_or_create("guard"));
    for _ in 0..n {
        drop(done(guard.lock()));
    }
}

/// Adds 1 to the value `balance` (`i64`) by reading and writing it under the lock `guard`; returns
/// the new value.
#[task]
fn locked_increment(n: u64) -> i64 {
    let guard = done(Lock::open_or_create("guard"));
    let balance = done(Value::<i64>::open_or_create("balance", 0));
    for _ in 0..n {
        let _held = done(guard.lock());
        balance.set(balance.get() + 1);
    }
    balance.get()
}

/// Adds 1 to the value `balance` (`i64`) atomically; returns the new value.
#[task]
fn value_add(n: u64) -> i64 {
    let balance = done(Value::<i64>::open_or_create("balance", 0));
    for _ in 0..n {
        balance.add(1);
    }
    balance.get()
}

/// Puts a message of 64 bytes into the queue `q` and gets it again; returns the number of bytes
/// that were got.
#[task]
fn queue_pair(n: u64) -> u64 {
    let queue = queue();
    let mut buffer = Vec::new();
    let mut bytes = 0;
    for _ in 0..n {
        done(queue.put(&MESSAGE));
        bytes += done(queue.get(&mut buffer)).value.len() as u64;
    }
    bytes
}

/// Puts `n` messages of 64 bytes into the queue `q`.
#[task]
fn produce(n: u64) {
    let queue = queue();
    for _ in 0..n {
        done(queue.put(&MESSAGE));
    }
}

/// Gets `n` messages from the queue `q`; returns the number of bytes that they had.
#[task]
fn consume(n: u64) -> u64 {
    let queue = queue();
    let mut buffer = Vec::new();
    let mut bytes = 0;
    for _ in 0..n {
        bytes += done(queue.get(&mut buffer)).value.len() as u64;
    }
    if n > 0 {
        done(queue.acknowledge());
    }
    bytes
}

/// Acquires and releases a permit of the semaphore `s`.
#[task]
fn semaphore_pair(n: u64) {
    let semaphore = done(Semaphore::open_or_create("s", Permits::owned(1)));
    for _ in 0..n {
        drop(done(semaphore.acquire()));
    }
}

/// Checks whether the event `e` is set; returns how often it was.
#[task]
fn event_is_set(n: u64) -> u64 {
    let event = done(Event::open_or_create("e"));
    (0..n).map(|_| u64::from(event.is_set())).sum()
}

/// Acquires the lock of the condition `c`, notifies one wait, and releases the lock.
#[task]
fn condition_notify(n: u64) {
    let condition = done(Condition::open_or_create("c"));
    for _ in 0..n {
        done(done(condition.lock()).notify_one());
    }
}

/// Sets entries of the dict `d`, which has so many, in no order; `n` times.
#[task]
fn dict_set(n: u64, entries: u64) {
    let dict = filled(entries);
    for number in 0..n {
        done(dict.set(&scattered(number, entries), &number));
    }
}

/// Gets entries of the dict `d`, which has so many, in no order; returns the number that were there.
#[task]
fn dict_get(n: u64, entries: u64) -> u64 {
    let dict = filled(entries);
    let found = |number| done(dict.get(&scattered(number, entries))).is_some();
    (0..n).map(|number| u64::from(found(number))).sum()
}

/// Adds 1 to the entry `n` of the dict `d`; returns the sum.
#[task]
fn dict_add(n: u64) -> i64 {
    let dict = done(Dict::<String, i64>::open_or_create("d"));
    let key = "n".to_owned();
    (0..n).fold(0, |_, _| done(dict.add(&key, 1)))
}

/// Appends numbers to the list `l`, which is cleared each time that it has 1,000.
#[task]
fn list_append(n: u64) {
    let list = done(List::open_or_create("l"));
    for number in 0..n {
        done(list.append(&number));
        if number % 1000 == 999 {
            done(list.clear());
        }
    }
}

/// Appends a number to the list `l`, and pops the last; returns the number that were there.
#[task]
fn list_pair(n: u64) -> u64 {
    let list = done(List::open_or_create("l"));
    let mut popped = 0;
    for number in 0..n {
        done(list.append(&number));
        popped += u64::from(done(list.pop()).is_some());
    }
    popped
}

/// Returns the dict `d` with so many entries.
fn filled(entries: u64) -> Dict<u64, u64> {
    let dict = done(Dict::open_or_create("d"));
    if (done(dict.len()) as u64) < entries {
        (0..entries).for_each(|key| done(dict.set(&key, &0)));
    }
    dict
}

/// Returns one of so many keys, without a pattern that a cache could follow.
fn scattered(number: u64, keys: u64) -> u64 {
    (number.wrapping_mul(6_364_136_223_846_793_005) >> 32) % keys.max(1)
}

fn queue() -> Queue<[u8]> {
    done(Queue::open_or_create("q", Capacity::messages(1024)))
}

/// Unwraps an answer, trapping on an error, because tasks that are called without any encoding have
/// no errors.
#[inline]
fn done<T>(answer: Result<T, Error>) -> T {
    answer.unwrap_or_else(|error| panic!("{error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "no space left")]
    fn natively_there_is_no_space_for_objects() {
        lock_pair(1);
    }
}
