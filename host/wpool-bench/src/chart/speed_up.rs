//! The chart of the speed-up by more workers.

use super::super::findings::{Findings, Measured};
use super::COLORS;
use super::canvas::{self, Anchor, Canvas, Look, MUTED, picture};
use super::scale::Scale;
use std::ops::Range;

const WIDTH: i32 = 900;
const HEIGHT: i32 = 440;
const COLUMNS: Range<i32> = 76..600;
const ROWS: Range<i32> = 44..380;
const LEGEND_LEFT: i32 = 630;
const LEGEND_ROW: i32 = 24;

/// The least distance on the axis between two numbers of workers that are both written.
const NUMBER_PIXELS: i32 = 28;

/// A mode with its speed-up by workers.
struct Line {
    mode: String,
    points: Vec<(f64, f64)>,
}

/// Draws a line for each mode with several numbers of workers: the mode's speed, relative to its
/// speed with the fewest workers. Returns `None` if there is no such mode.
pub(crate) fn speed_up(findings: &Findings) -> Option<String> {
    let lines = lines(findings);
    let points = || lines.iter().flat_map(|line| &line.points).copied();
    let fewest = points().map(|(workers, _)| workers).reduce(f64::min)?;
    let workers_max = points().map(|(workers, _)| workers).fold(fewest, f64::max);
    let fastest = points().map(|(_, speed)| speed).fold(1.0, f64::max);
    // With more workers than processors, the ideal line leaves the chart, so that the measured
    // lines fill it.
    let ideal = (workers_max / fewest).min(fastest * 1.5);
    let x = Scale::new(workers_max * 1.04, COLUMNS.start, COLUMNS.end);
    let y = Scale::new(ideal.max(fastest) * 1.04, ROWS.end, ROWS.start);
    Some(picture(WIDTH, HEIGHT.max(ROWS.start + LEGEND_ROW * (lines.len() as i32 + 2)), |canvas| {
        canvas.title("What more workers bring");
        workers_axis(canvas, &x, points().map(|(workers, _)| workers as usize).collect());
        y.upward(canvas, COLUMNS, "times as fast as with the fewest workers");
        let at = |workers: f64, speed: f64| (x.at(workers), y.at(speed));
        canvas.dashes(at(fewest, 1.0), at(fewest * ideal, ideal), MUTED);
        for (nth, line) in lines.iter().enumerate() {
            let color = COLORS[nth % COLORS.len()];
            let points: Vec<_> = line.points.iter().map(|(w, speed)| at(*w, *speed)).collect();
            canvas.path(&points, color);
            points.iter().for_each(|point| canvas.mark(nth, *point, color));
        }
        legend(canvas, &lines);
    }))
}

fn lines(findings: &Findings) -> Vec<Line> {
    let mut modes: Vec<(&str, Vec<&Measured>)> = Vec::new();
    for result in &findings.results {
        match modes.iter_mut().find(|(mode, _)| *mode == result.mode) {
            Some((_, results)) => results.push(result),
            None => modes.push((&result.mode, vec![result])),
        }
    }
    let mut lines = Vec::new();
    for (mode, mut results) in modes {
        results.sort_by_key(|result| result.workers);
        let fewest = results[0];
        if results.iter().all(|result| result.workers == fewest.workers) {
            continue;
        }
        let point = |result: &&Measured| {
            let speed = fewest.per_job() / result.per_job();
            (result.workers as f64, if speed.is_finite() { speed } else { 1.0 })
        };
        lines.push(Line { mode: mode.to_owned(), points: results.iter().map(point).collect() });
    }
    lines
}

/// Draws the axis with the numbers of workers that were measured.
fn workers_axis(canvas: &mut Canvas, x: &Scale, mut workers: Vec<usize>) {
    workers.sort_unstable();
    workers.dedup();
    let mut free = COLUMNS.start;
    for workers in workers.into_iter().map(|workers| workers as f64) {
        if x.at(workers) >= free {
            x.column(canvas, ROWS, workers);
            free = x.at(workers) + NUMBER_PIXELS;
        }
    }
    let middle = i32::midpoint(COLUMNS.start, COLUMNS.end);
    canvas.line((COLUMNS.start, ROWS.end), (COLUMNS.end, ROWS.end), MUTED);
    canvas.text("workers", (middle, ROWS.end + 40), Anchor::Middle, Look::Plain);
}

fn legend(canvas: &mut Canvas, lines: &[Line]) {
    let mut y = ROWS.start + 10;
    let mut entry = |canvas: &mut Canvas, name: &str| {
        let name = canvas::shortened(name, WIDTH - LEGEND_LEFT - 44);
        canvas.text(&name, (LEGEND_LEFT + 36, y), Anchor::Start, Look::Plain);
        y += LEGEND_ROW;
        y - LEGEND_ROW
    };
    let y = entry(canvas, "ideal");
    canvas.dashes((LEGEND_LEFT, y), (LEGEND_LEFT + 30, y), MUTED);
    for (nth, line) in lines.iter().enumerate() {
        let color = COLORS[nth % COLORS.len()];
        let y = entry(canvas, &line.mode);
        canvas.path(&[(LEGEND_LEFT, y), (LEGEND_LEFT + 30, y)], color);
        canvas.mark(nth, (LEGEND_LEFT + 15, y), color);
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::findings::Group;
    use super::super::super::sample;
    use super::super::check;
    use super::*;

    #[test]
    fn speed_ups_are_those_over_the_fewest_workers() {
        let lines = lines(&sample::findings());
        let modes: Vec<&str> = lines.iter().map(|line| line.mode.as_str()).collect();
        assert_eq!(modes, ["wasm reuse", "native threads"]);
        assert_eq!(lines[0].points, [(1.0, 1.0), (2.0, 2.0)]);
    }

    #[test]
    fn each_mode_with_several_numbers_of_workers_has_a_line() {
        let svg = speed_up(&sample::findings()).expect("two modes have");
        check(&svg);
        for text in ["wasm reuse\n", "native threads\n", "ideal\n", "workers\n"] {
            assert!(svg.contains(text), "{text}: {svg}");
        }
        assert!(!svg.contains("python"));
        assert_eq!(svg.matches("<polyline ").count(), 4, "two in the plot, two in the legend");
    }

    #[test]
    fn one_number_of_workers_has_no_chart() {
        let mut findings = sample::findings();
        findings.results = vec![
            sample::result("a", Group::Wasm, 2, &[1]),
            sample::result("b", Group::Wasm, 4, &[1]),
        ];
        assert!(speed_up(&findings).is_none());
    }
}
