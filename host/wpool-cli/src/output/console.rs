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
    /// Set while a bar stands on the last line, or will when all is written.
    bar: bool,
    dropped: u64,
}

/// Takes the bar away: to the line's beginning, and clear it.
const ERASE: &[u8] = b"\r\x1b[K";

/// Columns of a terminal that does not tell how many it has.
const COLUMNS: usize = 80;

impl Console {
    /// Standard error, with this display of progress.
    ///
    /// # Errors
    /// Standard error is closed.
    pub(crate) fn new(quiet: bool, verbose: bool, progress: Progress) -> io::Result<Self> {
        let color = AutoStream::choice(&io::stderr()) != ColorChoice::Never;
        let stream = Stream::of(io::stderr())?;
        // A bar in a file would be nonsense.
        let progress = match progress {
            Progress::Bar { .. } if !stream.is_terminal() => Progress::None,
            progress => progress,
        };
        Ok(Console { stream, color, quiet, verbose, progress, bar: false, dropped: 0 })
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
        self.erase_bar();
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
        self.erase_bar();
        writeln!(self.stream.buffer(), "{text}").expect("writing to memory cannot fail");
    }

    /// Shows progress. A bar is drawn where nothing else stands on the line.
    pub(crate) fn progress(&mut self, stats: &Stats, line_is_free: bool) {
        if let Some(line) = self.progress.update(stats) {
            self.info(line);
        }
        if line_is_free {
            self.draw_bar();
        }
        // Results may be waiting for their reader, and what is said to people must not wait with them.
        self.flush();
    }

    /// Draws the bar, if there is one and what was written before is read.
    fn draw_bar(&mut self) {
        if self.stream.held() > 0 {
            return;
        }
        if let Some(bar) = self.progress.drawn(self.stream.columns().unwrap_or(COLUMNS)) {
            self.stream.buffer().extend_from_slice(ERASE);
            self.stream.buffer().extend_from_slice(bar.as_bytes());
            self.bar = true;
        }
    }

    /// Takes the bar away, so that something else can be written; true if that is on the screen.
    pub(crate) fn hide_bar(&mut self) -> bool {
        self.erase_bar();
        self.flush()
    }

    fn erase_bar(&mut self) {
        if std::mem::take(&mut self.bar) {
            self.stream.buffer().extend_from_slice(ERASE);
        }
    }

    /// Ends the display of progress.
    pub(crate) fn end_progress(&mut self) {
        self.erase_bar();
        self.progress = Progress::None;
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
        let flushed = self.stream.flush();
        if flushed.is_err() {
            self.stream.discard();
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
