//! The same with components. Commands are encoded as such, and scripts are run by the twin of `script`.
//!
//! Not here: `region.rs`, since WIT cannot express that a region is mapped; and `handles.rs`, since the
//! handles, pointers and names that a component gives are checked by the component model itself.

/// Whether guests are components.
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
