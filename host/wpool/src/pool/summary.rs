//! The summary of a run: how it ended.

use super::feed::Stats;

/// The way in which a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Every job of the input has its outcome.
    Complete,
    /// As many jobs ended as end a run ([`Halt`](super::config::Halt)).
    Halted {
        /// True if the limit that was met counts failed jobs.
        failed: bool,
    },
    /// The run was drained on request; jobs may be left.
    Drained,
    /// The run was killed on request.
    Killed,
    /// The deadline of the run passed.
    Deadline,
}

/// The end of a run, and its counts.
#[derive(Clone, Copy, Debug)]
pub struct Summary {
    /// The way in which the run ended.
    pub end: End,
    /// The counts of the run.
    pub stats: Stats,
    /// True if the source was read to its end.
    pub input_exhausted: bool,
    /// The number of bytes that the sink could not pass on because their reader did not take them
    /// in time.
    pub undelivered: usize,
}
