//! Tests of the library: pools, processes and shared objects of a program.

#[path = "../common/mod.rs"]
mod common;
mod core;

mod closing;
mod echo;
mod futures;
mod host_collections;
mod host_data;
mod host_objects;
mod host_queue;
mod imap;
mod outside;
mod pool;
mod process;
mod shared;
mod sharing;
mod workers;
