//! The table, and the page that contains it.

use super::line::{COLUMNS, Line};
use super::machine::Machine;
use crate::Result;

const INTRODUCTION: &str = "\
# Results

Written by `cargo xtask bench`. Figures of one run on one machine; only the ratios mean something
elsewhere. What is compared runs in turns: the time columns are medians over the rounds, ratios are
medians of each round's ratio. Output goes to /dev/null.
";

const METHOD: &str = "\
## How each row is measured
Times are of whole processes, start-up included, unless said otherwise; wpool's cache holds the
module. Peers are in `benches/peers`, floors (the same plumbing in C, without WebAssembly) in
`benches/floors`. Both sides have two workers unless said otherwise.

- **P1** `wpool map square.wasm --range 0..1000000` against `Pool(2).map`, Python's start-up included.
- **P2** The same over 200 000 jobs with `--batch 1`, divided by the jobs. Python's time is that inside
  `map(chunksize=1)`, without its start-up; wpool's has its own. The floor is the better of two: a
  dispatcher that sleeps, and one that spins for 20 µs first.
- **P3** The cubes of 0 to 999 as a list, 100 000 times, printed in order; Python prints nothing.
  **P3b** is the same work returning the sum.
- **P4** 400 jobs of about 2 ms that only calculate (`work.wasm`, a million rounds of xorshift), with one
  worker and with two. The peer is what two native processes gain, the floor with the same C loop.
  `must` bounds the ratio of the gains, `beyond` wpool's gain itself.
- **P5** `wpool bench kernels.wasm --native libkernels.so --modes native-workers,reuse -j1`: the usual job of
  each kernel (`guest-examples/kernels/jobs.txt`), twenty times, in one worker that runs WebAssembly and in
  one that calls a library of the same source, which is made for any CPU of the architecture, as a module
  is. The column *floor* has the same against crates as they are shipped, some of which ask what the CPU
  can do. The module is built with `simd128`.
- **P6** What isolation costs a job. `fresh`: 100 000 jobs, one worker, time less that of the same jobs
  with `reuse`, divided by the jobs; so start-up and plumbing cancel. A command is always fresh: its
  whole cost less that of the bare module with `reuse`, so it holds the digest of no bytes and the
  printing too. `process`: 2000 jobs of `square.wasm`, time divided by the jobs.
- **P7** One job, whole process, against one job of `Pool(2)`.
- **P8** What shared objects cost a guest (`primitives.wasm`), each operation millions of times in a loop;
  the time of a run that does none is taken off. Python's time is that inside its loop (`shared.py`: its
  `Value` has a lock of its own, as in most programs). `P8 stream` is a producer and a consumer, each in
  a process of its own. The rows without a peer have bounds of our own.
- **P9** What dicts and lists cost a guest (`primitives.wasm`), with small keys and values, which are JSON;
  the time of a run that does none is taken off. The peer is Python's `Manager` (`manager.py`, without the
  start of its processes); the column *floor* has Redis on a Unix socket (`redis-benchmark`, without
  pipelining: `redis.py`). Where several processes are named, all use one object at once, and the time is
  that of all, divided by what they did.
- **P10** The digests of 10 000 files of 4 KiB, a fresh instance each, against
  `xargs -n1 -P2 sha256sum`, after checking that all digests agree. The floor's SHA-256 is portable C.
- **P11** The larger proportional set size of two workers, idle after 1000 jobs with standard input still
  open (`/proc/PID/smaps_rollup`); the peer is a worker of Python's `Pool(2)` in the same state.
- **P12** The seed's functions in Python, unchanged, as a component (`python.wasm`): the whole process
  against the same functions in `Pool(2)` of CPython, both without the time to compile the module.
  `P12 call` is a call of `square` by one worker, without the start.
";

const SERIAL: &str = "\
## 100 000 lists of cubes, one after the other and by a pool
`wpool bench cubes.wasm --range 0..100000` with the same function in Python and as a native library; each
once, after a run in which all results were compared. Serial: in one process, without any pipe.
";

const LANGUAGES: &str = "\
## What a module costs
The task `square` in each language, with one worker. *First job*: `wpool map` of one job, the whole
process, without and with the module in the cache. *Fresh instance*: what a job takes longer with
`--isolation fresh`. *Call*: a job with `reuse`, start-up taken off.
";

/// Formats the lines as a table.
pub fn table(lines: &[Line]) -> String {
    aligned(COLUMNS, lines.iter().map(Line::columns))
}

/// Formats a table that is readable as plain text and as Markdown.
pub fn aligned<const N: usize>(
    names: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> String {
    let mut rows: Vec<_> = [names.map(str::to_owned)].into_iter().chain(rows).collect();
    let widths: [usize; N] =
        std::array::from_fn(|n| rows.iter().map(|row| row[n].chars().count()).max().unwrap_or(0));
    let rule = widths.map(|width| "-".repeat(width));
    rows.insert(1, rule);
    let mut table = String::new();
    for row in rows {
        for (text, width) in row.iter().zip(widths) {
            table.push_str(&format!("| {text:width$} "));
        }
        table.push_str("|\n");
    }
    table
}

/// Returns the page: the table, the machine, and how each row is measured.
pub fn page(lines: &[Line], languages: &str, serial: &str, machine: &Machine) -> Result<String> {
    let (table, machine) = (table(lines), machine.told()?);
    Ok(format!(
        "{INTRODUCTION}\n{table}\n{machine}\n{METHOD}\n{SERIAL}\n{serial}\n{LANGUAGES}\n{languages}"
    ))
}

#[cfg(test)]
mod tests {
    use super::super::line::{Goal, Unit};
    use super::*;

    #[test]
    fn columns_are_as_wide_as_what_stands_in_them() {
        let line = Line {
            row: "P6 bare",
            work: "fresh",
            wpool: "2.10 µs".into(),
            peer: None,
            must: Goal::at_most(Unit::Seconds, 2.1e-6, 4e-6),
            beyond: Goal::at_most(Unit::Seconds, 2.1e-6, 2e-6),
            floor: None,
            rounds: 5,
        };
        let table = table(&[line]);
        let widths: Vec<usize> = table.lines().map(|line| line.chars().count()).collect();
        assert_eq!(widths.len(), 3);
        assert!(widths.iter().all(|width| *width == widths[0]), "{table}");
        assert!(table.ends_with("| ≤ 4 µs | ≤ 2 µs | must    | –     | 5      |\n"), "{table}");
    }
}
