//! The example `counter` as a component, with a world of its own: `wit/world.wit`.
//!
//! The tasks need the objects: `wpool run counter-component.wasm 'add-locked(10000)'
//! 'add-locked(10000)' --value balance=i64:0 --lock guard --show balance`. With `add` the balance
//! at the end is any number.

use wpool_guest::{Error, Lock, Value};

mod bindings {
    #![expect(unsafe_code, reason = "how a component's functions are called")]

    wit_bindgen::generate!({ path: "wit", world: "counter" });

    use super::Counter;
    export!(Counter);
}

/// The implementation of the component's world.
struct Counter;

impl bindings::Guest for Counter {
    fn add(n: u32) -> Result<i64, String> {
        add(n).map_err(|error| error.to_string())
    }

    fn add_locked(n: u32) -> Result<i64, String> {
        add_locked(n).map_err(|error| error.to_string())
    }
}

fn add(n: u32) -> Result<i64, Error> {
    let balance = Value::open("balance")?;
    for _ in 0..n {
        balance.set(balance.get() + 1);
    }
    Ok(balance.get())
}

fn add_locked(n: u32) -> Result<i64, Error> {
    let balance = Value::open("balance")?;
    let guard = Lock::open("guard")?;
    for _ in 0..n {
        let _held = guard.lock()?;
        balance.set(balance.get() + 1);
    }
    Ok(balance.get())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_the_value_there_is_an_error_that_names_it() {
        for task in [add, add_locked] {
            let error = task(1).unwrap_err().to_string();
            assert!(error.contains("value `balance`"), "{error}");
        }
    }
}
