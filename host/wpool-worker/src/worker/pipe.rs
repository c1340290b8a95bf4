//! The pipe of results, as a worker writes it.

use super::log::{LogSink, Origin};
use crate::wire::frame::{BODY_BYTES_MAX, FrameKind, Header, PART_BYTES};
use crate::wire::jobmem::JobMem;
use std::fs::File;
use std::io::{self, IoSlice, Write};
use std::sync::Arc;

/// The pipe of results. Only one thread of the worker writes into it, one frame at a time.
#[derive(Debug)]
pub(super) struct ResultPipe {
    file: File,
    /// The job memory in which to note that a frame is being written, if that matters (`process`
    /// isolation).
    noted_in: Option<Arc<JobMem>>,
}

impl ResultPipe {
    pub(super) fn new(file: File, noted_in: Option<Arc<JobMem>>) -> Self {
        ResultPipe { file, noted_in }
    }

    /// Sends a frame that belongs to no batch.
    ///
    /// # Errors
    /// Returns the error of the write.
    pub(super) fn send(&self, kind: FrameKind, body: &[u8]) -> io::Result<()> {
        let body = &body[..body.len().min(BODY_BYTES_MAX)];
        let header = Header { kind, count: 0, batch: 0, first_job: 0, bytes: body.len() as u32 };
        self.write(&header, &[body])
    }

    /// Sends a record that does not fit the outbox, in frames of at most [`BODY_BYTES_MAX`].
    ///
    /// # Errors
    /// Returns the error of the write.
    pub(super) fn send_parts(&self, batch: u32, record: &[u8]) -> io::Result<()> {
        let piece_bytes = BODY_BYTES_MAX - PART_BYTES;
        for (at, piece) in record.chunks(piece_bytes).enumerate() {
            let mut place = [0; PART_BYTES];
            place[..8].copy_from_slice(&(record.len() as u64).to_le_bytes());
            place[8..].copy_from_slice(&((at * piece_bytes) as u64).to_le_bytes());
            let header = Header {
                kind: FrameKind::ResultPart,
                count: 0,
                batch,
                first_job: 0,
                bytes: (PART_BYTES + piece.len()) as u32,
            };
            self.write(&header, &[&place, piece])?;
        }
        Ok(())
    }

    /// Writes a frame whose body is made of at most two pieces.
    ///
    /// # Errors
    /// Returns the error of the write.
    pub(super) fn write(&self, header: &Header, body: &[&[u8]]) -> io::Result<()> {
        if let Some(memory) = &self.noted_in {
            memory.set_writing(true);
        }
        self.write_all(header, body)?;
        if let Some(memory) = &self.noted_in {
            memory.set_writing(false);
        }
        Ok(())
    }

    fn write_all(&self, header: &Header, body: &[&[u8]]) -> io::Result<()> {
        let head = header.encode();
        let mut slices = [IoSlice::new(&head); 3];
        for (slice, piece) in slices[1..].iter_mut().zip(body) {
            *slice = IoSlice::new(piece);
        }
        let mut left = &mut slices[..=body.len()];
        // Empty slices at the front are skipped, so that a write of 0 bytes is an error.
        IoSlice::advance_slices(&mut left, 0);
        while !left.is_empty() {
            match (&self.file).write_vectored(left) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => IoSlice::advance_slices(&mut left, written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl LogSink for ResultPipe {
    fn line(&self, from: Origin, line: &[u8]) {
        let header = Header {
            kind: FrameKind::Log,
            count: from.stream.code(),
            batch: 0,
            first_job: from.job,
            bytes: line.len() as u32,
        };
        // Without a dispatcher nobody reads the line, and the worker ends at its next read.
        let _ = self.write(&header, &[line]);
    }
}
