//! The library's pool: a dispatcher on a thread of its own, and handles to talk to it.
//!
//! Jobs go in through a bounded [`inbox`]; outcomes are routed to whoever waits for them
//! ([`reply`]). The dispatcher is the same one that the command line runs.

mod builder;
mod error;
mod imap;
mod inbox;
mod pool;
mod reply;
mod result;

pub use builder::Builder;
pub use error::{Error, MapError};
pub use imap::Imap;
pub use pool::Pool;
pub use result::{AsyncResult, MapResult};
