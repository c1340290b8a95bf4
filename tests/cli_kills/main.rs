//! Tests of the `wpool` program in which processes are killed, at random and again and again.

#[path = "../common/mod.rs"]
mod common;

mod crash;
mod liveness;
