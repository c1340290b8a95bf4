//! What a benchmark found: data for those who draw it and write it down.

use serde::Serialize;
use std::time::Duration;

/// Everything that is known when all rounds are over.
#[derive(Clone, Debug)]
pub struct Findings {
    /// What was run: module, task, and number of jobs, in words.
    pub title: String,
    /// What is known of the machine and the programs, as names and values.
    pub machine: Vec<(String, String)>,
    /// One for each mode and number of workers, in the order in which they were given.
    pub results: Vec<Measured>,
    /// When each job ran, in one more run of each wasm mode with several workers.
    pub timelines: Vec<Timeline>,
}

/// Who runs the task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// Machine code without a sandbox.
    Native,
    /// WebAssembly.
    Wasm,
    /// Another program: Python's pool, xargs, GNU parallel.
    Peer,
}

/// The times of one mode.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The mode's name: `wasm reuse`, `native threads`, `python`.
    pub(crate) mode: String,
    pub(crate) group: Group,
    pub(crate) workers: usize,
    pub(crate) jobs: u64,
    /// Wall-clock time of each round.
    pub(crate) times: Vec<Duration>,
    /// Processor time of each round in user mode, of all processes together, and in the kernel.
    pub(crate) user: Vec<Duration>,
    pub(crate) system: Vec<Duration>,
}

/// When jobs ran in one run.
#[derive(Clone, Debug)]
pub struct Timeline {
    pub(crate) mode: String,
    pub(crate) spans: Vec<Span>,
}

/// One job's run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    /// Which worker, counted from 0.
    pub(crate) worker: usize,
    pub(crate) job: u64,
    /// From the start of the run.
    pub(crate) start: Duration,
    pub(crate) end: Duration,
}
