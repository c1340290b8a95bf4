//! Timelines: runs each mode that has a pool once more, and records when each job ran.

use super::contest::{config, open};
use super::findings::{Span, Timeline};
use super::mode::{Contender, Way};
use super::subject::{Replay, Subject};
use crate::error::Error;
use std::io;
use std::time::Duration;
use wpool::pool::feed::{NoCommands, Notice, Outcome, Sink};
use wpool::wire::clock::MonotonicTime;
use wpool::wire::settings::Probe;

/// The most jobs of one timeline; further jobs are left out.
const JOBS_MAX: usize = 1_000_000;

/// Runs each pool with the most workers once more. The sink contains the `spans`, and may record
/// more beside them.
///
/// # Errors
/// Fails if a pool cannot be run.
pub fn record<S: Sink>(
    subject: &Subject<'_>,
    contenders: &[Contender],
    sink: &mut S,
    spans: impl Fn(&mut S) -> &mut Spans,
) -> Result<Vec<Timeline>, Error> {
    let most = contenders.iter().map(|contender| contender.workers).max().unwrap_or(1);
    let mut timelines = Vec::new();
    for contender in contenders.iter().filter(|contender| contender.workers == most) {
        let Way::Pool { native, isolation } = contender.mode.way() else { continue };
        let mut config = config(subject, *contender, native, isolation);
        config.settings.probe = Probe { measured: true, waits: true };
        let mut session = open(subject, *contender)?;
        let began = MonotonicTime::now();
        session
            .run(config, &mut Replay::new(subject.jobs), sink, &mut NoCommands)
            .map_err(Error::of_module(subject.modules[contender.module].path))?;
        let spans = spans(sink).take_from(began);
        timelines.push(Timeline { mode: subject.name(*contender), spans });
        session.close();
    }
    Ok(timelines)
}

/// The time and the worker of each job.
#[derive(Default)]
pub struct Spans(Vec<(u32, u64, MonotonicTime, Duration)>);

impl Spans {
    /// Takes the spans that were recorded for a run that began at `start`.
    fn take_from(&mut self, start: MonotonicTime) -> Vec<Span> {
        let noted = std::mem::take(&mut self.0);
        let span = |(slot, job, began, ran): (u32, u64, MonotonicTime, Duration)| {
            let start = began.since(start);
            Span { worker: slot as usize, job, start, end: start + ran }
        };
        noted.into_iter().map(span).collect()
    }
}

impl Sink for Spans {
    fn take(&mut self, outcome: &Outcome<'_>) -> io::Result<()> {
        let attempt = outcome.attempt;
        if let (Some(began), Some(ran), true) =
            (attempt.began, attempt.ran, self.0.len() < JOBS_MAX)
        {
            self.0.push((attempt.slot, outcome.job, began, ran));
        }
        Ok(())
    }

    fn notice(&mut self, _: Notice) {}
}
