//! Standard error: lines for people, between which a bar of progress may stand.

use super::progress::Progress;
use super::stream::{Patience, Stream};
use crate::cli::escape;
use crate::cli::report::Label;
use anstream::{AutoStream, ColorChoice};
use std::fmt::Display;
use std::io::{self, Write};
use std::os::fd::BorrowedFd;
use wpool::pool::feed::Stats;

/// Bytes held before lines are dropped: a reader that has stopped must not cost memory.
const HELD_BYTES_MAX: usize = 16 << 20;

/// Standard error.
#[derive(Debug)]
pub(crate) struct Console {
    stream: Stream,
    color: bool,
    /// `-q`: only errors.
    quiet: bool,
    /// `-v`: details too.
    verbose: bool,
    progress: Progress,
    dropped: u64,
}

impl Console {
    /// Standard error, with this display of progress.
    ///
    /// # Errors
    /// Standard error is closed.
    pub(crate) fn new(quiet: bool, verbose: bool, progress: Progress) -> io::Result<Self> {
        let color = AutoStream::choice(&io::stderr()) != ColorChoice::Never;
        let stream = Stream::of(io::stderr())?;
        Ok(Console { stream, color, quiet, verbose, progress, dropped: 0 })
    }

    /// Whether all failures are told in full.
    pub(crate) fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// A line that is told even with `-q`.
    pub(crate) fn error(&mut self, text: impl Display) {
        self.labelled(Label::Error, text);
    }

    /// What to do about an error.
    pub(crate) fn help(&mut self, text: impl Display) {
        self.labelled(Label::Help, text);
    }

    /// Something is odd.
    pub(crate) fn warning(&mut self, text: impl Display) {
        if !self.quiet {
            self.labelled(Label::Warning, text);
        }
    }

    /// wpool itself speaks.
    pub(crate) fn info(&mut self, text: impl Display) {
        if !self.quiet {
            self.labelled(Label::Wpool, text);
        }
    }

    /// The same, for those who asked for details.
    pub(crate) fn detail(&mut self, text: impl Display) {
        if self.verbose && !self.quiet {
            self.labelled(Label::Wpool, text);
        }
    }

    /// A line that a guest printed.
    pub(crate) fn guest(&mut self, pid: i32, line: &[u8]) {
        if !self.quiet {
            self.line(format_args!("[{pid}] {}", escape::bytes(line)));
        }
    }

    /// A line of a guest's standard error that is wpool's own: as it is, and never dropped. Whoever
    /// calls this waits while much is held.
    pub(crate) fn pass(&mut self, tag: &str, line: &[u8]) {
        push_line(self.stream.buffer(), tag, line);
    }

    /// What to wait on when [`Console::flush`] answered false.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.stream.fd()
    }

    /// A line without a label. The text is escaped already.
    pub(crate) fn line(&mut self, text: impl Display) {
        if self.stream.held() > HELD_BYTES_MAX {
            self.dropped += 1;
            return;
        }
        writeln!(self.stream.buffer(), "{text}").expect("writing to memory cannot fail");
    }

    /// Shows progress.
    pub(crate) fn progress(&mut self, stats: &Stats) {
        if let Some(line) = self.progress.update(stats) {
            self.info(line);
        }
        // Results may be waiting for their reader, and what is said to people must not wait with them.
        self.flush();
    }

    /// Ends the display of progress.
    pub(crate) fn end_progress(&mut self) {
        self.progress.end();
    }

    /// Bytes not yet written.
    pub(crate) fn held(&self) -> usize {
        self.stream.held()
    }

    /// Writes what can be written without blocking; true if that was all. Errors are not told:
    /// there is nobody left to tell.
    pub(crate) fn flush(&mut self) -> bool {
        if self.stream.held() == 0 {
            return true;
        }
        let stream = &mut self.stream;
        let flushed = self.progress.hidden(|| stream.flush());
        if flushed.is_err() {
            stream.discard();
        }
        let all = flushed.unwrap_or(true);
        if all && self.dropped > 0 {
            let dropped = std::mem::take(&mut self.dropped);
            self.warning(format_args!("{dropped} lines were dropped: nobody read them"));
        }
        all
    }

    /// Writes everything, as far as there is patience.
    pub(crate) fn finish(&mut self, patience: Patience) {
        while !self.flush() && self.stream.wait(patience) {}
    }

    fn labelled(&mut self, label: Label, text: impl Display) {
        let text = escape::text(&text.to_string());
        self.line(format_args!("{} {text}", label.paint(self.color)));
    }
}

/// Appends a line with a tag before it.
pub(crate) fn push_line(buffer: &mut Vec<u8>, tag: &str, line: &[u8]) {
    buffer.extend_from_slice(tag.as_bytes());
    buffer.extend_from_slice(line);
    buffer.push(b'\n');
}
