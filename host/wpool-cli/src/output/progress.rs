//! The display of progress on standard error.

use crate::cli::units;
use std::fmt::Write;
use std::time::{Duration, Instant};
use wpool::pool::feed::Stats;

/// The time between two lines of plain progress.
const PLAIN_PERIOD: Duration = Duration::from_secs(10);

/// The number of characters in the bar itself.
const BAR: usize = 30;

/// The number of characters that the bar and the time left take beside the counts. Narrower
/// terminals show the counts alone.
const BAR_WITH_WORDS: usize = BAR + 20;

/// The way in which progress is shown.
#[derive(Debug)]
pub(crate) enum Progress {
    /// No progress is shown.
    None,
    /// A line is printed now and then.
    Plain {
        /// The time at which the run began.
        began: Instant,
        /// The time at which the last line was shown.
        shown: Instant,
    },
    /// A bar is redrawn.
    Bar {
        /// The time at which the run began.
        began: Instant,
        /// The last counts.
        stats: Option<Stats>,
    },
}

impl Progress {
    /// Makes a display by lines.
    pub(crate) fn plain() -> Self {
        let now = Instant::now();
        Progress::Plain { began: now, shown: now }
    }

    /// Makes a display by a bar.
    pub(crate) fn bar() -> Self {
        Progress::Bar { began: Instant::now(), stats: None }
    }

    /// Takes the counts, and returns a line that shows them if one is due.
    pub(crate) fn update(&mut self, stats: &Stats) -> Option<String> {
        match self {
            Progress::None => None,
            Progress::Plain { began, shown } => {
                let now = Instant::now();
                if now - *shown < PLAIN_PERIOD {
                    return None;
                }
                *shown = now;
                Some(line(stats, now - *began))
            }
            Progress::Bar { stats: last, .. } => {
                *last = Some(*stats);
                None
            }
        }
    }

    /// Returns the bar for a terminal of `columns` columns, if there is a bar.
    pub(crate) fn drawn(&self, columns: usize) -> Option<String> {
        match self {
            Progress::Bar { began, stats: Some(stats) } => {
                Some(bar(stats, began.elapsed(), columns))
            }
            _ => None,
        }
    }
}

/// Returns the bar and the counts, in less than a line: the last column makes some terminals wrap.
fn bar(stats: &Stats, elapsed: Duration, columns: usize) -> String {
    let (done, words) = (stats.succeeded + stats.failed, line(stats, elapsed));
    let mut text = String::new();
    if let Some(total @ 1..) = stats.total
        && columns > BAR_WITH_WORDS + words.chars().count()
    {
        let full = (done.min(total) as u128 * BAR as u128 / u128::from(total)) as usize;
        text = "█".repeat(full) + &"░".repeat(BAR - full);
        if done > 0 {
            let left = elapsed.mul_f64(total.saturating_sub(done) as f64 / done as f64);
            write!(text, " {} left", units::duration_text(left))
                .expect("writing to a String cannot fail");
        }
        text.push_str(": ");
    }
    text.push_str(&words);
    text.chars().take(columns.saturating_sub(1)).collect()
}

/// Formats the counts on one line.
fn line(stats: &Stats, elapsed: Duration) -> String {
    let done = stats.succeeded + stats.failed;
    let of = stats.total.map(|total| format!(" of {total}")).unwrap_or_default();
    let failed = match stats.failed {
        0 => String::new(),
        failed => format!(", {failed} failed"),
    };
    let rate = done as f64 / elapsed.as_secs_f64().max(1e-9);
    let elapsed = units::duration_text(elapsed);
    format!("{done}{of} jobs done{failed}, in {elapsed} ({rate:.0} jobs/s)")
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATS: Stats = Stats {
        read: 400,
        total: Some(400),
        succeeded: 90,
        failed: 10,
        retried: 0,
        workers: 2,
        in_flight: 0,
    };

    #[test]
    fn a_plain_line_has_the_counts_and_no_guess() {
        assert_eq!(
            line(&STATS, Duration::from_secs(20)),
            "100 of 400 jobs done, 10 failed, in 20.0s (5 jobs/s)"
        );
    }

    #[test]
    fn a_short_run_shows_no_plain_line() {
        assert_eq!(Progress::plain().update(&Stats::default()), None);
    }

    #[test]
    fn a_bar_fits_its_terminal() {
        let bar = |columns| bar(&STATS, Duration::from_secs(20), columns);
        let counts = "100 of 400 jobs done, 10 failed, in 20.0s (5 jobs/s)";
        assert_eq!(bar(120), format!("███████░░░░░░░░░░░░░░░░░░░░░░░ 1m left: {counts}"));
        assert_eq!(bar(80), counts);
        assert_eq!(bar(20), counts[..19]);
        assert_eq!(bar(0), "");
    }
}
