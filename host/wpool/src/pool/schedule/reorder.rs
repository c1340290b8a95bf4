//! The reorder buffer: known outcomes that are not yet handed to the sink, in the order of their
//! handing over.

use crate::pool::feed::Attempt;
use crate::wire::failure::Failure;
use std::collections::{BTreeMap, VecDeque};

/// The number of bytes that a held outcome costs in addition to its own.
const OVERHEAD: usize = 96;

/// The outcomes of consecutive jobs.
#[derive(Debug)]
pub(crate) enum Segment {
    /// A run of jobs that succeeded.
    Run(Run),
    /// A job that failed.
    Failed { input: Option<Vec<u8>>, failure: Failure, attempt: Attempt },
    /// A job that is not to be run.
    Skipped,
}

/// A run of jobs that succeeded: their records, and their inputs if the sink wants them.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) count: u64,
    pub(crate) records: Vec<u8>,
    /// The inputs one after the other, and the end of each.
    pub(crate) inputs: Option<(Vec<u8>, Vec<usize>)>,
    pub(crate) attempt: Attempt,
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

/// The reorder buffer: outcomes that are known but not yet handed over, and the counts.
#[derive(Debug)]
pub(crate) struct Reorder {
    ordered: bool,
    /// The number of the next job that is due, if outcomes are ordered.
    next: u64,
    waiting: BTreeMap<u64, Segment>,
    /// The outcomes that are due but not yet removed.
    due: VecDeque<(u64, Segment)>,
    held: usize,
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
}

impl Reorder {
    /// Returns an empty buffer.
    pub(crate) fn new(ordered: bool) -> Self {
        Reorder {
            ordered,
            next: 0,
            waiting: BTreeMap::new(),
            due: VecDeque::new(),
            held: 0,
            succeeded: 0,
            failed: 0,
        }
    }

    /// Returns the number of bytes of the outcomes that wait for an earlier one.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// Returns the number of segments that wait for an earlier one.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Returns the job that all the others wait for, if outcomes are ordered.
    pub(crate) fn awaited(&self) -> Option<u64> {
        self.ordered.then_some(self.next)
    }

    /// Returns whether outcomes that start with job `first` can be handed over at once.
    #[inline]
    pub(crate) fn is_due(&self, first: u64) -> bool {
        self.due.is_empty() && (!self.ordered || first == self.next)
    }

    /// Counts successes that are handed over directly because they are due, and makes due what
    /// waited for them.
    #[inline]
    pub(crate) fn passed(&mut self, count: u64) {
        self.succeeded += count;
        if self.ordered {
            self.next += count;
            self.release();
        }
    }

    /// Enters the outcomes of the jobs from `first` on.
    pub(crate) fn enter(&mut self, first: u64, segment: Segment) {
        match &segment {
            Segment::Run(run) => self.succeeded += run.count,
            Segment::Failed { .. } => self.failed += 1,
            Segment::Skipped => {}
        }
        if !self.ordered {
            return self.due.push_back((first, segment));
        }
        self.held += segment.bytes();
        self.waiting.insert(first, segment);
        self.release();
    }

    /// Removes and returns outcomes that are due.
    #[inline]
    pub(crate) fn next_due(&mut self) -> Option<(u64, Segment)> {
        self.due.pop_front()
    }

    /// Makes due what no longer waits for anything.
    fn release(&mut self) {
        while let Some(entry) = self.waiting.first_entry() {
            if *entry.key() > self.next {
                break;
            }
            let (first, segment) = entry.remove_entry();
            self.held -= segment.bytes();
            self.next = first + segment.count();
            self.due.push_back((first, segment));
        }
    }

    /// Makes due the outcomes of the jobs before `end`. Jobs before `end` without an outcome will
    /// not get one.
    pub(crate) fn skip_to(&mut self, end: u64) {
        while let Some(entry) = self.waiting.first_entry() {
            if *entry.key() >= end {
                break;
            }
            self.next = *entry.key();
            self.release();
        }
        self.next = self.next.max(end);
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skipped(reorder: &mut Reorder) -> Vec<u64> {
        std::iter::from_fn(|| reorder.next_due()).map(|(job, _)| job).collect()
    }

    #[test]
    fn outcomes_are_due_in_the_order_of_their_numbers() {
        let mut reorder = Reorder::new(true);
        for job in [2, 1, 4] {
            reorder.enter(job, Segment::Skipped);
        }
        assert_eq!((skipped(&mut reorder), reorder.waiting()), (vec![], 3));
        reorder.enter(0, Segment::Skipped);
        assert_eq!((skipped(&mut reorder), reorder.awaited()), (vec![0, 1, 2], Some(3)));
        assert!(reorder.is_due(3));
        reorder.passed(1);
        assert_eq!((skipped(&mut reorder), reorder.held()), (vec![4], 0));
    }

    #[test]
    fn what_will_get_no_outcome_is_skipped() {
        let mut reorder = Reorder::new(true);
        for job in [2, 3, 7, 9] {
            reorder.enter(job, Segment::Skipped);
        }
        reorder.skip_to(5);
        assert_eq!((skipped(&mut reorder), reorder.awaited()), (vec![2, 3], Some(5)));
        reorder.skip_to(u64::MAX);
        assert_eq!((skipped(&mut reorder), reorder.held()), (vec![7, 9], 0));
    }

    #[test]
    fn without_an_order_all_is_due_at_once() {
        let mut reorder = Reorder::new(false);
        reorder.enter(7, Segment::Skipped);
        assert!(!reorder.is_due(3), "what was due before goes first");
        assert_eq!(skipped(&mut reorder), [7]);
        assert!(reorder.is_due(3));
        assert_eq!(reorder.awaited(), None);
    }
}
