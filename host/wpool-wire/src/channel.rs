//! Frame buffers, which cut a stream of bytes into whole frames.

use super::frame::{BadHeader, HEADER_BYTES, Header};
use std::io::{self, Read};

/// The greatest number of bytes taken by one read, unless a longer frame is being read.
const READ_BYTES: usize = 256 << 10;

/// The least room for a read, in bytes: a read that takes less has emptied the pipe.
pub const ROOM_BYTES: usize = READ_BYTES / 4;

/// A buffer that is filled by reads of any size and emptied frame by frame. An incomplete frame is
/// an answer, not an error, so a reader that must not block never has to.
#[derive(Debug, Default)]
pub struct FrameBuffer {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl FrameBuffer {
    /// Reads once and returns how many bytes came: 0 at the end of the stream.
    ///
    /// # Errors
    /// Returns the error of the read, which may be `WouldBlock`.
    pub fn fill(&mut self, from: &mut impl Read) -> io::Result<usize> {
        self.make_room();
        let read = from.read(&mut self.bytes[self.end..])?;
        self.end += read;
        Ok(read)
    }

    /// Moves the remaining bytes to the front, and makes room for a read, or for the rest of a long
    /// frame.
    fn make_room(&mut self) {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
        let wanted = self.missing().max(ROOM_BYTES);
        if self.bytes.len() - self.end >= wanted {
            return;
        }
        let held = self.start..self.end;
        let len = (held.len() + wanted).max(READ_BYTES);
        if self.bytes.len() < len {
            // The system hands out pages of zeros: pages that are never read into cost nothing.
            let mut larger = vec![0; len];
            larger[..held.len()].copy_from_slice(&self.bytes[held.clone()]);
            self.bytes = larger;
        } else {
            self.bytes.copy_within(held.clone(), 0);
        }
        (self.start, self.end) = (0, held.len());
    }

    /// Returns how many bytes the first frame in the buffer still lacks, as far as its header is
    /// known.
    fn missing(&self) -> usize {
        let held = self.end - self.start;
        match self.header() {
            Some(Ok(header)) => (HEADER_BYTES + header.bytes as usize).saturating_sub(held),
            _ => 0,
        }
    }

    #[inline]
    fn header(&self) -> Option<Result<Header, BadHeader>> {
        self.bytes[self.start..self.end].first_chunk().map(Header::decode)
    }

    /// Returns the next whole frame, or `None` if more must be read first.
    ///
    /// # Errors
    /// Returns an error for a header that no honest peer writes. The stream is of no use after
    /// that.
    #[inline]
    pub fn next(&mut self) -> Result<Option<(Header, &[u8])>, BadHeader> {
        let Some(header) = self.header().transpose()? else { return Ok(None) };
        let body = self.start + HEADER_BYTES;
        let end = body + header.bytes as usize;
        if end > self.end {
            return Ok(None);
        }
        self.start = end;
        Ok(Some((header, &self.bytes[body..end])))
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame::{BODY_BYTES_MAX, FrameKind};
    use super::*;

    fn frame(bytes: usize) -> Vec<u8> {
        let header =
            Header { kind: FrameKind::Log, count: 0, batch: 1, first_job: 2, bytes: bytes as u32 };
        let mut frame = header.encode().to_vec();
        frame.extend((0..bytes).map(|at| at as u8));
        frame
    }

    /// A reader that hands out at most `step` bytes at a time.
    struct Dribble<'a>(&'a [u8], usize);

    impl Read for Dribble<'_> {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            let len = to.len().min(self.1).min(self.0.len());
            to[..len].copy_from_slice(&self.0[..len]);
            self.0 = &self.0[len..];
            Ok(len)
        }
    }

    #[test]
    fn frames_come_out_whole_however_the_bytes_come_in() {
        let sizes = [0, 1, 3, 70_000, 5, BODY_BYTES_MAX, 2];
        let stream: Vec<u8> = sizes.iter().flat_map(|&size| frame(size)).collect();
        for step in [7, 4096, 1 << 20] {
            let mut from = Dribble(&stream, step);
            let mut buffer = FrameBuffer::default();
            let mut seen = Vec::new();
            while buffer.fill(&mut from).unwrap() > 0 {
                while let Some((header, body)) = buffer.next().unwrap() {
                    assert_eq!(header.bytes as usize, body.len());
                    assert!(body.iter().enumerate().all(|(at, &byte)| byte == at as u8));
                    seen.push(body.len());
                }
            }
            assert_eq!(seen, sizes);
        }
    }

    #[test]
    fn a_torn_tail_is_never_a_frame() {
        let whole = frame(100);
        let mut from = &whole[..whole.len() - 1];
        let mut buffer = FrameBuffer::default();
        while buffer.fill(&mut from).unwrap() > 0 {}
        assert!(buffer.next().unwrap().is_none());
    }
}
