//! What goes on while memory is short: the job that all outcomes held wait for.
//!
//! **Invariant:** let *a* be that job. Always one of these holds: *a* is in flight, and its worker's pipe is
//! read; *a* waits for a time whose timer is armed; *a* is pending, and is offered to a worker that has
//! nothing in flight before any other job is; *a* is pending, no worker is idle and none can be forked,
//! and one busy worker is read until it is idle. So a run whose jobs end comes to its end, however
//! small its buffer is.

/// Where the job is that all outcomes held wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Awaited {
    /// A worker in this slot has it.
    InFlight(u32),
    /// It can be sent, and there is no worker for it.
    Pending,
    /// It is to be tried again at some time.
    Delayed,
    /// Nobody waits for a single job: outcomes are handed on as they come.
    Any,
}

/// Whose pipes are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Those of all workers.
    All,
    /// That of the worker in this slot.
    Only(u32),
    /// Nobody's.
    Nobody,
}

/// Tells whose pipes are read while memory is short. `busy` has slot and jobs in flight of each worker that
/// has any.
pub(crate) fn readers(awaited: Awaited, busy: impl Iterator<Item = (u32, u64)>) -> Readers {
    match awaited {
        Awaited::Any => Readers::All,
        Awaited::InFlight(slot) => Readers::Only(slot),
        Awaited::Delayed => Readers::Nobody,
        // The one that will soonest be idle, and stays the one that will.
        Awaited::Pending => match busy.min_by_key(|&(slot, jobs)| (jobs, slot)) {
            Some((slot, _)) => Readers::Only(slot),
            None => Readers::Nobody,
        },
    }
}
