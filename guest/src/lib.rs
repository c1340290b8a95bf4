//! Tasks for wpool in Rust.
//!
//! A task is an ordinary function with [`#[task]`](macro@task) on it, in a crate of type `cdylib`
//! built for `wasm32-wasip1`:
//!
//! ```
//! use wpool_guest::task;
//!
//! /// The even ones among `numbers`.
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
//! A task whose parameters and result are all numbers or `bool` is called directly. Any other
//! task reads its job as JSON and answers in JSON, so its parameters need
//! [`serde::Deserialize`], its result [`serde::Serialize`].
//!
//! - A job is the value for one parameter, an array for several; none ignores it.
//! - A result of `()` is `null`. As everywhere in `serde_json`, a NaN or an infinity inside a
//!   JSON result is `null` too.
//! - `Result<T, E>` answers with `T`, or fails the job with the message of `E`.
//! - A panic fails the job as a trap; its message goes to wpool's standard error.

#[cfg(test)]
extern crate self as wpool_guest;

mod host;
mod initialize;
mod task;

pub use host::{job, process_id, result_write};
pub use wpool_guest_macros::task;

/// What the code written by [`macro@task`] calls; not for use by hand.
#[doc(hidden)]
pub mod __private {
    pub use crate::task::{Scalar, answer, byte_task};
}
