//! P8: measures what shared objects cost a guest.

use super::line::{Goal, Line, Unit, amount};
use super::measure::{Contender, Samples, in_turns};
use super::peers::Peers;
use crate::Result;

const PRIMITIVES: &str = "target/guests/primitives.wasm";

/// An operation that a task of `primitives.wasm` repeats.
struct Operation {
    row: &'static str,
    work: &'static str,
    task: &'static str,
    /// The repetitions by wpool, enough for the start of processes to be small beside them, and the
    /// repetitions by Python.
    times: [u32; 2],
    must: Must,
}

/// The time that one operation may take; the goal beyond is half of it.
enum Must {
    /// The most seconds.
    Seconds(f64),
    /// The factor by which the operation has to be faster than in Python.
    PartOfPython(f64),
}

const OPERATIONS: [Operation; 8] = [
    Operation {
        row: "P8 lock",
        work: "acquire and release a lock",
        task: "lock_pair",
        times: [5_000_000, 1_000_000],
        must: Must::Seconds(100e-9),
    },
    Operation {
        row: "P8 increment",
        work: "add 1 to a value under a lock",
        task: "locked_increment",
        times: [5_000_000, 500_000],
        must: Must::PartOfPython(8.0),
    },
    Operation {
        row: "P8 queue",
        work: "put and get 64 bytes in one process",
        task: "queue_pair",
        times: [2_000_000, 20_000],
        must: Must::Seconds(0.4e-6),
    },
    Operation {
        row: "P8 stream",
        work: "64 bytes from one process to another",
        task: "stream",
        times: [1_000_000, 100_000],
        must: Must::Seconds(1e-6),
    },
    more("P8 value", "add to a value", "value_add", 100e-9),
    more("P8 semaphore", "acquire and release a permit", "semaphore_pair", 0.4e-6),
    more("P8 event", "look whether an event is set", "event_is_set", 100e-9),
    more("P8 condition", "lock, notify nobody, and unlock", "condition_notify", 0.4e-6),
];

/// Makes an operation that is measured without a peer.
const fn more(row: &'static str, work: &'static str, task: &'static str, most: f64) -> Operation {
    Operation { row, work, task, times: [5_000_000, 0], must: Must::Seconds(most) }
}

/// Measures every operation.
pub fn objects(peers: &Peers) -> Result<Vec<Line>> {
    OPERATIONS.iter().map(|operation| operation.measure(peers)).collect()
}

impl Operation {
    fn measure(&self, peers: &Peers) -> Result<Line> {
        let [ours, theirs] = self.times;
        let mut contenders =
            vec![Contender::whole(self.wpool(peers, ours)), Contender::whole(self.wpool(peers, 0))];
        if theirs > 0 {
            let python = peers.python("shared.py", &[self.task, &theirs.to_string()]);
            contenders.push(Contender::telling(python));
        }
        let samples = in_turns(peers.rounds, &mut contenders)?;
        // The start of processes is subtracted, because Python does not count it either.
        let once = |times: &[f64]| (times[0] - times[1]) / f64::from(ours);
        let seconds = samples.figure(once);
        let (must, beyond) = self.goals(&samples, seconds, once);
        Ok(Line {
            row: self.row,
            work: self.work,
            wpool: amount(Unit::Seconds, seconds),
            peer: (theirs > 0).then(|| amount(Unit::Seconds, samples.time(2))),
            must,
            beyond,
            floor: None,
            rounds: samples.rounds(),
        })
    }

    fn goals(&self, samples: &Samples, seconds: f64, once: impl Fn(&[f64]) -> f64) -> (Goal, Goal) {
        match self.must {
            Must::Seconds(most) => (
                Goal::at_most(Unit::Seconds, seconds, most),
                Goal::at_most(Unit::Seconds, seconds, most / 2.0),
            ),
            Must::PartOfPython(part) => {
                let ratio = samples.figure(|times| times[2] / once(times));
                (Goal::times(ratio, part), Goal::times(ratio, 2.0 * part))
            }
        }
    }

    /// Returns the command that repeats the operation, in one process or in a producer and a
    /// consumer.
    fn wpool(&self, peers: &Peers, times: u32) -> std::process::Command {
        let calls = match self.task {
            "stream" => vec![format!("produce({times})"), format!("consume({times})")],
            task => vec![format!("{task}({times})")],
        };
        let calls: Vec<&str> = calls.iter().map(String::as_str).collect();
        peers.wpool_run(PRIMITIVES, &calls)
    }
}
