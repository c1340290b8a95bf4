//! Tasks for wpool in Rust.
//!
//! A task is an ordinary function with [`#[task]`](macro@task) on it, in a crate of type `cdylib`
//! built for `wasm32-wasip1`:
//!
//! ```
//! use wpool_guest::task;
//!
//! /// Returns the even ones among `numbers`.
//! #[task]
//! fn evens(numbers: Vec<i64>) -> Vec<i64> {
//!     numbers.into_iter().filter(|n| n % 2 == 0).collect()
//! }
//!
//! // It stays an ordinary function, so its tests run natively.
//! assert_eq!(evens(vec![0, 1, 2, 3, 4]), [0, 2, 4]);
//! ```
//!
//! ```console
//! $ wpool map evens.wasm ::: '[0,1,2,3,4]' '[5]'
//! [0,2,4]
//! []
//! ```
//!
//! # How jobs and results travel
//!
//! A task whose parameters and result are all numbers or `bool` is called directly. Any other task
//! reads its job as JSON and writes its result as JSON, so its parameters need
//! [`serde::Deserialize`], and its result needs [`serde::Serialize`].
//!
//! - A job is the value of a single parameter, or an array of several. A task without parameters
//!   ignores its job.
//! - A result of `()` is `null`. As everywhere in `serde_json`, a NaN or an infinity inside a JSON
//!   result is `null` too.
//! - A `Result<T, E>` becomes the result `T`, or fails the job with the message of `E`.
//! - A panic fails the job as a trap; its message goes to wpool's standard error.
//!
//! # Shared state
//! Jobs that run in several processes share objects by their names. wpool creates an object if it
//! is told to (`--value balance=i64:100 --lock guard`), or a job creates it itself.
//!
//! ```
//! use wpool_guest::{Error, Lock, Value, task};
//!
//! /// Adds `amount` to the balance, and returns the new balance.
//! #[task]
//! fn deposit(amount: i64) -> Result<i64, Error> {
//!     let balance = Value::open("balance")?;
//!     let guard = Lock::open("guard")?;
//!     let _held = guard.lock()?;
//!     balance.set(balance.get() + amount);
//!     Ok(balance.get())
//! }
//!
//! // Natively there are no objects.
//! assert!(matches!(deposit(5), Err(Error::NotFound { .. })));
//! ```
//!
//! | object | for |
//! |---|---|
//! | [`Lock`], [`Semaphore`] | one process at a time, or a given number |
//! | [`Condition`], [`Event`], [`Barrier`] | waiting for each other |
//! | [`Queue`] | messages |
//! | [`Value`], [`Array`] | numbers that are always whole |
//! | [`List`], [`Dict`], [`Set`] | what Python's `Manager` has, without its server process |
//! | [`Region`] | memory, [mapped](Mapping) into this module's own |
//!
//! - An object is opened by its name, and [closed](Drop) when its last handle is dropped. It exists
//!   until it is [deleted](Lock::delete), or the pool ends.
//! - A function that waits has a form that does not wait (`try_…`) and one that waits for a limited
//!   time (`…_timeout`). If nothing came of it, both return [`Error::TimedOut`].
//! - The death of a process at any time, be it by a trap, a timeout or a kill, makes nobody hang:
//!   the processes concerned are told, by [`Guard::owner_died`], [`Permit::restored`],
//!   [`Received::redelivered`] or [`Error::Broken`].
//! - A lock or permit that a job holds beyond its end, by [`Guard::forget`] or in a `static`, is
//!   held by the next job of the same instance. A new instance holds nothing: everything that the
//!   old instance held is freed as if its process had died.
//!
//! # Components
//! A component's tasks are the functions that its own world exports, with parameters and results of
//! any WIT type, so there is no `#[task]`. With the feature `component` the shared objects are
//! those of the interfaces `wpool:host/…`. Everything here works as in a core module except what
//! only a core module has: jobs as bytes, and regions in its own memory.
//!
//! ```toml
//! [dependencies]
//! wit-bindgen = "0.61"
//! wpool-guest = { version = "0.1", features = ["component"] }
//! ```
//!
//! # Native libraries
//! With the feature `native` the same source also becomes a shared library for the machine itself,
//! whose tasks a program loads and calls; `native.rs` has the contract. Native tasks have no
//! sandbox, so they serve to measure what the sandbox costs.

#[cfg(test)]
extern crate self as wpool_guest;

mod answer;
mod array;
mod barrier;
mod code;
mod condition;
mod dict;
mod error;
mod event;
mod guard;
mod handle;
mod host;
mod initialize;
#[cfg(not(all(feature = "component", target_family = "wasm")))]
mod job;
mod list;
mod lock;
#[cfg(not(all(feature = "component", target_family = "wasm")))]
mod mapping;
#[cfg(all(feature = "native", not(target_family = "wasm")))]
pub mod native;
mod nested;
mod number;
mod plain;
mod queue;
#[cfg_attr(all(feature = "component", target_family = "wasm"), path = "component/mod.rs")]
mod raw;
mod region;
mod semaphore;
mod set;
#[cfg(not(all(feature = "component", target_family = "wasm")))]
mod task;
mod value;

pub use array::Array;
pub use barrier::Barrier;
pub use condition::Condition;
pub use dict::{Dict, Versioned};
pub use error::Error;
pub use event::Event;
pub use guard::{Guard, Lockable};
pub use host::{process_id, process_slot};
pub use list::List;
pub use lock::Lock;
pub use nested::Nested;
pub use number::{Arithmetic, Number};
pub use plain::{Plain, SharedCell};
pub use queue::{Capacity, Messages, Queue, Received};
pub use region::Region;
pub use semaphore::{Permit, Permits, Semaphore};
pub use set::Set;
pub use value::Value;

#[cfg(not(all(feature = "component", target_family = "wasm")))]
pub use {
    job::{job, result_write},
    mapping::Mapping,
    wpool_guest_macros::task,
};

/// The functions called by the code that [`macro@task`] writes; not for use by hand.
#[cfg(not(all(feature = "component", target_family = "wasm")))]
#[doc(hidden)]
pub mod __private {
    pub use crate::task::{Scalar, answer, byte_task};
}
