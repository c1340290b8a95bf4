//! A batch: jobs sent to a worker in one frame, and what has come back of them.

use crate::wire::frame::{BODY_BYTES_MAX, Entries, FrameKind, Header, PART_BYTES, Walk};
use std::ops::Range;
use std::time::Instant;

/// A result that arrives in parts.
#[derive(Debug)]
pub(super) struct Partial {
    pub(super) total: usize,
    pub(super) bytes: Vec<u8>,
}

/// Jobs sent to a worker in one frame.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) id: u32,
    /// The jobs, and the frame that carries them.
    jobs: Entries,
    /// The frames that carry it instead, if it is one job too long for a frame.
    parts: Option<Vec<u8>>,
    /// How much of the frame, or of the parts, is written.
    pub(super) written: usize,
    /// How many jobs the worker may still claim or has claimed: those from here on were taken back.
    pub(super) limit: u16,
    /// How many records have been received; the next one is for the job with this index.
    pub(super) received: u16,
    /// Bytes of the outbox that have been received.
    pub(super) outbox_seen: usize,
    /// Bytes of results that have been received.
    pub(super) result_bytes: usize,
    pub(super) partial: Option<Partial>,
    /// When it was sent.
    pub(super) sent: Instant,
}

impl Batch {
    /// Makes a batch of these jobs; there is at least one.
    pub(super) fn new(id: u32, mut jobs: Entries, sent: Instant) -> Batch {
        let header = header(id, &jobs);
        let parts = (jobs.bytes().len() > BODY_BYTES_MAX).then(|| encode_parts(&header, &jobs));
        if parts.is_none() {
            jobs.set_header(&header);
        }
        Batch {
            id,
            limit: header.count,
            jobs,
            parts,
            written: 0,
            received: 0,
            outbox_seen: 0,
            result_bytes: 0,
            partial: None,
            sent,
        }
    }

    /// How many jobs it was sent with.
    pub(super) fn count(&self) -> u16 {
        self.jobs.count() as u16
    }

    /// What is still to be written into the pipe.
    pub(super) fn unwritten(&self) -> &[u8] {
        &self.parts.as_deref().unwrap_or(self.jobs.frame())[self.written..]
    }

    /// Bytes of its jobs.
    pub(super) fn bytes(&self) -> usize {
        self.jobs.bytes().len()
    }

    /// Whether every job that was not taken back has its record.
    pub(super) fn is_done(&self) -> bool {
        // One that is not written to its end must be, or the pipe has half a frame.
        self.received >= self.limit && self.unwritten().is_empty()
    }

    /// Whether the job with this number is in it and unfinished.
    pub(super) fn awaits(&self, number: u64) -> bool {
        if self.is_run() {
            let first = self.jobs.first();
            return (u64::from(self.received)..self.limit.into())
                .contains(&number.wrapping_sub(first));
        }
        self.jobs(self.received..self.limit).any(|(job, _)| job == number)
    }

    /// Number of the job with this index.
    #[inline]
    pub(super) fn number(&self, index: u16) -> u64 {
        if self.jobs.is_run() { self.jobs.first() + u64::from(index) } else { self.job(index).0 }
    }

    /// Number and bytes of the job with this index.
    pub(super) fn job(&self, index: u16) -> (u64, &[u8]) {
        self.walk().nth(usize::from(index)).expect("indices are checked against the count")
    }

    /// Numbers and bytes of the jobs in a range of indices.
    pub(super) fn jobs(&self, range: Range<u16>) -> impl Iterator<Item = (u64, &[u8])> {
        self.walk().skip(usize::from(range.start)).take(range.len())
    }

    fn walk(&self) -> Walk<'_> {
        Walk::new(self.jobs.bytes(), self.jobs.first())
    }

    /// Whether the jobs' numbers are consecutive.
    pub(super) fn is_run(&self) -> bool {
        self.jobs.is_run()
    }
}

/// The header of the frame that carries these jobs.
fn header(batch: u32, jobs: &Entries) -> Header {
    Header {
        kind: FrameKind::Jobs,
        count: u16::try_from(jobs.count()).expect("at most BATCH_JOBS_MAX"),
        batch,
        first_job: jobs.first(),
        bytes: jobs.bytes().len() as u32,
    }
}

/// The frames that carry one long job.
fn encode_parts(header: &Header, jobs: &Entries) -> Vec<u8> {
    let (_, job) = Walk::new(jobs.bytes(), jobs.first()).next().expect("at least one job");
    let piece_bytes = BODY_BYTES_MAX - PART_BYTES;
    let mut frames = Vec::with_capacity(job.len() + job.len() / piece_bytes * 64 + 64);
    for (at, piece) in job.chunks(piece_bytes).enumerate() {
        let bytes = (PART_BYTES + piece.len()) as u32;
        let header = Header { kind: FrameKind::JobPart, bytes, ..*header };
        frames.extend_from_slice(&header.encode());
        frames.extend_from_slice(&(job.len() as u64).to_le_bytes());
        frames.extend_from_slice(&((at * piece_bytes) as u64).to_le_bytes());
        frames.extend_from_slice(piece);
    }
    frames
}
