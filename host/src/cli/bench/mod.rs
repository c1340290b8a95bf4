//! What `wpool bench` shows and writes down.
#![cfg_attr(not(test), expect(dead_code, reason = "the subcommand that calls these comes next"))]

mod chart;
mod export;
mod findings;
mod html;
#[cfg(test)]
mod sample;
mod stats;
mod table;
mod time_unit;
