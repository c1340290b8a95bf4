//! The figures of a mode's rounds, and the comparison of modes.

use super::findings::{Findings, Group, Measured};
use std::time::Duration;

/// The figures of several rounds, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stats {
    pub(crate) mean: f64,
    /// The standard deviation of the sample; a single round has none.
    pub(crate) stddev: Option<f64>,
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Stats {
    /// Computes the figures of at least one round. Without a round they are zero.
    pub(crate) fn of(times: &[Duration]) -> Stats {
        let seconds: Vec<f64> = times.iter().map(Duration::as_secs_f64).collect();
        let mean = mean(times);
        let squares: f64 = seconds.iter().map(|time| (time - mean).powi(2)).sum();
        let degrees = seconds.len().saturating_sub(1);
        let one = |choose: fn(f64, f64) -> f64| seconds.iter().copied().reduce(choose);
        Stats {
            mean,
            stddev: (degrees > 0).then(|| (squares / degrees as f64).sqrt()),
            median: median(&seconds),
            min: one(f64::min).unwrap_or(0.0),
            max: one(f64::max).unwrap_or(0.0),
        }
    }
}

/// Returns the median of numbers; zero if there are none.
pub(crate) fn median(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |index: usize| sorted.get(index).copied().unwrap_or(0.0);
    let last = sorted.len().saturating_sub(1);
    f64::midpoint(at(last / 2), at(last.div_ceil(2)))
}

/// Returns the mean in seconds; zero if there is no round.
pub(crate) fn mean(times: &[Duration]) -> f64 {
    times.iter().sum::<Duration>().as_secs_f64() / times.len().max(1) as f64
}

/// A mode's time as a multiple of another's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ratio {
    pub(crate) value: f64,
    /// The standard deviation, if both modes have one.
    pub(crate) stddev: Option<f64>,
}

impl Ratio {
    /// Computes the ratio of the medians, with the uncertainty of both.
    pub(crate) fn of(stats: &Stats, to: &Stats) -> Ratio {
        let value = quotient(stats.median, to.median);
        let relative = |stats: &Stats| Some(quotient(stats.stddev?, stats.mean));
        let stddev = relative(stats).zip(relative(to)).map(|(a, b)| value * a.hypot(b));
        Ratio { value, stddev }
    }
}

/// Divides two times; zero by zero is one, because equal times have the ratio one.
fn quotient(a: f64, b: f64) -> f64 {
    if a == b { 1.0 } else { a / b }
}

impl Measured {
    /// Returns the figures of the wall-clock times.
    pub(crate) fn stats(&self) -> Stats {
        Stats::of(&self.times)
    }

    /// Returns mode and workers in words, which are different for all results.
    pub(crate) fn label(&self) -> String {
        let plural = if self.workers == 1 { "" } else { "s" };
        format!("{}, {} worker{plural}", self.mode, self.workers)
    }

    /// Returns the median time divided by the number of jobs, in seconds.
    pub(crate) fn per_job(&self) -> f64 {
        self.stats().median / self.jobs.max(1) as f64
    }
}

fn fastest<'a>(results: impl Iterator<Item = &'a Measured>) -> Option<&'a Measured> {
    results.min_by(|a, b| a.stats().median.total_cmp(&b.stats().median))
}

impl Findings {
    /// Returns the result that the others are compared with: the first native mode, or else the
    /// first result.
    pub(crate) fn reference(&self) -> Option<&Measured> {
        let native = self.results.iter().find(|result| result.group == Group::Native);
        native.or(self.results.first())
    }

    /// Returns the time of a result as a multiple of the reference's.
    pub(crate) fn relative(&self, result: &Measured) -> Ratio {
        let reference = self.reference().unwrap_or(result);
        Ratio::of(&result.stats(), &reference.stats())
    }

    /// Returns the result with the smallest median.
    pub(crate) fn fastest(&self) -> Option<&Measured> {
        fastest(self.results.iter())
    }

    /// Returns the fastest result of all other modes, whatever the number of workers.
    pub(crate) fn fastest_beside(&self, mode: &str) -> Option<&Measured> {
        fastest(self.results.iter().filter(|result| result.mode != mode))
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn seconds(seconds: &[f64]) -> Stats {
        Stats::of(&seconds.iter().map(|s| Duration::from_secs_f64(*s)).collect::<Vec<_>>())
    }

    #[test]
    fn figures_are_those_computed_by_hand() {
        let stats = seconds(&[4.0, 2.0, 9.0, 5.0]);
        assert_eq!((stats.mean, stats.median, stats.min, stats.max), (5.0, 4.5, 2.0, 9.0));
        // (1 + 9 + 16 + 0) / 3
        assert!((stats.stddev.expect("four rounds") - (26.0f64 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!(seconds(&[3.0, 1.0, 8.0]).median, 3.0);
        let one = Stats { mean: 2.0, stddev: None, median: 2.0, min: 2.0, max: 2.0 };
        assert_eq!(seconds(&[2.0]), one);
        assert_eq!(seconds(&[]).median, 0.0);
    }

    #[test]
    fn a_ratio_has_the_uncertainty_of_both() {
        let of = |mean, stddev| Stats { mean, stddev, median: mean, min: mean, max: mean };
        let ratio = Ratio::of(&of(6.0, Some(0.18)), &of(2.0, Some(0.08)));
        assert!((ratio.value - 3.0).abs() < 1e-12);
        // 3 × √(0.03² + 0.04²)
        assert!((ratio.stddev.expect("both are known") - 0.15).abs() < 1e-12);
        assert_eq!(Ratio::of(&of(6.0, None), &of(2.0, Some(0.1))).stddev, None);
        assert_eq!(Ratio::of(&of(0.0, None), &of(0.0, None)).value, 1.0);
    }

    #[test]
    fn modes_are_compared_with_the_first_native_one() {
        let findings = sample::findings();
        let reference = findings.reference().expect("there are results");
        assert_eq!(reference.label(), "native threads, 1 worker");
        let relative = findings.results.iter().map(|result| findings.relative(result).value);
        let relative: Vec<f64> = relative.collect();
        assert_eq!(relative, [1.5, 0.75, 1.0, 0.5, 25.0]);
        let label = |result: Option<&Measured>| result.map(Measured::label);
        assert_eq!(label(findings.fastest()).as_deref(), Some("native threads, 2 workers"));
        let beside = findings.fastest_beside("native threads");
        assert_eq!(label(beside).as_deref(), Some("wasm reuse, 2 workers"));
        assert!((findings.results[0].per_job() - 15e-6).abs() < 1e-12);
        let wasm = Findings { results: findings.results[..2].to_vec(), ..findings };
        assert_eq!(wasm.reference().expect("there are results").label(), "wasm reuse, 1 worker");
    }
}
