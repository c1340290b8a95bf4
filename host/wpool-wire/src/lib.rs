//! Everything that crosses a process boundary: the messages of both directions side by side, and
//! the memory that a worker shares with the dispatcher.
//!
//! The crate moves and checks bytes. It does not know what a job means or who is at the other end,
//! and it uses nothing else of wpool.

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
compile_error!("wpool runs on Linux only, on x86-64 and aarch64");

extern crate self as wire;

pub mod base64;
pub mod channel;
pub mod clock;
pub mod control;
pub mod directory;
pub mod failure;
pub mod frame;
pub mod jail;
pub mod jobmem;
pub mod line;
pub mod packet;
pub mod record;
pub mod scratch;
pub mod settings;
pub mod spin;
mod tape;
pub mod template;
pub mod waits;
