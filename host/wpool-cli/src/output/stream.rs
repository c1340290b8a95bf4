//! A buffer in front of a descriptor that is written without ever blocking.
//!
//! The descriptor's own flags are left alone, since standard output is shared with other programs.

use crate::cli::readiness::is_writable;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustix::termios::tcgetwinsize;
use std::fs::File;
use std::io::{self, IsTerminal, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileTypeExt;
use wpool::pool::summary::End;

/// The number of bytes that a pipe takes without blocking when it polls writable (PIPE_BUF).
const PIPE_BYTES: usize = 4096;

/// The capacity that an empty buffer keeps.
const IDLE_BYTES_MAX: usize = 1 << 20;

/// The least number of bytes that are worth a write of their own.
const DIRECT_BYTES_MIN: usize = 256 << 10;

/// The time to wait for a reader that takes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// No limit.
    Endless,
    /// A second, because the run was asked to end.
    Short,
}

impl Patience {
    /// Returns the patience after a run that ended in this way.
    pub(crate) fn after(end: End) -> Patience {
        if end == End::Complete { Patience::Endless } else { Patience::Short }
    }
}

/// A buffer in front of a descriptor.
#[derive(Debug)]
pub(crate) struct Stream {
    file: File,
    /// True if a write may block: to pipes, sockets and terminals.
    may_block: bool,
    buffer: Vec<u8>,
    /// The number of bytes in the buffer that are written.
    sent: usize,
    /// The number of bytes written so far.
    written: u64,
    /// The last byte that was written and has left the buffer.
    last: Option<u8>,
}

impl Stream {
    /// Makes a stream to this file.
    ///
    /// # Errors
    /// Fails if the kind of the file cannot be found out.
    pub(crate) fn new(file: File) -> io::Result<Self> {
        let kind = file.metadata()?.file_type();
        let may_block = kind.is_fifo() || kind.is_socket() || file.is_terminal();
        Ok(Stream { file, may_block, buffer: Vec::new(), sent: 0, written: 0, last: None })
    }

    /// Makes a stream to a copy of a descriptor.
    ///
    /// # Errors
    /// Fails if the descriptor is closed.
    pub(crate) fn of(fd: impl AsFd) -> io::Result<Self> {
        Stream::new(File::from(fd.as_fd().try_clone_to_owned()?))
    }

    /// Returns the buffer to append to.
    #[inline]
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Appends bytes. A large number of bytes is written at once, as far as this needs no waiting,
    /// so that they are not copied.
    #[inline]
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        let written = if bytes.len() < DIRECT_BYTES_MIN { 0 } else { self.put_directly(bytes) };
        self.buffer.extend_from_slice(&bytes[written..]);
    }

    /// Writes bytes after those that are held, and returns the number of bytes written. An error
    /// occurs again at the next flush.
    #[cold]
    fn put_directly(&mut self, bytes: &[u8]) -> usize {
        if !matches!(self.flush(), Ok(true)) {
            return 0;
        }
        let mut written = 0;
        let _ = self.write(bytes, &mut written);
        self.last = bytes[..written].last().copied().or(self.last);
        written
    }

    /// Returns the number of bytes written so far.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// Returns the number of bytes put in so far.
    pub(crate) fn end(&self) -> u64 {
        self.written + self.held() as u64
    }

    /// Cuts off what was written after the first `bytes` bytes, if it can be taken back: in a
    /// regular file with nothing after it. The file had `before` bytes at first.
    pub(crate) fn cut(&mut self, before: u64, bytes: u64) -> io::Result<()> {
        let metadata = self.file.metadata()?;
        if bytes < self.written && metadata.is_file() && metadata.len() == before + self.written {
            self.file.set_len(before + bytes)?;
            self.file.seek(SeekFrom::End(0))?;
        }
        Ok(())
    }

    /// Returns the number of bytes not yet written.
    pub(crate) fn held(&self) -> usize {
        self.buffer.len() - self.sent
    }

    /// Returns whether the file is a terminal.
    pub(crate) fn is_terminal(&self) -> bool {
        self.file.is_terminal()
    }

    /// Returns the number of columns, if the file is a terminal.
    pub(crate) fn columns(&self) -> Option<usize> {
        let size = tcgetwinsize(&self.file).ok()?;
        Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
    }

    /// Returns whether nothing was ever put in, or this byte was the last.
    pub(crate) fn ends_with(&self, byte: u8) -> bool {
        self.buffer.last().copied().or(self.last).is_none_or(|last| last == byte)
    }

    /// Returns the descriptor to wait for after [`Stream::flush`] returned false.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// Waits until something can be written, or a signal arrives. Returns false if the reader has
    /// taken nothing until the patience ended.
    pub(crate) fn wait(&self, patience: Patience) -> bool {
        let mut fds = [PollFd::new(self.file.as_fd(), PollFlags::POLLOUT)];
        let timeout = match patience {
            Patience::Endless => PollTimeout::NONE,
            Patience::Short => PollTimeout::from(1000_u16),
        };
        // If polling fails, the next write returns the error.
        poll(&mut fds, timeout) != Ok(0)
    }

    /// Writes as much as possible without blocking, and returns whether that was everything.
    ///
    /// # Errors
    /// Fails if the write failed. A pipe without a reader is `BrokenPipe`.
    pub(crate) fn flush(&mut self) -> io::Result<bool> {
        let (buffer, mut sent) = (std::mem::take(&mut self.buffer), self.sent);
        let written = self.write(&buffer, &mut sent);
        (self.buffer, self.sent) = (buffer, sent);
        if !written? {
            self.compact();
            return Ok(false);
        }
        self.sent = 0;
        self.last = self.buffer.last().copied().or(self.last);
        self.buffer.clear();
        if self.buffer.capacity() > IDLE_BYTES_MAX {
            self.buffer = Vec::new();
        }
        Ok(true)
    }

    /// Writes bytes from `sent` on, as far as this needs no waiting. Returns whether all were
    /// written.
    fn write(&mut self, bytes: &[u8], sent: &mut usize) -> io::Result<bool> {
        while *sent < bytes.len() {
            let left = &bytes[*sent..];
            let piece = if self.may_block { &left[..left.len().min(PIPE_BYTES)] } else { left };
            if self.may_block && !is_writable(&self.file)? {
                return Ok(false);
            }
            match self.file.write(piece) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(bytes) => {
                    *sent += bytes;
                    self.written += bytes as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Drops the bytes that are held.
    pub(crate) fn discard(&mut self) {
        self.buffer.clear();
        self.sent = 0;
    }

    /// Drops the written bytes once they are the larger part, so that each is moved at most once.
    fn compact(&mut self) {
        if self.sent > self.buffer.len() / 2 {
            self.buffer.drain(..self.sent);
            self.sent = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{PipeReader, Read, pipe};
    use std::os::fd::OwnedFd;

    fn piped() -> (PipeReader, Stream) {
        let (reader, writer) = pipe().expect("a pipe");
        (reader, Stream::new(File::from(OwnedFd::from(writer))).expect("a stream"))
    }

    #[test]
    fn a_full_pipe_answers_false_and_the_rest_follows_when_it_is_read() {
        let (mut reader, mut stream) = piped();
        let bytes: Vec<u8> = (0..1_000_000u32).map(|n| n as u8).collect();
        stream.buffer().extend_from_slice(&bytes);
        assert!(!stream.flush().expect("no error"));
        let mut read = Vec::new();
        while stream.held() > 0 {
            let mut piece = [0; 10_000];
            let length = reader.read(&mut piece).expect("read");
            read.extend_from_slice(&piece[..length]);
            stream.flush().expect("no error");
        }
        drop(stream);
        reader.read_to_end(&mut read).expect("read");
        assert!(read == bytes);
    }

    #[test]
    fn a_pipe_without_a_reader_is_a_broken_pipe() {
        let (reader, mut stream) = piped();
        drop(reader);
        stream.buffer().push(b'x');
        assert_eq!(stream.flush().expect_err("no reader").kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn many_bytes_at_once_keep_their_place() {
        let (mut reader, mut stream) = piped();
        let many = vec![b'x'; 2 * DIRECT_BYTES_MIN];
        stream.buffer().push(b'a');
        stream.put(&many);
        assert!(stream.held() < many.len() && stream.held() > 0, "a part of it was written");
        stream.put(b"b");
        stream.put(&many);
        let mut read = Vec::new();
        while read.len() < 2 * many.len() + 2 {
            let mut piece = [0; 10_000];
            let length = reader.read(&mut piece).expect("read");
            read.extend_from_slice(&piece[..length]);
            stream.flush().expect("no error");
        }
        assert!(read == [b"a", &many[..], b"b", &many[..]].concat());
        assert!(stream.ends_with(b'x'));
    }

    #[test]
    fn the_last_byte_is_known_when_it_is_written_too() {
        let mut stream = Stream::new(tempfile::tempfile().expect("a file")).expect("a stream");
        assert!(stream.ends_with(b'\n'), "nothing was put in");
        stream.buffer().extend_from_slice(b"ab");
        assert!(stream.ends_with(b'b'));
        assert!(stream.flush().expect("no error"));
        assert!(stream.ends_with(b'b') && !stream.ends_with(b'\n'));
    }

    #[test]
    fn a_regular_file_takes_everything_at_once() {
        let file = tempfile::tempfile().expect("a temporary file");
        let mut stream = Stream::new(file).expect("a stream");
        stream.buffer().resize(3 << 20, b'x');
        assert!(stream.flush().expect("no error"));
        assert_eq!(stream.held(), 0);
        assert!(stream.buffer().capacity() <= IDLE_BYTES_MAX);
    }
}
