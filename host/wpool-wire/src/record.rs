//! Records: a worker commits one to its outbox for each finished job of a batch.
//!
//! ```text
//! {index u16, status u8, flags u8, len u32} [{began u64, nanoseconds u64, memory u64, exit code i64}] bytes
//! ```
//!
//! `index` counts the batch's jobs from 0 and rises by one from record to record. A `status` of 0
//! means that the bytes are the job's result, 1 that they are an encoded
//! [`Failure`](super::failure::Failure). Flag 1 means that the measurements are there.

use super::clock::MonotonicTime;
use super::frame::{u32_at, u64_at};

/// The bytes of a record before its measurements and its result.
pub const RECORD_BYTES: usize = 8;

/// The bytes of a record's measurements.
pub const MEASURE_BYTES: usize = 32;

const MEASURED: u8 = 1;

/// The measurements of a job: its begin, its time, the size of its instance's linear memory at the
/// end, and the exit code of its command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    /// The moment at which the job began.
    pub began: MonotonicTime,
    /// The time of the job in nanoseconds.
    pub nanos: u64,
    /// The size of the instance's linear memory at the job's end, in bytes.
    pub memory_bytes: u64,
    /// The exit code of a command.
    pub exit_code: i32,
}

impl Measure {
    /// Returns the measurements of a job that began at `began` and ends now.
    pub fn until_now(began: MonotonicTime, memory_bytes: u64, exit_code: i32) -> Measure {
        let nanos = MonotonicTime::now().since(began).as_nanos() as u64;
        Measure { began, nanos, memory_bytes, exit_code }
    }

    fn encode(self) -> [u8; MEASURE_BYTES] {
        let exit_code = i64::from(self.exit_code) as u64;
        let words = [self.began.nanos(), self.nanos, self.memory_bytes, exit_code];
        let mut bytes = [0; MEASURE_BYTES];
        for (bytes, word) in bytes.chunks_exact_mut(8).zip(words) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// Reads encoded measurements. The caller has checked the length.
    fn decode(bytes: &[u8]) -> Measure {
        let began = MonotonicTime::of_nanos(u64_at(bytes, 0));
        let (nanos, memory_bytes) = (u64_at(bytes, 8), u64_at(bytes, 16));
        Measure { began, nanos, memory_bytes, exit_code: u64_at(bytes, 24) as i32 }
    }
}

/// A finished job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// The job's place in its batch.
    pub index: u16,
    /// True if the bytes are a failure.
    pub failed: bool,
    /// The measurements, if the run is measured.
    pub measure: Option<Measure>,
    /// The result, or the failure.
    pub bytes: &'a [u8],
}

/// Empties `to` and makes room for the head of a record, whose bytes are appended next.
#[inline]
pub fn begin(to: &mut Vec<u8>, measured: bool) {
    to.clear();
    // The length is constant, so that no call is made for eight bytes.
    to.extend_from_slice(&[0; RECORD_BYTES]);
    if measured {
        to.extend_from_slice(&[0; MEASURE_BYTES]);
    }
}

/// Fills in the head of a record whose bytes are complete.
#[inline]
pub fn finish(record: &mut [u8], index: u16, failed: bool, measure: Option<Measure>) {
    let len = record.len() - head_bytes(measure.is_some());
    record[..2].copy_from_slice(&index.to_le_bytes());
    record[2] = u8::from(failed);
    record[3] = if measure.is_some() { MEASURED } else { 0 };
    record[4..8].copy_from_slice(&(len as u32).to_le_bytes());
    if let Some(measure) = measure {
        record[RECORD_BYTES..RECORD_BYTES + MEASURE_BYTES].copy_from_slice(&measure.encode());
    }
}

/// Returns the bytes of a record before its result.
#[inline]
pub(crate) fn head_bytes(measured: bool) -> usize {
    if measured { RECORD_BYTES + MEASURE_BYTES } else { RECORD_BYTES }
}

impl Record<'_> {
    /// Takes the first record off `bytes`. Returns `None` if there is no whole and well-formed
    /// record.
    #[inline]
    pub fn split_first(bytes: &[u8]) -> Option<(Record<'_>, &[u8])> {
        let (head, mut rest) = bytes.split_at_checked(RECORD_BYTES)?;
        let index = u16::from_le_bytes([head[0], head[1]]);
        let (failed, measured) = match (head[2], head[3]) {
            (status @ 0..=1, flags @ 0..=1) => (status == 1, flags == MEASURED),
            _ => return None,
        };
        let mut measure = None;
        if measured {
            let (figures, tail) = rest.split_at_checked(MEASURE_BYTES)?;
            measure = Some(Measure::decode(figures));
            rest = tail;
        }
        let (bytes, rest) = rest.split_at_checked(u32_at(head, 4) as usize)?;
        Some((Record { index, failed, measure, bytes }, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(record: &Record<'_>) -> Vec<u8> {
        let mut bytes = Vec::new();
        begin(&mut bytes, record.measure.is_some());
        bytes.extend_from_slice(record.bytes);
        finish(&mut bytes, record.index, record.failed, record.measure);
        bytes
    }

    #[test]
    fn a_record_comes_back_as_it_was_written() {
        let measure = Some(Measure {
            began: MonotonicTime::of_nanos(3),
            nanos: 1,
            memory_bytes: 2,
            exit_code: -1,
        });
        for measure in [None, measure] {
            let record = Record { index: 3, failed: true, measure, bytes: b"why" };
            let bytes = encode(&record);
            assert_eq!(Record::split_first(&bytes), Some((record, &b""[..])));
        }
    }

    #[test]
    fn a_torn_or_malformed_record_is_none() {
        let bytes = encode(&Record { index: 3, failed: false, measure: None, bytes: b"9" });
        for end in 0..bytes.len() {
            assert_eq!(Record::split_first(&bytes[..end]), None);
        }
        let mut bad = bytes;
        bad[2] = 2;
        assert_eq!(Record::split_first(&bad), None);
    }
}
