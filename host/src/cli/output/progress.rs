//! The display of progress on standard error.

use crate::cli::units;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::{Duration, Instant};
use wpool::pool::feed::Stats;

/// Time between two lines of plain progress.
const PLAIN_PERIOD: Duration = Duration::from_secs(10);

/// How progress is shown.
#[derive(Debug)]
pub(crate) enum Progress {
    /// Not at all.
    None,
    /// A line now and then.
    Plain {
        /// When the run began.
        began: Instant,
        /// When the last line was shown.
        shown: Instant,
    },
    /// A bar that is redrawn.
    Bar {
        /// When the run began.
        began: Instant,
        /// The bar.
        bar: ProgressBar,
    },
}

impl Progress {
    /// A line now and then.
    pub(crate) fn plain() -> Self {
        let now = Instant::now();
        Progress::Plain { began: now, shown: now }
    }

    /// A bar that is redrawn.
    pub(crate) fn bar() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_style(style("{spinner} {msg}"));
        Progress::Bar { began: Instant::now(), bar }
    }

    /// Shows the counts, or answers with a line that shows them.
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
            Progress::Bar { began, bar } => {
                if bar.length() != stats.total {
                    set_total(bar, stats.total);
                }
                bar.set_position(stats.succeeded + stats.failed);
                bar.set_message(line(stats, began.elapsed()));
                None
            }
        }
    }

    /// Runs `print` while the bar is off the screen.
    pub(crate) fn hidden<T>(&self, print: impl FnOnce() -> T) -> T {
        match self {
            Progress::Bar { bar, .. } => bar.suspend(print),
            Progress::None | Progress::Plain { .. } => print(),
        }
    }

    /// Ends the display.
    pub(crate) fn end(&mut self) {
        if let Progress::Bar { bar, .. } = std::mem::replace(self, Progress::None) {
            bar.finish_and_clear();
        }
    }
}

fn set_total(bar: &ProgressBar, total: Option<u64>) {
    if let Some(total) = total {
        bar.set_length(total);
        bar.set_style(style("{bar:30} {eta} left: {msg}"));
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is valid")
}

/// The counts on one line.
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

    #[test]
    fn a_plain_line_has_the_counts_and_no_guess() {
        let stats = Stats { succeeded: 90, failed: 10, total: Some(400), ..Stats::default() };
        assert_eq!(
            line(&stats, Duration::from_secs(20)),
            "100 of 400 jobs done, 10 failed, in 20.0s (5 jobs/s)"
        );
    }

    #[test]
    fn a_short_run_shows_no_plain_line() {
        assert_eq!(Progress::plain().update(&Stats::default()), None);
    }
}
