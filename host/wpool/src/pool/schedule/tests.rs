//! Tests of the policy without a process: what the schedule asks for, and what becomes of jobs.

use super::*;
use crate::pool::config::{Halt, HaltLimit, HaltOn, Retry};
use crate::wire::control::ExitStatus;
use crate::wire::failure::{Failure, FailureKind};
use crate::wire::record::{self, Record};

/// A schedule with a clock, and the requests that it has made.
struct Bench {
    schedule: Schedule,
    now: Instant,
    inputs: InputQueue,
    notices: Vec<Notice>,
}

impl Bench {
    fn new(config: Config) -> Bench {
        let now = Instant::now();
        let schedule = Schedule::new(config, now);
        Bench { schedule, now, inputs: InputQueue::default(), notices: Vec::new() }
    }

    /// Returns a bench whose source has ended after `jobs` jobs of one byte each.
    fn with_jobs(config: Config, jobs: u8) -> Bench {
        let mut bench = Bench::new(config);
        (0..jobs).for_each(|job| bench.inputs.push(&[job]));
        bench.schedule.refill(&mut bench.inputs);
        bench.schedule.set_input(Input::Ended, Some(0));
        bench
    }

    /// Runs one turn, and returns the requests that it makes.
    fn turn(&mut self) -> Vec<Request> {
        self.schedule.begin_turn(self.now);
        self.schedule.assign(self.now);
        self.requests()
    }

    fn requests(&mut self) -> Vec<Request> {
        let mut requests = Vec::new();
        while let Some(action) = self.schedule.next_action() {
            match action {
                Action::Ask(request) => requests.push(request),
                Action::Tell(notice) => self.notices.push(*notice),
                Action::TellDraining { .. } => {}
            }
        }
        requests
    }

    /// Starts the requested workers and writes all that they were sent.
    fn start(&mut self) -> Vec<Request> {
        let requests = self.turn();
        for request in &requests {
            match request {
                Request::Fork { slot } => {
                    self.schedule.forked(*slot, 100 + *slot as i32);
                    self.schedule.up(*slot);
                }
                Request::Send { slot, parcel } => {
                    self.schedule.written(*slot, parcel.batch, self.now);
                }
                _ => {}
            }
        }
        self.schedule.choose_readers();
        self.requests();
        requests
    }

    /// Fails the next job of a batch.
    fn fail(&mut self, slot: u32, batch: u32, index: u16, kind: FailureKind) {
        let mut bytes = Vec::new();
        Failure::new(kind, "no").encode(&mut bytes);
        let record = Record { index, failed: true, measure: None, bytes: &bytes };
        self.schedule.failed(slot, batch, &record, self.now);
    }

    fn succeed(&mut self, slot: u32, batch: u32, count: u16) {
        let successes = self.schedule.succeeded(slot, batch, count, 8).expect("it is in flight");
        if matches!(successes.fate, Fate::Hold) {
            let mut record = Vec::new();
            record::begin(&mut record, false);
            record::finish(&mut record, 0, false, None);
            self.schedule.hold(successes, count, record);
        }
        self.schedule.settle(slot, self.now);
    }

    /// Kills a worker with a signal.
    fn die(&mut self, slot: u32) {
        let death = Death {
            status: Some(ExitStatus::Signal(11)),
            had_process: true,
            excused: false,
            trap: None,
            fatal_message: None,
            since: self.now,
            began: None,
            printed: Vec::new(),
            waited: None,
        };
        self.schedule.lost(slot);
        self.schedule.gone(slot, death, self.now).expect("one death is no end");
    }

    /// Returns the outcomes that are due: job numbers, and kinds of failure.
    fn due(&mut self) -> Vec<(u64, Option<FailureKind>)> {
        let mut due = Vec::new();
        while let Some((job, segment)) = self.schedule.next_due() {
            match segment {
                reorder::Segment::Failed { failure, .. } => due.push((job, Some(failure.kind))),
                reorder::Segment::Run(run) => {
                    due.extend((job..job + run.count).map(|job| (job, None)))
                }
                reorder::Segment::Skipped => {}
            }
        }
        due
    }

    fn later(&mut self, milliseconds: u64) {
        self.now += Duration::from_millis(milliseconds);
    }
}

fn workers(workers: usize) -> Config {
    Config { workers, ..Config::default() }
}

/// Returns the numbers of the jobs that are sent, by slot.
fn sent(requests: &[Request]) -> Vec<(u32, Vec<u64>)> {
    let parcels = requests.iter().filter_map(|request| match request {
        Request::Send { slot, parcel } => {
            Some((*slot, parcel.jobs(0..parcel.count()).map(|(job, _)| job).collect()))
        }
        _ => None,
    });
    parcels.collect()
}

fn has(requests: &[Request], wanted: impl Fn(&Request) -> bool) -> bool {
    requests.iter().any(wanted)
}

#[test]
fn a_worker_is_asked_for_and_sent_a_job_before_it_is_there() {
    let mut bench = Bench::with_jobs(workers(2), 2);
    let requests = bench.turn();
    assert!(matches!(requests[0], Request::Fork { slot: 0 }), "{requests:?}");
    assert_eq!(sent(&requests), [(0, vec![0]), (1, vec![1])]);
}

#[test]
fn a_worker_that_is_refused_leaves_its_jobs_to_the_others() {
    let mut bench = Bench::with_jobs(workers(2), 2);
    bench.turn();
    bench.schedule.forked(0, 100);
    bench.schedule.refuse(1, Some("no more".into()), bench.now).expect("there is another");
    assert_eq!(sent(&bench.turn()), [(0, vec![1])]);
    assert!(
        bench.notices.iter().any(|told| matches!(told, Notice::FewerWorkers { workers: 1, .. }))
    );
}

#[test]
fn a_failed_job_is_tried_again_after_the_delay_and_then_fails() {
    let delay = Duration::from_secs(1);
    let retry = Retry { attempts: 1, delay, ..Retry::default() };
    let mut bench = Bench::with_jobs(Config { retry, ..workers(1) }, 1);
    bench.start();
    bench.fail(0, 0, 0, FailureKind::Trap);
    bench.schedule.settle(0, bench.now);
    assert_eq!((bench.due(), sent(&bench.turn())), (vec![], vec![]));
    assert_eq!(bench.schedule.next_timer(bench.now), Some(bench.now + delay));
    bench.later(1000);
    assert_eq!(sent(&bench.turn()), [(0, vec![0])]);
    bench.fail(0, 1, 0, FailureKind::Trap);
    assert_eq!(bench.due(), [(0, Some(FailureKind::Trap))]);
    assert_eq!(bench.schedule.stats().retried, 1);
}

#[test]
fn a_kind_of_failure_that_is_not_named_is_not_tried_again() {
    let retry = Retry { attempts: 3, on: vec![FailureKind::Timeout], ..Retry::default() };
    let mut bench = Bench::with_jobs(Config { retry, ..workers(1) }, 1);
    bench.start();
    bench.fail(0, 0, 0, FailureKind::Trap);
    assert_eq!(bench.due(), [(0, Some(FailureKind::Trap))]);
}

#[test]
fn outcomes_are_handed_over_in_the_order_of_jobs_or_as_they_come() {
    for ordered in [true, false] {
        let mut bench = Bench::with_jobs(Config { ordered, ..workers(2) }, 2);
        bench.start();
        let successes = bench.schedule.succeeded(1, 0, 1, 8).expect("it is in flight");
        assert_eq!(matches!(successes.fate, Fate::Pass), !ordered);
        if ordered {
            let mut record = Vec::new();
            record::begin(&mut record, false);
            record::finish(&mut record, 0, false, None);
            bench.schedule.hold(successes, 1, record);
        }
        assert_eq!(bench.due(), []);
        let successes = bench.schedule.succeeded(0, 0, 1, 8).expect("it is in flight");
        assert!(matches!(successes.fate, Fate::Pass));
        assert_eq!(bench.due(), if ordered { vec![(1, None)] } else { vec![] });
    }
}

#[test]
fn an_idle_worker_gets_half_of_what_the_busiest_has_not_begun() {
    let mut bench = Bench::with_jobs(Config { batch_jobs_max: Some(8), ..workers(1) }, 0);
    // Batches have grown to eight jobs.
    (0..10).for_each(|_| bench.schedule.sizing.learn(8, 8, Duration::ZERO));
    (0..16).for_each(|job| bench.inputs.push(&[job]));
    bench.schedule.refill(&mut bench.inputs);
    bench.schedule.set_input(Input::Open, None);
    assert_eq!(sent(&bench.start()).len(), 2);
    bench.schedule.set_input(Input::Ended, Some(0));
    bench.schedule.config.workers = 2;
    bench.schedule.claims(0, 0, 2, 8);
    let requests = bench.turn();
    assert!(has(&requests, |request| matches!(request, Request::Sample { slot: 0 })));
    // The answer says that two jobs of the first batch are claimed, so another worker is worth its
    // fork.
    bench.schedule.claims(0, 0, 2, 8);
    bench.schedule.assign(bench.now);
    assert!(has(&bench.requests(), |request| matches!(request, Request::Fork { slot: 1 })));
    bench.schedule.forked(1, 101);
    bench.schedule.up(1);
    bench.turn();
    bench.schedule.assign(bench.now);
    let requests = bench.requests();
    assert!(
        has(
            &requests,
            |request| matches!(request, Request::TakeBack { slot: 0, most } if *most > 1)
        ),
        "{requests:?}"
    );
    bench.schedule.claims(0, 1, 0, 1);
    bench.schedule.assign(bench.now);
    let jobs: usize = sent(&bench.requests()).iter().map(|(_, jobs)| jobs.len()).sum();
    assert!(jobs > 0 && jobs <= 7, "{jobs}");
}

#[test]
fn above_the_limit_of_memory_only_the_awaited_job_goes_on() {
    let mut bench = Bench::with_jobs(Config { buffer_bytes_max: 200, ..workers(2) }, 3);
    bench.start();
    // The second job is done, and waits for the first.
    bench.schedule.set_elsewhere(0, 0);
    bench.succeed(1, 0, 1);
    bench.schedule.set_elsewhere(150, 0);
    assert!(bench.schedule.is_tight());
    assert_eq!(sent(&bench.turn()), [], "job 2 would only be held, too");
    bench.schedule.choose_readers();
    let requests = bench.requests();
    assert!(has(&requests, |request| matches!(request, Request::Hear { slot: 1, on: false })));
    // The first job fails because its worker is lost, and is sent again at once.
    bench.schedule.config.retry = Retry { attempts: 1, ..Retry::default() };
    bench.die(0);
    let requests = bench.turn();
    assert_eq!(sent(&requests).into_iter().map(|(_, jobs)| jobs).collect::<Vec<_>>(), [[0]]);
}

#[test]
fn a_lost_worker_is_charged_with_the_job_it_ran_and_no_other() {
    let mut bench = Bench::with_jobs(workers(1), 0);
    (0..10).for_each(|_| bench.schedule.sizing.learn(8, 8, Duration::ZERO));
    (0..16).for_each(|job| bench.inputs.push(&[job]));
    bench.schedule.refill(&mut bench.inputs);
    bench.start();
    bench.succeed(0, 0, 1);
    // The worker had claimed the second job; the crew has taken back the others.
    bench.schedule.claims(0, 0, 2, 2);
    bench.schedule.claims(0, 1, 0, 0);
    bench.die(0);
    assert_eq!(bench.due(), [(1, Some(FailureKind::WorkerLost))]);
    let again: Vec<u64> = sent(&bench.turn()).into_iter().flat_map(|(_, jobs)| jobs).collect();
    assert_eq!(again.first(), Some(&2));
    assert!(!again.contains(&1));
}

#[test]
fn a_deadline_kills_and_a_drain_waits() {
    let deadline = Some(Duration::from_secs(1));
    let mut bench = Bench::with_jobs(Config { deadline, ..workers(1) }, 3);
    bench.start();
    bench.schedule.drain(End::Drained, None, "asked to");
    let requests = bench.requests();
    assert!(has(&requests, |request| matches!(
        request,
        Request::TakeBack { slot: 0, most: u32::MAX }
    )));
    assert!(!has(&requests, |request| matches!(request, Request::Kill { .. })));
    assert!(!bench.schedule.is_over());
    bench.later(1000);
    bench.schedule.tick(bench.now);
    assert!(has(&bench.requests(), |request| matches!(request, Request::Kill { slot: 0, .. })));
    assert_eq!(bench.schedule.phase(), Phase::Killing(End::Deadline));
}

#[test]
fn a_drain_forgets_what_has_not_begun_and_starts_nothing() {
    let mut bench = Bench::with_jobs(workers(1), 3);
    bench.start();
    bench.schedule.drain(End::Drained, None, "asked to");
    bench.requests();
    for batch in [0, 1] {
        bench.schedule.claims(0, batch, 0, 0);
    }
    bench.schedule.sampled(0, bench.now);
    assert_eq!((bench.turn().len(), bench.schedule.is_over()), (2, true), "two are forgotten");
}

#[test]
fn halt_counts_failures_and_stops_softly_or_at_once() {
    for (halt, kills) in [
        (Halt::Soon(HaltOn::Fail(HaltLimit::Count(1))), false),
        (Halt::Now(HaltOn::Fail(HaltLimit::Percent(50.0))), true),
    ] {
        let mut bench = Bench::with_jobs(Config { halt, ..workers(2) }, 2);
        bench.start();
        bench.schedule.halt_if_met();
        assert_eq!(bench.schedule.phase(), Phase::Running);
        bench.fail(0, 0, 0, FailureKind::GuestError);
        bench.schedule.halt_if_met();
        let requests = bench.requests();
        assert_eq!(
            has(&requests, |request| matches!(request, Request::Kill { slot: 1, .. })),
            kills
        );
    }
}

#[test]
fn a_cancelled_job_fails_at_once_if_it_waits_and_ends_its_worker_if_it_runs() {
    let mut bench = Bench::with_jobs(workers(1), 4);
    bench.start();
    let how = || Killed::Cancelled(String::new());
    bench.schedule.cancel(3, how());
    bench.schedule.cancel(0, how());
    let requests = bench.requests();
    assert!(has(&requests, |request| matches!(request, Request::Drain { slot: 0 })));
    // The job is running, so no request can take it back.
    bench.schedule.claims(0, 0, 1, 1);
    bench.schedule.drained(0, None, bench.now);
    assert!(has(&bench.requests(), |request| matches!(request, Request::Kill { slot: 0, .. })));
    bench.die(0);
    let due = bench.due();
    assert_eq!(due.first(), Some(&(0, Some(FailureKind::Cancelled))), "{due:?}");
}

#[test]
fn a_job_that_runs_too_long_is_stopped_unless_it_was_just_finished() {
    let timeout = Some(Duration::from_millis(100));
    for finished in [false, true] {
        let mut bench = Bench::with_jobs(Config { timeout, ..workers(1) }, 1);
        bench.start();
        let mut asked = Vec::new();
        for _ in 0..40 {
            bench.later(5);
            bench.schedule.tick(bench.now);
            asked.extend(bench.requests());
            bench.schedule.claims(0, 0, 1, 1);
            bench.schedule.sampled(0, bench.now);
            asked.extend(bench.requests());
        }
        assert!(has(&asked, |request| matches!(request, Request::TakeBack { slot: 0, .. })));
        assert!(!has(&asked, |request| matches!(request, Request::Kill { .. })));
        if finished {
            bench.succeed(0, 0, 1);
        }
        bench.schedule.drained(0, None, bench.now);
        let requests = bench.requests();
        let killed = has(&requests, |request| matches!(request, Request::Kill { slot: 0, .. }));
        assert_eq!(killed, !finished);
    }
}

#[test]
fn a_worker_that_does_not_begin_loses_its_jobs_and_later_its_life() {
    let mut bench = Bench::with_jobs(workers(1), 1);
    bench.start();
    let mut asked = Vec::new();
    for _ in 0..600 {
        bench.later(20);
        bench.schedule.tick(bench.now);
        bench.schedule.claims(0, 0, 0, 1);
        bench.schedule.sampled(0, bench.now);
        bench.schedule.drained(0, None, bench.now);
        asked.extend(bench.requests());
    }
    let worker = bench.schedule.worker(0).expect("nobody has said that it is gone");
    assert_eq!(worker.unclaimed(bench.now), 0, "it is about to end");
    assert!(has(&asked, |request| matches!(request, Request::Kill { slot: 0, .. })));
}

#[test]
fn three_lost_zygotes_in_a_row_are_too_many() {
    let mut bench = Bench::with_jobs(workers(1), 1);
    for _ in 0..2 {
        bench.schedule.zygote_lost().expect("another may be started");
    }
    assert!(has(&bench.requests(), |request| matches!(request, Request::RestartZygote)));
    assert_eq!(sent(&bench.turn()), [], "no worker can be had while the module is loaded");
    assert!(bench.schedule.zygote_lost().is_err());
}

#[test]
fn a_job_that_every_worker_denies_to_have_begun_is_charged_in_the_end() {
    let mut bench = Bench::with_jobs(workers(1), 1);
    let mut deaths = 0;
    while bench.due().is_empty() {
        bench.start();
        bench.schedule.lost(0);
        // The worker says that it has claimed nothing.
        bench.schedule.claims(0, 0, 0, 0);
        bench.die(0);
        deaths += 1;
        assert!(deaths < 10, "the job runs for ever");
    }
    assert_eq!((deaths, bench.schedule.stats().failed), (5, 1));
}
