//! The chart of each mode's time.

use super::super::findings::{Findings, Group, Measured};
use super::super::time_unit::{self, TimeUnit};
use super::COLORS;
use super::canvas::{self, Anchor, Canvas, INK, Look, picture};
use super::scale::Scale;

const WIDTH: i32 = 900;
const LABEL_WIDTH_MAX: i32 = 320;
const ROW: i32 = 28;
const BAR: i32 = 16;
const WHISKER: i32 = 5;
const GAP: i32 = 10;
const TOP: i32 = 74;
const BOTTOM: i32 = 60;

/// Draws a bar for each mode and number of workers: the median, with whiskers from the fastest
/// round to the slowest. The groups stand apart, in the order of their first results.
pub(crate) fn bars(findings: &Findings) -> String {
    let groups = groups(findings);
    let gaps = GAP * groups.len().saturating_sub(1) as i32;
    let bottom = TOP + ROW * findings.results.len() as i32 + gaps;
    let labels = findings.results.iter().map(|result| canvas::width(&label(result)));
    let left = labels.max().unwrap_or(0) + 24;
    let values = findings.results.iter().map(|result| canvas::width(&value(findings, result)));
    let right = WIDTH - values.max().unwrap_or(0) - 24;
    let most = findings.results.iter().map(|result| result.stats().max).fold(0.0, f64::max);
    let unit = TimeUnit::that_suits(most);
    let scale = Scale::new(unit.convert(most), left, right);
    picture(WIDTH, bottom + BOTTOM, |canvas| {
        canvas.title("Time of each mode");
        legend(canvas, &groups);
        let title =
            format!("median time in {}; whiskers: fastest and slowest round", unit.symbol());
        scale.across(canvas, TOP..bottom, &title);
        let mut y = TOP + ROW / 2;
        for group in &groups {
            for result in findings.results.iter().filter(|result| result.group == *group) {
                let stats = result.stats();
                let [median, min, max] =
                    [stats.median, stats.min, stats.max].map(|time| scale.at(unit.convert(time)));
                canvas.text(&label(result), (left - 10, y), Anchor::End, Look::Plain);
                canvas.rectangle((left, y - BAR / 2), (median, y + BAR / 2), color(*group));
                canvas.line((min, y), (max, y), INK);
                for x in [min, max] {
                    canvas.line((x, y - WHISKER), (x, y + WHISKER), INK);
                }
                canvas.text(&value(findings, result), (max + 10, y), Anchor::Start, Look::Plain);
                y += ROW;
            }
            y += GAP;
        }
    })
}

/// Returns the groups of the results.
fn groups(findings: &Findings) -> Vec<Group> {
    let mut groups = Vec::new();
    for result in &findings.results {
        if !groups.contains(&result.group) {
            groups.push(result.group);
        }
    }
    groups
}

fn label(result: &Measured) -> String {
    canvas::shortened(&result.label(), LABEL_WIDTH_MAX)
}

/// Returns the text beside a bar.
fn value(findings: &Findings, result: &Measured) -> String {
    let time = time_unit::text(result.stats().median, None);
    format!("{time} ({})", time_unit::times(findings.relative(result).value))
}

fn color(group: Group) -> u32 {
    match group {
        Group::Wasm => COLORS[0],
        Group::Native => COLORS[1],
        Group::Peer => COLORS[2],
    }
}

fn legend(canvas: &mut Canvas, groups: &[Group]) {
    let names = groups.iter().map(|group| match group {
        Group::Native => "native code",
        Group::Wasm => "WebAssembly",
        Group::Peer => "other programs",
    });
    let mut x = WIDTH / 2 - names.clone().map(|name| canvas::width(name) + 40).sum::<i32>() / 2;
    for (name, group) in names.zip(groups) {
        canvas.rectangle((x, 38), (x + 14, 52), color(*group));
        canvas.text(name, (x + 20, 45), Anchor::Start, Look::Plain);
        x += canvas::width(name) + 40;
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::sample;
    use super::super::check;
    use super::*;

    #[test]
    fn each_mode_has_a_bar_with_its_time() {
        let svg = bars(&sample::findings());
        check(&svg);
        for text in [
            "wasm reuse, 1 worker\n",
            "native threads, 2 workers\n",
            "python, 2 workers\n",
            "15.0 ms (1.50 ×)\n",
            "250 ms (25.00 ×)\n",
            "median time in ms;",
            "other programs\n",
        ] {
            assert!(svg.contains(text), "{text}: {svg}");
        }
    }

    #[test]
    fn findings_without_times_can_be_drawn() {
        let mut findings = sample::findings();
        findings.results.truncate(1);
        findings.results[0].times.clear();
        check(&bars(&findings));
        findings.results.clear();
        check(&bars(&findings));
    }
}
