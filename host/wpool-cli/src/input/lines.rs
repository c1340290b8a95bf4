//! Jobs that are the records of files: lines, texts between NUL bytes, rows of CSV, or blocks of
//! lines.
//!
//! Nothing here blocks: a file is read only when it is readable. The descriptor's own flags are
//! left alone, since standard input is shared with other programs. Memory is bounded: a record
//! above the limit is dropped as it is read, and only its job fails.

use super::Room;
use super::encode::Encoder;
use super::names::Names;
use crate::cli::readiness::is_readable;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, IsTerminal, Read, Seek, SeekFrom};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::FileTypeExt;
use wpool::pool::feed::{Fill, InputQueue};

/// The most bytes that are read at once.
const READ_BYTES_MAX: usize = 256 << 10;

/// The most bytes that one [`Lines::fill`] reads without finding the end of a record.
const FRUITLESS_BYTES_MAX: usize = 4 << 20;

/// The number of bytes that are kept of a record above the limit, to be shown with its failure.
pub(super) const START_BYTES_MAX: usize = 256;

/// The most bytes of a header.
const HEADER_BYTES_MAX: usize = 1 << 20;

/// The mark with which some editors begin a text; it is no part of the first record.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The kind of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    /// A line that ends with this byte. The byte is no part of the record.
    Line(u8),
    /// A row that ends with this byte outside quotes. The byte is no part of the record.
    Quoted(u8),
    /// Whole lines, as many as fit into a number of bytes; a single line may be longer.
    Block {
        /// The byte that ends a line.
        end: u8,
        /// The most bytes.
        bytes: usize,
    },
    /// A number of whole lines.
    Lines {
        /// The byte that ends a line.
        end: u8,
        /// The number of lines.
        count: u32,
    },
}

/// The progress of a search for a record's end in the unused bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Search {
    /// The number of bytes that are known to hold no end.
    scanned: usize,
    /// True if quotes are open after those bytes.
    quoted: bool,
    /// The number of line ends in those bytes.
    lines: u32,
}

impl Search {
    /// Finds the end of the first record in the unused bytes. Returns the length of the record, and
    /// its length with the end.
    fn find(&mut self, record: Record, unused: &[u8]) -> Option<(usize, usize)> {
        let from = self.scanned.min(unused.len());
        let rest = &unused[from..];
        let found = match record {
            Record::Line(end) => memchr::memchr(end, rest).map(|at| (from + at, from + at + 1)),
            Record::Quoted(end) => memchr::memchr2_iter(end, b'"', rest)
                .find(|&at| match rest[at] {
                    b'"' => {
                        self.quoted = !self.quoted;
                        false
                    }
                    _ => !self.quoted,
                })
                .map(|at| (from + at, from + at + 1)),
            Record::Block { bytes, .. } if unused.len() < bytes => return None,
            Record::Block { end, bytes } => memchr::memrchr(end, &unused[..bytes])
                .or_else(|| memchr::memchr(end, &unused[bytes..]).map(|at| bytes + at))
                .map(|at| (at + 1, at + 1)),
            Record::Lines { end, count } => memchr::memchr_iter(end, rest)
                .find(|_| {
                    self.lines += 1;
                    self.lines == count
                })
                .map(|at| (from + at + 1, from + at + 1)),
        };
        match found {
            Some(_) => *self = Search::default(),
            None => self.scanned = unused.len(),
        }
        found
    }
}

/// A file to read records from.
#[derive(Debug)]
pub(crate) struct Reader {
    file: File,
    name: String,
    /// True if the file can be polled; epoll refuses regular files and the like.
    pollable: bool,
    /// The bytes that were read after the header.
    ahead: Vec<u8>,
    /// True if the beginning of the file has been read.
    begun: bool,
}

impl Reader {
    /// Makes a reader of a file; `name` is the file's name in messages.
    ///
    /// # Errors
    /// Fails if the kind of the file cannot be found out.
    pub(crate) fn new(file: File, name: impl Into<String>) -> io::Result<Self> {
        let kind = file.metadata()?.file_type();
        let pollable = kind.is_fifo() || kind.is_socket() || file.is_terminal();
        Ok(Reader { file, name: name.into(), pollable, ahead: Vec::new(), begun: false })
    }

    /// Returns a second reader of the same bytes, if they are in a regular file.
    fn copy(&self) -> Option<Reader> {
        let at = (&self.file).stream_position().ok()?;
        if !self.file.metadata().ok()?.is_file() {
            return None;
        }
        let mut file = File::open(format!("/proc/self/fd/{}", self.file.as_raw_fd())).ok()?;
        file.seek(SeekFrom::Start(at)).ok()?;
        let (ahead, begun) = (self.ahead.clone(), self.begun);
        Some(Reader { file, name: self.name.clone(), pollable: self.pollable, ahead, begun })
    }

    /// Returns the file's name in messages.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Takes the first record, and waits for it as long as necessary.
    ///
    /// # Errors
    /// Fails if the file cannot be read, or the record is longer than 1 MiB.
    pub(crate) fn take_header(&mut self, record: Record) -> io::Result<Vec<u8>> {
        self.begun = true;
        let (mut search, mut piece) = (Search::default(), vec![0; 64 << 10]);
        loop {
            if let Some((length, taken)) = search.find(record, &self.ahead) {
                let rest = self.ahead.split_off(taken);
                let mut header = std::mem::replace(&mut self.ahead, rest);
                header.truncate(length);
                return Ok(without_mark(&header).to_vec());
            }
            if self.ahead.len() > HEADER_BYTES_MAX {
                return Err(io::Error::other("the first line is longer than 1MiB"));
            }
            match self.file.read(&mut piece) {
                Ok(0) => return Ok(without_mark(&std::mem::take(&mut self.ahead)).to_vec()),
                Ok(bytes) => self.ahead.extend_from_slice(&piece[..bytes]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                Err(error) => return Err(error),
            }
        }
    }
}

/// Returns a text without the mark with which it may begin.
fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}

/// The records of files, one file after the other.
#[derive(Debug)]
pub(crate) struct Lines {
    readers: VecDeque<Reader>,
    /// True if `names` knows the first reader.
    started: bool,
    /// True if the next byte is the first of its file.
    at_beginning: bool,
    record: Record,
    /// The bytes before each record of a job (the header of blocks).
    prefix: Vec<u8>,
    names: Names,
    buffer: Vec<u8>,
    /// The unused bytes of the buffer, and how far they have been searched.
    start: usize,
    end: usize,
    search: Search,
    /// The beginning of a record above the limit, whose end has not been found yet.
    too_large: Option<Vec<u8>>,
}

/// The result of an attempt to read.
enum Progress {
    Bytes(usize),
    Blocked,
    EndOfFile,
}

impl Lines {
    /// Makes a source of the records of these files; `prefix` is put before each record.
    pub(crate) fn new(readers: Vec<Reader>, record: Record, prefix: Vec<u8>, names: Names) -> Self {
        Lines {
            readers: readers.into(),
            started: false,
            at_beginning: false,
            record,
            prefix,
            names,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            search: Search::default(),
            too_large: None,
        }
    }

    /// Returns whether it is known already that there are no more records. Does not wait.
    pub(crate) fn is_over(&mut self, inputs: &mut InputQueue, encoder: &mut Encoder) -> bool {
        while self.start == self.end && self.too_large.is_none() && !self.readers.is_empty() {
            match self.read(encoder.bytes_max()) {
                Ok(Progress::EndOfFile) => self.finish_file(inputs, encoder),
                // An error is returned when it occurs again in `fill`.
                Ok(Progress::Bytes(_) | Progress::Blocked) | Err(_) => return false,
            }
        }
        self.readers.is_empty()
    }

    /// Returns a copy of the records up to the first file that can be read only once, and whether
    /// the copy has all of them.
    pub(crate) fn copy(&self) -> (Lines, bool) {
        let readers: Vec<Reader> = self.readers.iter().map_while(Reader::copy).collect();
        let all = readers.len() == self.readers.len();
        (Lines::new(readers, self.record, self.prefix.clone(), self.names.anew()), all)
    }

    /// Returns the names of the jobs.
    pub(crate) fn names(&self) -> Names {
        self.names.clone()
    }

    /// Returns the descriptor to wait for, if any.
    pub(crate) fn fd(&self) -> Option<BorrowedFd<'_>> {
        let reader = self.readers.front().filter(|reader| reader.pollable);
        reader.map(|reader| reader.file.as_fd())
    }

    /// Adds jobs until there is no more room, or nothing to read for now.
    ///
    /// # Errors
    /// Fails if a file cannot be read.
    pub(crate) fn fill(
        &mut self,
        inputs: &mut InputQueue,
        encoder: &mut Encoder,
        room: &Room,
    ) -> io::Result<Fill> {
        let mut fruitless = 0;
        loop {
            if !self.started
                && let Some(reader) = self.readers.front()
            {
                self.names.started(inputs.next_number(), &reader.name);
                self.at_beginning = !reader.begun && self.prefix.is_empty();
                self.started = true;
            }
            let first = inputs.next_number();
            if self.split(inputs, encoder, room) {
                return Ok(Fill::More);
            }
            let found = inputs.next_number() > first;
            fruitless = if found { 0 } else { fruitless };
            match self.read(encoder.bytes_max())? {
                Progress::Bytes(bytes) => fruitless += bytes,
                Progress::Blocked => return Ok(Fill::Blocked),
                Progress::EndOfFile => {
                    self.finish_file(inputs, encoder);
                    if self.readers.is_empty() {
                        return Ok(Fill::End);
                    }
                }
            }
            // An endless record must not keep signals from being seen. Waiting for a pipe with more
            // bytes ends at once; without a descriptor to wait for, the caller is to call again.
            if fruitless >= FRUITLESS_BYTES_MAX {
                return Ok(if self.fd().is_some() { Fill::Blocked } else { Fill::More });
            }
        }
    }

    /// Adds the complete records of the buffer. Returns true if there is no more room.
    fn split(&mut self, inputs: &mut InputQueue, encoder: &mut Encoder, room: &Room) -> bool {
        if self.at_beginning && !self.skip_mark() {
            return false;
        }
        if self.too_large.is_some() && !self.drop_rest(inputs, encoder) {
            return false;
        }
        match self.record {
            Record::Line(end) => self.split_lines(end, inputs, encoder, room),
            _ => self.split_others(inputs, encoder, room),
        }
    }

    /// Skips the mark with which a text may begin. Returns false if more bytes are needed to tell.
    fn skip_mark(&mut self) -> bool {
        let unused = &self.buffer[self.start..self.end];
        if unused.len() < BYTE_ORDER_MARK.len() && BYTE_ORDER_MARK.starts_with(unused) {
            return false;
        }
        let is_text = matches!(self.record, Record::Line(_) | Record::Quoted(_));
        if is_text && unused.starts_with(BYTE_ORDER_MARK) {
            self.start += BYTE_ORDER_MARK.len();
        }
        self.at_beginning = false;
        true
    }

    /// Splits lines without the general search: the fast path.
    fn split_lines(
        &mut self,
        end: u8,
        inputs: &mut InputQueue,
        encoder: &mut Encoder,
        room: &Room,
    ) -> bool {
        let unused = &self.buffer[self.start..self.end];
        let mut from = 0;
        let scanned = self.search.scanned;
        for at in memchr::memchr_iter(end, &unused[scanned..]) {
            let to = scanned + at;
            encoder.add_word(inputs, &unused[from..to]);
            from = to + 1;
            if room.is_full(inputs) || encoder.is_waiting() {
                self.start += from;
                self.search.scanned = 0;
                return true;
            }
        }
        self.start += from;
        self.search.scanned = self.end - self.start;
        false
    }

    fn split_others(
        &mut self,
        inputs: &mut InputQueue,
        encoder: &mut Encoder,
        room: &Room,
    ) -> bool {
        loop {
            let unused = &self.buffer[self.start..self.end];
            let Some((length, taken)) = self.search.find(self.record, unused) else { return false };
            add(encoder, inputs, &self.prefix, &unused[..length]);
            self.start += taken;
            if room.is_full(inputs) || encoder.is_waiting() {
                return true;
            }
        }
    }

    /// Drops bytes up to the end of a record above the limit. Returns whether the end was found.
    fn drop_rest(&mut self, inputs: &mut InputQueue, encoder: &mut Encoder) -> bool {
        let record = match self.record {
            // The rest of a block is its last line.
            Record::Block { end, .. } => Record::Line(end),
            record => record,
        };
        match self.search.find(record, &self.buffer[self.start..self.end]) {
            Some((_, taken)) => {
                self.start += taken;
                let start = self.too_large.take().unwrap_or_default();
                encoder.add_too_large(inputs, &start);
                true
            }
            None => {
                (self.start, self.end, self.search.scanned) = (0, 0, 0);
                false
            }
        }
    }

    /// Reads more bytes after the unused ones, if this needs no waiting.
    fn read(&mut self, record_bytes_max: usize) -> io::Result<Progress> {
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        if self.end > record_bytes_max && self.too_large.is_none() {
            self.too_large = Some(self.buffer[..self.end.min(START_BYTES_MAX)].to_vec());
        }
        if self.too_large.is_some() {
            (self.end, self.search.scanned) = (0, 0);
        }
        let Some(reader) = self.readers.front_mut() else { return Ok(Progress::EndOfFile) };
        if !reader.ahead.is_empty() {
            let ahead = std::mem::take(&mut reader.ahead);
            self.buffer.truncate(self.end);
            self.buffer.extend_from_slice(&ahead);
            self.end = self.buffer.len();
            return Ok(Progress::Bytes(ahead.len()));
        }
        if !is_readable(&reader.file)? {
            return Ok(Progress::Blocked);
        }
        if self.buffer.len() < self.end + READ_BYTES_MAX {
            // The buffer doubles, so that a long record is not copied once for each read.
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

    /// Adds the last record, which needs no end, and goes on to the next file.
    fn finish_file(&mut self, inputs: &mut InputQueue, encoder: &mut Encoder) {
        if let Some(start) = self.too_large.take() {
            encoder.add_too_large(inputs, &start);
        } else if self.start < self.end {
            add(encoder, inputs, &self.prefix, &self.buffer[self.start..self.end]);
        }
        (self.start, self.end, self.search) = (0, 0, Search::default());
        self.readers.pop_front();
        self.started = false;
    }
}

/// Adds a record with the prefix before it.
fn add(encoder: &mut Encoder, inputs: &mut InputQueue, prefix: &[u8], record: &[u8]) {
    match prefix {
        [] => encoder.add_word(inputs, record),
        _ => encoder.add_word(inputs, &[prefix, record].concat()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::input::encode::{Form, Shape};
    use std::io::{PipeWriter, Write, pipe};
    use std::os::fd::OwnedFd;

    /// The number of bytes that an entry has beside its job.
    const ENTRY_BYTES: usize = 8;

    struct Case {
        lines: Lines,
        encoder: Encoder,
        inputs: InputQueue,
        names: Names,
    }

    impl Case {
        fn new(readers: Vec<Reader>, record_bytes_max: usize) -> Self {
            Case::of(Record::Line(b'\n'), readers, record_bytes_max)
        }

        fn of(record: Record, readers: Vec<Reader>, record_bytes_max: usize) -> Self {
            let names = Names::records("line", 1, 0);
            let form = Form { shape: Shape::Word, ..Form::default() };
            let encoder = Encoder::new(form, record_bytes_max, None, names.clone());
            let lines = Lines::new(readers, record, Vec::new(), names.clone());
            Case { lines, encoder, inputs: InputQueue::default(), names }
        }

        fn fill(&mut self, room: usize) -> Fill {
            let room = Room::new(&self.inputs, room);
            self.lines.fill(&mut self.inputs, &mut self.encoder, &room).expect("readable")
        }

        /// Returns the texts of all jobs.
        fn texts(&mut self) -> Vec<String> {
            assert_eq!(self.fill(1 << 20), Fill::End);
            let mut texts = Vec::new();
            self.inputs.drain(|job| texts.push(String::from_utf8_lossy(job).into_owned()));
            texts
        }

        /// Returns the number of jobs, and of their bytes.
        fn jobs(&self) -> (u64, usize) {
            (self.inputs.next_number(), self.inputs.bytes())
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
    fn a_mark_at_the_beginning_of_a_file_is_no_part_of_it() {
        let marked = |text: &str| file(format!("\u{feff}{text}").as_bytes());
        let files = vec![marked("1\n\u{feff}2\n"), marked("3"), file(b"\xef\xbb"), marked("")];
        let mut case = Case::new(files, 100);
        assert_eq!(case.texts(), ["1", "\u{feff}2", "3", "\u{fffd}"]);
        let (mut writer, reader) = piped();
        let mut case = Case::new(vec![reader], 100);
        for piece in [&b"\xef"[..], b"\xbb", b"\xbf7\n"] {
            assert_eq!(case.fill(1000), Fill::Blocked);
            writer.write_all(piece).expect("written");
        }
        drop(writer);
        assert_eq!(case.texts(), ["7"]);
    }

    #[test]
    fn a_line_end_within_quotes_ends_no_row() {
        let rows = b"a,\"b\nc\"\n\"d\"\"\n\",e\nf";
        let mut case = Case::of(Record::Quoted(b'\n'), vec![file(rows)], 100);
        assert_eq!(case.texts(), ["a,\"b\nc\"", "\"d\"\"\n\",e", "f"]);
        // A row that is too long ends at its own end, not at a line end within its quotes.
        let rows = [b"\"".to_vec(), vec![b'x'; 1 << 20], b"\n\"\n1\n".to_vec()].concat();
        let mut case = Case::of(Record::Quoted(b'\n'), vec![file(&rows)], 100);
        assert_eq!(case.texts(), ["1"]);
        assert_eq!(case.jobs().0, 2);
    }

    #[test]
    fn blocks_are_whole_lines_of_at_most_so_many_bytes_or_one_line() {
        let block = |bytes| Record::Block { end: b'\n', bytes };
        let text = b"12\n34\n5\n6789012345\n1";
        let mut case = Case::of(block(6), vec![file(text)], 100);
        assert_eq!(case.texts(), ["12\n34\n", "5\n", "6789012345\n", "1"]);
        let mut case = Case::of(block(1), vec![file(text)], 100);
        assert_eq!(case.texts(), ["12\n", "34\n", "5\n", "6789012345\n", "1"]);
        let mut case = Case::of(block(99), vec![file(text)], 100);
        assert_eq!(case.texts(), [String::from_utf8_lossy(text)]);
        let lines = Record::Lines { end: b'\n', count: 2 };
        let mut case = Case::of(lines, vec![file(text)], 100);
        assert_eq!(case.texts(), ["12\n34\n", "5\n6789012345\n", "1"]);
    }

    #[test]
    fn a_header_is_taken_once_and_what_follows_it_is_read() {
        let mut reader = file(b"\xef\xbb\xbfa,b\n1\n2");
        assert_eq!(reader.take_header(Record::Line(b'\n')).expect("a header"), b"a,b");
        assert_eq!(Case::new(vec![reader], 100).texts(), ["1", "2"]);
        let mut empty = file(b"");
        assert_eq!(empty.take_header(Record::Line(b'\n')).expect("none"), b"");
        assert_eq!(Case::new(vec![empty], 100).texts(), [""; 0]);
    }

    #[test]
    fn the_end_is_known_without_waiting() {
        let (mut writer, reader) = piped();
        let mut case = Case::new(vec![reader, file(b"")], 100);
        writer.write_all(b"1\n").expect("written");
        assert_eq!(case.fill(1), Fill::More);
        let is_over = |case: &mut Case| case.lines.is_over(&mut case.inputs, &mut case.encoder);
        assert!(!is_over(&mut case));
        drop(writer);
        assert!(is_over(&mut case));
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
