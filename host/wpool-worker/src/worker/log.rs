//! The lines that guests print, on their way to the dispatcher.

use crate::wire::frame::BODY_BYTES_MAX;
use crate::wire::line::Stream;
use memchr::{memchr, memmem};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The longest line that travels in one piece, in bytes: a frame holds no more. A longer line is
/// broken.
const LINE_BYTES_MAX: usize = BODY_BYTES_MAX;

/// The number of bytes of a job's standard error that are kept, to find the message of a panic.
const TAIL_BYTES: usize = 4 << 10;

/// A sink for printed lines.
pub trait LogSink: Send + Sync {
    /// Takes one line, without its line end.
    fn line(&self, from: Origin, line: &[u8]);
}

/// The origin of a printed line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The job.
    pub(crate) job: u64,
    /// The stream of the job.
    pub(crate) stream: Stream,
}

/// The log of one job at a time, which cuts printed bytes into lines, up to a limit.
pub(crate) struct Log {
    /// True if this job has printed anything: most jobs do not, and need no lock then.
    used: AtomicBool,
    /// The job that prints.
    job: AtomicU64,
    lines: Mutex<Lines>,
}

struct Lines {
    sink: Arc<dyn LogSink>,
    bytes_max: u64,
    bytes: u64,
    /// The unfinished line of each stream.
    rest: [Vec<u8>; 2],
    /// Lines of standard error that wait for the next one.
    held: Held,
    tail: Vec<u8>,
}

impl Log {
    /// Makes a log that passes at most `bytes_max` bytes per job to `sink`.
    pub(crate) fn new(sink: Arc<dyn LogSink>, bytes_max: u64) -> Self {
        let (rest, held, tail) = Default::default();
        let lines = Lines { sink, bytes_max, bytes: 0, rest, held, tail };
        Log { used: AtomicBool::new(false), job: AtomicU64::new(0), lines: Mutex::new(lines) }
    }

    /// Begins a job, to which all lines from now on belong.
    #[inline]
    pub(crate) fn begin_job(&self, number: u64) {
        self.job.store(number, Relaxed);
    }

    /// Takes bytes that a guest writes; complete lines are passed on at once.
    pub(crate) fn write(&self, stream: Stream, bytes: &[u8]) {
        self.used.store(true, Relaxed);
        self.lock().write(Origin { job: self.job.load(Relaxed), stream }, bytes);
    }

    /// Ends a job: passes on its unfinished lines and forgets everything about it.
    #[inline]
    pub(crate) fn end_job(&self) {
        if self.used.load(Relaxed) {
            self.used.store(false, Relaxed);
            self.lock().end_job(self.job.load(Relaxed));
        }
    }

    /// Sets the sink of all lines from now on.
    pub(crate) fn pass_to(&self, sink: Arc<dyn LogSink>) {
        self.lock().sink = sink;
    }

    /// Returns the last panic of the guest, if it wrote one last.
    pub(crate) fn last_panic(&self) -> Option<Panic> {
        last_panic(&String::from_utf8_lossy(&self.lock().tail))
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lines {
    fn write(&mut self, from: Origin, mut bytes: &[u8]) {
        if from.stream == Stream::Err {
            self.keep_tail(bytes);
        }
        let mut rest = std::mem::take(&mut self.rest[from.stream as usize]);
        while let Some(end) = memchr(b'\n', bytes) {
            rest.extend_from_slice(&bytes[..end]);
            self.end_line(from, &rest);
            rest.clear();
            bytes = &bytes[end + 1..];
        }
        rest.extend_from_slice(bytes);
        while rest.len() >= LINE_BYTES_MAX {
            self.pass_on(from, &rest[..LINE_BYTES_MAX], 0);
            rest.drain(..LINE_BYTES_MAX);
        }
        self.rest[from.stream as usize] = rest;
    }

    /// Passes on a whole line, unless it belongs to a panic that only says that there was an
    /// exception.
    fn end_line(&mut self, from: Origin, line: &[u8]) {
        if from.stream == Stream::Out {
            return self.pass_on(from, line, 1);
        }
        let last = self.held.lines.last();
        let begun = last.is_some_and(|last| is_panic(last));
        if begun && line.starts_with(UNCAUGHT_IN_PYTHON.as_bytes()) {
            self.held = Held { lines: Vec::new(), told: true };
            return;
        }
        if std::mem::take(&mut self.held.told) && line.starts_with(NOTE.as_bytes()) {
            return;
        }
        if !begun && (is_panic(line) || (last.is_none() && line.is_empty())) {
            self.held.lines.push(line.to_vec());
            return;
        }
        self.release(from);
        self.pass_on(from, line, 1);
    }

    /// Passes on the held lines.
    fn release(&mut self, from: Origin) {
        for line in std::mem::take(&mut self.held).lines {
            self.pass_on(from, &line, 1);
        }
    }

    fn end_job(&mut self, job: u64) {
        self.release(Origin { job, stream: Stream::Err });
        for stream in [Stream::Out, Stream::Err] {
            let rest = std::mem::take(&mut self.rest[stream as usize]);
            if !rest.is_empty() {
                self.pass_on(Origin { job, stream }, &rest, 0);
            }
        }
        self.bytes = 0;
        self.tail.clear();
    }

    /// Passes on a line, whose end counts as `end_bytes` bytes, as far as the limit allows.
    fn pass_on(&mut self, from: Origin, mut line: &[u8], end_bytes: u64) {
        loop {
            let (piece, more) = line.split_at(line.len().min(LINE_BYTES_MAX));
            self.pass_on_piece(from, piece, if more.is_empty() { end_bytes } else { 0 });
            if more.is_empty() {
                return;
            }
            line = more;
        }
    }

    fn pass_on_piece(&mut self, from: Origin, piece: &[u8], end_bytes: u64) {
        let left = self.bytes_max.saturating_sub(self.bytes);
        let before = self.bytes;
        self.bytes = self.bytes.saturating_add(piece.len() as u64 + end_bytes);
        if piece.len() as u64 <= left && (left > 0 || self.bytes == before) {
            self.sink.line(from, piece);
            return;
        }
        if before <= self.bytes_max {
            let fits = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
            if fits > 0 {
                self.sink.line(from, &piece[..fits]);
            }
            let note = format!("… output cut: more than {} bytes", self.bytes_max);
            self.sink.line(from, note.as_bytes());
            // The count exceeds the limit by at least one, so that the note comes once.
            self.bytes = self.bytes.max(self.bytes_max.saturating_add(1));
        }
    }

    fn keep_tail(&mut self, bytes: &[u8]) {
        let bytes = &bytes[bytes.len().saturating_sub(TAIL_BYTES)..];
        let excess = (self.tail.len() + bytes.len()).saturating_sub(TAIL_BYTES);
        self.tail.drain(..excess.min(self.tail.len()));
        self.tail.extend_from_slice(bytes);
    }
}

/// The lines of standard error with which a panic may have begun.
#[derive(Default)]
struct Held {
    /// An empty line, the line that names the place, or both.
    lines: Vec<Vec<u8>>,
    /// True if the panic was about an exception, and may end with a note.
    told: bool,
}

/// The message of a panic.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Panic {
    /// The message, on one line.
    pub(crate) message: String,
    /// True if the message is an exception of an interpreter: the place in the interpreter where it
    /// ended says nothing.
    pub(crate) exception: bool,
}

/// The beginning of the last line that Rust's panic hook writes.
const NOTE: &str = "note: ";

/// Returns whether a line is the first line that Rust's panic hook writes.
fn is_panic(line: &[u8]) -> bool {
    line.starts_with(b"thread '") && memmem::find(line, b"panicked at ").is_some()
}

/// The message of the panic when an exception has ended a task in Python.
const UNCAUGHT_IN_PYTHON: &str = "Python function threw an unexpected exception";

/// Finds the text of Rust's panic hook: `thread 'main' panicked at PLACE:`, then the message. If
/// the panic was about an exception of a task in Python, finds the exception.
fn last_panic(text: &str) -> Option<Panic> {
    let (before, after) = text.rsplit_once("panicked at ")?;
    let (place, message) = after.split_once('\n')?;
    if message.starts_with(UNCAUGHT_IN_PYTHON) {
        return Some(Panic { message: exception(before)?, exception: true });
    }
    let message: Vec<&str> = message
        .lines()
        .take_while(|line| !line.starts_with(NOTE) && !line.starts_with("stack backtrace:"))
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let place = place.trim_end().trim_end_matches(':');
    let message = crate::module::one_line(&format!("panicked at {place}: {}", message.join(" ")));
    Some(Panic { message, exception: false })
}

/// Finds the exception that ends a traceback of Python: the lines behind the last indented one.
fn exception(text: &str) -> Option<String> {
    // The first line of the panic follows the traceback.
    let (traceback, _) = text.rsplit_once("\nthread ")?;
    let lines = traceback.trim_end().lines().rev();
    let mut exception: Vec<&str> =
        lines.take_while(|line| !line.starts_with(' ') && !line.is_empty()).collect();
    exception.reverse();
    Some(crate::module::one_line(&exception.join(" ")))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A sink that keeps lines for tests.
    #[derive(Default)]
    pub(crate) struct Kept(Mutex<Vec<String>>);

    impl LogSink for Kept {
        fn line(&self, _: Origin, line: &[u8]) {
            self.0.lock().unwrap().push(String::from_utf8_lossy(line).into_owned());
        }
    }

    impl Kept {
        pub(crate) fn take(&self) -> Vec<String> {
            std::mem::take(&mut self.0.lock().unwrap())
        }
    }

    fn log(bytes_max: u64) -> (Log, Arc<Kept>) {
        let kept = Arc::new(Kept::default());
        (Log::new(kept.clone(), bytes_max), kept)
    }

    #[test]
    fn a_line_is_passed_on_when_it_is_complete_or_the_job_ends() {
        let (log, kept) = log(1000);
        log.write(Stream::Out, b"one\ntw");
        log.write(Stream::Err, b"error");
        assert_eq!(kept.take(), ["one"]);
        log.write(Stream::Out, b"o\n\nthree");
        assert_eq!(kept.take(), ["two", ""]);
        log.end_job();
        assert_eq!(kept.take(), ["three", "error"]);
        log.end_job();
        assert!(kept.take().is_empty());
    }

    #[test]
    fn what_exceeds_the_limit_is_cut_with_one_note_and_the_next_job_starts_anew() {
        let (log, kept) = log(5);
        log.write(Stream::Out, b"abc\ndefgh\n");
        log.write(Stream::Out, b"more\nand more\n");
        log.end_job();
        assert_eq!(kept.take(), ["abc", "d", "… output cut: more than 5 bytes"]);
        log.write(Stream::Out, b"next\n");
        assert_eq!(kept.take(), ["next"]);
    }

    #[test]
    fn exactly_the_limit_is_not_cut() {
        let (log, kept) = log(4);
        log.write(Stream::Out, b"abc\n");
        log.end_job();
        assert_eq!(kept.take(), ["abc"]);
    }

    #[test]
    fn a_long_line_is_broken() {
        let (log, kept) = log(u64::MAX);
        log.write(Stream::Out, &vec![b'x'; LINE_BYTES_MAX + 2]);
        log.write(Stream::Out, b"\n");
        let lengths: Vec<usize> = kept.take().iter().map(String::len).collect();
        assert_eq!(lengths, [LINE_BYTES_MAX, 2]);
    }

    #[test]
    fn the_message_of_the_last_panic_is_found_on_one_line() {
        let (log, _) = log(1 << 20);
        log.write(Stream::Err, &vec![b'.'; 5000]);
        log.write(Stream::Err, b"\nthread 'main' (1) panicked at src/lib.rs:3:5:\nfirst\nsecond\n");
        log.write(Stream::Err, b"note: run with `RUST_BACKTRACE=1`\n");
        let words = log.last_panic().unwrap();
        assert_eq!(words.message, "panicked at src/lib.rs:3:5: first second");
        assert!(!words.exception);
        log.end_job();
        assert_eq!(log.last_panic(), None);
    }

    #[test]
    fn an_exception_of_python_is_all_that_is_told_of_the_panic_that_it_led_to() {
        let (log, kept) = log(1000);
        log.write(
            Stream::Err,
            b"Traceback (most recent call last):\n  File \"/1/tasks.py\", line 9, in f\n",
        );
        log.write(
            Stream::Err,
            b"ValueError: one\ntwo\n\nthread '<unnamed>' (1) panicked at runtime/src/lib.rs:1:2:\n",
        );
        log.write(
            Stream::Err,
            b"Python function threw an unexpected exception\nnote: run with x\n",
        );
        let words = log.last_panic().unwrap();
        assert_eq!((words.message.as_str(), words.exception), ("ValueError: one two", true));
        log.write(Stream::Err, b"next\n");
        let lines = kept.take();
        let first = "Traceback (most recent call last):";
        assert_eq!(
            lines,
            [first, "  File \"/1/tasks.py\", line 9, in f", "ValueError: one", "two", "next"]
        );
    }

    #[test]
    fn a_panic_of_anything_else_is_told_in_full() {
        let (log, kept) = log(1000);
        log.write(
            Stream::Err,
            b"\nthread 'main' (1) panicked at a.rs:1:2:\nno\nnote: run with x\n\n",
        );
        log.write(Stream::Err, b"thread 'main' panicked at b.rs:1:2:\n");
        log.end_job();
        let panics = ["", "thread 'main' (1) panicked at a.rs:1:2:", "no", "note: run with x", ""];
        let lines = kept.take();
        assert_eq!(lines, [&panics[..], &["thread 'main' panicked at b.rs:1:2:"]].concat());
    }
}
