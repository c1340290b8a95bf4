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
