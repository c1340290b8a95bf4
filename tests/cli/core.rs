//! Shared objects used by core modules, and commands that are core modules.

/// True if guests are components.
const COMPONENT: bool = false;

#[path = "twins/barrier.rs"]
mod barrier;
#[path = "twins/command.rs"]
mod command;
#[path = "twins/commands.rs"]
pub(crate) mod commands;
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
pub(crate) mod script;
#[path = "twins/semaphore.rs"]
mod semaphore;
#[path = "twins/shared_memory.rs"]
mod shared_memory;
#[path = "twins/value.rs"]
mod value;
#[path = "twins/victim.rs"]
pub(crate) mod victim;
