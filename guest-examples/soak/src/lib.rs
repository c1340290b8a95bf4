//! Work for processes that are killed at any time; what the work leaves behind can be checked.
//!
//! Needs the objects named below; `tests/library_kills/soak.rs` makes them and checks what is left.

use std::time::{Duration, Instant};

use wpool_guest::{Array, Error, Lock, Queue, Value, task};

/// The time for which a consumer waits for a message before it takes the queue for empty.
const PATIENCE: Duration = Duration::from_millis(20);

/// Adds 1 to the value `balance` by a read and a write, holding the lock `guard` for `micros`
/// microseconds.
///
/// The value `inside` is set while a process makes the change. A process that finds `inside` set
/// comes after an owner that died inside, and must have been told so; the value `deaths` counts
/// these cases, the value `told` all times that a process was told.
#[task]
fn increment(micros: u64) -> Result<(), String> {
    let [balance, inside, deaths, told] =
        ["balance", "inside", "deaths", "told"].map(Value::<i64>::open);
    let (balance, inside) = (balance.map_err(text)?, inside.map_err(text)?);
    let guard = Lock::open("guard").map_err(text)?;
    let mut held = guard.lock().map_err(text)?;
    if held.owner_died() {
        told.map_err(text)?.add(1);
    }
    if inside.swap(1) == 1 {
        deaths.map_err(text)?.add(1);
        if !held.owner_died() {
            return Err("the death of an owner was not told".into());
        }
    }
    held.mark_consistent().map_err(text)?;
    let before = balance.get();
    let start = Instant::now();
    while start.elapsed() < Duration::from_micros(micros) {}
    balance.set(before + 1);
    inside.set(0);
    held.release().map_err(text)
}

/// Puts `count` messages into the queue `messages`, each a number that no other process puts: the
/// next of the value `next`. Each number that was put is marked in the array `put`.
#[task]
fn produce(count: u64) -> Result<(), Error> {
    let next = Value::<i64>::open("next")?;
    let put = Array::<u32>::open("put")?;
    let messages = Queue::<[u8]>::open("messages")?;
    for _ in 0..count {
        let number = next.add(1);
        // The messages differ in length: some stand in their descriptors, some take one block, some
        // two.
        let mut message = number.to_le_bytes().to_vec();
        message.resize(8 + number as usize % 3 * 200, number as u8);
        messages.put(&message)?;
        put.add(number as usize, 1);
    }
    Ok(())
}

/// Gets messages from the queue `messages`, at most `count`, until none comes; returns how many.
/// Each message that was got is counted in the array `got`, and in `again` if it was said to be
/// delivered again.
#[task]
fn consume(count: u64) -> Result<u64, String> {
    let got = Array::<u32>::open("got").map_err(text)?;
    let again = Array::<u32>::open("again").map_err(text)?;
    let messages = Queue::<[u8]>::open("messages").map_err(text)?;
    let mut buffer = Vec::new();
    for done in 0..count {
        let message = match messages.get_timeout(&mut buffer, PATIENCE) {
            Err(Error::TimedOut) => return Ok(done),
            message => message.map_err(text)?,
        };
        let (number, rest) = message.value.split_first_chunk().ok_or("a short message")?;
        let number = u64::from_le_bytes(*number);
        if rest.len() as u64 != number % 3 * 200 || rest.iter().any(|byte| *byte != number as u8) {
            return Err(format!("message {number} is not whole"));
        }
        if message.redelivered {
            again.add(number as usize, 1);
        }
        got.add(number as usize, 1);
    }
    messages.acknowledge().map_err(text)?;
    Ok(count)
}

fn text(error: Error) -> String {
    error.to_string()
}
