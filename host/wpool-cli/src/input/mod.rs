//! The jobs of `wpool map`: from words, a range, or the records of files.
//!
//! An origin finds the words of each job, and the [`Encoder`] makes a job of them.

pub(crate) mod columns;
pub(crate) mod compare;
pub(crate) mod encode;
pub(crate) mod files;
pub(crate) mod lines;
pub(crate) mod names;
pub(crate) mod order;
pub(crate) mod pacing;
pub(crate) mod product;
pub(crate) mod range;

use encode::Encoder;
use lines::Lines;
use pacing::Pacing;
use product::Product;
use range::Range;
use rustix::event::{PollFd, PollFlags, poll};
use std::io;
use std::os::fd::BorrowedFd;
use wpool::pool::feed::{Fill, InputQueue, Source};

/// The origin of jobs.
#[derive(Debug)]
pub(crate) enum Origin {
    /// The words after `:::`.
    Words {
        /// The combinations of the words.
        product: Product,
        /// The number of the next combination.
        next: u64,
    },
    /// The integers of `--range`.
    Range(Range),
    /// The records of standard input, or of the files of `-a`.
    Lines(Lines),
}

impl Origin {
    /// Returns the number of records that are left, if it is known.
    pub(crate) fn remaining(&self) -> Option<u64> {
        match self {
            Origin::Words { product, next } => Some(product.len() - next),
            Origin::Range(range) => Some(range.len()),
            Origin::Lines(_) => None,
        }
    }

    /// Returns a copy of the jobs, as far as they are known before they are read, and whether the
    /// copy has all of them.
    pub(crate) fn copy(&self) -> (Origin, bool) {
        match self {
            Origin::Words { product, next } => {
                (Origin::Words { product: product.clone(), next: *next }, true)
            }
            Origin::Range(range) => (Origin::Range(*range), true),
            Origin::Lines(lines) => {
                let (lines, all) = lines.copy();
                (Origin::Lines(lines), all)
            }
        }
    }
}

/// The jobs of a run.
#[derive(Debug)]
pub(crate) struct Input {
    origin: Origin,
    encoder: Encoder,
    pacing: Option<Pacing>,
    seen: u64,
}

impl Input {
    /// Makes a source of the jobs of `origin`, encoded by `encoder`.
    pub(crate) fn new(origin: Origin, encoder: Encoder) -> Self {
        Input { origin, encoder, pacing: None, seen: 0 }
    }

    /// Makes each job wait until it may start.
    pub(crate) fn paced(self, pacing: Option<Pacing>) -> Self {
        Input { pacing, ..self }
    }

    /// Makes each job available at once.
    pub(crate) fn unpaced(self) -> Self {
        Input { pacing: None, ..self }
    }

    /// Returns the number of jobs so far, including those that a resumed run skips.
    pub(crate) fn seen(&self) -> u64 {
        self.seen
    }
}

impl Input {
    /// Adds jobs as far as there is room.
    fn add(&mut self, inputs: &mut InputQueue, room: &Room) -> io::Result<Fill> {
        self.encoder.go_on(inputs);
        if self.encoder.is_waiting() {
            return Ok(Fill::Blocked);
        }
        let fill = match &mut self.origin {
            Origin::Words { product, next } => {
                fill_words(product, next, inputs, &mut self.encoder, room)
            }
            Origin::Range(range) => fill_range(range, inputs, &mut self.encoder, room),
            Origin::Lines(lines) => lines.fill(inputs, &mut self.encoder, room)?,
        };
        if self.encoder.is_waiting() {
            return Ok(Fill::Blocked);
        }
        if fill == Fill::End {
            self.encoder.finish(inputs);
        }
        Ok(fill)
    }

    /// Adds the next job if it may start now.
    fn add_paced(&mut self, inputs: &mut InputQueue) -> io::Result<Fill> {
        if let Some(pacing) = &mut self.pacing
            && !pacing.is_open()?
        {
            return Ok(Fill::Blocked);
        }
        let first = inputs.next_number();
        let fill = self.add(inputs, &Room::for_one(inputs))?;
        if inputs.next_number() == first {
            return Ok(fill);
        }
        if let Some(pacing) = &mut self.pacing {
            pacing.passed();
        }
        // After the last job, the end must be reported without waiting.
        let over = match &mut self.origin {
            Origin::Lines(lines) => lines.is_over(inputs, &mut self.encoder),
            _ => self.remaining() == Some(0),
        };
        if over && !self.encoder.is_waiting() {
            self.encoder.finish(inputs);
            return Ok(Fill::End);
        }
        Ok(fill)
    }
}

impl Source for Input {
    fn fill(&mut self, inputs: &mut InputQueue, room: usize) -> io::Result<Fill> {
        let fill = match self.pacing {
            None => self.add(inputs, &Room::new(inputs, room)),
            Some(_) => self.add_paced(inputs),
        };
        self.seen = inputs.next_number();
        match self.encoder.take_differs() {
            Some(differs) => Err(io::Error::other(differs)),
            None => fill,
        }
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        let held = self.pacing.as_ref().and_then(Pacing::fd).or_else(|| self.encoder.fd());
        held.or_else(|| match &self.origin {
            Origin::Lines(lines) => lines.fd(),
            Origin::Words { .. } | Origin::Range(_) => None,
        })
    }

    fn remaining(&self) -> Option<u64> {
        self.origin.remaining().map(|records| records.div_ceil(self.encoder.records_of_a_job()))
    }
}

/// The bytes of jobs that are taken at a time by a caller that waits for them.
const WAITING_BYTES: usize = 1 << 20;

/// Adds jobs, and waits for them if there are none for now.
///
/// # Errors
/// Fails if the input cannot be read.
pub(crate) fn fill_waiting(source: &mut impl Source, inputs: &mut InputQueue) -> io::Result<Fill> {
    let first = inputs.next_number();
    loop {
        let fill = source.fill(inputs, WAITING_BYTES)?;
        if fill != Fill::Blocked || inputs.next_number() > first {
            return Ok(fill);
        }
        let fd = source.fd();
        let mut fds: Vec<_> = fd.iter().map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
        match poll(&mut fds, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// The room for jobs in one [`Source::fill`]. Jobs that need no worker add no bytes, so the jobs
/// are counted too.
#[derive(Debug)]
pub(crate) struct Room {
    bytes_end: usize,
    number_end: u64,
}

impl Room {
    fn new(inputs: &InputQueue, room: usize) -> Self {
        Room {
            bytes_end: inputs.bytes() + room.max(1),
            number_end: inputs.next_number() + (room / 8).max(1) as u64,
        }
    }

    /// Makes room for a single job.
    fn for_one(inputs: &InputQueue) -> Self {
        Room { bytes_end: usize::MAX, number_end: inputs.next_number() + 1 }
    }

    /// Returns whether the room is used up.
    #[inline]
    pub(crate) fn is_full(&self, inputs: &InputQueue) -> bool {
        inputs.bytes() >= self.bytes_end || inputs.next_number() >= self.number_end
    }
}

fn fill_words(
    product: &Product,
    next: &mut u64,
    inputs: &mut InputQueue,
    encoder: &mut Encoder,
    room: &Room,
) -> Fill {
    let mut words = Vec::new();
    while *next < product.len() {
        if room.is_full(inputs) {
            return Fill::More;
        }
        product.words(*next, &mut words);
        *next += 1;
        match words[..] {
            [word] => encoder.add_word(inputs, word),
            _ => encoder.add(inputs, &words),
        }
        if encoder.is_waiting() {
            return Fill::More;
        }
    }
    Fill::End
}

fn fill_range(
    range: &mut Range,
    inputs: &mut InputQueue,
    encoder: &mut Encoder,
    room: &Room,
) -> Fill {
    let mut digits = itoa::Buffer::new();
    while let Some(number) = range.next() {
        let word = digits.format(number).as_bytes();
        encoder.add_word(inputs, word);
        if room.is_full(inputs) {
            return if range.len() == 0 { Fill::End } else { Fill::More };
        }
    }
    Fill::End
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::resume::{Resume, Skip};
    use encode::Form;
    use names::Names;

    const ROW: &str = "1\t:\t0.000\t0.000\t1\t1\t0\t0\t0\n2\t:\t0.000\t0.000\t1\t1\t0\t0\t1\n";

    fn integers(text: &str, skip: Option<Skip>) -> Input {
        let range = Range::parse(text).expect("a valid range");
        let encoder = Encoder::new(Form::default(), 100, skip, Names::range(range, 1));
        Input::new(Origin::Range(range), encoder)
    }

    #[test]
    fn a_range_fills_the_room_and_tells_what_remains() {
        let mut input = integers("0..10", None);
        let mut inputs = InputQueue::default();
        assert_eq!(input.fill(&mut inputs, 27).expect("no error"), Fill::More);
        assert_eq!((input.seen(), input.remaining()), (3, Some(7)));
        assert_eq!(input.fill(&mut inputs, 1000).expect("no error"), Fill::End);
        assert_eq!((input.seen(), input.remaining()), (10, Some(0)));
    }

    #[test]
    fn jobs_that_a_log_has_are_skipped_and_keep_their_numbers() {
        let read = Skip::read(ROW.as_bytes(), Resume::Rest, &[0], |_, _| ());
        let (skip, _) = read.expect("a valid log");
        let mut input = integers("0..3", Some(skip));
        let mut inputs = InputQueue::default();
        assert_eq!(input.fill(&mut inputs, 1000).expect("no error"), Fill::End);
        assert_eq!(inputs.next_number(), 3);
        let one_entry = 8 + 1;
        assert_eq!(inputs.bytes(), one_entry);
    }
}
