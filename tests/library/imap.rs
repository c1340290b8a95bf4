//! Results as they come: `imap` and `imap_unordered`.
//!
//! The tests mirror those of `imap` in Python's `_TestPool` and of `map` in its
//! `concurrent.futures`, without what has no counterpart here:
//! - `imap_handle_iterable_exception`: an iterator cannot raise in Rust; one that panics is in
//!   `pool.rs`.
//! - `map_chunksize` below 1: the size of batches is not the caller's business.
//! - `map_timeout`: a timeout is for one result, not for the whole iteration.

use crate::common::gate::Gate;
use crate::common::{HALF, guest_pool, pool, squares, squaring_pools, until, watchdog};
use serde::{Serialize, Serializer};
use std::cell::Cell;
use std::time::Duration;
use wpool::{Error, FailureKind};

#[test]
fn results_come_in_the_order_of_the_jobs() {
    let _watchdog = watchdog(60);
    for (batch, pool) in squaring_pools() {
        for jobs in [10, 1000, 5000] {
            let results: Result<Vec<i64>, Error> = pool.imap(0..jobs).collect();
            assert_eq!(results, Ok(squares(jobs)), "batches of {batch:?}");
        }
    }
}

#[test]
fn unordered_results_are_the_same_results() {
    let _watchdog = watchdog(60);
    for (batch, pool) in squaring_pools() {
        for jobs in [10, 1000, 5000] {
            let results: Result<Vec<i64>, Error> = pool.imap_unordered(0..jobs).collect();
            let mut results = results.unwrap();
            results.sort_unstable();
            assert_eq!(results, squares(jobs), "batches of {batch:?}");
        }
    }
}

#[test]
fn the_end_stays_the_end() {
    let _watchdog = watchdog(60);
    let pool = pool(HALF).start().unwrap();
    let mut results = pool.imap::<_, i64>([2, 4]);
    assert_eq!(results.next(), Some(Ok(1)));
    assert_eq!(results.next_timeout(Duration::from_secs(60)), Some(Ok(2)));
    for _ in 0..3 {
        assert_eq!(results.next(), None);
        assert_eq!(results.next_timeout(Duration::ZERO), None);
    }
}

#[test]
fn the_iteration_goes_on_past_an_error() {
    let _watchdog = watchdog(60);
    for batch in [1, 100] {
        let pool =
            pool(HALF).config(|config, _| config.batch_jobs_max = Some(batch)).start().unwrap();
        for (n, result) in (0..).zip(pool.imap::<_, i64>(0..100)) {
            match result {
                Ok(half) => assert_eq!(half * 2, n),
                Err(Error::Job(trap)) => assert_eq!((trap.kind, n % 2), (FailureKind::Trap, 1)),
                Err(other) => panic!("job {n}: {other}"),
            }
        }
        let (good, bad): (Vec<_>, Vec<_>) =
            pool.imap_unordered::<_, i64>(0..100).partition(Result::is_ok);
        assert_eq!((good.len(), bad.len()), (50, 50));
    }
}

#[test]
fn a_job_that_cannot_be_encoded_is_an_error_in_its_place() {
    struct Fussy(i64);
    impl Serialize for Fussy {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            match self.0 {
                0.. => serializer.serialize_i64(self.0),
                _ => Err(serde::ser::Error::custom("negative")),
            }
        }
    }
    let _watchdog = watchdog(60);
    let pool = pool(HALF).start().unwrap();
    let results: Vec<Result<i64, Error>> = pool.imap([2, -1, 4].map(Fussy)).collect();
    assert_eq!(results, [Ok(1), Err(Error::Encode("negative".into())), Ok(2)]);
}

#[test]
fn a_late_result_times_out_and_can_be_asked_for_again() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let pool = gate.pool(2).start().unwrap();
    let mut results = pool.imap::<_, i32>(0..2);
    assert_eq!(results.next_timeout(Duration::from_millis(1)), Some(Err(Error::TimedOut)));
    let pids = [gate.wait_for_job(0), gate.wait_for_job(1)];
    gate.open(1);
    assert_eq!(results.next_timeout(Duration::from_millis(1)), Some(Err(Error::TimedOut)));
    gate.open(0);
    assert_eq!(results.next(), Some(Ok(pids[0])));
    assert_eq!(results.next(), Some(Ok(pids[1])));
    assert_eq!(results.next(), None);
    assert_eq!(gate.started_jobs(), ["0", "1"], "asking again runs nothing again");
}

#[test]
fn unordered_results_come_as_they_are_ready() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let pool = gate.pool(2).start().unwrap();
    let mut results = pool.imap_unordered::<_, i32>(0..3);
    gate.open(1);
    gate.open(2);
    let first = results.next().unwrap().unwrap();
    let second = results.next().unwrap().unwrap();
    assert_eq!(first, second, "the other worker is held back by job 0");
    gate.open(0);
    assert_eq!(results.next(), Some(Ok(gate.wait_for_job(0))));
    assert_eq!(results.next(), None);
}

#[test]
fn no_more_inputs_are_taken_than_fit_the_buffer() {
    let _watchdog = watchdog(60);
    let pool = pool(HALF).start().unwrap();
    let (pool, taken) = (&pool, Cell::new(0));
    let input = || (0_i64..).step_by(2).inspect(|_| taken.set(taken.get() + 1));
    for buffer in [1, 2, 10, 5000] {
        taken.set(0);
        let mut results = pool.imap::<_, i64>(input()).buffer_size(buffer);
        assert_eq!(taken.get(), 0, "nothing is taken before a result is asked for");
        for n in 0..100 {
            assert_eq!(results.next(), Some(Ok(n as i64)));
            assert_eq!(taken.get(), n + buffer);
        }

        taken.set(0);
        let mut results = pool.imap_unordered::<_, i64>(input()).buffer_size(buffer);
        for n in 0..100 {
            assert!(results.next().is_some_and(|result| result.is_ok()));
            assert_eq!(taken.get(), n + buffer);
        }
    }
}

#[test]
fn a_buffer_has_room_for_one_input_at_least() {
    let _watchdog = watchdog(60);
    let pool = pool(HALF).start().unwrap();
    let first: Vec<_> = pool.imap::<_, i64>((0..).map(|n| n * 2)).buffer_size(0).take(3).collect();
    assert_eq!(first, [Ok(0), Ok(1), Ok(2)]);
}

#[test]
fn an_iteration_that_is_given_up_half_way_holds_up_nobody() {
    let _watchdog = watchdog(60);
    let pool = guest_pool("square", "square").start().unwrap();
    for _ in 0..20 {
        assert_eq!(pool.imap::<_, i64>(0..).nth(10), Some(Ok(100)));
        assert_eq!(pool.imap_unordered::<_, i64>(0..).take(10).filter(Result::is_ok).count(), 10);
    }
    assert_eq!(pool.map(0..100), Ok(squares(100)));
}

#[test]
fn two_iterations_over_one_pool_keep_their_results_apart() {
    let _watchdog = watchdog(60);
    let pool = guest_pool("square", "square").start().unwrap();
    let low = pool.imap::<_, i64>(0..2000);
    let high = pool.imap::<_, i64>(5000..7000);
    for (n, (low, high)) in (0..).zip(low.zip(high)) {
        assert_eq!((low, high), (Ok(n * n), Ok((n + 5000) * (n + 5000))));
    }
}

#[test]
fn the_end_of_the_pool_ends_an_iteration_without_end() {
    let _watchdog = watchdog(60);
    let pool = pool(HALF).start().unwrap();
    for ordered in [true, false] {
        let gate = Gate::new();
        let held = gate.pool(1).start().unwrap();
        let mut results =
            if ordered { held.imap::<_, i32>(0..) } else { held.imap_unordered::<_, i32>(0..) };
        gate.open(0);
        assert!(matches!(results.next(), Some(Ok(_))));
        held.terminate();
        let rest: Vec<_> = results.collect();
        assert!(rest.iter().all(Result::is_err), "{rest:?}");
        until(|| held.apply::<_, i32>(0) == Err(Error::Closed));
    }
    pool.close();
    let refused: Vec<_> = pool.imap::<_, i64>((0..).map(|n| n * 2)).collect();
    assert_eq!(refused, [Err(Error::Closed)], "said once, not for each of the inputs");
}
