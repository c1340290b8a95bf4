//! Jobs that are the records of files: lines, or what stands between NUL bytes.
//!
//! Nothing here blocks: a file is read only when it has something. The descriptor's own flags are
//! left alone, since standard input is shared with other programs. Memory is bounded: a record
//! above the limit is dropped as it is read, and only its job fails.

use super::Room;
use super::encode::Encoder;
use super::names::Names;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileTypeExt;
use wpool::pool::feed::{Fill, Intake};

/// Most bytes read at once.
const READ_BYTES_MAX: usize = 256 << 10;

/// Most bytes read in one [`Lines::fill`] without finding the end of a record.
const FRUITLESS_BYTES_MAX: usize = 4 << 20;

/// Bytes that are kept of a record above the limit, to show with its failure.
const START_BYTES_MAX: usize = 256;

/// A file to read records from.
#[derive(Debug)]
pub(crate) struct Reader {
    file: File,
    name: String,
    /// Whether one can wait for it (epoll refuses regular files and the like).
    pollable: bool,
}

impl Reader {
    /// A file to read records from, and what it is called in messages.
    ///
    /// # Errors
    /// The file's kind cannot be told.
    pub(crate) fn new(file: File, name: impl Into<String>) -> io::Result<Self> {
        let kind = file.metadata()?.file_type();
        let pollable = kind.is_fifo() || kind.is_socket() || file.is_terminal();
        Ok(Reader { file, name: name.into(), pollable })
    }
}

/// The records of files, one file after the other.
#[derive(Debug)]
pub(crate) struct Lines {
    readers: VecDeque<Reader>,
    /// Whether the first reader has been told to `names`.
    started: bool,
    separator: u8,
    names: Names,
    buffer: Vec<u8>,
    /// The unused bytes of the buffer, and those among them known to hold no separator.
    start: usize,
    end: usize,
    scanned: usize,
    /// The beginning of a record above the limit, whose end is not yet found.
    too_large: Option<Vec<u8>>,
}

/// What an attempt to read brought.
enum Progress {
    Bytes(usize),
    Blocked,
    EndOfFile,
}

impl Lines {
    /// The records of these files, each ended by `separator`.
    pub(crate) fn new(readers: Vec<Reader>, separator: u8, names: Names) -> Self {
        Lines {
            readers: readers.into(),
            started: false,
            separator,
            names,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            scanned: 0,
            too_large: None,
        }
    }

    /// What to wait on.
    pub(crate) fn fd(&self) -> Option<BorrowedFd<'_>> {
        let reader = self.readers.front().filter(|reader| reader.pollable);
        reader.map(|reader| reader.file.as_fd())
    }

    /// Adds jobs until there is room for no more or nothing to read for now.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub(crate) fn fill(
        &mut self,
        intake: &mut Intake,
        encoder: &mut Encoder,
        room: &Room,
    ) -> io::Result<Fill> {
        let mut fruitless = 0;
        loop {
            if !self.started
                && let Some(reader) = self.readers.front()
            {
                self.names.started(intake.next_number(), &reader.name);
                self.started = true;
            }
            let first = intake.next_number();
            if self.split(intake, encoder, room) {
                return Ok(Fill::More);
            }
            let found = intake.next_number() > first;
            fruitless = if found { 0 } else { fruitless };
            match self.read(encoder.bytes_max())? {
                Progress::Bytes(bytes) => fruitless += bytes,
                Progress::Blocked => return Ok(Fill::Blocked),
                Progress::EndOfFile => {
                    self.finish_file(intake, encoder);
                    if self.readers.is_empty() {
                        return Ok(Fill::End);
                    }
                }
            }
            // An endless record must not keep signals from being seen. Waiting for a pipe that has
            // more ends at once; where there is nothing to wait on, the answer is to ask again.
            if fruitless >= FRUITLESS_BYTES_MAX {
                return Ok(if self.fd().is_some() { Fill::Blocked } else { Fill::More });
            }
        }
    }

    /// Adds the complete records of the buffer; true if there is room for no more.
    fn split(&mut self, intake: &mut Intake, encoder: &mut Encoder, room: &Room) -> bool {
        if self.too_large.is_some() && !self.drop_rest(intake, encoder) {
            return false;
        }
        let unused = &self.buffer[self.start..self.end];
        let mut from = 0;
        for at in memchr::memchr_iter(self.separator, &unused[self.scanned..]) {
            let to = self.scanned + at;
            encoder.add_word(intake, &unused[from..to]);
            from = to + 1;
            if room.is_full(intake) {
                self.start += from;
                self.scanned = 0;
                return true;
            }
        }
        self.start += from;
        self.scanned = self.end - self.start;
        false
    }

    /// Drops bytes to the end of a record above the limit; true if it was found.
    fn drop_rest(&mut self, intake: &mut Intake, encoder: &mut Encoder) -> bool {
        match memchr::memchr(self.separator, &self.buffer[self.start..self.end]) {
            Some(at) => {
                self.start += at + 1;
                let start = self.too_large.take().unwrap_or_default();
                encoder.add_too_large(intake, &start);
                true
            }
            None => {
                self.start = self.end;
                false
            }
        }
    }

    /// Reads more behind the unused bytes, if that needs no waiting.
    fn read(&mut self, record_bytes_max: usize) -> io::Result<Progress> {
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        if self.end > record_bytes_max && self.too_large.is_none() {
            self.too_large = Some(self.buffer[..self.end.min(START_BYTES_MAX)].to_vec());
        }
        if self.too_large.is_some() {
            (self.end, self.scanned) = (0, 0);
        }
        let Some(reader) = self.readers.front_mut() else { return Ok(Progress::EndOfFile) };
        if !is_readable(&reader.file)? {
            return Ok(Progress::Blocked);
        }
        if self.buffer.len() < self.end + READ_BYTES_MAX {
            // Doubled, so that a long record is not copied once for each read.
            self.buffer.resize((self.end * 2).max(self.end + READ_BYTES_MAX), 0);
        }
        let window = &mut self.buffer[self.end..self.end + READ_BYTES_MAX];
        match reader.file.read(window) {
            Ok(0) => Ok(Progress::EndOfFile),
            Ok(bytes) => {
                self.end += bytes;
                Ok(Progress::Bytes(bytes))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Progress::Blocked),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Progress::Bytes(0)),
            Err(error) => Err(io::Error::new(error.kind(), format!("{}: {error}", reader.name))),
        }
    }

    /// Adds the last record, which needs no separator, and goes on to the next file.
    fn finish_file(&mut self, intake: &mut Intake, encoder: &mut Encoder) {
        if let Some(start) = self.too_large.take() {
            encoder.add_too_large(intake, &start);
        } else if self.start < self.end {
            encoder.add_word(intake, &self.buffer[self.start..self.end]);
        }
        (self.start, self.end, self.scanned) = (0, 0, 0);
        self.readers.pop_front();
        self.started = false;
    }
}

/// Whether a read would not wait. (Regular files are always readable.)
fn is_readable(file: &File) -> io::Result<bool> {
    let mut fds = [PollFd::new(file.as_fd(), PollFlags::POLLIN)];
    match poll(&mut fds, PollTimeout::ZERO) {
        Ok(ready) => Ok(ready > 0),
        Err(nix::errno::Errno::EINTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
