//! Frames: the units that dispatcher and worker write into each other's pipe.
//!
//! A frame is a header of 20 bytes, little endian, and `bytes` bytes of body:
//!
//! ```text
//! {kind u8, flags u8, count u16, batch u32, first_job u64, bytes u32}
//! ```
//!
//! Dispatcher to worker: `Jobs` (count entries `{skip u32, len u32}` + bytes; an entry's number is
//! the previous entry's plus 1 plus skip, the first entry's is `first_job`) and `JobPart` (`{total
//! u64, offset u64}` + bytes of the only job of its batch). Worker to dispatcher: `Ready` (with the
//! time from which on it is ready), `Results` (a piece of the outbox, see [`super::jobmem`];
//! `first_job` is the piece's offset there), `ResultPart` (`{total u64, offset u64}` + bytes;
//! `count` is the job's index in the batch), `Log` (a line that job `first_job` printed; `count` is
//! its [`Stream`](super::line::Stream)), `Waits` (the waits of a job, [as
//! JSON](super::waits::Waits)), and `Fatal` (the reason why the worker gives up).
//!
//! Neither side trusts the other's lengths: a header is checked before anything is allocated.

/// The size of a frame's header in bytes.
pub const HEADER_BYTES: usize = 20;

/// The greatest size of a frame's body in bytes.
pub const BODY_BYTES_MAX: usize = 1 << 20;

/// The greatest number of jobs in a batch.
pub const BATCH_JOBS_MAX: u16 = 4096;

/// The bytes before each job in a `Jobs` body.
pub const ENTRY_BYTES: usize = 8;

/// The bytes before the piece in a `JobPart` or `ResultPart` body.
pub const PART_BYTES: usize = 16;

/// The kind of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum FrameKind {
    /// A batch of jobs.
    Jobs = 1,
    /// A piece of a job too large for one frame.
    JobPart = 2,
    /// Committed records of the outbox.
    Results = 3,
    /// A piece of a result too large for the outbox.
    ResultPart = 4,
    /// A line that a guest printed.
    Log = 5,
    /// The worker is ready for jobs; the body is the time from which on it is (`u64`, see
    /// [`super::clock`]).
    Ready = 6,
    /// The worker cannot go on; the body is the reason.
    Fatal = 7,
    /// The waits of a job.
    Waits = 8,
}

impl FrameKind {
    fn from_u8(byte: u8) -> Option<Self> {
        use FrameKind::*;
        [Jobs, JobPart, Results, ResultPart, Log, Ready, Fatal, Waits]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
    }
}

/// The header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The kind of the frame.
    pub kind: FrameKind,
    /// The number of entries in the body; for a line, the code of its stream.
    pub count: u16,
    /// The batch that the frame belongs to.
    pub batch: u32,
    /// The number of the first job.
    pub first_job: u64,
    /// The size of the body in bytes.
    pub bytes: u32,
}

/// A header that no honest peer writes.
#[derive(Debug, thiserror::Error)]
#[error("malformed frame header: {0:02x?}")]
pub struct BadHeader([u8; HEADER_BYTES]);

impl Header {
    /// Encodes the header.
    #[inline]
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[0] = self.kind as u8;
        bytes[2..4].copy_from_slice(&self.count.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.batch.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.first_job.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.bytes.to_le_bytes());
        bytes
    }

    /// Reads a header and checks its kind and its limits.
    ///
    /// # Errors
    /// Returns an error for an unknown kind, set flags, or a body above [`BODY_BYTES_MAX`].
    #[inline]
    pub(crate) fn decode(bytes: &[u8; HEADER_BYTES]) -> Result<Self, BadHeader> {
        let header = FrameKind::from_u8(bytes[0]).map(|kind| Header {
            kind,
            count: u16::from_le_bytes([bytes[2], bytes[3]]),
            batch: u32_at(bytes, 4),
            first_job: u64_at(bytes, 8),
            bytes: u32_at(bytes, 16),
        });
        match header {
            Some(header) if bytes[1] == 0 && header.bytes as usize <= BODY_BYTES_MAX => Ok(header),
            _ => Err(BadHeader(*bytes)),
        }
    }
}

/// Returns the `u32` at `at`. The caller has checked the length.
#[inline]
pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("4 bytes"))
}

/// Returns the `u64` at `at`. The caller has checked the length.
#[inline]
pub fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"))
}

/// Returns the bytes before a job of `len` bytes in a `Jobs` body.
#[inline]
pub fn entry_head(skip: u32, len: u32) -> [u8; ENTRY_BYTES] {
    (u64::from(skip) | u64::from(len) << 32).to_le_bytes()
}

/// Jobs encoded as the body of a `Jobs` frame, with room for its header before them.
#[derive(Clone, Debug)]
pub struct Entries {
    bytes: Vec<u8>,
    count: usize,
    first: u64,
    next: u64,
}

impl Default for Entries {
    fn default() -> Self {
        Entries { bytes: vec![0; HEADER_BYTES], count: 0, first: 0, next: 0 }
    }
}

impl Entries {
    /// Adds job `number`, which must be above all numbers before it.
    #[inline]
    pub fn push(&mut self, number: u64, job: &[u8]) {
        self.push_with(number, |bytes| bytes.extend_from_slice(job));
    }

    /// Adds job `number`, whose bytes are those that `write` appends.
    #[inline]
    pub fn push_with(&mut self, number: u64, write: impl FnOnce(&mut Vec<u8>)) {
        if self.count == 0 {
            self.first = number;
            self.next = number;
        }
        debug_assert!(number >= self.next, "jobs are added in ascending order");
        let skip = u32::try_from(number - self.next).expect("fewer than 2^32 jobs between two");
        // The length is filled in when it is known.
        self.bytes.extend_from_slice(&entry_head(skip, 0));
        let start = self.bytes.len();
        write(&mut self.bytes);
        let len = u32::try_from(self.bytes.len() - start).expect("a job is below 4 GiB");
        self.bytes[start - 4..start].copy_from_slice(&len.to_le_bytes());
        self.count += 1;
        self.next = number + 1;
    }

    /// Returns whether job `number` can follow: it must not be too far from the last.
    pub fn reaches(&self, number: u64) -> bool {
        self.count == 0 || number - self.next <= u64::from(u32::MAX)
    }

    /// Takes over `count` encoded jobs, `first` to `last`. The entries must be empty before.
    pub fn fill(&mut self, encoded: &[u8], count: usize, first: u64, last: u64) {
        debug_assert!(self.count == 0, "only an empty one is filled");
        self.bytes.extend_from_slice(encoded);
        (self.count, self.first, self.next) = (count, first, last + 1);
    }

    /// Returns the encoded jobs.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[HEADER_BYTES..]
    }

    /// Returns the number of jobs.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Returns the number of the first job.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Returns whether the numbers of the jobs are consecutive.
    pub fn is_run(&self) -> bool {
        self.next - self.first == self.count as u64
    }

    /// Writes the header of the frame.
    pub fn set_header(&mut self, header: &Header) {
        self.bytes[..HEADER_BYTES].copy_from_slice(&header.encode());
    }

    /// Returns the frame, once its header is set.
    pub fn frame(&self) -> &[u8] {
        &self.bytes
    }

    /// Removes all jobs, keeping the memory.
    pub fn clear(&mut self) {
        self.bytes.truncate(HEADER_BYTES);
        self.count = 0;
    }
}

/// An iterator over encoded jobs, the first of which has a known number.
#[derive(Clone, Debug)]
pub struct Walk<'a> {
    rest: &'a [u8],
    next: u64,
    started: bool,
}

impl<'a> Walk<'a> {
    /// Starts at the first entry of `bytes`, which is job `first`.
    #[inline]
    pub fn new(bytes: &'a [u8], first: u64) -> Self {
        Walk { rest: bytes, next: first, started: false }
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = (u64, &'a [u8]);

    /// Returns the next job's number and bytes, or `None` at the end and where the bytes are not
    /// entries.
    #[inline]
    fn next(&mut self) -> Option<(u64, &'a [u8])> {
        let (head, tail) = self.rest.split_at_checked(ENTRY_BYTES)?;
        let skip = if self.started { u64::from(u32_at(head, 0)) } else { 0 };
        let (job, rest) = tail.split_at_checked(u32_at(head, 4) as usize)?;
        let number = self.next + skip;
        self.started = true;
        self.next = number + 1;
        self.rest = rest;
        Some((number, job))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: Header =
        Header { kind: FrameKind::Results, count: 7, batch: 9, first_job: 1 << 40, bytes: 12 };

    #[test]
    fn a_header_comes_back_as_it_was_written() {
        assert_eq!(Header::decode(&HEADER.encode()).unwrap(), HEADER);
    }

    #[test]
    fn a_header_with_an_unknown_kind_or_flag_or_a_body_above_the_limit_is_refused() {
        let mut unknown = HEADER.encode();
        unknown[0] = 0;
        let mut flagged = HEADER.encode();
        flagged[1] = 1;
        let long = Header { bytes: BODY_BYTES_MAX as u32 + 1, ..HEADER }.encode();
        for bytes in [unknown, flagged, long] {
            assert!(Header::decode(&bytes).is_err(), "{bytes:?}");
        }
        assert!(
            Header::decode(&Header { bytes: BODY_BYTES_MAX as u32, ..HEADER }.encode()).is_ok()
        );
    }

    #[test]
    fn jobs_need_not_be_consecutive() {
        let mut entries = Entries::default();
        for number in [5, 6, 9] {
            entries.push(number, format!("job {number}").as_bytes());
        }
        let walked: Vec<_> = Walk::new(entries.bytes(), entries.first()).collect();
        assert_eq!(walked, [(5, &b"job 5"[..]), (6, b"job 6"), (9, b"job 9")]);
    }

    #[test]
    fn a_walk_over_torn_entries_ends_before_the_tear() {
        let mut entries = Entries::default();
        entries.push(0, b"whole");
        entries.push(1, b"torn");
        let torn = &entries.bytes()[..entries.bytes().len() - 1];
        assert_eq!(Walk::new(torn, 0).count(), 1);
    }
}
