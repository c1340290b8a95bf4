//! The parent side: owns the truth about jobs and workers.
//!
//! A [`session`] holds a loaded module. Its runs are a [`dispatcher`]'s, between a source of jobs and
//! a sink of outcomes ([`feed`]). Nothing here knows wasm, a command line, or a terminal.

pub mod alone;
mod backlog;
mod batch;
pub mod config;
pub mod cpus;
mod dispatcher;
mod ending;
pub mod error;
mod events;
pub mod feed;
mod grants;
mod handle;
mod ledger;
mod limit;
mod outcomes;
mod pace;
mod progress;
mod receiving;
mod sending;
pub mod session;
mod sharing;
pub mod summary;
mod supply;
mod watching;
