//! Exports for other programs, in hyperfine's formats, so that a program that reads hyperfine's
//! files reads these too.

use super::findings::{Findings, Measured};
use super::stats::{Ratio, mean};
use super::time_unit::TimeUnit;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

#[derive(Serialize)]
struct Results {
    results: Vec<Summary>,
}

/// A result as hyperfine writes it. Times are in seconds.
#[derive(Serialize)]
struct Summary {
    command: String,
    mean: f64,
    stddev: Option<f64>,
    median: f64,
    user: f64,
    system: f64,
    min: f64,
    max: f64,
    times: Vec<f64>,
    exit_codes: Vec<i32>,
    parameters: BTreeMap<&'static str, String>,
}

impl Summary {
    fn of(result: &Measured) -> Summary {
        let stats = result.stats();
        Summary {
            command: result.label(),
            mean: stats.mean,
            stddev: stats.stddev,
            median: stats.median,
            user: mean(&result.user),
            system: mean(&result.system),
            min: stats.min,
            max: stats.max,
            times: result.times.iter().map(Duration::as_secs_f64).collect(),
            // A round that fails ends the benchmark.
            exit_codes: vec![0; result.times.len()],
            parameters: BTreeMap::from([
                ("jobs", result.jobs.to_string()),
                ("mode", result.mode.clone()),
                ("workers", result.workers.to_string()),
            ]),
        }
    }
}

/// Writes everything that was measured, as hyperfine's `--export-json` does.
///
/// # Errors
/// Returns the error of writing to `to`.
pub fn json(findings: &Findings, mut to: impl Write) -> io::Result<()> {
    let results = findings.results.iter().map(Summary::of).collect();
    serde_json::to_writer_pretty(&mut to, &Results { results })?;
    writeln!(to)
}

/// Writes the figures of each mode, as hyperfine's `--export-csv` does.
///
/// # Errors
/// Returns the error of writing to `to`.
pub fn csv(findings: &Findings, mut to: impl Write) -> io::Result<()> {
    let parameters = "parameter_jobs,parameter_mode,parameter_workers";
    writeln!(to, "command,mean,stddev,median,user,system,min,max,{parameters}")?;
    for summary in findings.results.iter().map(Summary::of) {
        let stddev = summary.stddev.unwrap_or(0.0);
        let Summary { command, mean, median, user, system, min, max, parameters, .. } = summary;
        write!(to, "{},{mean},{stddev},{median},{user},{system},{min},{max}", quoted(&command))?;
        for value in parameters.values() {
            write!(to, ",{}", quoted(value))?;
        }
        writeln!(to)?;
    }
    Ok(())
}

/// Quotes a field as RFC 4180 demands.
fn quoted(field: &str) -> String {
    match field.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field.to_owned(),
    }
}

/// Writes a table as hyperfine's `--export-markdown` does.
///
/// # Errors
/// Returns the error of writing to `to`.
pub fn markdown(findings: &Findings, unit: Option<TimeUnit>, mut to: impl Write) -> io::Result<()> {
    let (header, rows) = cells(findings, unit);
    writeln!(to, "| {} |\n|:---|---:|---:|---:|---:|", header.join(" | "))?;
    for [command, figures @ ..] in rows {
        let command = one_line(&command).replace('`', "'").replace('|', "\\|");
        writeln!(to, "| `{command}` | {} |", figures.join(" | "))?;
    }
    Ok(())
}

/// Writes a table as hyperfine's `--export-asciidoc` does.
///
/// # Errors
/// Returns the error of writing to `to`.
pub fn asciidoc(findings: &Findings, unit: Option<TimeUnit>, mut to: impl Write) -> io::Result<()> {
    let (header, rows) = cells(findings, unit);
    writeln!(to, "[cols=\"<,>,>,>,>\"]\n|===\n| {}", header.join("\n| "))?;
    for [command, figures @ ..] in rows {
        let command = one_line(&command).replace('|', "\\|");
        writeln!(to, "\n| `{command}`\n| {}", figures.join("\n| "))?;
    }
    writeln!(to, "|===")
}

/// Writes a table as hyperfine's `--export-orgmode` does.
///
/// # Errors
/// Returns the error of writing to `to`.
pub fn orgmode(findings: &Findings, unit: Option<TimeUnit>, mut to: impl Write) -> io::Result<()> {
    let (header, rows) = cells(findings, unit);
    writeln!(to, "| {} |\n|--+--+--+--+--|", header.join(" | "))?;
    for [command, figures @ ..] in rows {
        // Emacs would take the bar for the end of the cell.
        let command = one_line(&command).replace('|', "\\vert{}");
        writeln!(to, "| ={command}= | {} |", figures.join(" | "))?;
    }
    Ok(())
}

/// Returns hyperfine's table, with the medians in place of the means, as everywhere else. All times
/// are in one unit, the one that suits the first result.
fn cells(findings: &Findings, unit: Option<TimeUnit>) -> ([String; 5], Vec<[String; 5]>) {
    let first = findings.results.first().map_or(0.0, |result| result.stats().median);
    let unit = unit.unwrap_or(TimeUnit::that_suits(first));
    let decimals = if unit == TimeUnit::Second { 3 } else { 1 };
    let time = |seconds: f64| format!("{:.decimals$}", unit.convert(seconds));
    let uncertain = |stddev: Option<String>| stddev.map_or(String::new(), |s| format!(" ± {s}"));
    let reference = findings.reference();
    let row = |result: &Measured| {
        let stats = result.stats();
        let relative = match reference {
            Some(reference) if !std::ptr::eq(reference, result) => {
                let Ratio { value, stddev } = findings.relative(result);
                format!("{value:.2}{}", uncertain(stddev.map(|stddev| format!("{stddev:.2}"))))
            }
            _ => "1.00".into(),
        };
        let median = format!("{}{}", time(stats.median), uncertain(stats.stddev.map(time)));
        [result.label(), median, time(stats.min), time(stats.max), relative]
    };
    let timed = |name: &str| format!("{name} [{}]", unit.symbol());
    let header = ["Command".into(), timed("Median"), timed("Min"), timed("Max"), "Relative".into()];
    (header, findings.results.iter().map(row).collect())
}

/// Replaces control characters in a name, because a line break would begin a new row.
fn one_line(name: &str) -> String {
    name.split(char::is_control).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::findings::Group;
    use super::super::sample;
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
        let mut bytes = Vec::new();
        write(&mut bytes).expect("writing to memory cannot fail");
        String::from_utf8(bytes).expect("it is text")
    }

    #[test]
    fn json_has_hyperfines_fields() {
        let text = written(|to| json(&sample::findings(), to));
        let value: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
        let results = value["results"].as_array().expect("an array");
        assert_eq!(results.len(), 5);
        let first = results[0].as_object().expect("an object");
        let mut names: Vec<&str> = first.keys().map(String::as_str).collect();
        names.sort_unstable();
        let all = "command exit_codes max mean median min parameters stddev system times user";
        assert_eq!(names.join(" "), all);
        assert_eq!(first["times"], serde_json::json!([0.014, 0.015, 0.016]));
        assert_eq!(first["exit_codes"], serde_json::json!([0, 0, 0]));
        let parameters = serde_json::json!({"jobs": "1000", "mode": "wasm reuse", "workers": "1"});
        assert_eq!(first["parameters"], parameters);
        assert!((first["stddev"].as_f64().expect("a number") - 0.001).abs() < 1e-9);
        assert!((first["mean"].as_f64().expect("a number") - 0.015).abs() < 1e-9);
        assert!(results[3]["stddev"].is_null());
    }

    #[test]
    fn csv_quotes_what_has_commas_or_quotes() {
        let mut findings = sample::findings();
        findings.results = vec![sample::result("a \"b\"", Group::Wasm, 1, &[10, 20])];
        findings.results[0].times = vec![Duration::from_millis(500); 2];
        let text = written(|to| csv(&findings, to));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "command,mean,stddev,median,user,system,min,max,\
                 parameter_jobs,parameter_mode,parameter_workers",
                "\"a \"\"b\"\", 1 worker\",0.5,0,0.5,0.015,0.001,0.5,0.5,1000,\"a \"\"b\"\"\",1"
            ]
        );
    }

    #[test]
    fn tables_are_hyperfines() {
        let findings = sample::findings();
        let text = written(|to| markdown(&findings, None, to));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "| Command | Median [ms] | Min [ms] | Max [ms] | Relative |");
        assert_eq!(lines[1], "|:---|---:|---:|---:|---:|");
        assert_eq!(lines[2], "| `wasm reuse, 1 worker` | 15.0 ± 1.0 | 14.0 | 16.0 | 1.50 ± 0.24 |");
        assert_eq!(lines[4], "| `native threads, 1 worker` | 10.0 ± 1.5 | 9.0 | 12.0 | 1.00 |");
        let seconds = written(|to| markdown(&findings, Some(TimeUnit::Second), to));
        assert!(seconds.contains("| 0.015 ± 0.001 | 0.014 | 0.016 |"), "{seconds}");
        let asciidoc = written(|to| asciidoc(&findings, None, to));
        let row =
            "\n| `python, 2 workers`\n| 250.0 ± 10.0\n| 240.0\n| 260.0\n| 25.00 ± 3.83\n|===\n";
        assert!(asciidoc.ends_with(row), "{asciidoc}");
        let orgmode = written(|to| orgmode(&findings, None, to));
        assert!(orgmode.contains("| =python, 2 workers= | 250.0 ± 10.0 |"), "{orgmode}");
    }

    #[test]
    fn no_name_ends_a_cell_or_a_row() {
        let mut findings = sample::findings();
        findings.results = vec![sample::result("a|`b`\nc", Group::Wasm, 1, &[10])];
        let text = written(|to| markdown(&findings, None, to));
        assert!(
            text.ends_with("| `a\\|'b' c, 1 worker` | 10.0 | 10.0 | 10.0 | 1.00 |\n"),
            "{text}"
        );
    }
}
