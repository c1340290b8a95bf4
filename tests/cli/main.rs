//! Tests of the `wpool` program, and of the rules of the house.
//!
//! The tests of guests that are core modules ([`core`]) are also run with components
//! ([`component`]).

#![expect(
    clippy::duplicate_mod,
    reason = "each of the twins has the tests, and what they share, as modules of its own"
)]

#[path = "../common/mod.rs"]
mod common;

mod bench;
mod collections;
mod component;
mod component_commands;
mod concurrent;
mod core;
mod examples;
mod fault;
mod handles;
mod init;
mod isolation;
mod jail;
mod joblog;
mod kernels;
mod languages;
mod limits;
mod map;
mod memory;
mod messages;
mod modules;
mod object_flags;
mod object_messages;
mod objects;
mod public;
mod python;
mod readme;
mod region;
mod results;
mod run;
mod scratch;
mod signals;
mod sleep;
mod tidy;
mod trace;
mod typed;
mod zygote;
