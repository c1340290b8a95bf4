//! The findings of a benchmark: data for charts, tables and exports.

use serde::Serialize;
use std::time::Duration;

/// The findings after all rounds.
#[derive(Clone, Debug)]
pub struct Findings {
    /// The module, the task, and the number of jobs, in words.
    pub title: String,
    /// The facts about the machine and the programs, as names and values.
    pub machine: Vec<(String, String)>,
    /// The results for each mode and number of workers, in the order in which they were given.
    pub results: Vec<Measured>,
    /// The times at which each job ran, in one more run of each wasm mode with several workers.
    pub timelines: Vec<Timeline>,
}

/// The kind of program that runs the task.
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
    /// The wall-clock time of each round.
    pub(crate) times: Vec<Duration>,
    /// The processor time of each round in user mode, of all processes together, and in the kernel.
    pub(crate) user: Vec<Duration>,
    pub(crate) system: Vec<Duration>,
}

/// The times at which jobs ran in one run.
#[derive(Clone, Debug)]
pub struct Timeline {
    pub(crate) mode: String,
    pub(crate) spans: Vec<Span>,
}

/// The run of one job.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    /// The number of the worker, counted from 0.
    pub(crate) worker: usize,
    pub(crate) job: u64,
    /// The start and the end of the job, since the start of the run.
    pub(crate) start: Duration,
    pub(crate) end: Duration,
}
