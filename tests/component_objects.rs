//! What is true of shared objects for guests that are core modules is true for components: the tests of
//! the other programs, with `script-component` in the place of `script` (`common/script.rs`).
//!
//! Not here: `region.rs`, since WIT cannot express that a region is mapped; and `handles.rs`, since the
//! handles, pointers and names that a component gives are checked by the component model itself.

#![expect(
    clippy::duplicate_mod,
    reason = "each of them has what tests share as a module of its own"
)]

#[path = "barrier.rs"]
mod barrier;
#[path = "condition.rs"]
mod condition;
#[path = "event.rs"]
mod event;
#[path = "lock.rs"]
mod lock;
#[path = "queue.rs"]
mod queue;
#[path = "semaphore.rs"]
mod semaphore;
#[path = "shared_memory.rs"]
mod shared_memory;
#[path = "value.rs"]
mod value;
