//! The parent side: owns the truth about jobs and workers.
//!
//! A [`session`] holds a loaded module. Its runs are a [`dispatcher`]'s, between a source of jobs and
//! a sink of outcomes ([`feed`]). What is to be done is decided by a [`schedule`], and done by a [`crew`]. Nothing
//! here knows wasm, a command line, or a terminal.

pub mod alone;
pub mod config;
mod core;
pub mod cpus;
mod crew;
mod dispatcher;
pub mod error;
pub mod feed;
mod grants;
mod parcel;
mod schedule;
pub mod session;
#[cfg(test)]
mod simulation;
pub mod summary;
