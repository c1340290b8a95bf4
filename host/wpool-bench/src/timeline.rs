//! Timelines: one more run of each mode that has a pool, in which it is noted when each job ran.

use super::contest::{config, open};
use super::findings::{Span, Timeline};
use super::mode::{Contender, Way};
use super::subject::{Replay, Subject};
use crate::error::Error;
use std::io;
use std::time::Duration;
use wpool::pool::config::Config;
use wpool::pool::feed::{NoCommands, Notice, Outcome, Sink};
use wpool::wire::clock::Moment;
use wpool::wire::settings::Settings;

/// Most jobs of one timeline. Those after them are left out.
const JOBS_MAX: usize = 1_000_000;

/// Runs each pool with the most workers once more. `spans` are in the sink, which may write down more on the way.
///
/// # Errors
/// One of them cannot be run.
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
        let config = config(subject, *contender, native, isolation);
        let settings = Settings { measured: true, waits: true, ..config.settings };
        let mut session = open(subject, *contender)?;
        let began = Moment::now();
        session
            .run(
                Config { settings, ..config },
                &mut Replay::new(subject.jobs),
                sink,
                &mut NoCommands,
            )
            .map_err(Error::of_module(subject.modules[contender.module].path))?;
        let spans = spans(sink).take_from(began);
        timelines.push(Timeline { mode: subject.name(*contender), spans });
        session.close();
    }
    Ok(timelines)
}

/// When and where each job ran.
#[derive(Default)]
pub struct Spans(Vec<(u32, u64, Moment, Duration)>);

impl Spans {
    /// Takes out what was noted of a run that began then.
    fn take_from(&mut self, start: Moment) -> Vec<Span> {
        let noted = std::mem::take(&mut self.0);
        let span = |(slot, job, began, ran): (u32, u64, Moment, Duration)| {
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
