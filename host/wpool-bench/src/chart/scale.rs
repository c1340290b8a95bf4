//! The scale of a chart: maps values to pixels.

use super::canvas::{Anchor, Canvas, FAINT, Look, MUTED};
use plotters::coord::ranged1d::Ranged;
use plotters::coord::types::RangedCoordf64;
use std::ops::Range;

/// The length by which a tick stands out of the plot.
const TICK_PIXELS: i32 = 5;

/// A scale that maps values from zero on to pixels.
#[derive(Clone, Debug)]
pub(crate) struct Scale {
    most: f64,
    start: i32,
    end: i32,
}

impl Scale {
    /// Makes a scale with zero at pixel `start`, and `most` at pixel `end`.
    pub(crate) fn new(most: f64, start: i32, end: i32) -> Scale {
        Scale { most: if most > 0.0 { most } else { 1.0 }, start, end }
    }

    /// Returns the pixel of a value.
    pub(crate) fn at(&self, value: f64) -> i32 {
        self.start + (f64::from(self.end - self.start) * (value / self.most)).round() as i32
    }

    /// Returns round values, at most `count_max`.
    fn ticks(&self, count_max: usize) -> Vec<f64> {
        RangedCoordf64::from(0.0..self.most).key_points(count_max)
    }

    /// Draws vertical lines at round values over a plot of these rows, with numbers below.
    pub(crate) fn across(&self, canvas: &mut Canvas, rows: Range<i32>, title: &str) {
        for tick in self.ticks(8) {
            self.column(canvas, rows.clone(), tick);
        }
        let middle = i32::midpoint(self.start, self.end);
        canvas.text(title, (middle, rows.end + 40), Anchor::Middle, Look::Plain);
    }

    /// Draws a vertical line at a value, with its number below.
    pub(crate) fn column(&self, canvas: &mut Canvas, rows: Range<i32>, value: f64) {
        let x = self.at(value);
        canvas.line((x, rows.start), (x, rows.end), FAINT);
        canvas.line((x, rows.end), (x, rows.end + TICK_PIXELS), MUTED);
        canvas.text(&number(value), (x, rows.end + 16), Anchor::Middle, Look::Plain);
    }

    /// Draws horizontal lines at round values over a plot of these columns, with numbers to the
    /// left.
    pub(crate) fn upward(&self, canvas: &mut Canvas, columns: Range<i32>, title: &str) {
        for tick in self.ticks(8) {
            let y = self.at(tick);
            canvas.line((columns.start - TICK_PIXELS, y), (columns.end, y), FAINT);
            canvas.text(&number(tick), (columns.start - 9, y), Anchor::End, Look::Plain);
        }
        let middle = i32::midpoint(self.start, self.end);
        canvas.text(title, (columns.start - 50, middle), Anchor::Middle, Look::Upward);
    }
}

/// Formats a round value without the traces of binary fractions.
fn number(value: f64) -> String {
    let text = format!("{value:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_lie_between_the_ends() {
        let scale = Scale::new(10.0, 100, 300);
        assert_eq!([0.0, 5.0, 10.0].map(|value| scale.at(value)), [100, 200, 300]);
        assert_eq!(Scale::new(4.0, 300, 100).at(1.0), 250);
        assert_eq!(Scale::new(0.0, 0, 10).at(0.0), 0);
    }

    #[test]
    fn ticks_are_round_and_few() {
        let ticks = Scale::new(0.7, 0, 100).ticks(8);
        assert!((3..=8).contains(&ticks.len()), "{ticks:?}");
        assert_eq!(number(0.1 + 0.2), "0.3");
        assert_eq!(number(20.0), "20");
    }
}
