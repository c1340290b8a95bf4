//! Lines of processes that print at the same time. Each process has its turn, so that what it
//! prints in one go (a traceback, say) stays together.

use std::collections::VecDeque;
use std::time::{Duration, Instant};
use wpool::Stream;

/// The silence after which a process is taken to have said what it wanted to.
const SILENCE: Duration = Duration::from_millis(100);

/// The longest turn while others wait.
const TURN: Duration = Duration::from_secs(1);

/// The number of bytes in waiting lines after which all of them are shown.
const HELD_BYTES_MAX: usize = 256 << 10;

/// A line, and the process that has printed it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said<'a> {
    /// The id of the process.
    pub(crate) pid: i32,
    /// The job that the process ran.
    pub(crate) job: Option<u64>,
    /// The stream to which the line was printed.
    pub(crate) stream: Stream,
    /// The line, without its end.
    pub(crate) line: &'a [u8],
}

/// The lines that one process prints.
#[derive(Debug)]
struct Speech {
    pid: i32,
    job: Option<u64>,
    /// The lines that wait, with their jobs: a process whose id is not known yet counts as 0.
    lines: Vec<(Option<u64>, Stream, Vec<u8>)>,
    began: Instant,
    last: Instant,
}

impl Speech {
    /// Makes a speech that begins now.
    fn new(said: &Said<'_>, now: Instant) -> Speech {
        Speech { pid: said.pid, job: said.job, lines: Vec::new(), began: now, last: now }
    }
}

/// The process that has the turn, and the lines that others have printed meanwhile.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    /// The process that has the turn; its lines have been shown.
    speaker: Option<Speech>,
    waiting: VecDeque<Speech>,
    held: usize,
}

impl Turns {
    /// Takes a line, and calls `show` for the lines that have their turn.
    pub(crate) fn line(&mut self, said: Said<'_>, now: Instant, show: &mut dyn FnMut(Said<'_>)) {
        self.pass(now, show);
        let (pid, job) = (said.pid, said.job);
        match &mut self.speaker {
            Some(speaker) if speaker.pid == pid && speaker.job == job => {
                speaker.last = now;
                return show(said);
            }
            // The lines of a worker's next job wait if others wait already.
            Some(speaker) if speaker.pid == pid && self.waiting.is_empty() => {
                *speaker = Speech::new(&said, now);
                return show(said);
            }
            None => {
                self.speaker = Some(Speech::new(&said, now));
                return show(said);
            }
            Some(_) => {}
        }
        self.held += said.line.len() + 1;
        let line = (job, said.stream, said.line.to_vec());
        match self.waiting.iter_mut().find(|speech| speech.pid == pid) {
            Some(speech) => {
                speech.lines.push(line);
                (speech.job, speech.last) = (job, now);
            }
            None => {
                let speech = Speech { lines: vec![line], ..Speech::new(&said, now) };
                self.waiting.push_back(speech);
            }
        }
        let ended = self.speaker.as_ref().is_some_and(|speaker| speaker.pid == pid);
        if ended {
            self.speaker = None;
            self.pass(now, show);
        }
        if self.held > HELD_BYTES_MAX {
            self.end(show);
        }
    }

    /// Passes the turn on, if it is over.
    pub(crate) fn pass(&mut self, now: Instant, show: &mut dyn FnMut(Said<'_>)) {
        if let Some(Speech { began, last, .. }) = &self.speaker
            && now.saturating_duration_since(*last) < SILENCE
            && (self.waiting.is_empty() || now.saturating_duration_since(*began) < TURN)
        {
            return;
        }
        self.speaker = None;
        while let Some(mut speech) = self.waiting.pop_front() {
            self.show(&mut speech, show);
            // The process may print more at any moment.
            if now.saturating_duration_since(speech.last) < SILENCE {
                self.speaker = Some(Speech { began: now, ..speech });
                return;
            }
        }
    }

    /// Shows all waiting lines, and ends the turn.
    pub(crate) fn end(&mut self, show: &mut dyn FnMut(Said<'_>)) {
        self.speaker = None;
        while let Some(mut speech) = self.waiting.pop_front() {
            self.show(&mut speech, show);
        }
    }

    /// Returns whether no line waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    fn show(&mut self, speech: &mut Speech, show: &mut dyn FnMut(Said<'_>)) {
        for (job, stream, line) in speech.lines.drain(..) {
            self.held -= line.len() + 1;
            show(Said { pid: speech.pid, job, stream, line: &line });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the lines in the order in which they are shown; times are in milliseconds.
    fn shown(lines: &[(u64, i32, u64, &str)]) -> String {
        let (mut turns, start, mut shown) = (Turns::default(), Instant::now(), String::new());
        let said = |pid, job, line| Said { pid, job: Some(job), stream: Stream::Out, line };
        let mut show = |Said { pid, line, .. }: Said<'_>| {
            shown += &format!("{pid}{} ", String::from_utf8_lossy(line));
        };
        for (at, pid, job, line) in lines {
            let now = start + Duration::from_millis(*at);
            turns.line(said(*pid, *job, line.as_bytes()), now, &mut show);
        }
        show(said(0, 0, b"|"));
        turns.end(&mut show);
        assert!(turns.is_empty() && turns.held == 0);
        shown
    }

    #[test]
    fn lines_of_two_processes_are_not_mixed() {
        let lines =
            [(0, 1, 0, "a"), (1, 2, 1, "x"), (2, 1, 0, "b"), (3, 2, 1, "y"), (4, 1, 0, "c")];
        assert_eq!(shown(&lines), "1a 1b 1c 0| 2x 2y ");
    }

    #[test]
    fn who_is_silent_or_has_another_job_loses_the_turn() {
        let silent = [(0, 1, 0, "a"), (1, 2, 1, "x"), (150, 2, 1, "y"), (151, 1, 0, "b")];
        assert_eq!(shown(&silent), "1a 2x 2y 0| 1b ");
        let next = [(0, 1, 0, "a"), (1, 2, 1, "x"), (2, 1, 2, "b"), (3, 2, 1, "y"), (4, 1, 2, "c")];
        assert_eq!(shown(&next), "1a 2x 2y 0| 1b 1c ");
    }

    #[test]
    fn who_talks_for_long_lets_others_speak() {
        let mut lines: Vec<_> = (0..30).map(|n| (n * 50, 1, 0, "a")).collect();
        lines.insert(1, (1, 2, 1, "x"));
        let shown = shown(&lines);
        assert!(shown.split('|').next().is_some_and(|shown| shown.contains("2x")), "{shown}");
    }

    #[test]
    fn what_waits_is_bounded() {
        let line = "x".repeat(HELD_BYTES_MAX);
        assert!(shown(&[(0, 1, 0, "a"), (1, 2, 1, &line)]).ends_with("0| "));
    }
}
