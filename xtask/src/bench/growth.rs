//! Measures how costs grow with the number of jobs, with workers, and with the size of a job.

mod chart;

use std::fs;
use std::io::{BufWriter, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::line::{Unit, amount};
use super::machine::Machine;
use super::measure::median;
use super::memory;
use super::page::aligned;
use super::peers::Peers;
use crate::{Result, command, root};

const SQUARE: &str = "target/guests/square.wasm";
const ECHO: &str = "benches/modules/echo.wat";

const JOBS: [u64; 5] = [1_000, 10_000, 100_000, 1_000_000, 10_000_000];
const WORKERS: [usize; 4] = [1, 2, 4, 8];
const PAYLOADS: [u64; 8] = [8, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// The bytes that pass through the pool for each payload, as far as the number of jobs stays within
/// the two limits below.
const PAYLOAD_BYTES: u64 = 200_000_000;
const PAYLOAD_JOBS_MAX: u64 = 1_000_000;
const PAYLOAD_JOBS_MIN: u64 = 4;

/// The interval at which a process's memory is sampled.
const LOOK: Duration = Duration::from_millis(1);

const PAGE: &str = "benches/GROWTH.md";
const PICTURE: &str = "benches/growth.svg";

const INTRODUCTION: &str = "\
# Growth

Written by `cargo xtask bench growth`: how time and memory grow with the number of jobs, with workers,
and with what a job carries. Times are of whole processes, start-up included, medians over the rounds.
Peak memory is the dispatcher's largest resident set of all rounds. Output goes to /dev/null.

![Time and memory by jobs, and time by payload](growth.svg)
";

/// The cost of a number of rounds.
#[derive(Debug)]
struct Run {
    jobs: u64,
    workers: usize,
    /// The size of a job and of its result, in bytes.
    payload: u64,
    seconds: f64,
    /// The peak memory, in bytes.
    peak: f64,
}

impl Run {
    fn per_job(&self) -> f64 {
        self.seconds / self.jobs as f64
    }
}

/// Measures everything, and writes the page and its picture.
pub fn write(peers: &Peers, machine: &Machine) -> Result {
    let by_jobs = by_jobs(peers)?;
    let by_payload = by_payload(peers)?;
    let page = format!(
        "{INTRODUCTION}\n## Jobs and workers\n`wpool map square.wasm --task square --range 0..JOBS`, \
         {rounds} rounds.\n\n{}\n## Payload\nJobs and results of so many bytes through two workers \
         (`benches/modules/echo.wat`), {rounds} rounds.\n\n{}\n{}",
        jobs_table(&by_jobs),
        payload_table(&by_payload),
        machine.told()?,
        rounds = peers.rounds,
    );
    fs::write(root().join(PAGE), page)?;
    fs::write(root().join(PICTURE), chart::growth(&by_jobs, &by_payload)?)?;
    println!("{PAGE} and {PICTURE} are written");
    Ok(())
}

fn by_jobs(peers: &Peers) -> Result<Vec<Run>> {
    let mut runs = Vec::new();
    for jobs in JOBS {
        for workers in WORKERS {
            let (range, number) = (format!("0..{jobs}"), workers.to_string());
            let options = ["--task", "square", "-j", &number, "--range", &range];
            let (seconds, peak) = rounds(peers, || peers.wpool(SQUARE, &options))?;
            let run = Run { jobs, workers, payload: 8, seconds, peak };
            let time = amount(Unit::Seconds, seconds);
            eprintln!("{jobs} jobs, {}: {time}", workers_text(workers));
            runs.push(run);
        }
    }
    Ok(runs)
}

fn by_payload(peers: &Peers) -> Result<Vec<Run>> {
    let workers = 2;
    let file = root().join("target/bench/payload");
    let path = file.display().to_string();
    // The buffers must hold the largest job, and a few of them must be in flight.
    let options = ["-j2", "--max-buffer", "512MiB", "--max-output", "128MiB", "-a", &path];
    let mut runs = Vec::new();
    for payload in PAYLOADS {
        let jobs = (PAYLOAD_BYTES / payload).clamp(PAYLOAD_JOBS_MIN, PAYLOAD_JOBS_MAX);
        let line = format!("\"{}\"\n", "x".repeat(payload as usize - 2));
        let mut lines = BufWriter::new(fs::File::create(&file)?);
        (0..jobs).try_for_each(|_| lines.write_all(line.as_bytes()))?;
        lines.flush()?;
        let (seconds, peak) = rounds(peers, || peers.wpool(ECHO, &options))?;
        let run = Run { jobs, workers, payload, seconds, peak };
        eprintln!("{} each: {} per job", size(payload), amount(Unit::Seconds, run.per_job()));
        runs.push(run);
    }
    fs::remove_file(&file)?;
    Ok(runs)
}

/// Returns the median of the seconds and the peak memory over all rounds. A round before them does
/// not count, because it compiles whatever is missing from the cache.
fn rounds(peers: &Peers, command: impl Fn() -> Command) -> Result<(f64, f64)> {
    watched(&mut command())?;
    let rounds: Vec<_> =
        (0..peers.rounds).map(|_| watched(&mut command())).collect::<Result<_>>()?;
    let peak = rounds.iter().map(|(_, peak)| *peak).fold(0.0, f64::max);
    Ok((median(rounds.iter().map(|(seconds, _)| *seconds).collect()), peak))
}

/// Runs a program; returns the seconds it took and its peak memory.
fn watched(program: &mut Command) -> Result<(f64, f64)> {
    let start = Instant::now();
    let mut child = program.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
    let process = child.id();
    let (ends, end) = channel::<()>();
    // The kernel forgets the peak as soon as the program has ended.
    let watcher = thread::spawn(move || {
        let mut peak: f64 = 0.0;
        loop {
            peak = peak.max(memory::peak(process).unwrap_or(0.0));
            if end.recv_timeout(LOOK) != Err(RecvTimeoutError::Timeout) {
                return peak;
            }
        }
    });
    let status = child.wait()?;
    let seconds = start.elapsed().as_secs_f64();
    drop(ends);
    let peak = watcher.join().map_err(|_| "the watcher of memory panicked")?;
    if !status.success() {
        return Err(format!("`{}` failed: {status}", command::typed(program)).into());
    }
    Ok((seconds, peak))
}

fn jobs_table(runs: &[Run]) -> String {
    let row = |run: &Run| {
        [
            run.jobs.to_string(),
            run.workers.to_string(),
            amount(Unit::Seconds, run.seconds),
            amount(Unit::Seconds, run.per_job()),
            amount(Unit::Bytes, run.peak),
        ]
    };
    let names = ["jobs", "workers", "time", "per job", "peak memory"];
    aligned(names, runs.iter().map(row))
}

fn payload_table(runs: &[Run]) -> String {
    let row = |run: &Run| {
        [
            size(run.payload),
            run.jobs.to_string(),
            amount(Unit::Seconds, run.per_job()),
            format!("{:.0} MB/s", run.payload as f64 / run.per_job() / 1e6),
            amount(Unit::Bytes, run.peak),
        ]
    };
    let names = ["payload", "jobs", "per job", "each way", "peak memory"];
    aligned(names, runs.iter().map(row))
}

fn workers_text(workers: usize) -> String {
    format!("{workers} worker{}", if workers == 1 { "" } else { "s" })
}

/// Formats a round size: `8 B`, `10 kB`, `100 MB`.
fn size(bytes: u64) -> String {
    match bytes {
        1_000_000.. => format!("{} MB", bytes / 1_000_000),
        1_000.. => format!("{} kB", bytes / 1_000),
        _ => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_programs_time_and_memory_are_seen() {
        let (seconds, peak) = watched(&mut command::command("sleep", ["0.1"])).expect("it runs");
        assert!(seconds >= 0.1 && peak > 1e5, "{seconds} {peak}");
        let error = watched(&mut command::command("false", ["-x"])).unwrap_err().to_string();
        assert!(error.starts_with("`false -x` failed"), "{error}");
    }

    #[test]
    fn tables_have_a_row_for_each_run() {
        let run = Run { jobs: 4, workers: 2, payload: 1_000, seconds: 0.002, peak: 1048576.0 };
        let jobs = jobs_table(std::slice::from_ref(&run));
        assert!(jobs.ends_with("| 4    | 2       | 2.00 ms | 0.50 ms | 1.00 MiB    |\n"), "{jobs}");
        let payload = payload_table(&[run]);
        assert!(payload.contains("| 1 kB    | 4    | 0.50 ms | 2 MB/s   |"), "{payload}");
        assert_eq!([8, 10_000, 100_000_000].map(size), ["8 B", "10 kB", "100 MB"]);
    }
}
