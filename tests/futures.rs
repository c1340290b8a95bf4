//! Results that are not there yet, while workers crash around them.
//!
//! Mirrors Python's `test_concurrent_futures` for process pools, where nearly all of this breaks the
//! whole executor; here a lost worker fails the job that it was running. Not mirrored:
//! - `error/crash/exit at task unpickle` and `during result pickle`: nothing is pickled. A job that
//!   does not fit its task, and a result that is not JSON, stand for these.
//! - `as_completed`, `wait(return_when)`, `add_done_callback`: `imap_unordered` gives results as they
//!   are ready; there are no callbacks.
//! - `set_running_or_notify_cancel`, `repr`, `InvalidStateError`: only the pool sets results.
//! - `hang_issue12364`, `weakref`, `free_reference`: about interpreter shutdown and collection.
//! - `kill_workers`, `terminate_workers`: that is `terminate`, in `closing.rs`.

mod common;

use common::gate::Gate;
use common::processes::{Signal, children, is_alive, kill, parent, signal, wait_for_end};
use common::{HALF, PROCESS_ID, STUCK, failure, guest_pool, pool, until, watchdog};
use std::collections::BTreeSet;
use std::sync::mpsc::channel;
use std::time::Duration;
use wpool::pool::summary::End;
use wpool::{AsyncResult, Error, FailureKind, Isolation};

#[test]
fn a_killed_worker_fails_the_job_it_was_running_and_no_other() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let pool = gate.pool(2).start().unwrap();
    let mut results: Vec<AsyncResult<i32>> =
        (0..8).map(|job| pool.apply_async(job).unwrap()).collect();
    gate.wait_for(2);
    kill(gate.wait_for_job(0));
    let lost = failure(results[0].get(None));
    assert_eq!((lost.kind, lost.signal), (FailureKind::WorkerLost, Some(9)));
    assert!(lost.message.contains("SIGKILL"), "{lost}");
    gate.open_all();
    for (job, result) in results.iter_mut().enumerate().skip(1) {
        assert!(result.get(None).is_ok(), "job {job}");
    }
    assert_eq!(gate.started_jobs(), ["0", "1", "2", "3", "4", "5", "6", "7"], "once each");
    assert!(pool.apply::<_, i32>(8).is_ok(), "the pool goes on");
}

#[test]
fn a_worker_s_end_is_told_by_its_signal() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let pool = gate.pool(1).start().unwrap();
    let ends = [Signal::SIGTERM, Signal::SIGABRT, Signal::SIGINT, Signal::SIGXCPU, Signal::SIGKILL];
    for (job, end) in (0..).zip(ends) {
        let mut result = pool.apply_async::<_, i32>(job).unwrap();
        signal(gate.wait_for_job(job), end);
        let lost = failure(result.get(None));
        assert_eq!((lost.kind, lost.signal), (FailureKind::WorkerLost, Some(end as i32)));
        assert!(lost.message.contains(end.as_str()), "{lost}");
    }
}

#[test]
fn a_worker_killed_while_idle_is_replaced() {
    let _watchdog = watchdog(60);
    let pool = pool(PROCESS_ID).workers(1).start().unwrap();
    let mut before = BTreeSet::new();
    for n in 0..10 {
        let worker: i32 = pool.apply(n).unwrap();
        assert!(before.insert(worker), "{worker} was killed");
        kill(worker);
        wait_for_end(worker);
    }
}

#[test]
fn all_workers_may_die_again_and_again() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let pool = gate.pool(3).start().unwrap();
    let mut results = pool.map_async::<_, i32>(0..30).unwrap();
    for round in 1..=10 {
        // Each round kills whoever runs; the next jobs go to new workers.
        let started = gate.wait_for(3 * round);
        started.iter().filter(|at| is_alive(at.pid)).for_each(|at| kill(at.pid));
    }
    let error = results.get(None).unwrap_err();
    assert_eq!(error.failures.len(), 30);
    for (job, error) in error.failures {
        assert_eq!(failure::<i32>(Err(error)).kind, FailureKind::WorkerLost, "job {job}");
    }
    assert_eq!(gate.started().len(), 30, "no job has run twice");
}

#[test]
fn a_guest_that_goes_wrong_is_told_by_kind_and_takes_nobody_along() {
    let _watchdog = watchdog(240);
    let kinds = [
        ("error", FailureKind::GuestError, "failed as asked"),
        ("panic", FailureKind::Trap, "panicked as asked"),
        ("allocate", FailureKind::OutOfMemory, "64 MiB"),
        ("recurse", FailureKind::Trap, "call stack exhausted"),
        ("exit", FailureKind::Exit, "3"),
        ("abort", FailureKind::Trap, ""),
        ("garbage", FailureKind::GuestError, "one line of JSON"),
        ("big-result", FailureKind::OutputTooLarge, "1 MiB"),
    ];
    for isolation in [Isolation::Reuse, Isolation::Fresh, Isolation::Process] {
        let pool = guest_pool("misbehave", "misbehave")
            .isolation(isolation)
            .memory(64 << 20)
            .on_log(|_, _| {})
            .config(|_, settings| settings.output_bytes_max = 1 << 20)
            .start()
            .unwrap();
        // Its own 100 MB of text need more than the others' limit.
        let pool_of_large = guest_pool("misbehave", "misbehave")
            .isolation(isolation)
            .config(|_, settings| settings.output_bytes_max = 1 << 20)
            .start()
            .unwrap();
        for (name, kind, message) in kinds {
            let pool = if name == "big-result" { &pool_of_large } else { &pool };
            let jobs = ["ok", name, "ok", "ok"];
            let results: Vec<Result<String, Error>> = pool.imap(jobs).collect();
            let good = results.iter().filter(|result| **result == Ok("ok".into())).count();
            assert_eq!(good, 3, "{isolation:?} {name}: {results:?}");
            let failed = failure(results[1].clone());
            assert_eq!(failed.kind, kind, "{isolation:?} {name}: {failed}");
            assert!(failed.message.contains(message), "{isolation:?} {name}: {failed}");
        }
    }
}

#[test]
fn a_job_that_waits_in_a_dead_worker_s_pipe_is_run_elsewhere() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let pool = gate.pool(1).start().unwrap();
    let mut running = pool.apply_async::<_, i32>(0).unwrap();
    let worker = gate.wait_for_job(0);
    // More than fits a pipe: the dispatcher is in the middle of writing it.
    let large = "x".repeat(8 << 20);
    let mut waiting: Vec<AsyncResult<i32>> =
        (0..3).map(|_| pool.apply_async(&large).unwrap()).collect();
    kill(worker);
    assert_eq!(failure(running.get(None)).kind, FailureKind::WorkerLost);
    gate.open_all();
    for result in &mut waiting {
        assert_ne!(result.get(None).unwrap(), worker);
    }
}

#[test]
fn workers_killed_in_the_middle_of_large_results_lose_one_job_each_at_most() {
    let _watchdog = watchdog(120);
    let pool = guest_pool("evens", "evens").start().unwrap();
    let list: Vec<i64> = (0..200_000).map(|n| n * 2).collect();
    let mut killed = 0;
    for _ in 0..5 {
        let mut results: Vec<AsyncResult<Vec<i64>>> =
            (0..8).map(|_| pool.apply_async(&list).unwrap()).collect();
        assert!(results[0].wait(None));
        // Any worker of this pool: all zygotes of this program have only workers of their own.
        if let Some(worker) = worker_of(&pool_processes(&results)) {
            kill(worker);
            killed += 1;
        }
        let outcomes = results.iter_mut().map(|result| result.get(None));
        let lost = outcomes.filter(|outcome| match outcome {
            Ok(evens) => *evens != list,
            Err(error) => failure::<()>(Err(error.clone())).kind == FailureKind::WorkerLost,
        });
        assert!(lost.count() <= 1);
    }
    assert!(killed <= 5);
}
