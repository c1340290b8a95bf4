//! Results that may not be there yet.

use super::error::{Error, MapError};
use super::inbox::{Inbox, Ticket};
use super::reply::{Delivery, Mailbox, deadline};
use serde::de::DeserializeOwned;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Reads a result as JSON.
pub(super) fn decode<R: DeserializeOwned>(delivery: Delivery) -> Result<R, Error> {
    delivery.and_then(|bytes| {
        serde_json::from_slice(&bytes).map_err(|error| Error::Decode(error.to_string()))
    })
}

/// The result of one job, which may not be there yet (Python's `AsyncResult`).
///
/// Dropping an `AsyncResult` does not cancel the job.
#[derive(Debug)]
pub struct AsyncResult<R> {
    pub(super) inbox: Arc<Inbox>,
    pub(super) ticket: Ticket,
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) arrived: Option<Delivery>,
    pub(super) result: PhantomData<fn() -> R>,
}

impl<R: DeserializeOwned> AsyncResult<R> {
    /// Returns the result, waiting for it but not longer than `timeout`.
    ///
    /// # Errors
    /// Returns the reason why the job has no result, or [`Error::TimedOut`]: the job goes on, and
    /// its result may be asked for again.
    pub fn get(&mut self, timeout: Option<Duration>) -> Result<R, Error> {
        self.arrive(timeout)?;
        decode(self.arrived.clone().expect("it has arrived"))
    }

    /// Waits until the job has its outcome, but not longer than `timeout`. Returns whether it has.
    pub fn wait(&mut self, timeout: Option<Duration>) -> bool {
        self.arrive(timeout).is_ok()
    }

    fn arrive(&mut self, timeout: Option<Duration>) -> Result<(), Error> {
        if self.arrived.is_none() {
            self.arrived = Some(self.mailbox.take(deadline(timeout))?.1);
        }
        Ok(())
    }

    /// Returns whether the job has its outcome.
    pub fn is_ready(&mut self) -> bool {
        self.wait(Some(Duration::ZERO))
    }

    /// Returns whether the job has a result (`Some(true)`), failed (`Some(false)`), or neither yet
    /// (`None`).
    pub fn is_successful(&mut self) -> Option<bool> {
        self.is_ready();
        self.arrived.as_ref().map(Result::is_ok)
    }

    /// Gives the job up. A job that has not started never will, a running job is killed with its
    /// worker, and a finished job stays finished. The outcome tells which it was.
    pub fn cancel(&self) {
        self.inbox.cancel(self.ticket);
    }
}

/// The results of many jobs, which may not be there yet (Python's `MapResult`).
#[derive(Debug)]
pub struct MapResult<R> {
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) arrived: Vec<Option<Delivery>>,
    pub(super) missing: usize,
    pub(super) result: PhantomData<fn() -> R>,
}

impl<R: DeserializeOwned> MapResult<R> {
    /// Returns all results in the order of the jobs, waiting for them but not longer than
    /// `timeout`.
    ///
    /// # Errors
    /// Returns every job that failed, or [`Error::TimedOut`] alone: the jobs go on, and their
    /// results may be asked for again.
    pub fn get(&mut self, timeout: Option<Duration>) -> Result<Vec<R>, MapError> {
        self.arrive(timeout)?;
        let (mut results, mut failures) = (Vec::with_capacity(self.arrived.len()), Vec::new());
        for (index, delivery) in self.arrived.iter().enumerate() {
            match decode(delivery.clone().expect("all have arrived")) {
                Ok(result) => results.push(result),
                Err(error) => failures.push((index, error)),
            }
        }
        if failures.is_empty() { Ok(results) } else { Err(MapError { failures }) }
    }

    /// Waits until every job has its outcome, but not longer than `timeout`. Returns whether all
    /// have.
    pub fn wait(&mut self, timeout: Option<Duration>) -> bool {
        self.arrive(timeout).is_ok()
    }

    fn arrive(&mut self, timeout: Option<Duration>) -> Result<(), Error> {
        let deadline: Option<Instant> = deadline(timeout);
        while self.missing > 0 {
            let (index, delivery) = self.mailbox.take(deadline)?;
            self.arrived[index] = Some(delivery);
            self.missing -= 1;
        }
        Ok(())
    }

    /// Returns whether every job has its outcome.
    pub fn is_ready(&mut self) -> bool {
        self.wait(Some(Duration::ZERO))
    }
}
