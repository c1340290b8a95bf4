//! The table that a terminal shows.

use super::escape;
use super::findings::{Findings, Measured};
use super::stats::{Ratio, mean};
use super::time_unit::{self, TimeUnit};
use super::units::count;
use std::fmt::Write as _;

const BOLD: &str = "\x1b[1m";
const GREEN: &str = "\x1b[1;32m";
const PLAIN: &str = "\x1b[0m";

/// The headings of the columns.
pub(crate) const COLUMNS: [&str; 7] =
    ["mode", "workers", "median ± spread", "min … max", "per job", "relative", "user + system"];

/// Formats the results under their title, and below them the fastest mode.
pub fn text(findings: &Findings, unit: Option<TimeUnit>, color: bool) -> String {
    let paint = |style: &str, text: String| match color {
        true => format!("{style}{text}{PLAIN}"),
        false => text,
    };
    let rows: Vec<_> = findings.results.iter().map(|r| columns(findings, r, unit)).collect();
    let header = COLUMNS.map(str::to_owned);
    let widths: [usize; COLUMNS.len()] = std::array::from_fn(|column| {
        let rows = rows.iter().chain([&header]);
        rows.map(|row| row[column].chars().count()).max().unwrap_or(0)
    });
    let fastest = findings.fastest().map(Measured::label);
    let mut text = format!("{}\n\n", paint(BOLD, escape::text(&findings.title)));
    let _ = writeln!(text, "{}", paint(BOLD, aligned(&header, &widths)));
    for (row, result) in rows.iter().zip(&findings.results) {
        let line = aligned(row, &widths);
        let is_fastest = fastest == Some(result.label());
        let _ = writeln!(text, "{}", if is_fastest { paint(GREEN, line) } else { line });
    }
    for line in [fastest_text(findings), note(findings)].into_iter().flatten() {
        let _ = writeln!(text, "\n{}", escape::text(&line));
    }
    text
}

/// Returns the text of a result in each column.
pub(crate) fn columns(
    findings: &Findings,
    result: &Measured,
    unit: Option<TimeUnit>,
) -> [String; COLUMNS.len()] {
    let stats = result.stats();
    let unit_here = unit.unwrap_or(TimeUnit::that_suits(stats.median));
    let symbol = unit_here.symbol();
    let [median, spread, min, max] =
        unit_here.numbers([stats.median, stats.stddev.unwrap_or(0.0), stats.min, stats.max]);
    let spread = if stats.stddev.is_some() { format!(" ± {spread}") } else { String::new() };
    let [user, system] = [&result.user, &result.system].map(|times| mean(times));
    [
        escape::text(&result.mode),
        result.workers.to_string(),
        format!("{median}{spread} {symbol}"),
        format!("{min} … {max} {symbol}"),
        time_unit::text(result.per_job(), None),
        time_unit::times(findings.relative(result).value),
        format!("{} + {}", time_unit::text(user, unit), time_unit::text(system, unit)),
    ]
}

/// Names the fastest mode, and how much faster it is than the next one.
pub(crate) fn fastest_text(findings: &Findings) -> Option<String> {
    let fastest = findings.fastest()?;
    let next = findings.fastest_beside(&fastest.mode)?;
    let ratio = Ratio::of(&next.stats(), &fastest.stats());
    let spread = ratio.stddev.map_or(String::new(), |stddev| format!(" ± {stddev:.2}"));
    Some(format!(
        "Fastest: {} – {:.2}{spread} times as fast as {}.",
        fastest.label(),
        ratio.value,
        next.label()
    ))
}

/// Explains the columns.
pub(crate) fn note(findings: &Findings) -> Option<String> {
    let reference = findings.reference()?.label();
    let rounds = || findings.results.iter().map(|result| result.times.len() as u64);
    let (least, most) = (rounds().min()?, rounds().max()?);
    let least = if least < most { format!("{least} to ") } else { String::new() };
    Some(format!(
        "Median of {least}{} ± standard deviation. User and system: processor time of all \
         processes together. Relative to {reference}: above 1 is slower.",
        count(most, "round")
    ))
}

/// Aligns the first column to the left, and the others to the right.
fn aligned(row: &[String; COLUMNS.len()], widths: &[usize; COLUMNS.len()]) -> String {
    let mut line = format!("{:width$}", row[0], width = widths[0]);
    for (text, width) in row.iter().zip(widths).skip(1) {
        let _ = write!(line, "   {text:>width$}");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::super::findings::Group;
    use super::super::sample;
    use super::*;

    #[test]
    fn columns_are_aligned_and_the_fastest_is_named() {
        let text = text(&sample::findings(), None, false);
        let widths: Vec<usize> = text.lines().skip(2).map(|line| line.chars().count()).collect();
        assert!(widths[..6].iter().all(|width| *width == widths[0]), "{text}");
        let first: Vec<&str> = text.lines().nth(3).expect("a row").split_whitespace().collect();
        assert_eq!(
            first.join(" "),
            "wasm reuse 1 15.0 ± 1.0 ms 14.0 … 16.0 ms 15.0 µs 1.50 × 15.0 ms + 1.00 ms"
        );
        let fastest =
            "Fastest: native threads, 2 workers – 1.50 times as fast as wasm reuse, 2 workers.";
        assert!(text.contains(fastest), "{text}");
        assert!(text.contains("Median of 1 to 3 rounds ±"), "{text}");
    }

    #[test]
    fn a_unit_that_is_asked_for_holds_for_all_rows_and_colours_for_a_terminal_only() {
        let findings = sample::findings();
        let text = text(&findings, Some(TimeUnit::Second), true);
        assert!(text.contains("0.0150 ± 0.0010 s"), "{text}");
        assert!(text.contains("0.250 ± 0.010 s"), "{text}");
        assert!(text.contains(&format!("{GREEN}native threads")), "{text}");
        assert!(!super::text(&findings, None, false).contains('\x1b'));
    }

    #[test]
    fn names_cannot_command_the_terminal_and_one_result_is_not_compared() {
        let mut findings = sample::findings();
        findings.results = vec![sample::result("\x1b[2J", Group::Wasm, 1, &[1])];
        let text = text(&findings, None, false);
        assert!(text.contains("\\x1b[2J") && !text.contains("Fastest"), "{text}");
    }
}
