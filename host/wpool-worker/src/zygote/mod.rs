//! The zygote: the single-threaded process that holds the compiled module of one pool and forks its
//! workers.
//!
//! The zygote is this very program, executed again. A function in `.init_array` recognises it
//! before `main` (`fork`), so an embedding program needs no call at its start, and threads of the
//! parent are never forked.
//!
//! **Invariant:** the zygote has one thread whenever it forks; `fork::spawn` asserts this.

mod alone;
mod client;
mod compiler;
mod fork;
mod role;
mod server;
mod template;

pub use client::{LOADED, LoadError, Loaded, Zygote, loaded, obstacle, payload};
pub use fork::closed_at_start;

use crate::module::ModuleError;
use crate::wire::control;

/// An answer or a report of the zygote.
pub type FromZygote = control::FromZygote<ModuleError>;
/// The reason why there is no machine code.
pub type Uncompiled = control::Uncompiled<ModuleError>;
/// The reason why a module is not linked.
pub type Unloaded = control::Unloaded<ModuleError>;
