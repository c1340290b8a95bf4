//! A balance that several processes change, to show why read-modify-write needs a lock.
//!
//! The tasks need the objects: `wpool run counter.wasm 'add(10000)' 'subtract(10000)' --value
//! balance=i32:1 --lock guard --show balance`. Without the lock, or an atomic addition, the balance
//! at the end is any number; with it, the balance is the same as at the start. A process may have
//! made these few changes before the second one has started: with `--barrier start=2` both begin at
//! the same time.

use wpool_guest::{Barrier, Error, Lock, Value, task};

/// Adds 1 to the value `balance`, `n` times, by reading and writing it.
#[task]
fn add(n: u64) -> Result<(), Error> {
    change(n, 1)
}

/// Subtracts 1 from the value `balance`, `n` times, by reading and writing it.
#[task]
fn subtract(n: u64) -> Result<(), Error> {
    change(n, -1)
}

/// Adds 1 to the value `balance`, `n` times, holding the lock `guard` each time.
#[task]
fn add_locked(n: u64) -> Result<(), Error> {
    change_locked(n, 1)
}

/// Subtracts 1 from the value `balance`, `n` times, holding the lock `guard` each time.
#[task]
fn subtract_locked(n: u64) -> Result<(), Error> {
    change_locked(n, -1)
}

/// Adds 1 to the value `balance`, `n` times, each time in one go.
#[task]
fn add_atomic(n: u64) -> Result<(), Error> {
    let balance = Balance::open("balance")?;
    for _ in 0..n {
        balance.add(1);
    }
    Ok(())
}

fn change(n: u64, step: i32) -> Result<(), Error> {
    let balance = Balance::open("balance")?;
    start()?;
    for _ in 0..n {
        balance.get_and_set(step);
    }
    Ok(())
}

fn change_locked(n: u64, step: i32) -> Result<(), Error> {
    let balance = Balance::open("balance")?;
    let guard = Lock::open("guard")?;
    start()?;
    for _ in 0..n {
        let _held = guard.lock()?;
        balance.get_and_set(step);
    }
    Ok(())
}

/// Waits for the others at the barrier `start`, if there is one.
fn start() -> Result<(), Error> {
    match Barrier::open("start") {
        Ok(barrier) => barrier.wait().map(drop),
        Err(Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// A value of either type.
enum Balance {
    Short(Value<i32>),
    Long(Value<i64>),
}

impl Balance {
    fn open(name: &str) -> Result<Balance, Error> {
        match Value::open(name) {
            Err(Error::WrongType { .. }) => Value::open(name).map(Balance::Long),
            short => short.map(Balance::Short),
        }
    }

    /// Reads the balance, then writes it: a change by another process in between is lost.
    fn get_and_set(&self, step: i32) {
        match self {
            Balance::Short(value) => value.set(value.get().wrapping_add(step)),
            Balance::Long(value) => value.set(value.get().wrapping_add(step.into())),
        }
    }

    fn add(&self, step: i32) {
        match self {
            Balance::Short(value) => {
                value.add(step);
            }
            Balance::Long(value) => {
                value.add(step.into());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_the_value_there_is_an_error_that_names_it() {
        for task in [add, subtract, add_locked, subtract_locked, add_atomic] {
            let error = task(1).unwrap_err().to_string();
            assert!(error.contains("value `balance`"), "{error}");
        }
    }
}
