//! P5: compares kernels in a sandbox with the same source as a native library, each in one worker.

use super::line::{Goal, Line, Unit, amount};
use super::modes::Medians;
use super::peers::Peers;
use crate::Result;

const KERNELS: &str = "target/guests/kernels.wasm";

/// The usual job of each kernel.
const JOBS: &str = include_str!("../../../guest-examples/kernels/jobs.txt");

/// The number of times that a run repeats the job.
const JOBS_A_RUN: usize = 20;

/// The highest ratios to native time that are accepted: for each kernel, and for the geometric mean
/// of all.
const EACH_MUST: f64 = 2.2;
const MEAN_MUST: f64 = 1.4;
const BEYOND: f64 = 1.25;

/// The seconds that one worker took for all jobs of a run.
struct Times {
    native: f64,
    wasm: f64,
}

/// Measures each kernel against two native libraries: one for any CPU, and one that detects what
/// the CPU can do.
pub fn kernels(peers: &Peers) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    let (mut sum, mut count) = (0.0, 0.0);
    for line in JOBS.lines() {
        let (task, job) = match line.split(' ').collect::<Vec<_>>()[..] {
            [task, job, _] => (task, job),
            _ => return Err(format!("jobs.txt: `{line}` is not a task, a job and a result").into()),
        };
        let plain = times(peers, task, job, "native")?;
        let shipped = times(peers, task, job, "native-shipped")?;
        let ratio = plain.wasm / plain.native;
        sum += ratio.ln();
        count += 1.0;
        let per_job = |seconds: f64| amount(Unit::Seconds, seconds / JOBS_A_RUN as f64);
        let native = per_job(shipped.native);
        let times = amount(Unit::Times, shipped.wasm / shipped.native);
        lines.push(Line {
            row: "P5 each",
            // The leaked name lives as long as the program, which measures each kernel once.
            work: task.to_owned().leak(),
            wpool: per_job(plain.wasm),
            peer: Some(per_job(plain.native)),
            must: Goal::at_most(Unit::Times, ratio, EACH_MUST),
            beyond: Goal::at_most(Unit::Times, ratio, BEYOND),
            floor: Some(format!("{native}: wpool takes {times}")),
            rounds: peers.rounds,
        });
    }
    let mean = (sum / count).exp();
    lines.push(Line {
        row: "P5",
        work: "geometric mean of the kernels' ratios",
        wpool: amount(Unit::Times, mean),
        peer: None,
        must: Goal::at_most(Unit::Times, mean, MEAN_MUST),
        beyond: Goal::at_most(Unit::Times, mean, BEYOND),
        floor: None,
        rounds: peers.rounds,
    });
    Ok(lines)
}

/// Measures one worker at a kernel's jobs, in WebAssembly and with the native library in `folder`.
fn times(peers: &Peers, task: &str, job: &str, folder: &str) -> Result<Times> {
    let library = format!("target/guests/{folder}/libkernels.so");
    let modes = ["--modes", "native-workers,reuse", "-j1", "--native", &library];
    let jobs = [job; JOBS_A_RUN];
    let options = [&modes[..], &["--task", task, ":::"], &jobs].concat();
    let medians = Medians::measure(peers, peers.rounds, KERNELS, &options)?;
    Ok(Times { native: medians.seconds("native workers")?, wasm: medians.seconds("wasm reuse")? })
}
