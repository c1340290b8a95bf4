//! Measures single parts of a run with criterion.

use std::fs;
use std::process::Command;

use super::line::{Unit, amount};
use super::machine::Machine;
use super::page::aligned;
use crate::{Result, command, root};

/// The folder into which criterion writes its figures.
const FIGURES: &str = "target/criterion";

const PAGE: &str = "benches/MICRO.md";

const INTRODUCTION: &str = "\
# Parts

Written by `cargo xtask bench micro`: what single parts of a run cost, each by itself
(`benches/micro/`). Times are of one operation, medians of criterion's 100 samples.
";

const METHOD: &str = "\
- **job**, **record**: of 8 bytes, in batches of 1024, by the functions that dispatcher and worker use,
  without the pipe. The frame is read from memory.
- **call**: what a worker does for a job, from the job's text to the result's. `bare.wat` is a core module
  without a memory, `square.wasm` the example in Rust, which imports WASI. What a fresh instance costs is
  the difference.
- **host call**: an import that a guest calls in a loop; `job_size` does next to nothing.
- **lock**, **queue**, **value**: what a thread of an embedding program does with an object that nobody
  else uses.
";

/// Runs the benches, and writes the page.
pub fn write() -> Result {
    let machine = Machine::describe(None)?;
    machine.warn_if_busy();
    command::run(&mut bench(&[]))?;
    let rows = names(&command::text(&mut bench(&["--list"]))?)
        .map(|name| Ok([name.to_owned(), time(name)?]))
        .collect::<Result<Vec<_>>>()?;
    let table = aligned(["operation", "time"], rows.into_iter());
    println!("{table}");
    fs::write(
        root().join(PAGE),
        format!("{INTRODUCTION}\n{table}\n{METHOD}\n{}", machine.told()?),
    )?;
    println!("{PAGE} is written");
    Ok(())
}

fn bench(options: &[&str]) -> Command {
    let mut bench = command::cargo(["bench", "--bench", "micro", "--"]);
    bench.args(options).env("CRITERION_HOME", root().join(FIGURES));
    bench
}

/// Returns the names in criterion's list, in the order in which the benches ran.
fn names(list: &str) -> impl Iterator<Item = &str> {
    list.lines().filter_map(|line| line.strip_suffix(": benchmark"))
}

fn time(name: &str) -> Result<String> {
    let file = root().join(FIGURES).join(name).join("new/estimates.json");
    let figures =
        fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let nanoseconds = median(&figures).ok_or_else(|| format!("{}: no median", file.display()))?;
    Ok(amount(Unit::Seconds, nanoseconds * 1e-9))
}

/// Returns the estimate of the median in criterion's JSON, in nanoseconds.
fn median(figures: &str) -> Option<f64> {
    let (_, median) = figures.split_once("\"median\":")?;
    let (_, estimate) = median.split_once("\"point_estimate\":")?;
    estimate.split([',', '}']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_found_among_criterions_figures() {
        let estimate = |estimate| {
            format!(
                r#"{{"confidence_interval":{{"lower_bound":1.0}},"point_estimate":{estimate},"standard_error":0.1}}"#
            )
        };
        let figures = format!(
            r#"{{"mean":{},"median":{},"median_abs_dev":{}}}"#,
            estimate(20.5),
            estimate(20.25),
            estimate(2.5)
        );
        assert_eq!(median(&figures), Some(20.25));
        assert_eq!(median(&figures.replace("median", "other")), None);
    }

    #[test]
    fn benches_are_told_in_the_order_of_the_list() {
        let list = "value, add: benchmark\n\njob, claim: benchmark\n2 benchmarks\n";
        assert_eq!(names(list).collect::<Vec<_>>(), ["value, add", "job, claim"]);
    }
}
