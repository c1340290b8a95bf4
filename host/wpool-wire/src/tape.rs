//! A tape: what the command that a worker runs has printed so far. It is a part of a file that both sides have, so that
//! the dispatcher can tell what was printed before a command was killed.

use rustix::fs::{FallocateFlags, fallocate};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Bytes that keep their memory from job to job.
const KEPT_BYTES_MAX: u64 = 1 << 20;

/// The tape, which begins somewhere in a file.
#[derive(Debug)]
pub(crate) struct Tape {
    file: File,
    start: u64,
    bytes_max: u64,
}

impl Tape {
    /// The tape that fills a file from `start` on, unless nothing is left there.
    ///
    /// # Errors
    /// The file's size cannot be told.
    pub(crate) fn new(file: File, start: u64) -> io::Result<Option<Tape>> {
        let bytes_max = file.metadata()?.len().saturating_sub(start);
        Ok((bytes_max > 0).then_some(Tape { file, start, bytes_max }))
    }

    /// Writes bytes behind the first `at`, as many as there is room for; answers with how many.
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

    /// Gives memory back, if the first `bytes` have much.
    pub(crate) fn forget(&self, bytes: u64) {
        if bytes > KEPT_BYTES_MAX {
            let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            // Where that is not allowed, the next job writes there.
            let _ = fallocate(&self.file, flags, self.start, self.bytes_max);
        }
    }
}
