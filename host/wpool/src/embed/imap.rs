//! Iterators that yield results as they come, and take inputs as they are needed.

use super::error::Error;
use super::inbox::{Inbox, Submission};
use super::pool::encode;
use super::reply::{Address, Delivery, Mailbox, deadline};
use super::result::decode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::iter::Fuse;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

/// The greatest number of inputs taken ahead of the results, unless set otherwise.
pub(super) const AHEAD: usize = 1024;

/// An iterator over results (Python's `imap` and `imap_unordered`).
///
/// Inputs are taken only as results are: never more than [`Imap::buffer_size`] ahead. A failed job
/// is an `Err` in its place; the iteration goes on. Once the pool takes no more jobs, one
/// [`Error::Closed`] (or [`Error::Pool`]) replaces all remaining results.
#[derive(Debug)]
pub struct Imap<I: Iterator, R> {
    inbox: Arc<Inbox>,
    jobs: Fuse<I>,
    mailbox: Arc<Mailbox>,
    ordered: bool,
    ahead: usize,
    submitted: usize,
    yielded: usize,
    /// True if the pool takes no more jobs.
    refused: bool,
    /// The outcomes that came before their turn.
    early: BTreeMap<usize, Delivery>,
    result: PhantomData<fn() -> R>,
}

impl<I, R> Imap<I, R>
where
    I: Iterator,
    I::Item: Serialize,
    R: DeserializeOwned,
{
    pub(super) fn new(inbox: Arc<Inbox>, jobs: I, ordered: bool) -> Self {
        Imap {
            inbox,
            jobs: jobs.fuse(),
            mailbox: Arc::default(),
            ordered,
            ahead: AHEAD,
            submitted: 0,
            yielded: 0,
            refused: false,
            early: BTreeMap::new(),
            result: PhantomData,
        }
    }

    /// Takes at most this many inputs (at least one) ahead of the results; 1024 unless set.
    #[must_use]
    pub fn buffer_size(mut self, inputs: usize) -> Self {
        self.ahead = inputs.max(1);
        self
    }

    /// Returns the next result, or `None` at the end. Returns [`Error::TimedOut`] if the result
    /// does not come in time; the call may be repeated.
    pub fn next_timeout(&mut self, timeout: Duration) -> Option<Result<R, Error>> {
        self.advance(Some(timeout))
    }

    fn advance(&mut self, timeout: Option<Duration>) -> Option<Result<R, Error>> {
        self.submit();
        if self.yielded == self.submitted {
            return None;
        }
        let deadline = deadline(timeout);
        let delivery = loop {
            if let Some(delivery) = self.early.remove(&self.yielded) {
                break delivery;
            }
            match self.mailbox.take(deadline) {
                Err(Error::TimedOut) => return Some(Err(Error::TimedOut)),
                Err(error) => {
                    // A repeated wait would fail in the same way, and the iteration would never
                    // end.
                    self.refused = true;
                    self.yielded = self.submitted;
                    return Some(Err(error));
                }
                Ok((index, delivery)) if self.ordered => {
                    self.early.insert(index, delivery);
                }
                Ok((_, delivery)) => break delivery,
            }
        };
        self.yielded += 1;
        Some(decode(delivery))
    }

    /// Submits as many jobs as may be ahead.
    fn submit(&mut self) {
        while !self.refused && self.submitted - self.yielded < self.ahead {
            let Some(job) = self.jobs.next() else { return };
            let address = Address::Call(Arc::clone(&self.mailbox), self.submitted);
            let sent = encode(&job).and_then(|job| self.inbox.submit(Submission { job, address }));
            if let Err(error) = sent {
                // A job that cannot be submitted has its outcome at once. If the pool takes no job
                // at all, an endless input must not become endless errors.
                self.refused = matches!(error, Error::Closed | Error::Pool(_));
                self.mailbox.deliver(self.submitted, Err(error));
            }
            self.submitted += 1;
        }
    }
}

impl<I, R> Iterator for Imap<I, R>
where
    I: Iterator,
    I::Item: Serialize,
    R: DeserializeOwned,
{
    type Item = Result<R, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance(None)
    }
}
