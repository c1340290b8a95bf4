//! Standard error: lines for people, and a progress bar below them.

use super::progress::Progress;
use super::stream::{Patience, Stream};
use crate::cli::escape;
use crate::cli::report::Label;
use anstream::{AutoStream, ColorChoice};
use std::fmt::Display;
use std::io::{self, Write};
use std::os::fd::BorrowedFd;
use wpool::pool::feed::Stats;

/// The bytes that are held before lines are dropped: a reader that has stopped must not cost
/// memory.
const HELD_BYTES_MAX: usize = 16 << 20;

/// The console: standard error.
#[derive(Debug)]
pub(crate) struct Console {
    stream: Stream,
    color: bool,
    /// True with `-q`: only errors are shown.
    quiet: bool,
    /// True with `-v`: details are shown too.
    verbose: bool,
    progress: Progress,
    /// True while a bar stands on the last line, or will once everything is written.
    bar: bool,
    dropped: u64,
}

/// The control sequence that removes the bar: to the start of the line, and clear it.
const ERASE: &[u8] = b"\r\x1b[K";

/// The number of columns of a terminal that does not tell it.
const COLUMNS: usize = 80;

impl Console {
    /// Opens the console, with this display of progress.
    ///
    /// # Errors
    /// Fails if standard error is closed.
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

    /// Returns whether all failures are shown in full.
    pub(crate) fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// Prints an error, even with `-q`.
    pub(crate) fn error(&mut self, text: impl Display) {
        self.labelled(Label::Error, text);
    }

    /// Prints what to do about an error.
    pub(crate) fn help(&mut self, text: impl Display) {
        self.labelled(Label::Help, text);
    }

    /// Prints a warning.
    pub(crate) fn warning(&mut self, text: impl Display) {
        if !self.quiet {
            self.labelled(Label::Warning, text);
        }
    }

    /// Prints information from wpool itself.
    pub(crate) fn info(&mut self, text: impl Display) {
        if !self.quiet {
            self.labelled(Label::Wpool, text);
        }
    }

    /// Prints information for users who asked for details.
    pub(crate) fn detail(&mut self, text: impl Display) {
        if self.verbose && !self.quiet {
            self.labelled(Label::Wpool, text);
        }
    }

    /// Prints a line of a guest.
    pub(crate) fn guest(&mut self, pid: i32, line: &[u8]) {
        if !self.quiet {
            self.line(format_args!("[{pid}] {}", escape::bytes(line)));
        }
    }

    /// Passes on a line of a guest's standard error unchanged, and never drops it. Waits for the
    /// reader while many bytes are held.
    pub(crate) fn pass(&mut self, tag: &str, line: &[u8]) {
        self.erase_bar();
        push_line(self.stream.buffer(), tag, line);
    }

    /// Returns the descriptor to wait for after [`Console::flush`] returned false.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.stream.fd()
    }

    /// Prints a line without a label. The text must be escaped already.
    pub(crate) fn line(&mut self, text: impl Display) {
        if self.stream.held() > HELD_BYTES_MAX {
            self.dropped += 1;
            return;
        }
        self.erase_bar();
        writeln!(self.stream.buffer(), "{text}").expect("writing to memory cannot fail");
    }

    /// Shows progress. A bar is drawn if `line_is_free`.
    pub(crate) fn progress(&mut self, stats: &Stats, line_is_free: bool) {
        if let Some(line) = self.progress.update(stats) {
            self.info(line);
        }
        if line_is_free {
            self.draw_bar();
        }
        // Results may be waiting for their reader, and lines for people must not wait with them.
        self.flush();
    }

    /// Draws the bar, if there is one and the text before it has been read.
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

    /// Removes the bar, so that something else can be written. Returns whether the removal is on
    /// the screen.
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

    /// Returns the number of bytes not yet written.
    pub(crate) fn held(&self) -> usize {
        self.stream.held()
    }

    /// Writes as much as possible without blocking, and returns whether that was everything. Errors
    /// are ignored: nobody is left to tell.
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

    /// Writes everything that the patience allows.
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
