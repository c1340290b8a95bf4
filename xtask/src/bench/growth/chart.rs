//! Draws the picture: time and memory by jobs, and time by payload.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::{Run, WORKERS, workers_text};
use crate::Result;
use crate::bench::line::{Unit, exact};

const WIDTH: u32 = 1320;
const HEIGHT: u32 = 420;

/// The fonts of 13 and 15 pixels. plotters takes the height of a line for the size of a font.
const FONT: (&str, u32) = ("sans-serif", 16);
const TITLE: (&str, u32) = ("sans-serif", 19);

/// The colours of Okabe and Ito, which colour-blind people can tell apart.
const COLORS: [RGBColor; WORKERS.len()] = [
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
];

/// An edge of a panel.
struct Axis {
    title: &'static str,
    /// True if equal distances are equal factors.
    is_logarithmic: bool,
    text: fn(f64) -> String,
}

/// The name of a line and its points.
type Line = (String, Vec<(f64, f64)>);

/// Draws the whole picture, as SVG.
pub fn growth(by_jobs: &[Run], by_payload: &[Run]) -> Result<String> {
    let jobs = Axis { title: "jobs", is_logarithmic: true, text: power };
    let time =
        |title| Axis { title, is_logarithmic: true, text: |time| exact(Unit::Seconds, time) };
    let title = "resident set of the dispatcher in MiB";
    let memory = Axis { title, is_logarithmic: false, text: |size| size.to_string() };
    let payload =
        Axis { title: "bytes of a job and of its result", is_logarithmic: true, text: power };
    let by_workers = |of: fn(&Run) -> f64| {
        let line = |workers| {
            let runs = by_jobs.iter().filter(|run| run.workers == workers);
            (workers_text(workers), runs.map(|run| (run.jobs as f64, of(run))).collect())
        };
        WORKERS.map(line)
    };
    let each = by_payload.iter().map(|run| (run.payload as f64, run.per_job())).collect();
    let mut svg = String::new();
    let root = SVGBackend::with_string(&mut svg, (WIDTH, HEIGHT)).into_drawing_area();
    root.fill(&WHITE)?;
    let panels = root.split_evenly((1, 3));
    panel(&panels[0], "Time", [&jobs, &time("time of all jobs")], &by_workers(|run| run.seconds))?;
    let mebibytes = by_workers(|run| run.peak / f64::from(1 << 20));
    panel(&panels[1], "Peak memory", [&jobs, &memory], &mebibytes)?;
    let payload = [&payload, &time("time per job")];
    panel(&panels[2], "Payload, with two workers", payload, &[(String::new(), each)])?;
    root.present()?;
    drop((root, panels));
    Ok(svg)
}

fn panel(
    area: &DrawingArea<SVGBackend, Shift>,
    title: &str,
    [x, y]: [&Axis; 2],
    lines: &[Line],
) -> Result {
    let points = || lines.iter().flat_map(|(_, points)| points);
    let mut chart = ChartBuilder::on(area)
        .caption(title, TITLE)
        .margin(14)
        .x_label_area_size(44)
        .y_label_area_size(74)
        .build_cartesian_2d(
            x.range(points().map(|point| point.0)),
            y.range(points().map(|point| point.1)),
        )?;
    chart
        .configure_mesh()
        .label_style(FONT)
        .light_line_style(TRANSPARENT)
        .x_desc(x.title)
        .y_desc(y.title)
        .x_label_formatter(&|at| x.label(*at))
        .y_label_formatter(&|at| y.label(*at))
        .draw()?;
    for ((name, points), color) in lines.iter().zip(COLORS) {
        let points: Vec<_> = points.iter().map(|(a, b)| (x.at(*a), y.at(*b))).collect();
        let line = LineSeries::new(points, color.stroke_width(2)).point_size(4);
        let drawn = chart.draw_series(line)?;
        drawn
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], color.stroke_width(2)));
    }
    if lines.len() == 1 {
        return Ok(());
    }
    chart
        .configure_series_labels()
        .label_font(FONT)
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE)
        .draw()?;
    Ok(())
}

impl Axis {
    /// Returns the position of a value on the axis.
    fn at(&self, value: f64) -> f64 {
        if self.is_logarithmic { value.log10() } else { value }
    }

    /// Returns the range of all values, up to the next power of ten; on a linear axis, from zero
    /// and with room above the values.
    fn range(&self, values: impl Iterator<Item = f64> + Clone) -> Range<f64> {
        let most = values.clone().fold(f64::MIN, f64::max);
        let least = values.fold(f64::MAX, f64::min);
        if self.is_logarithmic {
            return least.log10().floor()..most.log10().ceil();
        }
        0.0..most * 1.5
    }

    /// Returns the label of a position. On a logarithmic axis only powers of ten have one.
    fn label(&self, at: f64) -> String {
        match (self.is_logarithmic, at.round()) {
            (false, _) => (self.text)(at),
            (true, exponent) if (at - exponent).abs() < 1e-6 => (self.text)(10f64.powf(exponent)),
            (true, _) => String::new(),
        }
    }
}

/// Formats a power of ten.
fn power(value: f64) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let exponent = value.log10().round() as usize;
    format!("10{}", DIGITS.get(exponent).copied().unwrap_or('?'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_has_a_line_for_each_number_of_workers_and_the_powers_of_ten() {
        let run = |jobs, workers, payload| Run { jobs, workers, payload, seconds: 0.02, peak: 2e7 };
        let by_jobs: Vec<Run> =
            [1000, 10_000].into_iter().flat_map(|jobs| WORKERS.map(|w| run(jobs, w, 8))).collect();
        let svg = growth(&by_jobs, &[run(10, 2, 10), run(10, 2, 1_000_000)]).expect("in memory");
        for text in ["1 worker\n", "8 workers\n", "10³\n", "10⁴\n", "10 ms\n", "10⁶\n"] {
            assert!(svg.contains(text), "{text}: {svg}");
        }
        assert!(svg.trim_end().ends_with("</svg>"));
    }
}
