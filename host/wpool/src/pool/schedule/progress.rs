//! The rule of progress while memory is short. It concerns the job that all held outcomes wait for.
//!
//! **Invariant:** let *a* be that job. One of the following always holds: *a* is in flight, and its
//! worker's pipe is read; *a* waits for a time whose timer is armed; *a* is pending, and is
//! offered, before any other job, to a worker that has nothing in flight; *a* is pending, no worker
//! is idle and none can be forked, and one busy worker is read until it is idle. A run whose jobs
//! end therefore ends too, however small its buffer is.

/// The state of the job that all held outcomes wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Awaited {
    /// The job is in flight with the worker in this slot.
    InFlight(u32),
    /// The job can be sent, but there is no worker for it.
    Pending,
    /// The job is to be retried at a later time.
    Delayed,
    /// No single job is awaited: outcomes are handed on as they come.
    Any,
}

/// The workers whose pipes are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readers {
    /// The pipes of all workers are read.
    All,
    /// Only the pipe of the worker in this slot is read.
    Only(u32),
    /// No pipe is read.
    Nobody,
}

/// Returns the workers whose pipes are read while memory is short. `busy` yields the slot of each
/// worker with jobs in flight, and the number of those jobs.
pub(crate) fn readers(awaited: Awaited, busy: impl Iterator<Item = (u32, u64)>) -> Readers {
    match awaited {
        Awaited::Any => Readers::All,
        Awaited::InFlight(slot) => Readers::Only(slot),
        Awaited::Delayed => Readers::Nobody,
        // The chosen worker will be idle soonest, and remains the choice while its jobs become
        // fewer.
        Awaited::Pending => match busy.min_by_key(|&(slot, jobs)| (jobs, slot)) {
            Some((slot, _)) => Readers::Only(slot),
            None => Readers::Nobody,
        },
    }
}
