//! Tests of the library that count or kill all processes below the test program. Only one runs at a
//! time.

#[path = "../common/mod.rs"]
mod common;

mod orphans;
mod soak;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Waits until no other test runs, and keeps others from running.
fn alone() -> MutexGuard<'static, ()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    // A failed test leaves no state behind, so a poisoned lock is no problem.
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}
