//! Doubts about figures: the warnings of hyperfine.

use super::findings::{Findings, Measured};
use super::stats::median;

/// The time in seconds below which a round measures the system as much as the task.
const SHORT: f64 = 0.005;

/// The distance from the median, in median distances, from which on a round is an outlier: ten
/// standard deviations, if times were normally distributed.
const FAR: f64 = 14.826;

/// The least number of rounds in which an outlier can be recognised.
const ROUNDS_MIN: usize = 4;

type Doubt = (fn(&Measured) -> bool, &'static str, &'static str);

/// The doubts about the rounds of a mode, and the way out of each.
const DOUBTS: [Doubt; 4] = [
    (
        is_short,
        "took less than 5 ms a round, of which the system's own work is a part",
        "more jobs measure better",
    ),
    (
        is_cold,
        "was slower in the first round than in the others",
        "something was not cached yet: --warmup 1 leaves such rounds out",
    ),
    (
        has_outliers,
        "had rounds that were not like the others",
        "measure on a machine that does nothing else",
    ),
    (
        is_spread,
        "has a standard deviation above its mean, so that its figures say little",
        "more rounds (--min-runs) or more jobs measure better",
    ),
];

/// Returns the warnings about all results, each with the modes that it concerns.
pub fn warnings(findings: &Findings) -> Vec<String> {
    let all = &findings.results;
    let warning = |(is_so, what, help): &Doubt| {
        let labels: Vec<String> = all.iter().filter(|r| is_so(r)).map(Measured::label).collect();
        let who = match labels.len() {
            0 => return None,
            count if count == all.len() && count > 1 => "each mode".to_owned(),
            _ => labels.join("; "),
        };
        Some(format!("{who} {what}: {help}"))
    };
    DOUBTS.iter().filter_map(warning).collect()
}

fn is_short(result: &Measured) -> bool {
    result.stats().median < SHORT
}

fn is_spread(result: &Measured) -> bool {
    let stats = result.stats();
    stats.stddev.is_some_and(|stddev| stddev > stats.mean)
}

fn is_cold(result: &Measured) -> bool {
    distances(result).first().is_some_and(|first| *first > FAR)
}

/// Returns whether there are outliers beside a first round that was cold.
fn has_outliers(result: &Measured) -> bool {
    let distances = distances(result);
    distances.iter().skip(usize::from(is_cold(result))).any(|distance| distance.abs() > FAR)
}

/// Returns the distance of each round from the median, in units of the median distance.
fn distances(result: &Measured) -> Vec<f64> {
    let times: Vec<f64> = result.times.iter().map(std::time::Duration::as_secs_f64).collect();
    if times.len() < ROUNDS_MIN {
        return Vec::new();
    }
    let middle = median(&times);
    let usual = median(&times.iter().map(|time| (time - middle).abs()).collect::<Vec<_>>());
    times.iter().map(|time| (time - middle) / usual.max(f64::EPSILON)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::findings::Group;
    use super::super::sample;
    use super::*;

    fn warned(rounds: &[&[u64]]) -> Vec<String> {
        let of = |(at, times): (usize, &&[u64])| sample::result("wasm", Group::Wasm, at + 1, times);
        let results = rounds.iter().enumerate().map(of).collect();
        warnings(&Findings { results, ..sample::findings() })
    }

    #[test]
    fn what_is_steady_and_long_is_not_doubted() {
        assert_eq!(warned(&[&[100, 101, 99, 102, 100]]), Vec::<String>::new());
        assert_eq!(warned(&[&[100], &[90, 300]]), Vec::<String>::new(), "too few to tell");
    }

    #[test]
    fn each_doubt_is_told_of_those_modes_that_it_is_about() {
        for (rounds, what) in [
            (&[&[4, 4, 4][..], &[9]], "took less than 5 ms"),
            (&[&[400, 100, 101, 99, 102][..], &[9]], "was slower in the first round"),
            (&[&[100, 101, 400, 99, 102][..], &[9]], "had rounds that were not like the others"),
            (&[&[100, 101, 1, 99, 102][..], &[9]], "had rounds that were not like the others"),
        ] {
            let warnings = warned(rounds);
            assert_eq!(warnings.len(), 1, "{warnings:?}");
            let start = format!("wasm, 1 worker {what}");
            assert!(warnings[0].starts_with(&start), "{warnings:?}");
        }
        let spread = warned(&[&[10, 10, 500]]);
        assert!(spread[0].contains("standard deviation above its mean"), "{spread:?}");
        assert!(warned(&[&[1], &[2]])[0].starts_with("each mode took less"), "{spread:?}");
    }

    #[test]
    fn a_cold_start_hides_no_other_round() {
        let warnings = warned(&[&[400, 100, 101, 99, 102, 300]]);
        assert_eq!(warnings.len(), 2, "{warnings:?}");
    }
}
