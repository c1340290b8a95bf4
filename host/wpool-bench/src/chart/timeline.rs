//! The chart of the times at which jobs ran.

use super::super::findings::{Span, Timeline};
use super::super::time_unit::TimeUnit;
use super::canvas::{self, Anchor, FAINT, Look, MUTED, picture};
use super::scale::Scale;
use crate::units::count;
use std::ops::Range;

const WIDTH: i32 = 900;
const COLUMNS: Range<i32> = 100..820;
const TOP: i32 = 64;
const BOTTOM: i32 = 84;

/// The height of all rows together, above which rows become thinner than [`ROW_MOST`].
const ROWS_PIXELS: i32 = 640;
const ROW_MOST: i32 = 28;
const ROW_LEAST: i32 = 8;

/// The height of a worker's name; thinner rows do not all have their names.
const NAME_PIXELS: i32 = 18;

/// The most rectangles in a chart; more make a page slow, and show no more.
const RECTANGLES_MAX: usize = 2000;

/// The least width of a bar on average, so that a bar can be told from the next.
const BAR_PIXELS: usize = 3;

/// The colours of neighbouring bars. The first is the colour of WebAssembly.
const SHADES: [u32; 2] = [0xe69f00, 0xb06f00];

/// Draws a row for each worker, with a bar for each job or for several consecutive jobs.
pub(crate) fn timeline(timeline: &Timeline) -> String {
    let rows = rows(timeline);
    let together = jobs_together(&rows);
    let row = (ROWS_PIXELS / (rows.len() as i32).max(1)).clamp(ROW_LEAST, ROW_MOST);
    let end = timeline.spans.iter().map(|span| span.end).max().unwrap_or_default().as_secs_f64();
    let unit = TimeUnit::that_suits(end);
    let scale = Scale::new(unit.convert(end), COLUMNS.start, COLUMNS.end);
    let bottom = TOP + row * rows.len() as i32;
    let named = (NAME_PIXELS + row - 1) as usize / row as usize;
    picture(WIDTH, bottom + BOTTOM, |canvas| {
        let name = canvas::shortened(&timeline.mode, WIDTH - 300);
        canvas.title(&format!("{name}: when each job ran"));
        canvas.text("worker", (COLUMNS.start - 10, TOP - 16), Anchor::End, Look::Muted);
        canvas.text("busy", (WIDTH - 20, TOP - 16), Anchor::End, Look::Muted);
        let title = format!("time since the start of the run in {}", unit.symbol());
        scale.across(canvas, TOP..bottom, &title);
        for (worker, spans) in rows.iter().enumerate() {
            let y = TOP + row * worker as i32;
            canvas.line((COLUMNS.start, y + row), (COLUMNS.end, y + row), FAINT);
            if worker % named == 0 {
                let number = worker.to_string();
                canvas.text(&number, (COLUMNS.start - 10, y + row / 2), Anchor::End, Look::Plain);
                let busy = format!("{:.0} %", 100.0 * busy(spans, end));
                canvas.text(&busy, (WIDTH - 20, y + row / 2), Anchor::End, Look::Plain);
            }
            for (nth, spans) in spans.chunks(together).enumerate() {
                let (first, last) = (&spans[0], &spans[spans.len() - 1]);
                let [from, to] =
                    [first.start, last.end].map(|time| scale.at(unit.convert(time.as_secs_f64())));
                canvas.rectangle((from, y + 2), (to, y + row - 2), SHADES[nth % SHADES.len()]);
            }
        }
        canvas.text(
            &note(timeline, together),
            (WIDTH / 2, bottom + 64),
            Anchor::Middle,
            Look::Muted,
        );
        canvas.line((COLUMNS.start, TOP), (COLUMNS.start, bottom), MUTED);
    })
}

/// Returns the spans of each worker, from the first to the last.
fn rows(timeline: &Timeline) -> Vec<Vec<Span>> {
    let workers = timeline.spans.iter().map(|span| span.worker + 1).max().unwrap_or(0);
    let mut rows = vec![Vec::new(); workers];
    for span in &timeline.spans {
        rows[span.worker].push(*span);
    }
    for row in &mut rows {
        row.sort_by_key(|span| (span.start, span.job));
    }
    rows
}

/// Returns the number of consecutive jobs that share a bar.
fn jobs_together(rows: &[Vec<Span>]) -> usize {
    let jobs: usize = rows.iter().map(Vec::len).sum();
    let most = rows.iter().map(Vec::len).max().unwrap_or(0);
    // The last bar of each row may hold fewer jobs.
    let few = jobs.div_ceil(RECTANGLES_MAX.saturating_sub(rows.len()).max(1));
    let wide = (most * BAR_PIXELS).div_ceil(COLUMNS.len());
    few.max(wide).max(1)
}

/// Returns the part of the run that a worker is busy.
fn busy(spans: &[Span], end: f64) -> f64 {
    let busy: f64 = spans.iter().map(|s| s.end.saturating_sub(s.start).as_secs_f64()).sum();
    if end > 0.0 { busy / end } else { 0.0 }
}

fn note(timeline: &Timeline, together: usize) -> String {
    let jobs = count(timeline.spans.len() as u64, "job");
    match together {
        1 => format!("{jobs}, each a bar"),
        _ => format!("{jobs}; each bar is {together} in a row, with the gaps between them"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::sample;
    use super::super::check;
    use super::*;

    #[test]
    fn each_job_has_a_bar_in_its_workers_row() {
        let svg = timeline(&sample::timeline(2, 10));
        check(&svg);
        assert_eq!(svg.matches("<rect ").count(), 10);
        // The worker is busy for 5 times 0.8 ms of 4.4 ms.
        for text in ["wasm reuse: when", "10 jobs, each a bar", "\n91 %\n", "run in ms\n"] {
            assert!(svg.contains(text), "{text}: {svg}");
        }
    }

    #[test]
    fn bars_are_never_too_many() {
        for (workers, jobs) in [(1, 10_000), (2, 3000), (64, 100_000), (7, 1), (500, 5000)] {
            let svg = timeline(&sample::timeline(workers, jobs));
            let bars = svg.matches("<rect ").count();
            assert!(bars <= RECTANGLES_MAX, "{workers} {jobs}: {bars}");
        }
        let svg = timeline(&sample::timeline(2, 4000));
        assert!(svg.contains("4000 jobs; each bar is 9 in a row"), "{svg}");
    }

    #[test]
    fn no_job_at_all_can_be_drawn() {
        check(&timeline(&Timeline { mode: "wasm".into(), spans: Vec::new() }));
    }
}
