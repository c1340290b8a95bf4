//! Tapes: each holds the output of the command that a worker runs. A tape is a part of a file that
//! both sides have, so that the dispatcher can read the output of a command that was killed.

use rustix::fs::{FallocateFlags, fallocate};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// The number of bytes that keep their memory from job to job.
const KEPT_BYTES_MAX: u64 = 1 << 20;

/// A tape, which begins at an offset in a file.
#[derive(Debug)]
pub(crate) struct Tape {
    file: File,
    start: u64,
    bytes_max: u64,
}

impl Tape {
    /// Returns the tape that fills a file from `start` on, or `None` if nothing is left there.
    ///
    /// # Errors
    /// Returns an error if the file's size cannot be read.
    pub(crate) fn new(file: File, start: u64) -> io::Result<Option<Tape>> {
        let bytes_max = file.metadata()?.len().saturating_sub(start);
        Ok((bytes_max > 0).then_some(Tape { file, start, bytes_max }))
    }

    /// Writes bytes behind the first `at`, as many as there is room for. Returns how many.
    pub(crate) fn write(&self, at: u64, bytes: &[u8]) -> usize {
        let room = usize::try_from(self.bytes_max.saturating_sub(at)).unwrap_or(usize::MAX);
        let bytes = &bytes[..bytes.len().min(room)];
        match self.file.write_all_at(bytes, self.start + at) {
            Ok(()) => bytes.len(),
            Err(_) => 0,
        }
    }

    /// Reads the first `bytes`, or as many as there are.
    pub(crate) fn read(&self, bytes: u64) -> Vec<u8> {
        let most = usize::try_from(bytes.min(self.bytes_max)).unwrap_or(usize::MAX);
        let (mut read, mut at) = (vec![0; most], 0);
        while at < read.len() {
            match self.file.read_at(&mut read[at..], self.start + at as u64) {
                Ok(0) => break,
                Ok(bytes) => at += bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        read.truncate(at);
        read
    }

    /// Gives memory back, if the first `bytes` take much.
    pub(crate) fn forget(&self, bytes: u64) {
        if bytes > KEPT_BYTES_MAX {
            let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            // If that is not allowed, the next job overwrites the bytes.
            let _ = fallocate(&self.file, flags, self.start, self.bytes_max);
        }
    }
}
