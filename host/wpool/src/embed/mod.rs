//! The library's pools and processes: a dispatcher on a thread of its own, and handles to talk to it.
//!
//! Jobs go in through a bounded [`inbox`]; each outcome is routed to the caller that waits for it
//! ([`reply`]). The command line runs the same dispatcher.
//!
//! [`shared`] is shared state for pools and threads of a program.

mod builder;
mod error;
mod home;
mod imap;
mod inbox;
mod launcher;
mod life;
mod pool;
mod process;
mod reply;
mod result;
mod shared;

pub use builder::Builder;
pub use error::{Error, MapError};
pub use imap::Imap;
pub use launcher::Launcher;
pub use pool::Pool;
pub use process::Process;
pub use reply::GuestLine;
pub use result::{AsyncResult, MapResult};
pub use shared::{
    Arithmetic, Array, Barrier, Bounds, Capacity, Condition, Dict, Event, Guard, Iter, List, Lock,
    Number, ObjectKind, Permit, Permits, Queue, Received, Region, Semaphore, Set, Shared,
    SharedBuilder, SharedError, Value, Versioned,
};
