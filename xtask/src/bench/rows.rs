//! The rows: the work, the programs that do it, and the ratio that has to be reached.

use std::ops::Range;

use super::line::{self, Goal, Line, Unit, amount};
use super::manager::manager;
use super::measure::{Contender, Samples, in_turns, median};
use super::memory;
use super::objects::objects;
use super::peers::{Peers, agree};
use super::{kernels, languages};
use crate::Result;
use crate::command::command;

/// A row, which can be measured by itself.
#[derive(Debug)]
pub struct Row {
    /// The name of the row.
    pub name: &'static str,
    /// Measures the row.
    pub measure: fn(&Peers) -> Result<Vec<Line>>,
}

/// The rows, in the order of the table.
pub const ROWS: [Row; 13] = [
    Row { name: "P1", measure: squares },
    Row { name: "P2", measure: unbatched },
    Row { name: "P3", measure: cubes },
    Row { name: "P3b", measure: sums },
    Row { name: "P4", measure: second_worker },
    Row { name: "P5", measure: kernels::kernels },
    Row { name: "P6", measure: isolation },
    Row { name: "P7", measure: one_job },
    Row { name: "P8", measure: objects },
    Row { name: "P9", measure: manager },
    Row { name: "P10", measure: digests },
    Row { name: "P11", measure: idle },
    Row { name: "P12", measure: languages::python },
];

const SQUARE: &str = "target/guests/square.wasm";
const CUBES: &str = "target/guests/cubes.wasm";
const WORK: &str = "target/guests/work.wasm";
const SHA256: &str = "target/guests/sha256.wasm";
const BARE: &str = "benches/modules/bare.wat";

/// A comparison of wpool with a peer at the same work.
struct Match<'a> {
    row: &'static str,
    work: &'static str,
    /// The number of jobs by which the times are divided.
    jobs: f64,
    wpool: Contender,
    peer: Contender,
    /// The floor's arguments; if there are several variants, the quickest counts.
    floors: &'a [&'a [&'a str]],
    must: f64,
    beyond: f64,
}

impl Match<'_> {
    fn measure(self, peers: &Peers) -> Result<Vec<Line>> {
        let mut contenders = vec![self.wpool, self.peer];
        let floors = self.floors.iter().filter_map(|arguments| peers.floor(arguments));
        contenders.extend(floors.map(Contender::whole));
        let samples = in_turns(peers.rounds, &mut contenders)?;
        let time = |contender| amount(Unit::Seconds, samples.time(contender) / self.jobs);
        let ratio = samples.figure(|times| times[1] / times[0]);
        let line = Line {
            row: self.row,
            work: self.work,
            wpool: time(0),
            peer: Some(time(1)),
            must: Goal::times(ratio, self.must),
            beyond: Goal::times(ratio, self.beyond),
            floor: lowest_floor(&samples, 2..contenders.len(), 0, self.jobs),
            rounds: samples.rounds(),
        };
        Ok(vec![line])
    }
}

/// Returns the quickest of several floors, and how near the contender comes to it.
fn lowest_floor(
    samples: &Samples,
    floors: Range<usize>,
    contender: usize,
    jobs: f64,
) -> Option<String> {
    let lowest = floors.min_by(|a, b| samples.time(*a).total_cmp(&samples.time(*b)))?;
    let nearness = samples.figure(|times| times[contender] / times[lowest]);
    Some(line::floor(samples.time(lowest) / jobs, nearness))
}

fn squares(peers: &Peers) -> Result<Vec<Line>> {
    Match {
        row: "P1",
        work: "a million squares",
        jobs: 1.0,
        wpool: Contender::whole(
            peers.wpool(SQUARE, &["--task", "square", "-j2", "--range", "0..1000000"]),
        ),
        peer: Contender::whole(peers.python("squares.py", &["1000000"])),
        floors: &[&["square", "2", "2000", "0", "1000000"]],
        must: 3.0,
        beyond: 5.0,
    }
    .measure(peers)
}

fn unbatched(peers: &Peers) -> Result<Vec<Line>> {
    let options = ["--task", "square", "-j2", "--batch", "1", "--range", "0..200000"];
    Match {
        row: "P2",
        work: "one job a batch, per job",
        jobs: 200_000.0,
        wpool: Contender::whole(peers.wpool(SQUARE, &options)),
        peer: Contender::telling(peers.python("unbatched.py", &["200000"])),
        floors: &[
            &["square", "2", "1", "0", "200000"],
            &["--spin", "square", "2", "1", "0", "200000"],
        ],
        must: 6.0,
        beyond: 10.0,
    }
    .measure(peers)
}

fn cubes(peers: &Peers) -> Result<Vec<Line>> {
    let options = ["--task", "cubes", "-j2", "--range", "0..100000"];
    Match {
        row: "P3",
        work: "100 000 lists of 1000 cubes",
        jobs: 1.0,
        wpool: Contender::whole(peers.wpool(CUBES, &options)),
        peer: Contender::whole(peers.python("cubes.py", &["cubes", "100000"])),
        floors: &[&["cubes", "2", "28", "0", "100000"]],
        must: 10.0,
        beyond: 20.0,
    }
    .measure(peers)
}

fn sums(peers: &Peers) -> Result<Vec<Line>> {
    let options = ["--task", "cubes_sum", "-j2", "--range", "0..100000"];
    Match {
        row: "P3b",
        work: "100 000 sums of 1000 cubes",
        jobs: 1.0,
        wpool: Contender::whole(peers.wpool(CUBES, &options)),
        peer: Contender::whole(peers.python("cubes.py", &["cubes_sum", "100000"])),
        floors: &[&["cubes_sum", "2", "500", "0", "100000"]],
        must: 40.0,
        beyond: 70.0,
    }
    .measure(peers)
}

fn second_worker(peers: &Peers) -> Result<Vec<Line>> {
    // Job n takes n rounds.
    let (first, end, range) = ("1000000", "1000400", "1000000..1000400");
    let mut contenders: Vec<Contender> = ["-j1", "-j2"]
        .map(|workers| Contender::whole(peers.wpool(WORK, &[workers, "--range", range])))
        .into();
    let native = ["1", "2"].map(|workers| peers.floor(&["busy", workers, "1", first, end]));
    contenders.extend(native.into_iter().flatten().map(Contender::whole));
    if contenders.len() < 4 {
        eprintln!("P4 compares with native processes, which take a C compiler: left out");
        return Ok(Vec::new());
    }
    let samples = in_turns(peers.rounds, &mut contenders)?;
    let gain = samples.figure(|times| times[0] / times[1]);
    let native = samples.figure(|times| times[2] / times[3]);
    let line = Line {
        row: "P4",
        work: "jobs of 2 ms: gain of a second worker",
        wpool: amount(Unit::Times, gain),
        peer: Some(amount(Unit::Times, native)),
        must: Goal::times(samples.figure(|t| t[0] / t[1] / (t[2] / t[3])), 0.95),
        beyond: Goal::times(gain, 1.9),
        floor: lowest_floor(&samples, 3..4, 1, 1.0),
        rounds: samples.rounds(),
    };
    Ok(vec![line])
}

fn isolation(peers: &Peers) -> Result<Vec<Line>> {
    let (jobs, processes) = (100_000.0, 2000.0);
    let one = |module, isolation| {
        let task = ["--task", "square", "-j1", "--range", "0..100000", "--isolation", isolation];
        Contender::whole(peers.wpool(module, &task))
    };
    let lines = peers.empty_lines(100_000)?;
    let process = ["--task", "square", "-j2", "--range", "0..2000", "--isolation", "process"];
    let mut contenders = vec![
        one(BARE, "reuse"),
        one(BARE, "fresh"),
        one(SQUARE, "reuse"),
        one(SQUARE, "fresh"),
        Contender::whole(peers.wpool(SHA256, &["-j1", "--stdin", "-a", &lines])),
        Contender::whole(peers.wpool(SQUARE, &process)),
    ];
    let floor = peers.floor(&["--fork", "square", "2", "10", "0", "2000"]);
    contenders.extend(floor.map(Contender::whole));
    let samples = in_turns(peers.rounds, &mut contenders)?;
    let extra = |contender: usize, baseline: usize| {
        samples.figure(|times| (times[contender] - times[baseline]) / jobs)
    };
    let line = |row, work, figure, most: f64| Line {
        row,
        work,
        wpool: amount(Unit::Seconds, figure),
        peer: None,
        must: Goal::at_most(Unit::Seconds, figure, most),
        beyond: Goal::at_most(Unit::Seconds, figure, most / 2.0),
        floor: None,
        rounds: samples.rounds(),
    };
    let mut process =
        line("P6 process", "a process for each job, per job", samples.time(5) / processes, 0.4e-3);
    process.floor = lowest_floor(&samples, 6..contenders.len(), 5, processes);
    Ok(vec![
        line("P6 bare", "fresh, module without imports: extra per job", extra(1, 0), 4e-6),
        line("P6 reactor", "fresh, Rust reactor: extra per job", extra(3, 2), 6e-6),
        line("P6 command", "WASI command: extra per job", extra(4, 0), 20e-6),
        process,
    ])
}

fn one_job(peers: &Peers) -> Result<Vec<Line>> {
    Match {
        row: "P7",
        work: "one job",
        jobs: 1.0,
        wpool: Contender::whole(peers.wpool(SQUARE, &["--task", "square", "-j2", ":::", "3"])),
        peer: Contender::whole(peers.python("squares.py", &["1"])),
        floors: &[&["square", "2", "1", "3", "4"]],
        must: 8.0,
        beyond: 15.0,
    }
    .measure(peers)
}

fn digests(peers: &Peers) -> Result<Vec<Line>> {
    let list = peers.list_of_files();
    let options = ["--isolation", "fresh", "-j2", "--files", "-0", "-a", &list];
    let floor: &[&str] = &["sha256", "2", "10", &list];
    let all = || command("xargs", ["-0", "-a", &list, "sha256sum"]);
    agree(&mut peers.wpool(SHA256, &options), &mut all(), 64)?;
    if let Some(mut floor) = peers.floor(floor) {
        agree(&mut floor, &mut all(), 64)?;
    }
    let each = ["-0", "-a", &list, "-n1", "-P2", "sha256sum"];
    Match {
        row: "P10",
        work: "SHA-256 of 10 000 files of 4 KiB",
        jobs: 1.0,
        wpool: Contender::whole(peers.wpool(SHA256, &options)),
        peer: Contender::whole(command("xargs", each)),
        floors: &[floor],
        must: 15.0,
        beyond: 25.0,
    }
    .measure(peers)
}

fn idle(peers: &Peers) -> Result<Vec<Line>> {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..peers.rounds {
        // wpool's child is the zygote, whose children are the workers.
        let mut wpool = peers.wpool(SQUARE, &["--task", "square", "-j2"]);
        ours.push(memory::of_idle_workers(&mut wpool, 2)?);
        theirs.push(memory::of_idle_workers(&mut peers.python("idle.py", &[]), 1)?);
    }
    let size = median(ours);
    let [must, beyond] =
        [3.0, 1.5].map(|mib: f64| Goal::at_most(Unit::Bytes, size, mib * f64::from(1 << 20)));
    let line = Line {
        row: "P11",
        work: "memory of an idle worker",
        wpool: amount(Unit::Bytes, size),
        peer: Some(amount(Unit::Bytes, median(theirs))),
        must,
        beyond,
        floor: None,
        rounds: peers.rounds,
    };
    Ok(vec![line])
}
