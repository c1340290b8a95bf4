//! P9: measures dicts and lists beside those of Python's `Manager` and beside a Redis server.

use std::process::{Command, Stdio};

use super::line::{Goal, Line, Unit, amount};
use super::measure::{Contender, in_turns};
use super::peers::Peers;
use crate::Result;
use crate::command::{bytes, command};

const PRIMITIVES: &str = "target/guests/primitives.wasm";

/// The space that an object needs for the largest dict.
const SPACE: &str = "--shared-space=256MiB";

/// The numbers of processes that use one object at the same time.
const PROCESSES: [u32; 3] = [1, 2, 8];

/// The entries of a dict that is small, and of one that no cache holds.
const FEW: u32 = 1_000;
const MANY: u32 = 1_000_000;

/// An operation that a task of `primitives.wasm` repeats, and scripts of `benches/peers` too.
struct Operation {
    row: &'static str,
    work: &'static str,
    task: &'static str,
    /// The entries of the dict that it needs, if it needs one.
    entries: Option<u32>,
    /// The most seconds that one may take in one process.
    must: f64,
    /// Whether peers do it too, and several processes at once.
    has_peers: bool,
}

const OPERATIONS: [Operation; 7] = [
    operation("P9 set", "set an entry of a dict", "dict_set", Some(FEW)),
    operation("P9 get", "get an entry of a dict", "dict_get", Some(FEW)),
    operation("P9 append", "append to a list", "list_append", None),
    operation("P9 pop", "append to a list and pop", "list_pair", None),
    operation("P9 add", "add to a counter in a dict", "dict_add", None),
    large("P9 set 10^6", "set an entry of a million", "dict_set"),
    large("P9 get 10^6", "get an entry of a million", "dict_get"),
];

const fn operation(
    row: &'static str,
    work: &'static str,
    task: &'static str,
    entries: Option<u32>,
) -> Operation {
    Operation { row, work, task, entries, must: 0.2e-6, has_peers: true }
}

/// Makes an operation with a large dict, which wpool measures alone.
const fn large(row: &'static str, work: &'static str, task: &'static str) -> Operation {
    Operation { row, work, task, entries: Some(MANY), must: 0.5e-6, has_peers: false }
}

/// The repetitions by wpool, enough for the start of processes to be small beside them, by Python,
/// and by Redis.
const TIMES: [u32; 3] = [4_000_000, 20_000, 100_000];

/// Measures every operation.
pub fn manager(peers: &Peers) -> Result<Vec<Line>> {
    let redis = bytes(&mut command("redis-benchmark", ["--version"])).is_ok();
    if !redis {
        eprintln!("no Redis (`redis-server`, `redis-benchmark`): it is left out");
    }
    let mut lines = Vec::new();
    for operation in &OPERATIONS {
        let processes = if operation.has_peers { &PROCESSES[..] } else { &PROCESSES[..1] };
        for count in processes {
            lines.push(operation.measure(peers, *count, redis)?);
        }
    }
    Ok(lines)
}

impl Operation {
    /// Measures the operation in so many processes at once, which share the repetitions.
    fn measure(&self, peers: &Peers, processes: u32, redis: bool) -> Result<Line> {
        let [ours, pythons, rediss] = TIMES;
        let mut contenders = vec![
            Contender::whole(self.wpool(peers, processes, ours)),
            Contender::whole(self.wpool(peers, processes, 0)),
        ];
        let script = |script, times: u32| {
            let arguments = [self.task, &times.to_string(), &processes.to_string()];
            Contender::telling(peers.python(script, &arguments))
        };
        if self.has_peers {
            contenders.push(script("manager.py", pythons));
            contenders.extend(redis.then(|| script("redis.py", rediss)));
        }
        let samples = in_turns(peers.rounds, &mut contenders)?;
        // The start of processes is subtracted, because the peers do not count it either.
        let seconds = samples.figure(|times| (times[0] - times[1]) / f64::from(ours));
        let time = |contender: usize| {
            (contender < contenders.len()).then(|| amount(Unit::Seconds, samples.time(contender)))
        };
        let most = self.must * if processes == 1 { 1.0 } else { CONTENDED };
        Ok(Line {
            row: self.row,
            work: named(self.work, processes),
            wpool: amount(Unit::Seconds, seconds),
            peer: time(2),
            must: Goal::at_most(Unit::Seconds, seconds, most),
            beyond: Goal::at_most(Unit::Seconds, seconds, most / 2.0),
            floor: time(3).map(|time| format!("{time} by Redis")),
            rounds: samples.rounds(),
        })
    }

    fn wpool(&self, peers: &Peers, processes: u32, times: u32) -> Command {
        let times = times / processes;
        let call = match self.entries {
            Some(entries) => format!("{}({times},{entries})", self.task),
            None => format!("{}({times})", self.task),
        };
        let mut calls = vec![SPACE];
        calls.extend((0..processes).map(|_| call.as_str()));
        let mut run = peers.wpool_run(PRIMITIVES, &calls);
        run.stdout(Stdio::null());
        run
    }
}

/// The factor by which an operation may take longer where several processes want the same object.
const CONTENDED: f64 = 5.0;

/// Returns the work with the number of processes that do it at once.
fn named(work: &'static str, processes: u32) -> &'static str {
    match processes {
        1 => work,
        // The leaked text lives as long as the program, which measures each line once.
        _ => format!("{work}, {processes} processes").leak(),
    }
}
