//! The tests of shared objects and of commands with components. Commands are encoded as components,
//! and scripts are run by the twin of `script`.
//!
//! The tests of `region.rs` are missing, because WIT cannot express that a region is mapped; and so
//! are those of `handles.rs`, because the component model itself checks the handles, pointers and
//! names that a component gives.

/// True if guests are components.
const COMPONENT: bool = true;

#[path = "twins/barrier.rs"]
mod barrier;
#[path = "twins/command.rs"]
mod command;
#[path = "twins/commands.rs"]
mod commands;
#[path = "twins/condition.rs"]
mod condition;
#[path = "twins/event.rs"]
mod event;
#[path = "twins/lock.rs"]
mod lock;
#[path = "twins/queue.rs"]
mod queue;
#[path = "twins/run_command.rs"]
mod run_command;
#[path = "twins/script.rs"]
mod script;
#[path = "twins/semaphore.rs"]
mod semaphore;
#[path = "twins/shared_memory.rs"]
mod shared_memory;
#[path = "twins/value.rs"]
mod value;
#[path = "twins/victim.rs"]
mod victim;
