//! How a run ended.

use super::feed::Stats;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Every job of the input has its outcome.
    Complete,
    /// `--halt` stopped it; the flag tells whether because of failures.
    Halted {
        /// Whether failed jobs were what was counted.
        failed: bool,
    },
    /// It was drained on request; jobs may be left.
    Drained,
    /// It was killed on request.
    Killed,
    /// Its deadline passed.
    Deadline,
}

/// How a run ended, and its counts.
#[derive(Clone, Copy, Debug)]
pub struct Summary {
    /// How it ended.
    pub end: End,
    /// Its counts.
    pub stats: Stats,
    /// Whether the source was read to its end.
    pub input_exhausted: bool,
    /// Bytes that the sink could not pass on, because their reader did not take them in time.
    pub undelivered: usize,
}
