//! Where `wpool map` takes its jobs from: words, a range, or the records of files.
//!
//! An origin finds the words of each job, and the [`Encoder`] makes a job of them.

pub(crate) mod encode;
pub(crate) mod lines;
pub(crate) mod names;
pub(crate) mod product;
pub(crate) mod range;

use encode::Encoder;
use lines::Lines;
use product::Product;
use range::Range;
use std::io;
use std::os::fd::BorrowedFd;
use wpool::pool::feed::{Fill, Intake, Source};

/// Where jobs come from.
#[derive(Debug)]
pub(crate) enum Origin {
    /// The words after `:::`.
    Words {
        /// The words.
        product: Product,
        /// Number of the next combination.
        next: u64,
    },
    /// `--range`.
    Range(Range),
    /// Standard input, or the files of `-a`.
    Lines(Lines),
}

/// The jobs of a run.
#[derive(Debug)]
pub(crate) struct Input {
    origin: Origin,
    encoder: Encoder,
    seen: u64,
}

impl Input {
    /// The jobs of `origin`, made by `encoder`.
    pub(crate) fn new(origin: Origin, encoder: Encoder) -> Self {
        Input { origin, encoder, seen: 0 }
    }

    /// Jobs there have been so far, those included that a resumed run skips.
    pub(crate) fn seen(&self) -> u64 {
        self.seen
    }
}

impl Source for Input {
    fn fill(&mut self, intake: &mut Intake, room: usize) -> io::Result<Fill> {
        let room = Room::new(intake, room);
        let fill = match &mut self.origin {
            Origin::Words { product, next } => {
                Ok(fill_words(product, next, intake, &mut self.encoder, &room))
            }
            Origin::Range(range) => Ok(fill_range(range, intake, &mut self.encoder, &room)),
            Origin::Lines(lines) => lines.fill(intake, &mut self.encoder, &room),
        };
        self.seen = intake.next_number();
        fill
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        match &self.origin {
            Origin::Lines(lines) => lines.fd(),
            Origin::Words { .. } | Origin::Range(_) => None,
        }
    }

    fn remaining(&self) -> Option<u64> {
        match &self.origin {
            Origin::Words { product, next } => Some(product.len() - next),
            Origin::Range(range) => Some(range.len()),
            Origin::Lines(_) => None,
        }
    }
}

/// How far a [`Source::fill`] may go. Jobs that need no worker add no bytes, so they are counted.
#[derive(Debug)]
pub(crate) struct Room {
    bytes_end: usize,
    number_end: u64,
}

impl Room {
    fn new(intake: &Intake, room: usize) -> Self {
        Room {
            bytes_end: intake.bytes() + room.max(1),
            number_end: intake.next_number() + (room / 8).max(1) as u64,
        }
    }

    /// Whether enough was added.
    #[inline]
    pub(crate) fn is_full(&self, intake: &Intake) -> bool {
        intake.bytes() >= self.bytes_end || intake.next_number() >= self.number_end
    }
}

fn fill_words(
    product: &Product,
    next: &mut u64,
    intake: &mut Intake,
    encoder: &mut Encoder,
    room: &Room,
) -> Fill {
    let mut words = Vec::new();
    while *next < product.len() {
        if room.is_full(intake) {
            return Fill::More;
        }
        product.words(*next, &mut words);
        encoder.add(intake, &words);
        *next += 1;
    }
    Fill::End
}

fn fill_range(range: &mut Range, intake: &mut Intake, encoder: &mut Encoder, room: &Room) -> Fill {
    let mut digits = itoa::Buffer::new();
    while let Some(number) = range.next() {
        let word = digits.format(number).as_bytes();
        encoder.add_word(intake, word);
        if room.is_full(intake) {
            return if range.len() == 0 { Fill::End } else { Fill::More };
        }
    }
    Fill::End
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::resume::{Resume, Skip};
    use encode::Shape;
    use names::Names;

    const ROW: &str = "1\t:\t0.000\t0.000\t1\t1\t0\t0\t0\n2\t:\t0.000\t0.000\t1\t1\t0\t0\t1\n";

    fn integers(text: &str, skip: Option<Skip>) -> Input {
        let range = Range::parse(text).expect("a valid range");
        let encoder = Encoder::new(Shape::Word, false, false, 100, skip, Names::range(range));
        Input::new(Origin::Range(range), encoder)
    }

    #[test]
    fn a_range_fills_the_room_and_tells_what_remains() {
        let mut input = integers("0..10", None);
        let mut intake = Intake::default();
        assert_eq!(input.fill(&mut intake, 27).expect("no error"), Fill::More);
        assert_eq!((input.seen(), input.remaining()), (3, Some(7)));
        assert_eq!(input.fill(&mut intake, 1000).expect("no error"), Fill::End);
        assert_eq!((input.seen(), input.remaining()), (10, Some(0)));
    }

    #[test]
    fn jobs_that_a_log_has_are_skipped_and_keep_their_numbers() {
        let skip = Skip::read(ROW.as_bytes(), Resume::Rest).expect("a valid log");
        let mut input = integers("0..3", Some(skip));
        let mut intake = Intake::default();
        assert_eq!(input.fill(&mut intake, 1000).expect("no error"), Fill::End);
        assert_eq!(intake.next_number(), 3);
        let one_entry = 8 + 1;
        assert_eq!(intake.bytes(), one_entry);
    }
}
