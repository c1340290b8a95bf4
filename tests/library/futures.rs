//! Results that are not there yet, while workers crash around them.
//!
//! The tests mirror Python's `test_concurrent_futures` for process pools, where nearly every crash
//! breaks the whole executor; here a lost worker fails only the job that it was running. Not
//! mirrored:
//! - `error/crash/exit at task unpickle` and `during result pickle`: nothing is pickled. A job that
//!   does not fit its task, and a result that is not JSON, take their place.
//! - `as_completed`, `wait(return_when)`, `add_done_callback`: `imap_unordered` gives results as
//!   they are ready; there are no callbacks.
//! - `set_running_or_notify_cancel`, `repr`, `InvalidStateError`: only the pool sets results.
//! - `hang_issue12364`, `weakref`, `free_reference`: about interpreter shutdown and collection.
//! - `kill_workers`, `terminate_workers`: `terminate` does the same, in `closing.rs`.

use crate::common::gate::Gate;
use crate::common::processes::{Signal, children, is_alive, kill, parent, signal, wait_for_end};
use crate::common::{HALF, PROCESS_ID, STUCK, failure, guest_pool, pool, until, watchdog};
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
        // Each round kills the workers that run; the next jobs go to new workers.
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
            .on_log(|_| {})
            .config(|_, settings| settings.limits.output_bytes_max = 1 << 20)
            .start()
            .unwrap();
        // The job's own 100 MB of text need more than the others' limit.
        let pool_of_large = guest_pool("misbehave", "misbehave")
            .isolation(isolation)
            .config(|_, settings| settings.limits.output_bytes_max = 1 << 20)
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
    // The job does not fit into a pipe, so the dispatcher is in the middle of writing it.
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
fn a_worker_killed_in_the_middle_of_a_large_result_loses_that_one_at_most() {
    let _watchdog = watchdog(120);
    for kill_after in 1..=12 {
        let gate = Gate::new();
        let pool = gate.task("large", 2).start().unwrap();
        let mut results: Vec<AsyncResult<i32>> =
            (0..12).map(|job| pool.apply_async(job).unwrap()).collect();
        let started = gate.wait_for(kill_after);
        kill(started[kill_after / 2].pid);
        let outcomes: Vec<_> = results.iter_mut().map(|result| result.get(None)).collect();
        let lost: Vec<_> = outcomes.into_iter().filter_map(Result::err).collect();
        assert!(lost.len() <= 1, "{lost:?}");
        for error in lost {
            assert_eq!(failure::<i32>(Err(error)).kind, FailureKind::WorkerLost);
        }
        assert_eq!(gate.started().len(), 12, "no job has run twice");
    }
}

#[test]
fn a_cancelled_job_that_waits_never_starts() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let pool = gate.pool(1).start().unwrap();
    let mut running = pool.apply_async::<_, i32>(0).unwrap();
    gate.wait_for_job(0);
    // The jobs wait in the worker's pipe, in the dispatcher, and in front of it.
    let mut waiting: Vec<AsyncResult<i32>> =
        (1..200).map(|job| pool.apply_async(job).unwrap()).collect();
    for result in waiting.iter().step_by(2) {
        result.cancel();
        result.cancel();
    }
    for result in waiting.iter_mut().step_by(2) {
        assert_eq!(failure(result.get(None)).kind, FailureKind::Cancelled);
    }
    assert!(!running.is_ready(), "the one that runs is none of them");
    gate.open_all();
    assert!(running.get(None).is_ok());
    assert!(waiting.iter_mut().skip(1).step_by(2).all(|result| result.get(None).is_ok()));
    assert_eq!(gate.started().len(), 1 + 99);
}

#[test]
fn a_cancelled_job_that_runs_is_stopped_and_takes_nobody_along() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let pool = gate.pool(2).start().unwrap();
    let mut results: Vec<AsyncResult<i32>> =
        (0..10).map(|job| pool.apply_async(job).unwrap()).collect();
    gate.wait_for(2);
    let worker = gate.wait_for_job(0);
    results[0].cancel();
    assert_eq!(failure(results[0].get(None)).kind, FailureKind::Cancelled);
    wait_for_end(worker);
    gate.open_all();
    assert!(results.iter_mut().skip(1).all(|result| result.get(None).is_ok()));
    assert_eq!(gate.started().len(), 10, "no job has run twice");
}

#[test]
fn a_spinning_guest_can_be_cancelled() {
    let _watchdog = watchdog(60);
    for isolation in [Isolation::Reuse, Isolation::Fresh, Isolation::Process] {
        let pool = pool(STUCK).workers(1).isolation(isolation).start().unwrap();
        let mut stuck = pool.apply_async::<_, i64>(0).unwrap();
        let mut next = pool.apply_async::<_, i64>(7).unwrap();
        assert!(!stuck.wait(Some(Duration::from_millis(1))));
        stuck.cancel();
        assert_eq!(failure(stuck.get(None)).kind, FailureKind::Cancelled, "{isolation:?}");
        assert_eq!(next.get(None), Ok(7), "{isolation:?}");
    }
}

#[test]
fn a_finished_job_cannot_be_cancelled() {
    let _watchdog = watchdog(60);
    let pool = pool(HALF).start().unwrap();
    let mut good = pool.apply_async::<_, i64>(4).unwrap();
    let mut bad = pool.apply_async::<_, i64>(5).unwrap();
    assert!(good.wait(None) && bad.wait(None));
    good.cancel();
    bad.cancel();
    assert_eq!(pool.apply(8), Ok(4));
    assert_eq!(good.get(None), Ok(2));
    assert_eq!(failure(bad.get(None)).kind, FailureKind::Trap);
    drop(pool);
    good.cancel();
    assert_eq!(good.get(None), Ok(2), "not even after the pool's end");
}

#[test]
fn cancelled_jobs_make_room_for_others() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let pool = gate.pool(1).config(|config, _| config.buffer_bytes_max = 1 << 20).start().unwrap();
    let mut running = pool.apply_async::<_, i32>(0).unwrap();
    gate.wait_for_job(0);
    // The following jobs wait in front of the dispatcher because these come before them.
    let mut first: Vec<AsyncResult<i32>> =
        (1..10).map(|job| pool.apply_async(job).unwrap()).collect();
    let large = "x".repeat(100 << 10);
    for _ in 0..100 {
        let mut result = pool.apply_async::<_, i32>(&large).unwrap();
        result.cancel();
        assert_eq!(failure(result.get(None)).kind, FailureKind::Cancelled);
    }
    gate.open_all();
    assert!(running.get(None).is_ok());
    assert!(first.iter_mut().all(|result| result.get(None).is_ok()));
}

#[test]
fn a_cancelled_job_is_not_tried_again() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let pool = gate.pool(1).retries(5).start().unwrap();
    let mut result = pool.apply_async::<_, i32>(0).unwrap();
    gate.wait_for_job(0);
    result.cancel();
    assert_eq!(failure(result.get(None)).kind, FailureKind::Cancelled);
    gate.open_all();
    assert!(pool.apply::<_, i32>(1).is_ok());
    assert_eq!(gate.started_jobs(), ["0", "1"]);
}

#[test]
fn a_result_tells_whether_it_is_there_and_whether_it_is_good() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let pool = gate.task("odd_fails", 1).start().unwrap();
    let held = gate.pool(1).start().unwrap();
    let mut waiting = held.apply_async::<_, i32>(7).unwrap();
    assert_eq!((waiting.is_ready(), waiting.is_successful()), (false, None));
    assert!(!waiting.wait(Some(Duration::ZERO)));
    let mut good = pool.apply_async::<_, i32>(2).unwrap();
    let mut bad = pool.apply_async::<_, i32>(3).unwrap();
    until(|| good.is_ready() && bad.is_ready());
    assert_eq!((good.is_successful(), bad.is_successful()), (Some(true), Some(false)));
    assert!(good.wait(None) && bad.wait(Some(Duration::ZERO)));
    gate.open(7);
    until(|| waiting.is_successful() == Some(true));
}

#[test]
fn a_dropped_result_does_not_cancel_its_job() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let pool = gate.task("note", 2).start().unwrap();
    for job in 0..50 {
        drop(pool.apply_async::<_, i32>(job).unwrap());
    }
    drop(pool.map_async::<_, i32>(50..100).unwrap());
    pool.close();
    assert_eq!(pool.join().unwrap().stats.succeeded, 100);
    assert_eq!(gate.started().len(), 100);
}

#[test]
fn jobs_can_be_submitted_while_the_dispatcher_is_held_up() {
    let _watchdog = watchdog(60);
    let (go_on, held) = channel::<()>();
    let pool = guest_pool("square", "compute_squares")
        .on_log(move |_| held.recv().unwrap_or_default())
        .start()
        .unwrap();
    let mut results: Vec<AsyncResult<i64>> =
        (0..1000).map(|n| pool.apply_async(n).unwrap()).collect();
    drop(go_on);
    for (n, result) in (0..).zip(&mut results) {
        assert_eq!(result.get(None), Ok(n * n));
    }
}

#[test]
fn a_worker_that_dies_after_the_close_holds_up_nobody() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let pool = gate.pool(2).start().unwrap();
    let mut results: Vec<AsyncResult<i32>> =
        (0..6).map(|job| pool.apply_async(job).unwrap()).collect();
    gate.wait_for(2);
    pool.close();
    kill(gate.wait_for_job(1));
    assert_eq!(failure(results[1].get(None)).kind, FailureKind::WorkerLost);
    gate.open_all();
    let summary = pool.join().unwrap();
    assert_eq!(summary.end, End::Complete);
    assert_eq!((summary.stats.succeeded, summary.stats.failed), (5, 1));
}

#[test]
fn a_job_of_a_killed_process_is_lost_under_process_isolation_too() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let pool = gate.pool(1).isolation(Isolation::Process).start().unwrap();
    let mut result = pool.apply_async::<_, i32>(0).unwrap();
    let process = gate.wait_for_job(0);
    let worker = parent(process);
    assert_eq!(children(worker), [process], "the job has a process of its own");
    kill(process);
    let lost = failure(result.get(None));
    assert_eq!(lost.kind, FailureKind::WorkerLost, "{lost}");
    gate.open_all();
    let next = pool.apply::<_, i32>(1).unwrap();
    assert_ne!(next, process);
    assert_eq!(children(parent(worker)), [worker], "the worker has outlived it");
}
