//! Workers that run scripts: the guest `script` does any operation on shared objects, in words. The
//! twin of `script` is a component.

use super::COMPONENT;
use crate::common::processes::{Signal, is_asleep, kill, wait_for_end};
use crate::common::run::{Running, Wpool, map};
use crate::common::{failure, guest, until};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::sync::atomic::{AtomicU64, Ordering};
use wpool::{AsyncResult, Builder, Event, Failure, FailureKind, Isolation, Pool, Shared};

/// The guest that runs scripts.
pub(crate) const GUEST: &str = if COMPONENT { "script-component" } else { "script" };

/// The answers of a script: a list with an answer for each step.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "Vec<Json>")]
pub(crate) struct Answers(pub(crate) Vec<Json>);

impl Answers {
    /// Reads the answers in a line of output.
    pub(crate) fn of(line: &str) -> Answers {
        serde_json::from_str(line).expect("it is a list")
    }
}

impl From<Vec<Json>> for Answers {
    fn from(answers: Vec<Json>) -> Answers {
        // A component returns texts of JSON, because WIT has no type for any JSON.
        let parse = |text: Json| {
            let text = text.as_str().expect("it is a text");
            serde_json::from_str(text).expect("it is JSON")
        };
        Answers(if COMPONENT { answers.into_iter().map(parse).collect() } else { answers })
    }
}

/// Makes state for the objects of a test.
pub(crate) fn shared() -> Shared {
    let space = Shared::builder().shared_bytes(64 << 20).region_bytes(64 << 20);
    space.build().expect("there is memory")
}

/// Returns a pool of this many workers that run scripts on this state.
pub(crate) fn scripts(shared: &Shared, workers: usize) -> Builder {
    Pool::builder(guest(GUEST)).task("script").workers(workers).shared(shared)
}

/// A worker process that runs scripts one after the other: the only worker of its own pool. Objects
/// that a script opened or holds remain so in the next script, unless the instance is a new one.
pub(crate) struct Worker {
    pool: Pool,
    shared: Shared,
}

impl Worker {
    /// Starts a worker whose instance is used again.
    pub(crate) fn new(shared: &Shared) -> Worker {
        Worker::isolated(shared, Isolation::Reuse)
    }

    /// Starts a worker with another isolation.
    pub(crate) fn isolated(shared: &Shared, isolation: Isolation) -> Worker {
        Worker::with(shared, |builder| builder.isolation(isolation))
    }

    /// Starts a worker with other settings.
    pub(crate) fn with(shared: &Shared, set: impl FnOnce(Builder) -> Builder) -> Worker {
        let pool = set(scripts(shared, 1)).start().expect("the guest is a module");
        Worker { pool, shared: shared.clone() }
    }

    /// Starts several workers of their own.
    pub(crate) fn several<const N: usize>(shared: &Shared) -> [Worker; N] {
        std::array::from_fn(|_| Worker::new(shared))
    }

    /// Runs a script to its end, and returns a list with an answer for each step.
    #[track_caller]
    pub(crate) fn run(&self, steps: &[&str]) -> Json {
        let Answers(answers) = self.pool.apply(steps).expect("the script is understood and ends");
        answers.into()
    }

    /// Runs a script of one step, and returns its answer.
    #[track_caller]
    pub(crate) fn step(&self, step: &str) -> Json {
        self.run(&[step])[0].take()
    }

    /// Runs a script that does not come to its end, and returns its failure.
    #[track_caller]
    pub(crate) fn fails(&self, steps: &[&str]) -> Failure {
        failure(self.pool.apply::<_, Answers>(steps))
    }

    /// Starts a script.
    pub(crate) fn start(&self, steps: &[&str]) -> Script {
        Script { result: self.pool.apply_async(steps).expect("the pool is open"), hidden: 0 }
    }

    /// Starts a script, and waits until a step of it waits for another process. (Not in isolation
    /// `process`, where the process is not known before.)
    pub(crate) fn start_waiting(&self, steps: &[&str]) -> Script {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let pid = self.pid();
        // The process sleeps only where a step waits, once the script runs.
        let name = format!("script-runs-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let runs = Event::create(&self.shared, &name).expect("there is room for an event");
        let told = format!("event {name} set");
        let script = Script { hidden: 1, ..self.start(&[&[told.as_str()], steps].concat()) };
        until(|| runs.is_set() == Ok(true) && is_asleep(pid));
        runs.delete().expect("it was there");
        script
    }

    /// Returns the id of the worker's process.
    #[track_caller]
    pub(crate) fn pid(&self) -> i32 {
        let pid = self.step("process");
        pid.as_i64().expect("it is a number") as i32
    }

    /// Returns the worker's slot, as reported in `culprit`.
    #[track_caller]
    pub(crate) fn slot(&self) -> Json {
        self.step("slot")
    }

    /// Runs a script, and then kills the process that ran it and still holds what it acquired.
    #[track_caller]
    pub(crate) fn run_and_die(&self, steps: &[&str]) -> Json {
        let pid = self.pid();
        let answers = self.run(steps);
        kill(pid);
        wait_for_end(pid);
        answers
    }

    /// Runs the steps of a script, and kills the process before the script has come to its end.
    #[track_caller]
    pub(crate) fn die_within(&self, steps: &[&str]) {
        let pid = self.pid();
        let script =
            self.start_waiting(&[steps, &["event never ensure", "event never wait"]].concat());
        kill(pid);
        assert_eq!(script.failure().kind, FailureKind::WorkerLost);
    }
}

/// A script that was started.
pub(crate) struct Script {
    result: AsyncResult<Answers>,
    /// The number of answers to steps that are not the test's.
    hidden: usize,
}

impl Script {
    /// Returns the answers, as soon as the script has come to its end.
    #[track_caller]
    pub(crate) fn answers(mut self) -> Json {
        let Answers(mut answers) =
            self.result.get(None).expect("the script is understood and ends");
        answers.drain(..self.hidden);
        answers.into()
    }

    /// Returns the reason why the script did not come to its end.
    #[track_caller]
    pub(crate) fn failure(mut self) -> Failure {
        failure(self.result.get(None))
    }

    /// Returns whether the script has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.result.is_ready()
    }

    /// Gives the script up.
    pub(crate) fn cancel(&self) {
        self.result.cancel();
    }
}

/// Returns a run of the program with a job for each script, all at once. The scripts announce their
/// last step, which waits for ever.
fn run_all<const N: usize>(scripts: [&[&str]; N]) -> Wpool {
    let jobs = scripts.map(|steps| {
        let (last, before) = steps.split_last().expect("a script has steps");
        serde_json::to_string(&[before, &["print it waits", last]].concat()).expect("it is JSON")
    });
    map(GUEST).args(["--task", "script", "-j", &N.to_string()]).jobs(jobs)
}

/// Starts such a run, and returns when all scripts wait.
pub(crate) fn run_waiting<const N: usize>(scripts: [&[&str]; N]) -> Running {
    let run = run_all(scripts).start();
    run.until("all waits", || {
        let waits = run.stderr.text().matches("] it waits\n").count();
        let workers = run.workers();
        waits == N && workers.len() == N && workers.into_iter().all(is_asleep)
    });
    run
}

/// Asserts that a wait, the last step of the first script, ends with the answer `interrupted` when
/// the run is asked to end, and that it does not outlive `--deadline`. The other scripts are what
/// the first one waits for.
#[track_caller]
pub(crate) fn check_that_the_end_of_a_run_ends_a_wait<const N: usize>(scripts: [&[&str]; N]) {
    let run = run_waiting(scripts);
    run.signal(Signal::SIGINT);
    let done = run.finish().ends(130).says(" ok");
    let Answers(answers) = Answers::of(done.lines()[0]);
    assert_eq!(answers.last(), Some(&json!({"error": "interrupted"})), "{answers:?}");

    let done = run_all(scripts).args(["--deadline", "3"]).within(20).run();
    done.ends(124).says("stopped by --deadline").says(&format!("{N} cancelled"));
}
