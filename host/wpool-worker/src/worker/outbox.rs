//! The worker's end of an outbox: records go in as jobs finish, and down the pipe in pieces.

use super::pipe::ResultPipe;
use crate::wire::frame::{FrameKind, Header};
use crate::wire::jobmem::{JobMem, OUTBOX_BYTES};
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_gettime};
use std::io;

/// The state of a batch's outbox: how much is committed, and how much is sent.
#[derive(Clone, Debug)]
pub(super) struct Outbox {
    batch: u32,
    committed: usize,
    sent: usize,
    unsent: u16,
    /// The tick of the coarse clock at the first unsent record.
    since: Option<TimeSpec>,
}

/// The number of records after which the coarse clock is read again: batches of slow jobs are
/// short.
const RECORDS_A_LOOK: u16 = 8;

impl Outbox {
    /// Makes an empty outbox for a batch.
    pub(super) fn new(batch: u32) -> Self {
        Outbox { batch, committed: 0, sent: 0, unsent: 0, since: None }
    }

    /// Returns the number of the batch.
    pub(super) fn batch(&self) -> u32 {
        self.batch
    }

    /// Commits a record. Returns false if it does not fit; the record was sent in parts then, after
    /// all records before it.
    ///
    /// # Errors
    /// Returns the error of the pipe.
    #[inline]
    pub(super) fn put(
        &mut self,
        memory: &JobMem,
        pipe: &ResultPipe,
        record: &[u8],
    ) -> io::Result<bool> {
        let end = self.committed + record.len();
        if end > OUTBOX_BYTES {
            self.send(memory, pipe)?;
            pipe.send_parts(self.batch, record)?;
            return Ok(false);
        }
        memory.write(self.batch, self.committed, record);
        memory.commit(self.batch, end);
        self.committed = end;
        self.unsent += 1;
        Ok(true)
    }

    /// Takes over the record that a child has committed, if there is one.
    pub(super) fn adopt(&mut self, memory: &JobMem) -> bool {
        let committed = memory.committed(self.batch);
        let is_new = committed > self.committed;
        self.committed = committed;
        self.unsent += u16::from(is_new);
        is_new
    }

    /// Sends the unsent records if the first of them has waited for a tick of the coarse clock (1
    /// to 10 ms, for 5 ns instead of the 25 ns of a fine clock).
    #[inline]
    pub(super) fn send_if_due(&mut self, memory: &JobMem, pipe: &ResultPipe) -> io::Result<()> {
        if !self.unsent.is_multiple_of(RECORDS_A_LOOK) {
            return Ok(());
        }
        let now = clock_gettime(ClockId::CLOCK_MONOTONIC_COARSE)?;
        match self.since {
            Some(since) if since != now => self.send(memory, pipe),
            Some(_) => Ok(()),
            None => {
                self.since = Some(now);
                Ok(())
            }
        }
    }

    /// Sends the records that are committed but unsent.
    ///
    /// # Errors
    /// Returns the error of the pipe.
    pub(super) fn send(&mut self, memory: &JobMem, pipe: &ResultPipe) -> io::Result<()> {
        self.since = None;
        if self.sent == self.committed {
            return Ok(());
        }
        let bytes = memory.written(self.batch, self.sent..self.committed);
        let header = Header {
            kind: FrameKind::Results,
            count: self.unsent,
            batch: self.batch,
            first_job: self.sent as u64,
            bytes: bytes.len() as u32,
        };
        pipe.write(&header, &[bytes])?;
        self.sent = self.committed;
        self.unsent = 0;
        Ok(())
    }
}
