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
        // The dispatcher has taken the record already, the last of the batch, and offers another batch.
        let Some(committed) = memory.committed(self.batch) else { return true };
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::Read;
    use std::sync::Arc;

    const RECORD: &[u8] = b"the record of the only job";

    /// Returns a batch's outbox with a record in it; the dispatcher has taken the record and offers the next batch.
    fn taken(
        put: impl FnOnce(&mut Outbox, &JobMem, &ResultPipe),
    ) -> (Outbox, Arc<JobMem>, [File; 2]) {
        let memory = Arc::new(JobMem::create(0).expect("the system has memory").0);
        let (from, to) = nix::unistd::pipe().expect("the system has pipes");
        let (from, to) = (File::from(from), File::from(to));
        memory.arm(2, 1);
        assert_eq!(memory.claim(2), Some(0));
        let mut outbox = Outbox::new(2);
        put(&mut outbox, &memory, &ResultPipe::new(to.try_clone().unwrap(), None));
        assert_eq!(memory.committed(2), Some(RECORD.len()));
        memory.arm(4, 1);
        (outbox, memory, [from, to])
    }

    #[test]
    fn a_record_that_was_taken_before_it_was_sent_is_sent_all_the_same() {
        let (mut outbox, memory, [mut from, to]) =
            taken(|outbox, memory, pipe| assert!(outbox.put(memory, pipe, RECORD).unwrap()));
        outbox.send(&memory, &ResultPipe::new(to, None)).expect("the pipe has room");
        let mut sent = Vec::new();
        from.read_to_end(&mut sent).unwrap();
        assert!(sent.ends_with(RECORD));
    }

    #[test]
    fn a_child_whose_record_was_taken_already_has_done_its_job() {
        let child = |outbox: &mut Outbox, memory: &JobMem, pipe: &ResultPipe| {
            assert!(outbox.clone().put(memory, pipe, RECORD).unwrap());
        };
        let (mut outbox, memory, [_from, to]) = taken(child);
        assert!(outbox.adopt(&memory));
        outbox.send(&memory, &ResultPipe::new(to, None)).expect("nothing is left to send");
    }
}
