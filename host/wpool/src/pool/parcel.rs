//! A parcel: the jobs of one batch as they travel to a worker.

use crate::wire::frame::{
    BODY_BYTES_MAX, Entries, FrameKind, HEADER_BYTES, Header, PART_BYTES, Walk,
};
use std::borrow::Cow;
use std::ops::Range;

/// The number of bytes of a long job in one part.
const PIECE_BYTES: usize = BODY_BYTES_MAX - PART_BYTES;

/// The number of bytes before a piece of a long job.
const PART_HEAD_BYTES: usize = HEADER_BYTES + PART_BYTES;

/// The number of bytes of a whole part.
const PART_FRAME_BYTES: usize = PART_HEAD_BYTES + PIECE_BYTES;

/// The jobs of one batch, encoded. The schedule and the crew share one parcel.
#[derive(Debug)]
pub(crate) struct Parcel {
    /// The number of the batch among the batches of its worker.
    pub(crate) batch: u32,
    /// The jobs, and the frame that carries them.
    jobs: Entries,
    /// True if the parcel is one job too long for a single frame, so that several frames carry it.
    in_parts: bool,
}

impl Parcel {
    /// Makes a parcel of these jobs, of which there is at least one.
    pub(crate) fn new(batch: u32, mut jobs: Entries) -> Parcel {
        let header = header(batch, &jobs);
        let in_parts = jobs.bytes().len() > BODY_BYTES_MAX;
        if !in_parts {
            jobs.set_header(&header);
        }
        Parcel { batch, jobs, in_parts }
    }

    /// Returns the number of jobs.
    pub(crate) fn count(&self) -> u16 {
        self.jobs.count() as u16
    }

    /// Returns the size of the jobs in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.jobs.bytes().len()
    }

    /// Returns whether the numbers of the jobs are consecutive.
    pub(crate) fn is_run(&self) -> bool {
        self.jobs.is_run()
    }

    /// Returns what is to be written next after `written` bytes, or nothing if everything has been
    /// written.
    pub(crate) fn unwritten(&self, written: usize) -> Cow<'_, [u8]> {
        match self.in_parts {
            true => self.unwritten_part(written),
            false => self.jobs.frame()[written..].into(),
        }
    }

    /// Returns the rest of the part that is being written: of its head, or of its piece of the job.
    fn unwritten_part(&self, written: usize) -> Cow<'_, [u8]> {
        let (_, job) = self.job(0);
        let (at, within) = (written / PART_FRAME_BYTES, written % PART_FRAME_BYTES);
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

    /// Returns the head of a part, which precedes its piece of the job.
    fn part_head(&self, total: usize, offset: usize, piece: usize) -> [u8; PART_HEAD_BYTES] {
        let bytes = (PART_BYTES + piece) as u32;
        let header = Header { kind: FrameKind::JobPart, bytes, ..header(self.batch, &self.jobs) };
        let mut head = [0; PART_HEAD_BYTES];
        head[..HEADER_BYTES].copy_from_slice(&header.encode());
        head[HEADER_BYTES..][..8].copy_from_slice(&(total as u64).to_le_bytes());
        head[HEADER_BYTES + 8..].copy_from_slice(&(offset as u64).to_le_bytes());
        head
    }

    /// Returns the number of the job with this index.
    #[inline]
    pub(crate) fn number(&self, index: u16) -> u64 {
        if self.is_run() { self.jobs.first() + u64::from(index) } else { self.job(index).0 }
    }

    /// Returns the number and the bytes of the job with this index.
    pub(crate) fn job(&self, index: u16) -> (u64, &[u8]) {
        self.walk().nth(usize::from(index)).expect("indices are checked against the count")
    }

    /// Returns the numbers and the bytes of the jobs in a range of indices.
    pub(crate) fn jobs(&self, range: Range<u16>) -> impl Iterator<Item = (u64, &[u8])> {
        self.walk().skip(usize::from(range.start)).take(range.len())
    }

    /// Returns whether a job with this number is in a range of indices.
    pub(crate) fn contains(&self, number: u64, mut range: Range<u16>) -> bool {
        match self.is_run() {
            true => u16::try_from(number.wrapping_sub(self.jobs.first()))
                .is_ok_and(|index| range.contains(&index)),
            false => range.any(|index| self.job(index).0 == number),
        }
    }

    fn walk(&self) -> Walk<'_> {
        Walk::new(self.jobs.bytes(), self.jobs.first())
    }
}

/// Returns the header of the frame that carries these jobs.
fn header(batch: u32, jobs: &Entries) -> Header {
    Header {
        kind: FrameKind::Jobs,
        count: u16::try_from(jobs.count()).expect("at most BATCH_JOBS_MAX"),
        batch,
        first_job: jobs.first(),
        bytes: jobs.bytes().len() as u32,
    }
}
