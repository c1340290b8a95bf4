//! Random runs of the dispatcher with a simulated crew. In each run, every job has one outcome, no
//! finished job is lost, the bytes held are bounded, and the run ends.

mod crew;
mod ends;
mod truth;

use super::config::{Config, Halt, HaltLimit, HaltOn, Retry};
use super::dispatcher::Dispatcher;
use super::error::PoolError;
use super::feed::Command;
use super::summary::{End, Summary};
use crew::{Faults, Job, SimulatedCrew};
use ends::{CheckedSink, RandomSource, Script, nothing};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;
use std::time::Duration;
use truth::Truth;

/// The simulated time in which every run ends.
const TIME_MAX: Duration = Duration::from_secs(3600);

/// The number of turns within which every run ends. A dispatcher that spins exceeds it.
const TURNS_MAX: u64 = 2_000_000;

/// The parameters of a run.
#[derive(Clone, Debug)]
struct Case {
    seed: u64,
    jobs: u64,
    job: Job,
    faults: Faults,
    config: Config,
    commands: Vec<Command>,
    blocks: u32,
    without_progress: bool,
}

/// A fault of a run.
#[derive(Debug, PartialEq, Eq)]
enum Wrong {
    /// The run does not end.
    Endless,
    /// The job in the first field was begun as often as the second field says.
    Begun(u64, u64),
    /// A finished job has no outcome.
    Lost(u64),
    /// Only this many jobs have an outcome, although the run is complete.
    Missing(u64),
    /// The dispatcher held this many bytes.
    Held(usize),
}

impl Case {
    /// Returns a random case without a way to end early.
    fn random(seed: u64) -> Case {
        let mut rng = StdRng::seed_from_u64(seed);
        let config = Config {
            workers: rng.random_range(1..6),
            buffer_bytes_max: rng.random_range(1..30_000),
            ordered: rng.random_range(0..4) != 0,
            keep_inputs: rng.random_range(0..2) == 0,
            batch_jobs_max: [None, Some(1), Some(7)][rng.random_range(0..3)],
            jobs_per_worker_max: [None, None, Some(3)][rng.random_range(0..3)],
            paced: rng.random_range(0..6) == 0,
            ..Config::default()
        };
        Case {
            seed,
            jobs: rng.random_range(1..400),
            job: Job {
                time: [0, 3, 100][rng.random_range(0..3)],
                result_bytes: [0, 20, 700][rng.random_range(0..3)],
                failures: 0,
            },
            faults: Faults { remote: rng.random_range(0..3) == 0, ..Faults::default() },
            config,
            commands: Vec::new(),
            blocks: [0, 3][rng.random_range(0..2)],
            without_progress: false,
        }
    }

    /// Returns a random case in which jobs fail and are retried, and workers die.
    fn with_faults(seed: u64) -> Case {
        let mut case = Case::random(seed);
        let mut rng = StdRng::seed_from_u64(seed ^ 0xfa);
        case.job.failures = rng.random_range(0..3);
        case.faults.deaths = [0, 5, 50][rng.random_range(0..3)];
        case.faults.refusals = [0, 3][rng.random_range(0..2)];
        case.faults.zygote_deaths = [0, 20][rng.random_range(0..2)];
        let delay = Duration::from_millis([0, 5, 900][rng.random_range(0..3)]);
        let attempts = rng.random_range(0..4);
        case.config.retry = Retry { attempts, delay, ..Retry::default() };
        case
    }

    /// Returns a random case with faults in which something ends the run, or some of its jobs,
    /// early.
    fn with_ends(seed: u64) -> Case {
        let mut case = Case::with_faults(seed);
        let mut rng = StdRng::seed_from_u64(seed ^ 0xe4d);
        let limit = HaltLimit::Count(rng.random_range(1..30));
        case.config.halt = match rng.random_range(0..6) {
            0 => Halt::Soon(HaltOn::Done(limit)),
            1 => Halt::Now(HaltOn::Fail(limit)),
            _ => Halt::Never,
        };
        let grace = Duration::from_millis(rng.random_range(0..50));
        for _ in 0..rng.random_range(0..5) {
            let job = rng.random_range(0..case.jobs);
            case.commands.push(match rng.random_range(0..8) {
                0 => Command::Drain,
                1 => Command::DrainFor(grace),
                2 => Command::Kill,
                3 => Command::Terminate(job),
                4 => Command::Report,
                _ => Command::Cancel(job),
            });
        }
        if rng.random_range(0..4) == 0 {
            case.config.deadline = Some(Duration::from_millis(rng.random_range(1..500)));
        }
        case
    }

    /// Runs the case, and returns its fault, if any, and the number of events.
    fn run(&self) -> (Result<(), Wrong>, u64) {
        let truth = Rc::new(RefCell::new(Truth::default()));
        let crew = SimulatedCrew::new(self.seed, self.faults, truth.clone());
        self.commands.iter().for_each(|_| crew.plan_command(300));
        let rng = || StdRng::seed_from_u64(self.seed + 1);
        let mut source = RandomSource { rng: rng(), left: self.jobs, job: self.job, fd: nothing() };
        let mut sink = CheckedSink {
            rng: rng(),
            ordered: self.config.ordered,
            done: HashSet::new(),
            last: None,
            held: 0,
            blocks: self.blocks,
            fd: nothing(),
        };
        let mut commands = Script(self.commands.iter().copied().collect());
        let config = self.config.clone();
        let mut run = Dispatcher::new(crew, config, &mut source, &mut sink, &mut commands);
        if self.without_progress {
            run = run.without_progress();
        }
        let (mut held, mut events) = (0, 0);
        let ended = run.run_checked(TIME_MAX, TURNS_MAX, |schedule, crew| {
            (held, events) = (held.max(schedule.held()), crew.events);
        });
        let Some(ended) = ended else { return (Err(Wrong::Endless), events) };
        let truth = truth.borrow();
        (self.check(ended, &sink.done, &truth, held), events)
    }

    fn check(
        &self,
        ended: Result<Summary, PoolError>,
        done: &HashSet<u64>,
        truth: &Truth,
        held: usize,
    ) -> Result<(), Wrong> {
        if let Some((job, times)) = truth.begun_too_often(u64::from(self.config.retry.attempts) + 1)
        {
            return Err(Wrong::Begun(job, times));
        }
        if let Some(lost) = truth.finished().find(|job| !done.contains(job)).filter(|_| {
            // A job that failed and was still to be retried when the run ended has no outcome.
            self.job.failures == 0 || self.config.retry.attempts == 0
        }) {
            return Err(Wrong::Lost(lost));
        }
        if let Ok(Summary { end: End::Complete, stats, .. }) = ended
            && (done.len() as u64 != stats.read || stats.read != stats.succeeded + stats.failed)
        {
            return Err(Wrong::Missing(done.len() as u64));
        }
        // The slack is one fill, one read of each worker, and the overhead of outcomes.
        let slack = (self.config.workers + 1) * 4000 + 20_000;
        if held > self.config.buffer_bytes_max + slack {
            return Err(Wrong::Held(held));
        }
        Ok(())
    }
}

/// Runs cases until enough events have occurred, and asserts that none of the cases has a fault.
fn all_are_right(case: impl Fn(u64) -> Case, events: u64) {
    let mut seen = 0;
    for seed in 0.. {
        let case = case(seed);
        let (right, events_of_case) = case.run();
        assert_eq!(right, Ok(()), "{case:?}");
        seen += events_of_case;
        if seen >= events {
            return;
        }
    }
}

/// Returns the fault of the first case that has one.
fn first_wrong(case: impl Fn(u64) -> Case) -> Option<Wrong> {
    (0..3000).find_map(|seed| case(seed).run().0.err())
}

#[test]
fn every_run_ends_with_one_outcome_for_each_job() {
    all_are_right(Case::random, 300_000);
}

#[test]
fn deaths_refusals_and_second_attempts_lose_nothing_and_do_nothing_twice() {
    all_are_right(Case::with_faults, 400_000);
}

#[test]
fn a_run_that_is_ended_early_loses_nothing_that_is_finished() {
    all_are_right(Case::with_ends, 300_000);
}

/// Shows as a negative control that without the rule of progress some runs never end.
#[test]
fn without_the_rule_of_progress_the_test_finds_a_deadlock() {
    let wrong = first_wrong(|seed| {
        let mut case = Case::with_faults(seed);
        case.without_progress = true;
        case
    });
    assert_eq!(wrong, Some(Wrong::Endless));
}

/// Shows as a negative control that a worker that is not fenced when its zygote is gone runs jobs
/// that others run too.
#[test]
fn without_a_fence_the_test_finds_jobs_that_run_twice() {
    let wrong = first_wrong(|seed| {
        let mut case = Case::with_faults(seed);
        (case.faults.no_fence, case.faults.zygote_deaths) = (true, 3);
        case.config.retry.attempts = 0;
        case
    });
    assert!(matches!(wrong, Some(Wrong::Begun(_, 2))), "{wrong:?}");
}
