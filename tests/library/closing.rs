//! The end of a pool: `close`, `terminate`, `join`, and drop.
//!
//! The tests mirror `test_terminate`, `test_context` and the shutdown tests of Python's `Pool` and
//! executors, without what has no counterpart here:
//! - `join` before `close` is an error in Python; here it waits until another thread closes.
//! - `test_interpreter_shutdown`, `test_hang_gh…`: there is no interpreter whose end has an order.
//! - `cancel_futures`: `terminate` gives up what waits, `close` finishes it.

use crate::common::gate::Gate;
use crate::common::{HALF, failure, guest, guest_pool, pool, squares, until, watchdog};
use crate::core::script::{scripts, shared};
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use wpool::pool::summary::End;
use wpool::{AsyncResult, Error, Event, FailureKind, Launcher, Lock, MapError, Pool, Process};

#[track_caller]
fn assert_takes_nothing(pool: &Pool) {
    let closed = || Error::Closed;
    assert_eq!(pool.apply::<_, i64>(2), Err(closed()));
    assert_eq!(pool.apply_bytes(b"2".to_vec()), Err(closed()));
    assert_eq!(pool.apply_async::<_, i64>(2).unwrap_err(), closed());
    assert_eq!(pool.map::<_, i64>([2]), Err(MapError { failures: vec![(0, closed())] }));
    assert_eq!(pool.map_async::<_, i64>([2]).unwrap_err(), closed());
    assert_eq!(pool.imap::<_, i64>([2]).next(), Some(Err(closed())));
    assert_eq!(pool.imap_unordered::<_, i64>([2]).next(), Some(Err(closed())));
}

/// Returns whether a job was given up because its pool ended.
fn is_given_up(error: &Error) -> bool {
    match error {
        Error::Closed => true,
        Error::Job(failure) => failure.kind == FailureKind::Cancelled,
        _ => false,
    }
}

#[test]
fn a_close_finishes_the_backlog() {
    let _watchdog = watchdog(60);
    let pool = guest_pool("square", "square").start().unwrap();
    let mut results = pool.map_async::<_, i64>(0..5000).unwrap();
    pool.close();
    let summary = pool.join().unwrap();
    assert_eq!((summary.end, summary.stats.succeeded), (End::Complete, 5000));
    assert!(summary.input_exhausted);
    assert_eq!(results.get(Some(Duration::ZERO)), Ok(squares(5000)));
}

#[test]
fn a_closed_pool_takes_no_more_jobs_and_finishes_those_it_has() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let pool = gate.pool(1).start().unwrap();
    let mut results: Vec<AsyncResult<i64>> =
        (0..3).map(|job| pool.apply_async(job).unwrap()).collect();
    gate.wait_for_job(0);
    pool.close();
    pool.close();
    assert_takes_nothing(&pool);
    assert!(!results[2].is_ready());
    gate.open_all();
    assert!(results.iter_mut().all(|result| result.get(None).is_ok()));
    assert_eq!(pool.join().unwrap().end, End::Complete);
    assert!(pool.join().is_none(), "it can be joined once");
    assert_takes_nothing(&pool);
}

#[test]
fn a_pool_without_jobs_closes_and_terminates() {
    let _watchdog = watchdog(60);
    for expected in [End::Complete, End::Killed] {
        let pool = pool(HALF).start().unwrap();
        match expected {
            End::Complete => pool.close(),
            _ => pool.terminate(),
        }
        assert_eq!(pool.join().unwrap().end, expected);
        assert_takes_nothing(&pool);
    }
}

#[test]
fn a_terminated_pool_gives_up_what_runs_and_what_waits() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let pool = gate.pool(2).start().unwrap();
    let mut results: Vec<AsyncResult<i64>> =
        (0..100).map(|job| pool.apply_async(job).unwrap()).collect();
    gate.open(0);
    assert!(results[0].get(None).is_ok());
    gate.wait_for(3);
    pool.terminate();
    pool.terminate();
    let summary = pool.join().unwrap();
    assert_eq!((summary.end, summary.stats.succeeded), (End::Killed, 1));
    assert!(results[0].get(None).is_ok(), "what is finished stays so");
    for (job, result) in results.iter_mut().enumerate().skip(1) {
        let error = result.get(Some(Duration::ZERO)).unwrap_err();
        assert!(is_given_up(&error), "job {job}: {error:?}");
    }
    assert_eq!(gate.started().len(), 3, "nothing has started after it");
    assert_takes_nothing(&pool);
}

#[test]
fn ten_thousand_long_jobs_are_given_up_at_once() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let pool = gate.pool(2).start().unwrap();
    let pool = &pool;
    std::thread::scope(|scope| {
        // The jobs are more than may wait in front of a pool, so this thread waits until it is
        // turned away.
        let submitter = scope.spawn(move || {
            let results = (0..10_000).map(|job| pool.apply_async::<_, i64>(job));
            results.collect::<Vec<_>>()
        });
        gate.wait_for(2);
        pool.terminate();
        assert_eq!(pool.join().unwrap().end, End::Killed);
        let results = submitter.join().unwrap();
        assert_eq!(results.len(), 10_000);
        for result in results {
            let outcome = result.and_then(|mut result| result.get(Some(Duration::ZERO)));
            assert!(outcome.as_ref().is_err_and(is_given_up), "{outcome:?}");
        }
    });
    assert!(gate.started().len() <= 2, "{:?}", gate.started());
}

#[test]
fn a_map_in_flight_learns_of_the_end() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let pool = gate.pool(2).start().unwrap();
    let mut results = pool.map_async::<_, i64>(0..1000).unwrap();
    gate.wait_for(2);
    std::thread::scope(|scope| {
        scope.spawn(|| pool.terminate());
        let error = results.get(None).unwrap_err();
        assert_eq!(error.failures.len(), 1000);
        assert!(error.failures.iter().all(|(_, error)| is_given_up(error)), "{error}");
    });
}

#[test]
fn whoever_waits_for_room_is_told_of_the_end() {
    let _watchdog = watchdog(60);
    for end in [Pool::close, Pool::terminate] {
        let gate = Gate::new();
        let pool = gate.pool(1).start().unwrap();
        std::thread::scope(|scope| {
            let endless = scope.spawn(|| pool.map::<_, i64>(0..));
            gate.wait_for(1);
            end(&pool);
            let error = endless.join().unwrap().unwrap_err();
            assert_eq!(error.failures, [(0, Error::Closed)]);
        });
    }
}

#[test]
fn a_drop_terminates_and_results_outlive_the_pool() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let pool = gate.pool(2).start().unwrap();
    let mut results: Vec<AsyncResult<i64>> =
        (0..20).map(|job| pool.apply_async(job).unwrap()).collect();
    gate.open(1);
    assert!(results[1].get(None).is_ok());
    gate.wait_for_job(0);
    drop(pool);
    for (job, result) in results.iter_mut().enumerate() {
        let outcome = result.get(Some(Duration::ZERO));
        assert_eq!(outcome.is_ok(), job == 1, "{outcome:?}");
        result.cancel();
    }
}

#[test]
fn a_closed_pool_that_is_dropped_terminates() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let pool = gate.pool(1).start().unwrap();
    let mut results = pool.map_async::<_, i64>(0..10).unwrap();
    gate.wait_for(1);
    pool.close();
    drop(pool);
    assert!(results.is_ready());
    assert_eq!(gate.started().len(), 1);
}

#[test]
fn a_terminate_overtakes_a_close() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let pool = gate.pool(1).start().unwrap();
    let mut results = pool.map_async::<_, i64>(0..10).unwrap();
    gate.wait_for(1);
    std::thread::scope(|scope| {
        pool.close();
        let joined = scope.spawn(|| pool.join());
        pool.terminate();
        assert_eq!(joined.join().unwrap().unwrap().end, End::Killed);
    });
    assert!(results.is_ready());
}

#[test]
fn a_join_waits_for_the_close_of_another_thread() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let pool = gate.pool(1).start().unwrap();
    let mut result = pool.apply_async::<_, i64>(0).unwrap();
    std::thread::scope(|scope| {
        let joined = scope.spawn(|| pool.join());
        gate.wait_for_job(0);
        assert!(!joined.is_finished());
        gate.open_all();
        assert!(result.get(None).is_ok());
        pool.close();
        assert_eq!(joined.join().unwrap().unwrap().stats.succeeded, 1);
    });
}

#[test]
fn pools_can_be_started_and_dropped_in_a_row() {
    let _watchdog = watchdog(120);
    let mut seen = BTreeSet::new();
    for n in 0..30 {
        let pool = pool(crate::common::PROCESS_ID).start().unwrap();
        if n % 3 > 0 {
            seen.insert(pool.apply::<_, i32>(n).unwrap());
        }
        if n % 3 > 1 {
            pool.close();
        }
    }
    assert_eq!(seen.len(), 20);
}

#[test]
fn the_deadline_of_a_pool_gives_its_jobs_up() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let pool = gate
        .pool(1)
        .config(|config, _| config.deadline = Some(Duration::from_secs(3)))
        .start()
        .unwrap();
    let mut results = pool.map_async::<_, i64>(0..3).unwrap();
    let error = results.get(None).unwrap_err();
    assert!(error.failures.len() == 3, "{error:?}");
    assert!(error.failures.iter().all(|(_, error)| is_given_up(error)), "{error:?}");
    until(|| pool.apply::<_, i64>(0) == Err(Error::Closed));
    assert_eq!(pool.join().unwrap().end, End::Deadline);
}

/// Returns a callback that waits for a signal and then panics.
fn panicking() -> (impl Fn(wpool::GuestLine<'_>) + Send + 'static, std::sync::mpsc::Sender<()>) {
    let (go_on, told) = channel();
    let callback = move |_: wpool::GuestLine<'_>| {
        told.recv().expect("the test tells it");
        panic!("a callback that panics");
    };
    (callback, go_on)
}

#[track_caller]
fn assert_panicked<T: std::fmt::Debug>(result: Result<T, Error>) {
    let panicked = "the pool's thread panicked: a callback that panics";
    assert_eq!(result.unwrap_err(), Error::Pool(panicked.into()));
}

#[test]
fn a_callback_that_panics_is_an_error_for_all_who_wait() {
    let _watchdog = watchdog(60);
    let shared = shared();
    let lock = Lock::create(&shared, "guard").unwrap();
    let held = Event::create(&shared, "held").unwrap();
    let (callback, go_on) = panicking();
    let pool = scripts(&shared, 1).on_log(callback).start().unwrap();
    let locks = ["lock guard ensure", "lock guard acquire", "event held set", "print hello"];
    let waits = ["event never ensure", "event never wait"];
    let mut first = pool.apply_async::<_, Json>([&locks[..], &waits].concat()).unwrap();
    let mut many = pool.map_async::<_, Json>([["slot"]; 10]).unwrap();
    held.wait().unwrap();
    std::thread::scope(|scope| {
        let applied = scope.spawn(|| pool.apply::<_, Json>(["slot"]));
        let endless = scope.spawn(|| pool.map::<_, Json>(std::iter::repeat(["slot"])));
        let iterated = scope.spawn(|| pool.imap::<_, Json>(std::iter::repeat(["slot"])).count());
        let locked = scope.spawn(|| lock.lock().map(|guard| guard.owner_died()));
        let joined = scope.spawn(|| pool.join().is_none());
        go_on.send(()).unwrap();
        assert_panicked(first.get(None));
        assert_panicked(applied.join().unwrap());
        for (_, error) in many.get(None).unwrap_err().failures {
            assert_panicked::<()>(Err(error));
        }
        assert_panicked::<()>(Err(endless.join().unwrap().unwrap_err().failures[0].1.clone()));
        assert!(iterated.join().unwrap() <= 1025, "an error for each that was taken, and one more");
        assert!(joined.join().unwrap());
        assert_eq!(locked.join().unwrap(), Ok(true), "its owner has died with the pool");
    });
    assert_panicked(pool.apply::<_, Json>(["slot"]));
}

#[test]
fn a_callback_that_panics_is_an_error_for_all_who_wait_for_processes() {
    let _watchdog = watchdog(60);
    let (callback, go_on) = panicking();
    let launcher = Launcher::builder(guest("misbehave")).on_log(callback).start().unwrap();
    let [quiet, loud] = ["spin", "print"].map(|kind| launcher.start("misbehave", kind).unwrap());
    std::thread::scope(|scope| {
        let joined = scope.spawn(|| quiet.join(None));
        go_on.send(()).unwrap();
        assert!(joined.join().unwrap() && loud.join(None));
    });
    for process in [&quiet, &loud] {
        assert_panicked(process.result::<String>(None));
        assert_eq!(process.exit_code(), Some(255));
        crate::common::processes::wait_for_end(process.pid());
    }
    assert_panicked(launcher.start("misbehave", "ok"));
    let (callback, go_on) = panicking();
    go_on.send(()).unwrap();
    let alone = Process::builder(guest("misbehave")).on_log(callback).start("print").unwrap();
    assert_panicked(alone.result::<String>(None));
}

#[test]
fn a_callback_may_submit_jobs_and_waits_for_none() {
    let _watchdog = watchdog(60);
    let shared = shared();
    let lock = Lock::create(&shared, "guard").unwrap();
    let (handles, theirs) = channel::<Arc<Pool>>();
    let (answers, seen) = channel();
    let callback = move |_: wpool::GuestLine<'_>| {
        let pool = theirs.recv().unwrap();
        let mut later = pool.apply_async::<_, Json>(["slot"]).unwrap();
        let refused = |result: Result<Json, Error>| matches!(result, Err(Error::Pool(_)));
        let answered = [
            refused(later.get(None)),
            refused(pool.apply(["slot"])),
            pool.imap::<_, Json>(std::iter::repeat(["slot"])).filter(Result::is_err).count() == 1,
            pool.map_async::<_, Json>(std::iter::repeat(["slot"])).is_err(),
            pool.join().is_none(),
            lock.lock().is_err(),
        ];
        answers.send((answered, later)).unwrap();
    };
    let pool = Arc::new(scripts(&shared, 1).on_log(callback).start().unwrap());
    let steps = ["lock guard ensure", "lock guard acquire", "print hello"];
    let mut first = pool.apply_async::<_, Json>(steps).unwrap();
    handles.send(Arc::clone(&pool)).unwrap();
    let (answered, mut later) = seen.recv().unwrap();
    assert_eq!(answered, [true; 6]);
    assert!(first.get(None).is_ok());
    assert!(later.get(None).is_ok(), "what a callback submits is run");
}

#[test]
fn a_pool_whose_last_handle_is_dropped_by_its_own_callback_ends() {
    let _watchdog = watchdog(60);
    let handle: Arc<Mutex<Option<Pool>>> = Arc::default();
    let theirs = Arc::clone(&handle);
    let (told, ended) = channel();
    let misbehave = guest_pool("misbehave", "misbehave").on_log(move |_| {
        let pool = theirs.lock().unwrap().take();
        if let Some(pool) = pool {
            drop(pool);
            told.send(()).unwrap();
        }
    });
    let mut holder = handle.lock().unwrap();
    let pool = holder.insert(misbehave.start().unwrap());
    let mut spins = pool.apply_async::<_, String>("spin").unwrap();
    let mut prints = pool.apply_async::<_, String>("print").unwrap();
    drop(holder);
    ended.recv().unwrap();
    assert!(is_given_up(&spins.get(None).unwrap_err()));
    prints.wait(None);
}

#[test]
fn a_time_that_no_clock_can_add_is_no_limit() {
    let _watchdog = watchdog(60);
    let pool = pool(HALF)
        .timeout(Duration::MAX)
        .retries(1)
        .config(|config, _| {
            config.deadline = Some(Duration::MAX);
            config.init_timeout = Some(Duration::MAX);
            config.retry.delay = Duration::MAX;
        })
        .start()
        .unwrap();
    assert_eq!(pool.apply_async(8).unwrap().get(Some(Duration::MAX)), Ok(4));
    let mut waits = pool.apply_async::<_, i64>(7).unwrap();
    assert_eq!(waits.get(Some(Duration::from_millis(50))), Err(Error::TimedOut));
    waits.cancel();
    assert_eq!(failure(waits.get(None)).kind, FailureKind::Cancelled);
    let guest = guest_pool("misbehave", "misbehave").timeout(Duration::MAX).start().unwrap();
    let mut spins = guest.apply_async::<_, String>("spin").unwrap();
    assert!(!spins.wait(Some(Duration::from_millis(100))), "job memory has been looked at");
}
