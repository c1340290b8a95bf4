//! The parent side: owns the truth about jobs and workers.
//!
//! A [`session`] holds a loaded module. Each of its runs is carried out by a `dispatcher`,
//! between a source of jobs and a sink of outcomes ([`feed`]). A `schedule` decides what is to be
//! done, and a `crew` does it. This folder knows nothing about wasm, the command line, or the
//! terminal.

pub mod alone;
pub mod config;
mod core;
pub mod cpus;
mod crew;
mod dispatcher;
pub mod error;
pub mod feed;
mod grants;
pub mod jail;
mod parcel;
mod schedule;
pub mod session;
#[cfg(test)]
mod simulation;
pub mod summary;
