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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::input::encode::Shape;
    use std::io::{PipeWriter, Seek, Write, pipe};
    use std::os::fd::OwnedFd;

    /// Bytes that an entry has beside its job.
    const ENTRY_BYTES: usize = 8;

    struct Case {
        lines: Lines,
        encoder: Encoder,
        intake: Intake,
        names: Names,
    }

    impl Case {
        fn new(readers: Vec<Reader>, record_bytes_max: usize) -> Self {
            let names = Names::records("line");
            let encoder =
                Encoder::new(Shape::Word, false, false, record_bytes_max, None, names.clone());
            let lines = Lines::new(readers, b'\n', names.clone());
            Case { lines, encoder, intake: Intake::default(), names }
        }

        fn fill(&mut self, room: usize) -> Fill {
            let room = Room::new(&self.intake, room);
            self.lines.fill(&mut self.intake, &mut self.encoder, &room).expect("readable")
        }

        /// How many jobs there are, and how many bytes they have.
        fn jobs(&self) -> (u64, usize) {
            (self.intake.next_number(), self.intake.bytes())
        }
    }

    fn file(bytes: &[u8]) -> Reader {
        let mut file = tempfile::tempfile().expect("a temporary file");
        file.write_all(bytes).expect("written");
        file.rewind().expect("rewound");
        Reader::new(file, "f").expect("a reader")
    }

    fn piped() -> (PipeWriter, Reader) {
        let (reader, writer) = pipe().expect("a pipe");
        (writer, Reader::new(File::from(OwnedFd::from(reader)), "p").expect("a reader"))
    }

    #[test]
    fn the_last_record_needs_no_separator_and_an_empty_one_counts() {
        let mut case = Case::new(vec![file(b"12\n\n3")], 100);
        assert_eq!(case.fill(1000), Fill::End);
        assert_eq!(case.jobs(), (3, 3 * ENTRY_BYTES + 3));
    }

    #[test]
    fn a_partial_record_waits_for_its_end() {
        let (mut writer, reader) = piped();
        let mut case = Case::new(vec![reader], 100);
        assert_eq!(case.fill(1000), Fill::Blocked);
        assert!(case.lines.fd().is_some());
        writer.write_all(b"12\n3").expect("written");
        assert_eq!(case.fill(1000), Fill::Blocked);
        assert_eq!(case.jobs(), (1, ENTRY_BYTES + 2));
        writer.write_all(b"4\n").expect("written");
        assert_eq!(case.fill(1000), Fill::Blocked);
        assert_eq!(case.jobs(), (2, 2 * ENTRY_BYTES + 4));
        drop(writer);
        assert_eq!(case.fill(1000), Fill::End);
    }

    #[test]
    fn no_more_is_added_than_there_is_room_for() {
        let mut case = Case::new(vec![file(b"1\n2\n3\n4\n")], 100);
        assert_eq!(case.fill(2 * ENTRY_BYTES), Fill::More);
        assert_eq!(case.jobs().0, 2);
        assert_eq!(case.fill(1000), Fill::End);
        assert_eq!(case.jobs().0, 4);
    }

    #[test]
    fn files_are_read_in_turn_and_a_record_ends_with_its_file() {
        let mut case = Case::new(vec![file(b"1\n2"), file(b""), file(b"3\n")], 100);
        assert_eq!(case.fill(1000), Fill::End);
        assert_eq!(case.jobs(), (3, 3 * ENTRY_BYTES + 3));
        assert_eq!(case.names.place(2), "line 1 of f");
    }

    #[test]
    fn a_record_above_the_limit_fails_alone_and_costs_no_memory() {
        let mut bytes = vec![b'x'; 3 << 20];
        bytes.extend_from_slice(b"\n12\n");
        let mut case = Case::new(vec![file(&bytes)], 1000);
        assert_eq!(case.fill(1000), Fill::End);
        // The failed job has a number but nothing to send.
        assert_eq!(case.jobs(), (2, ENTRY_BYTES + 2));
        assert!(case.lines.buffer.len() <= 2 * READ_BYTES_MAX);
    }

    #[test]
    fn a_record_just_above_the_limit_fails_too() {
        let mut case = Case::new(vec![file(b"1234\n12345\n1234")], 4);
        assert_eq!(case.fill(1000), Fill::End);
        assert_eq!(case.jobs(), (3, 2 * ENTRY_BYTES + 8));
    }

    #[test]
    fn a_long_record_arrives_whole() {
        let mut bytes = vec![b'x'; 1 << 20];
        bytes.push(b'\n');
        let mut case = Case::new(vec![file(&bytes)], 1 << 20);
        assert_eq!(case.fill(1000), Fill::More);
        assert_eq!(case.jobs(), (1, ENTRY_BYTES + (1 << 20)));
    }

    #[test]
    fn an_endless_record_lets_others_have_a_turn() {
        let zero = File::open("/dev/zero").expect("a device");
        let mut case = Case::new(vec![Reader::new(zero, "z").expect("a reader")], 1000);
        assert_eq!(case.fill(1000), Fill::More);
        assert_eq!(case.jobs(), (0, 0));
    }
}
