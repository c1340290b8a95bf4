//! P12: compares the seed's functions in Python inside wpool with the same functions outside; and
//! measures the cost of a module in each language.

use super::line::{Goal, Line, Unit, amount};
use super::measure::{Contender, Samples, in_turns};
use super::peers::Peers;
use crate::Result;
use crate::command::run;
use std::fs;

const PYTHON: &str = "target/guests/python.wasm";

/// A function of the seed, and the number of calls to it.
struct Function {
    row: &'static str,
    work: &'static str,
    task: &'static str,
    peer: &'static str,
    /// The highest ratio to CPython's time that is accepted.
    must: f64,
}

const FUNCTIONS: [Function; 2] = [
    Function {
        row: "P12 cubes",
        work: "100 000 lists of 1000 cubes, in Python",
        task: "calc-cubes",
        peer: "cubes",
        must: 1.4,
    },
    Function {
        row: "P12 sum",
        work: "100 000 sums of 1000 cubes, in Python",
        task: "calc-cubes-sum",
        peer: "cubes_sum",
        must: 3.0,
    },
];

/// Measures Python inside wpool against Python outside.
pub fn python(peers: &Peers) -> Result<Vec<Line>> {
    // The README recommends `--inline` for Python.
    run(&mut peers.wpool_compile(PYTHON, &["--inline"]))?;
    let mut lines = vec![trivial(peers)?];
    for function in &FUNCTIONS {
        let options = ["--task", function.task, "-j2", "--range", "0..100000"];
        let mut contenders = [
            Contender::whole(peers.wpool(PYTHON, &options)),
            Contender::whole(peers.python("cubes.py", &[function.peer, "100000"])),
        ];
        let samples = in_turns(peers.rounds.min(ROUNDS_MAX), &mut contenders)?;
        let share = samples.figure(|times| times[0] / times[1]);
        lines.push(Line {
            row: function.row,
            work: function.work,
            wpool: amount(Unit::Seconds, samples.time(0)),
            peer: Some(amount(Unit::Seconds, samples.time(1))),
            must: Goal::at_most(Unit::Times, share, function.must),
            beyond: Goal::at_most(Unit::Times, share, 1.0),
            floor: None,
            rounds: samples.rounds(),
        });
    }
    Ok(lines)
}

/// The most rounds of a comparison. Python takes half a minute for a round, so a few rounds are
/// enough to be near the median.
const ROUNDS_MAX: usize = 3;

fn trivial(peers: &Peers) -> Result<Line> {
    let mut contenders = calls(peers, PYTHON, CALLS);
    let samples = in_turns(peers.rounds, &mut contenders)?;
    let seconds = per_call(&samples, CALLS);
    Ok(Line {
        row: "P12 call",
        work: "square of a number, in Python, per job",
        wpool: amount(Unit::Seconds, seconds),
        peer: None,
        must: Goal::at_most(Unit::Seconds, seconds, 2e-6),
        beyond: Goal::at_most(Unit::Seconds, seconds, 1e-6),
        floor: None,
        rounds: samples.rounds(),
    })
}

/// The number of jobs whose time is divided to give the time of one call.
const CALLS: u32 = 200_000;

/// Returns two contenders with one worker: `count` calls of `square`, and a single call.
fn calls(peers: &Peers, module: &str, count: u32) -> [Contender; 2] {
    [count, 1].map(|count| {
        let range = format!("0..{count}");
        Contender::whole(peers.wpool(module, &["--task", "square", "-j1", "--range", &range]))
    })
}

fn per_call(samples: &Samples, count: u32) -> f64 {
    samples.figure(|times| (times[0] - times[1]) / f64::from(count - 1))
}

/// A module with the task `square`, in some language.
struct Module {
    language: &'static str,
    path: &'static str,
    /// The number of jobs that is enough to measure a fresh instance.
    instances: u32,
}

const MODULES: [Module; 6] = [
    module("Rust, core module", "target/guests/square.wasm", 20_000),
    module("Rust, component", "target/guests/square-component.wasm", 20_000),
    module("C", "target/guests/c.wasm", 20_000),
    module("AssemblyScript", "target/guests/assemblyscript.wasm", 20_000),
    module("JavaScript, component", "target/guests/javascript.wasm", 500),
    module("Python, component", PYTHON, 500),
];

const fn module(language: &'static str, path: &'static str, instances: u32) -> Module {
    Module { language, path, instances }
}

/// Returns a table of what the same task costs in each language.
pub fn costs(peers: &Peers) -> Result<String> {
    let mut table = String::from(
        "| language | size | first job, not compiled yet | first job, compiled | fresh instance | call |\n\
         |---|---|---|---|---|---|\n",
    );
    for module in &MODULES {
        let row = module.measure(peers).map_err(|error| format!("{}: {error}", module.language))?;
        eprintln!("{row}");
        table.push_str(&row);
        table.push('\n');
    }
    Ok(table)
}

impl Module {
    fn measure(&self, peers: &Peers) -> Result<String> {
        let one = |options: &[&str]| {
            let task = ["--task", "square", "-j1"];
            Contender::whole(peers.wpool(self.path, &[&task, options, &[":::", "3"]].concat()))
        };
        let first = in_turns(1, &mut [one(&["--no-cache"])])?;
        let jobs = format!("0..{}", self.instances);
        let fresh = ["--task", "square", "-j1", "--isolation", "fresh", "--range", &jobs];
        let [many, cached] = calls(peers, self.path, CALLS);
        let [few, _] = calls(peers, self.path, self.instances);
        let fresh = Contender::whole(peers.wpool(self.path, &fresh));
        let samples = in_turns(peers.rounds, &mut [many, cached, few, fresh])?;
        let instance = samples.figure(|times| (times[3] - times[2]) / f64::from(self.instances));
        let figures = [
            amount(Unit::Bytes, fs::metadata(crate::root().join(self.path))?.len() as f64),
            amount(Unit::Seconds, first.time(0)),
            amount(Unit::Seconds, samples.time(1)),
            amount(Unit::Seconds, instance),
            amount(Unit::Seconds, per_call(&samples, CALLS)),
        ];
        Ok(format!("| {} | {} |", self.language, figures.join(" | ")))
    }
}
