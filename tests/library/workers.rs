//! Worker processes: how many there are, how long they live, and when they are used again.
//!
//! The tests mirror Python's `_TestPoolWorkerLifetime`, `TestPoolNotLeakOnFailure` and
//! `test_large_pool`, and those of `max_workers` and `max_tasks_per_child` of its
//! `concurrent.futures`, without what has no counterpart here:
//! - `maxtasksperchild_invalid` of -1, 0.5 and "12": the type says so; 0 is in `pool.rs`.
//! - `initializer` that is not callable: the initializer is the module's own `_initialize`.
//! - `max_workers_too_large`, `free_reference`: about Windows, and about garbage collection.
//! - `idle_process_reuse` with `spawn`: there is one way to start a worker.

use crate::common::gate::{Gate, Started};
use crate::common::processes::{children, parent, wait_for_end, zygotes};
use crate::common::{PROCESS_ID, guest_pool, pool, watchdog};
use std::collections::{BTreeMap, BTreeSet};
use wpool::pool::summary::End;
use wpool::{AsyncResult, Error};

fn processes(started: &[Started]) -> BTreeSet<i32> {
    started.iter().map(|started| started.pid).collect()
}

#[test]
fn three_workers_run_three_jobs_at_once_and_no_more() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let pool = gate.pool(3).start().unwrap();
    let mut results: Vec<AsyncResult<i32>> =
        (0..45).map(|job| pool.apply_async(job).unwrap()).collect();
    let started = gate.wait_for(3);
    let workers = processes(&started);
    assert_eq!(workers.len(), 3, "{started:?}");
    let zygote = parent(started[0].pid);
    assert_eq!(children(zygote), workers.iter().copied().collect::<Vec<_>>());
    for job in 0..45 {
        gate.open(job);
        results[job as usize].get(None).unwrap();
        assert!(children(zygote).len() <= 3, "a fourth worker after job {job}");
    }
    assert_eq!(processes(&gate.started()), workers, "they are used again and again");
    assert_eq!(gate.started().len(), 45, "each job has run once");
}

#[test]
fn an_idle_worker_is_used_before_another_is_forked() {
    let _watchdog = watchdog(60);
    let pool = pool(PROCESS_ID).workers(4).start().unwrap();
    let pids: BTreeSet<i32> = (0..30).map(|n| pool.apply(n).unwrap()).collect();
    assert_eq!(pids.len(), 1, "{pids:?}");
}

#[test]
fn as_many_workers_are_forked_as_jobs_run_at_once() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let pool = gate.pool(4).start().unwrap();
    for pair in 0..5 {
        let jobs = [2 * pair, 2 * pair + 1];
        let results = jobs.map(|job| pool.apply_async::<_, i32>(job).unwrap());
        for job in jobs {
            gate.wait_for_job(job);
        }
        for (job, mut result) in jobs.into_iter().zip(results) {
            gate.open(job);
            result.get(None).unwrap();
        }
    }
    assert_eq!(processes(&gate.started()).len(), 2, "{:?}", gate.started());
}

#[test]
fn no_worker_is_forked_before_there_is_a_job() {
    let _watchdog = watchdog(60);
    let pool = pool(PROCESS_ID).workers(2).start().unwrap();
    // The other zygotes belong to tests that run at the same time; this pool's worker tells which
    // zygote is its own.
    let before: BTreeMap<i32, Vec<i32>> =
        zygotes().into_iter().map(|zygote| (zygote, children(zygote))).collect();
    let worker: i32 = pool.apply(0).unwrap();
    assert!(before[&parent(worker)].is_empty(), "no job, no worker");
    assert_eq!(children(parent(worker)), [worker], "one job, one worker");
}

#[test]
fn a_worker_is_replaced_after_its_share_of_jobs() {
    let _watchdog = watchdog(60);
    let pool = pool(PROCESS_ID).workers(1).jobs_per_worker(3).start().unwrap();
    let pids: Vec<i32> = (0..9).map(|n| pool.apply(n).unwrap()).collect();
    let by_worker: Vec<&[i32]> = pids.chunk_by(|a, b| a == b).collect();
    assert_eq!(by_worker.iter().map(|jobs| jobs.len()).collect::<Vec<_>>(), [3, 3, 3], "{pids:?}");
    by_worker.into_iter().for_each(|jobs| wait_for_end(jobs[0]));
}

#[test]
fn workers_that_are_replaced_lose_no_job() {
    let _watchdog = watchdog(60);
    for batch in [None, Some(1), Some(7)] {
        let squares = guest_pool("square", "square")
            .jobs_per_worker(10)
            .config(|config, _| config.batch_jobs_max = batch)
            .start()
            .unwrap();
        assert_eq!(squares.map(0..500), Ok(crate::common::squares(500)));

        let pool = pool(PROCESS_ID)
            .jobs_per_worker(10)
            .config(|config, _| config.batch_jobs_max = batch)
            .start()
            .unwrap();
        let mut share: BTreeMap<i32, usize> = BTreeMap::new();
        for pid in pool.map::<_, i32>(0..100).unwrap() {
            *share.entry(pid).or_default() += 1;
        }
        assert!(share.values().all(|&jobs| jobs <= 10), "{share:?}");
        assert!(share.len() >= 10, "{share:?}");
    }
}

#[test]
fn a_close_during_replacement_finishes_the_backlog() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let pool = gate.pool(2).jobs_per_worker(1).start().unwrap();
    let mut results: Vec<AsyncResult<i32>> =
        (0..6).map(|job| pool.apply_async(job).unwrap()).collect();
    gate.wait_for(2);
    pool.close();
    gate.open_all();
    let summary = pool.join().unwrap();
    assert_eq!((summary.end, summary.stats.succeeded), (End::Complete, 6));
    let pids: BTreeSet<i32> = results.iter_mut().map(|result| result.get(None).unwrap()).collect();
    assert_eq!(pids.len(), 6, "a process for each");
}

#[test]
fn two_hundred_workers_are_not_too_many() {
    let _watchdog = watchdog(120);
    let pool = guest_pool("square", "square").workers(200).start().unwrap();
    let squares: Vec<i64> = pool.map(0..1000).unwrap();
    assert_eq!(squares.into_iter().sum::<i64>(), 332_833_500);
}

#[test]
fn a_hundred_workers_run_at_once_and_end_at_once() {
    let _watchdog = watchdog(120);
    let gate = Gate::new();
    let pool = gate.pool(100).start().unwrap();
    let mut results = pool.map_async::<_, i32>(0..100).unwrap();
    let started = gate.wait_for(100);
    assert_eq!(processes(&started).len(), 100);
    drop(pool);
    let error = results.get(None).unwrap_err();
    assert_eq!(error.failures.len(), 100);
    processes(&started).into_iter().for_each(wait_for_end);
}

#[test]
fn a_module_that_fails_to_initialize_fails_its_jobs_and_does_not_respawn_for_ever() {
    let _watchdog = watchdog(60);
    for function in [r#"(start $f)"#, r#"(export "_initialize" (func $f))"#] {
        let module = format!(
            r#"(module (func $f (unreachable)) {function}
                (func (export "task") (param i64) (result i64) (local.get 0)))"#
        );
        let pool = pool(&module).start().unwrap();
        let error = pool.map::<_, i64>(0..20).unwrap_err();
        assert_eq!(error.failures.len(), 20, "every job has its outcome");
        for (_, error) in error.failures {
            assert!(matches!(error, Error::Job(_) | Error::Pool(_)), "{error:?}");
        }
    }
}
