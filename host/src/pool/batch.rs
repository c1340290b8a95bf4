//! A batch: jobs sent to a worker in one frame, and what has come back of them.

use crate::wire::frame::{
    BODY_BYTES_MAX, Entries, FrameKind, HEADER_BYTES, Header, PART_BYTES, Walk,
};
use std::borrow::Cow;
use std::ops::Range;
use std::time::Instant;

/// Bytes of a long job in one part.
const PIECE_BYTES: usize = BODY_BYTES_MAX - PART_BYTES;

/// Bytes before them.
const PART_HEAD_BYTES: usize = HEADER_BYTES + PART_BYTES;

/// Bytes of a part in all.
const PART_FRAME_BYTES: usize = PART_HEAD_BYTES + PIECE_BYTES;

/// A result that arrives in parts.
#[derive(Debug)]
pub(super) struct Partial {
    pub(super) total: usize,
    pub(super) bytes: Vec<u8>,
}

impl Partial {
    /// One of so many bytes, none of which is there yet.
    pub(super) fn new(total: usize) -> Partial {
        let mut bytes = Vec::new();
        // It is a worker that says how many. What the system does not give now may still be there when
        // they come.
        let _ = bytes.try_reserve_exact(total);
        Partial { total, bytes }
    }
}

/// Jobs sent to a worker in one frame.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) id: u32,
    /// The jobs, and the frame that carries them.
    jobs: Entries,
    /// Whether it is one job too long for a frame, which several carry then.
    in_parts: bool,
    /// How many bytes of its frames are written.
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
        let in_parts = jobs.bytes().len() > BODY_BYTES_MAX;
        if !in_parts {
            jobs.set_header(&header);
        }
        Batch {
            id,
            limit: header.count,
            jobs,
            in_parts,
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

    /// What is to be written into the pipe next; empty if that was all.
    pub(super) fn unwritten(&self) -> Cow<'_, [u8]> {
        if self.in_parts { self.unwritten_part() } else { self.jobs.frame()[self.written..].into() }
    }

    /// The rest of the head of the part that is written, or of its piece of the job.
    fn unwritten_part(&self) -> Cow<'_, [u8]> {
        let (_, job) = self.job(0);
        let (at, within) = (self.written / PART_FRAME_BYTES, self.written % PART_FRAME_BYTES);
        let offset = at * PIECE_BYTES;
        let Some(left) = job.get(offset..).filter(|left| !left.is_empty()) else {
            return Cow::Borrowed(&[]);
        };
        let piece = &left[..left.len().min(PIECE_BYTES)];
        match within.checked_sub(PART_HEAD_BYTES) {
            Some(within) => piece[within..].into(),
            None => self.part_head(job.len(), offset, piece.len())[within..].to_vec().into(),
        }
    }

    /// What is before a piece of the job.
    fn part_head(&self, total: usize, offset: usize, piece: usize) -> [u8; PART_HEAD_BYTES] {
        let bytes = (PART_BYTES + piece) as u32;
        let header = Header { kind: FrameKind::JobPart, bytes, ..header(self.id, &self.jobs) };
        let mut head = [0; PART_HEAD_BYTES];
        head[..HEADER_BYTES].copy_from_slice(&header.encode());
        head[HEADER_BYTES..][..8].copy_from_slice(&(total as u64).to_le_bytes());
        head[HEADER_BYTES + 8..].copy_from_slice(&(offset as u64).to_le_bytes());
        head
    }

    /// Bytes of its jobs, and of the result that has begun to arrive.
    pub(super) fn held(&self) -> usize {
        self.jobs.bytes().len() + self.partial.as_ref().map_or(0, |partial| partial.bytes.len())
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
