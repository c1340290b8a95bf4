//! What crosses a process boundary: both directions' messages side by side, and the memory a
//! worker shares with the dispatcher.
//!
//! `wire` moves and checks bytes. It does not know what a job means or who is at the other end,
//! and it uses nothing else of wpool.

pub mod base64;
pub(crate) mod channel;
pub mod clock;
pub(crate) mod control;
pub mod directory;
pub mod failure;
pub(crate) mod frame;
pub(crate) mod jobmem;
pub mod line;
pub(crate) mod record;
pub mod settings;
pub(crate) mod spin;
pub mod template;
pub mod waits;
