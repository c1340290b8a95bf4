//! Contests: each contender runs once so that results can be compared, then the contenders take
//! turns.

use super::agree::{Compared, Seen};
use super::findings::Measured;
use super::mode::{Contender, Mode, Way};
use super::subject::{Replay, Subject};
use super::timing::{Processors, Timing};
use super::{python, shell};
use crate::error::Error;
use crate::units;
use indicatif::ProgressBar;
use std::io;
use std::time::{Duration, Instant};
use wpool::pool::alone::Stopped;
use wpool::pool::config::Config;
use wpool::pool::feed::{NoCommands, Notice, Outcome, Results, Sink};
use wpool::pool::session::Session;
use wpool::pool::summary::End;
use wpool::wire::settings::Isolation;

/// The time for which each mode is measured if the number of rounds is not given.
const ENOUGH: Duration = Duration::from_secs(3);

/// The number of rounds to be measured.
#[derive(Clone, Copy, Debug)]
pub struct Rounds {
    /// The rounds before those that count.
    pub warmup: u32,
    /// The exact number of rounds, if it is given.
    pub runs: Option<u32>,
    /// The least number of rounds.
    pub min_runs: u32,
    /// The most rounds; there are fewer if all modes have been measured for a while.
    pub max_runs: u32,
}

/// Runs every contender once and compares the results of the jobs.
///
/// # Errors
/// Fails if a contender cannot be run, a job fails, or two contenders do not agree.
pub fn compare(
    subject: &Subject<'_>,
    contenders: &[Contender],
    shown: &ProgressBar,
) -> Result<(), Error> {
    let mut first: Option<(String, Seen)> = None;
    for &contender in contenders {
        let name = subject.name(contender);
        show(shown, "comparing", &name, contender.workers);
        let mut seen = Seen::new(Compared::of(&subject.modules[0].task));
        run(subject, contender, Some(&mut seen))?;
        match &first {
            None => first = Some((name, seen)),
            Some((other, others)) => seen.agree(&name, others, other)?,
        }
    }
    Ok(())
}

/// Measures all contenders, which take turns.
///
/// # Errors
/// Fails as [`compare`] does.
pub fn measure(
    subject: &Subject<'_>,
    contenders: &[Contender],
    rounds: &Rounds,
    shown: &ProgressBar,
) -> Result<Vec<Measured>, Error> {
    let mut timings: Vec<Vec<Timing>> = contenders.iter().map(|_| Vec::new()).collect();
    let mut round = 0;
    let begun = Instant::now();
    while !is_enough(rounds, round, begun.elapsed(), contenders.len()) {
        for (contender, timings) in contenders.iter().zip(&mut timings) {
            let name = subject.name(*contender);
            show(shown, &format!("round {}", round + 1), &name, contender.workers);
            let timing = run(subject, *contender, None)?;
            if round >= rounds.warmup {
                timings.push(timing);
            }
        }
        round += 1;
    }
    let jobs = subject.jobs.len() as u64;
    let measured = |(contender, timings): (&Contender, Vec<Timing>)| Measured {
        mode: subject.name(*contender),
        group: contender.mode.group(),
        workers: contender.workers,
        jobs,
        times: timings.iter().map(|timing| timing.took).collect(),
        user: timings.iter().map(|timing| timing.user).collect(),
        system: timings.iter().map(|timing| timing.system).collect(),
    };
    Ok(contenders.iter().zip(timings).map(measured).collect())
}

/// Shows on a terminal what is being done.
fn show(shown: &ProgressBar, what: &str, name: &str, workers: usize) {
    shown.set_message(format!("{what}: {name}, {}", units::count(workers as u64, "worker")));
    shown.tick();
}

/// Returns whether `done` rounds are enough, those of the warm-up included.
fn is_enough(rounds: &Rounds, done: u32, took: Duration, contenders: usize) -> bool {
    let counted = done.saturating_sub(rounds.warmup);
    match rounds.runs {
        Some(runs) => counted >= runs,
        None if counted < rounds.min_runs => false,
        None => counted >= rounds.max_runs || took >= ENOUGH * contenders as u32,
    }
}

/// Runs all jobs in one mode.
fn run(
    subject: &Subject<'_>,
    contender: Contender,
    mut seen: Option<&mut Seen>,
) -> Result<Timing, Error> {
    let Contender { mode, workers, .. } = contender;
    let mut keep = |result: &[u8]| {
        seen.iter_mut().for_each(|seen| seen.add(Some(result)));
    };
    match (mode.way(), mode, subject.python, subject.native) {
        (Way::Alone { native }, ..) => alone(subject, contender, native, seen),
        (Way::Pool { native, isolation }, ..) => {
            let config = config(subject, contender, native, isolation);
            in_workers(subject, contender, config, Keep { seen, failed: None })
        }
        (Way::Program, Mode::PythonSerial, Some(function), _) => {
            python::run(subject, function, None, &mut keep)
        }
        (Way::Program, Mode::Python, Some(function), _) => {
            python::run(subject, function, Some(workers), &mut keep)
        }
        (Way::Program, _, _, Some(program)) => {
            shell::run(subject, program, mode, workers, &mut keep)
        }
        (Way::Program, ..) => unreachable!("modes are chosen by what there is"),
    }
}

/// Returns the configuration of a mode's pool.
pub(super) fn config(
    subject: &Subject<'_>,
    Contender { module, workers, .. }: Contender,
    native: bool,
    isolation: Isolation,
) -> Config {
    let mut config = subject.modules[module].config.clone();
    let task = &mut config.settings.task;
    task.native = subject.native.filter(|_| native).map(ToOwned::to_owned);
    task.isolation = isolation;
    Config { workers, ..config }
}

/// Runs all jobs in one process.
fn alone(
    subject: &Subject<'_>,
    contender: Contender,
    native: bool,
    mut seen: Option<&mut Seen>,
) -> Result<Timing, Error> {
    let config = config(subject, contender, native, Isolation::Reuse);
    let before = Processors::now();
    let mut session = open(subject, contender)?;
    let batch = subject.jobs.batch();
    let wrong = Error::of_module(subject.modules[contender.module].path);
    let done = session.run_alone(&config, &batch, contender.workers).map_err(wrong)?;
    let done = match done {
        Ok(done) => done,
        Err(Stopped::Deadline) => return Err(too_late(subject, contender)),
        Err(Stopped::Timeout(job)) => {
            let limit = units::duration_text(config.timeout.unwrap_or_default());
            let report = failed(subject, contender, job, &format!("it ran longer than {limit}"));
            return Err(report.help("give it longer (--timeout), or leave the mode out (--modes)"));
        }
    };
    for (job, result) in done.results().enumerate() {
        if let (Err(failure), false) = (&result, subject.ignore_failure) {
            return Err(failed(subject, contender, job as u64, &failure.to_string()));
        }
        seen.iter_mut().for_each(|seen| seen.add(result.as_ref().ok().copied()));
    }
    session.close();
    Ok(before.timing(done.took))
}

/// Runs all jobs in a pool.
fn in_workers(
    subject: &Subject<'_>,
    contender: Contender,
    config: Config,
    mut keep: Keep<'_>,
) -> Result<Timing, Error> {
    let before = Processors::now();
    let mut session = open(subject, contender)?;
    let wrong = Error::of_module(subject.modules[contender.module].path);
    session.load(&config).map_err(&wrong)?;
    let begun = Instant::now();
    let ended = session.run(config, &mut Replay::new(subject.jobs), &mut keep, &mut NoCommands);
    let took = begun.elapsed();
    let summary = ended.map_err(wrong)?;
    session.close();
    match keep.failed {
        // A job that was running at the deadline has no failure of its own.
        _ if summary.end != End::Complete => Err(too_late(subject, contender)),
        Some((job, message)) if !subject.ignore_failure => {
            Err(failed(subject, contender, job, &message))
        }
        _ => Ok(before.timing(took)),
    }
}

fn too_late(subject: &Subject<'_>, contender: Contender) -> Error {
    let name = subject.name(contender);
    Error::deadline(format!("--deadline passed in mode `{name}`"))
        .help("give each round longer (--deadline), or leave the mode out (--modes)")
}

/// Opens a separate session for a run, so that the processor time of the run is known.
pub(super) fn open(subject: &Subject<'_>, contender: Contender) -> Result<Session, Error> {
    let module = &subject.modules[contender.module];
    Session::open(&module.bytes, subject.compile.clone()).map_err(Error::of_module(module.path))
}

fn failed(subject: &Subject<'_>, contender: Contender, job: u64, message: &str) -> Error {
    let name = subject.name(contender);
    Error::failed(format!("job {job} failed in mode `{name}`: {message}"))
        .help("--ignore-failure measures jobs that fail in all modes")
}

/// A sink that keeps the results of jobs, if they are wanted, and the first failure.
struct Keep<'s> {
    seen: Option<&'s mut Seen>,
    failed: Option<(u64, String)>,
}

impl Sink for Keep<'_> {
    fn take(&mut self, outcome: &Outcome<'_>) -> io::Result<()> {
        if let (Err(failure), None) = (&outcome.result, &self.failed) {
            self.failed = Some((outcome.job, failure.to_string()));
        }
        self.seen.iter_mut().for_each(|seen| seen.add(outcome.result.ok()));
        Ok(())
    }

    fn take_plain(&mut self, _: Results<'_>) -> bool {
        self.seen.is_none()
    }

    fn notice(&mut self, _: Notice) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_end_when_they_are_enough() {
        let flags = |runs| Rounds { warmup: 1, runs, min_runs: 3, max_runs: 5 };
        let after = |flags: &Rounds, seconds| {
            (0..).find(|&round| is_enough(flags, round, Duration::from_secs(seconds), 2)).unwrap()
        };
        assert_eq!(after(&flags(Some(2)), 100), 3);
        assert_eq!(after(&flags(None), 100), 4);
        assert_eq!(after(&flags(None), 0), 6);
    }
}
