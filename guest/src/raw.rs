//! The imports from the module `wpool`. The files of `wit/` describe each of them.
//!
//! Outside WebAssembly the same functions exist without a host, so that a task's source compiles
//! and is tested natively: no object is found there and none can be created. Jobs and results exist
//! natively only with the feature `native`: see `native.rs`.

#![expect(unsafe_code, reason = "imported functions, and pointers to what they read and write")]

#[cfg(not(target_family = "wasm"))]
mod absent;
#[cfg(target_family = "wasm")]
mod wasm;

#[cfg(not(target_family = "wasm"))]
pub(crate) use absent::*;
#[cfg(target_family = "wasm")]
pub(crate) use wasm::*;

#[cfg(all(feature = "native", not(target_family = "wasm")))]
pub(crate) use crate::native::{job_read, job_size, result_write};

/// Panics: natively nobody can have a handle to call with.
#[cfg(not(target_family = "wasm"))]
fn nobody() -> ! {
    unreachable!("natively there are no shared objects")
}
