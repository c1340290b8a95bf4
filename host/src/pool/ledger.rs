//! Outcomes that are known and not yet handed to the sink, in the order they are to be handed over.

use super::feed::{Attempt, Outcome, Results, Sink, Stats};
use crate::wire::failure::Failure;
use crate::wire::record::Record;
use std::collections::BTreeMap;
use std::io;

/// Bytes that an outcome that waits costs beside its own.
const OVERHEAD: usize = 96;

/// Outcomes of consecutive jobs.
#[derive(Debug)]
pub(super) enum Segment {
    /// Jobs that succeeded.
    Run(Run),
    /// One job that failed.
    Failed { input: Option<Vec<u8>>, failure: Failure, attempt: Attempt },
    /// A job that is not to be run.
    Skipped,
}

/// Jobs that succeeded: their records, and their inputs if the sink wants them.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) count: u64,
    pub(super) records: Vec<u8>,
    /// Inputs one after the other, and where each ends.
    pub(super) inputs: Option<(Vec<u8>, Vec<usize>)>,
    pub(super) attempt: Attempt,
}

impl Segment {
    fn count(&self) -> u64 {
        match self {
            Segment::Run(run) => run.count,
            Segment::Failed { .. } | Segment::Skipped => 1,
        }
    }

    fn bytes(&self) -> usize {
        OVERHEAD
            + match self {
                Segment::Run(run) => {
                    run.records.len() + run.inputs.as_ref().map_or(0, |(inputs, _)| inputs.len())
                }
                Segment::Failed { input, failure, .. } => {
                    input.as_ref().map_or(0, Vec::len) + failure.bytes()
                }
                Segment::Skipped => 0,
            }
    }
}

/// Outcomes that are known and not yet handed over, and the counts.
#[derive(Debug)]
pub(super) struct Ledger {
    ordered: bool,
    /// Number of the next job to hand over, if ordered.
    next: u64,
    waiting: BTreeMap<u64, Segment>,
    held: usize,
    pub(super) succeeded: u64,
    pub(super) failed: u64,
}

impl Ledger {
    /// An empty one.
    pub(super) fn new(ordered: bool) -> Self {
        Ledger { ordered, next: 0, waiting: BTreeMap::new(), held: 0, succeeded: 0, failed: 0 }
    }

    /// Bytes of the outcomes that wait for an earlier one.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// How many segments wait for an earlier one.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The job that all the others wait for, if outcomes are ordered.
    pub(super) fn awaited(&self) -> Option<u64> {
        self.ordered.then_some(self.next)
    }

    /// Copies the counts.
    pub(super) fn count(&self, stats: &mut Stats) {
        (stats.succeeded, stats.failed) = (self.succeeded, self.failed);
    }

    /// Whether a run of outcomes that starts with job `first` can be handed over at once.
    pub(super) fn is_due(&self, first: u64) -> bool {
        !self.ordered || first == self.next
    }

    /// Counts `count` outcomes that were handed over directly, because they were due.
    pub(super) fn passed(&mut self, count: u64) {
        self.succeeded += count;
        if self.ordered {
            self.next += count;
        }
    }

    /// Enters the outcomes of the jobs from `first` on, and hands over what is due.
    ///
    /// # Errors
    /// Those of the sink.
    pub(super) fn enter(
        &mut self,
        first: u64,
        segment: Segment,
        sink: &mut dyn Sink,
    ) -> io::Result<()> {
        match &segment {
            Segment::Run(run) => self.succeeded += run.count,
            Segment::Failed { .. } => self.failed += 1,
            Segment::Skipped => {}
        }
        if !self.ordered {
            return hand_over(first, &segment, sink);
        }
        if first == self.next {
            self.next += segment.count();
            hand_over(first, &segment, sink)?;
            return self.hand_over_due(sink);
        }
        self.held += segment.bytes();
        self.waiting.insert(first, segment);
        Ok(())
    }

    /// Hands over what waits for nothing any more.
    ///
    /// # Errors
    /// Those of the sink.
    pub(super) fn hand_over_due(&mut self, sink: &mut dyn Sink) -> io::Result<()> {
        while let Some(entry) = self.waiting.first_entry() {
            if *entry.key() != self.next {
                break;
            }
            let (first, segment) = entry.remove_entry();
            self.held -= segment.bytes();
            self.next = first + segment.count();
            hand_over(first, &segment, sink)?;
        }
        Ok(())
    }

    /// Hands over the outcomes of the jobs before `end` that wait: those without one will get none any more.
    ///
    /// # Errors
    /// Those of the sink.
    pub(super) fn skip_to(&mut self, end: u64, sink: &mut dyn Sink) -> io::Result<()> {
        while let Some(entry) = self.waiting.first_entry() {
            if *entry.key() >= end {
                break;
            }
            let (first, segment) = entry.remove_entry();
            self.held -= segment.bytes();
            self.next = first + segment.count();
            hand_over(first, &segment, sink)?;
        }
        self.next = self.next.max(end);
        self.hand_over_due(sink)
    }
}

fn hand_over(first: u64, segment: &Segment, sink: &mut dyn Sink) -> io::Result<()> {
    match segment {
        Segment::Run(run) => {
            let inputs = run.inputs.as_ref().map(|(bytes, ends)| (&bytes[..], &ends[..]));
            hand_over_run(first, &run.records, inputs, run.attempt, sink)
        }
        Segment::Failed { input, failure, attempt } => sink.take(&Outcome {
            job: first,
            input: input.as_deref(),
            result: Err(failure),
            attempt: *attempt,
        }),
        Segment::Skipped => Ok(()),
    }
}

/// Hands over the jobs of well-formed records, which succeeded and have consecutive numbers.
///
/// # Errors
/// Those of the sink.
pub(super) fn hand_over_run(
    first: u64,
    mut records: &[u8],
    inputs: Option<(&[u8], &[usize])>,
    attempt: Attempt,
    sink: &mut dyn Sink,
) -> io::Result<()> {
    if sink.take_plain(Results::new(records)) {
        return Ok(());
    }
    let mut job = first;
    while let Some((record, rest)) = Record::split_first(records) {
        records = rest;
        let at = (job - first) as usize;
        let input = inputs.map(|(bytes, ends)| {
            let start = if at == 0 { 0 } else { ends[at - 1] };
            &bytes[start..ends[at]]
        });
        let attempt = attempt.measured(record.measure);
        sink.take(&Outcome { job, input, result: Ok(record.bytes), attempt })?;
        job += 1;
    }
    Ok(())
}
