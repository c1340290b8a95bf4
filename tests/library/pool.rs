//! Jobs and their results: `apply`, `map`, `starmap` and their asynchronous forms.
//!
//! The tests mirror Python's `_TestPool`, without what has no counterpart here:
//! - `map_unpicklable`, `unpickleable_result`, `traceback`: nothing is pickled. Jobs and results
//!   are JSON, and the tests of failing encodings and decodings take their place.
//! - `map_async_callbacks`, `async_error_callback`: there are no callbacks; a result is asked for.
//! - `release_task_refs`: a job is bytes once it is submitted, so there is no reference to keep.
//! - `resource_warning`, `context`, `enter`: a pool ends when it is dropped.
//! - `pool_initializer`: a module's `_initialize` is the initializer; see `workers.rs`.
//! - `pool_in_process`: guests cannot start processes.
//! - `empty_string`, `wrapped exceptions`: about Python's exceptions only.

use crate::common::gate::Gate;
use crate::common::{
    HALF, PROCESS_ID, STUCK, failure, guest, guest_pool, pool, runtimes, squares, squaring_pools,
    until, watchdog,
};
use serde::{Serialize, Serializer};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use wpool::{Error, FailureKind, Isolation, MapError, Pool, Stream};

/// A job that cannot be written as JSON if its number is negative.
struct Fussy(i64);

impl Serialize for Fussy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            0.. => serializer.serialize_i64(self.0),
            _ => Err(serde::ser::Error::custom("negative")),
        }
    }
}

#[test]
fn apply_runs_one_job_and_returns_its_result() {
    let _watchdog = watchdog(60);
    let pool = guest_pool("square", "square").start().unwrap();
    assert_eq!(pool.apply::<_, i64>(12), Ok(144));
    assert_eq!(pool.apply::<_, i64>(i64::from(i32::MAX)), Ok(4_611_686_014_132_420_609));
    assert_eq!(pool.apply_bytes(b"-3".to_vec()), Ok(b"9".to_vec()));
}

#[test]
fn a_map_is_what_a_loop_gives_whatever_the_size_of_batches() {
    let _watchdog = watchdog(120);
    for (batch, pool) in squaring_pools() {
        for jobs in [1, 10, 100, 3000] {
            assert_eq!(pool.map(0..jobs), Ok(squares(jobs)), "batches of {batch:?}");
        }
    }
}

#[test]
fn starmap_passes_the_items_of_a_tuple_as_arguments() {
    let _watchdog = watchdog(60);
    let pool = guest_pool("product", "product").start().unwrap();
    let jobs = (0..100).map(|n| (n, n + 1, -2));
    let products: Vec<i64> = jobs.clone().map(|(a, b, c)| a * b * c).collect();
    assert_eq!(pool.starmap(jobs), Ok(products));
    assert_eq!(pool.apply::<_, i64>((3, 4, 5)), Ok(60));
}

#[test]
fn lists_and_floats_go_in_and_out() {
    let _watchdog = watchdog(60);
    let evens = guest_pool("evens", "evens").start().unwrap();
    let lists: Vec<Vec<i64>> = (0..20).map(|n| (0..n).collect()).collect();
    let even = |list: &Vec<i64>| list.iter().copied().filter(|n| n % 2 == 0).collect();
    let expected: Vec<Vec<i64>> = lists.iter().map(even).collect();
    assert_eq!(evens.map(&lists), Ok(expected));

    let roots = guest_pool("roots", "square_root").start().unwrap();
    assert_eq!(roots.map([0.0, 2.0, 6.25]), Ok(vec![0.0, 1.41, 2.5]));
}

#[test]
fn an_empty_input_has_an_empty_result() {
    let _watchdog = watchdog(60);
    let pool = pool(HALF).start().unwrap();
    let nothing: [i64; 0] = [];
    assert_eq!(pool.map::<_, i64>(nothing), Ok(vec![]));
    assert_eq!(pool.starmap::<_, i64>(nothing), Ok(vec![]));
    let mut later = pool.map_async::<_, i64>(nothing).unwrap();
    assert!(later.is_ready());
    assert_eq!(later.get(None), Ok(vec![]));
    assert!(pool.imap::<_, i64>(nothing).next().is_none());
    assert!(pool.imap_unordered::<_, i64>(nothing).next().is_none());
    assert_eq!(pool.apply::<_, i64>(4), Ok(2), "the pool is as good as before");
}

#[test]
fn a_result_that_is_late_times_out_and_can_be_asked_for_again() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let pool = gate.pool(1).start().unwrap();
    let mut result = pool.apply_async::<_, i32>(1).unwrap();
    assert_eq!(result.get(Some(Duration::from_millis(1))), Err(Error::TimedOut));
    let pid = gate.wait_for_job(1);
    assert_eq!(result.get(Some(Duration::ZERO)), Err(Error::TimedOut));
    gate.open(1);
    assert_eq!(result.get(None), Ok(pid));
    assert_eq!(
        result.get(Some(Duration::ZERO)),
        Ok(pid),
        "it can be asked for any number of times"
    );
}

#[test]
fn a_map_that_is_late_times_out_and_can_be_asked_for_again() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let pool = gate.pool(2).start().unwrap();
    let mut results = pool.map_async::<_, i32>(0..3).unwrap();
    gate.open(0);
    gate.wait_for(3);
    let late = MapError { failures: vec![(0, Error::TimedOut)] };
    assert_eq!(results.get(Some(Duration::from_millis(1))), Err(late));
    assert!(!results.is_ready());
    gate.open_all();
    assert_eq!(results.get(None).unwrap().len(), 3);
    assert!(results.is_ready());
    assert_eq!(gate.started().len(), 3, "asking again runs nothing again");
}

#[test]
fn a_map_reports_every_failure_and_the_siblings_have_run() {
    let _watchdog = watchdog(60);
    for batch in [1, 10, 100] {
        let gate = Gate::new();
        let pool = gate
            .task("odd_fails", 2)
            .config(|config, _| config.batch_jobs_max = Some(batch))
            .start()
            .unwrap();
        let error = pool.map::<_, i32>(0..40).unwrap_err();
        let (indices, errors): (Vec<usize>, Vec<Error>) = error.failures.into_iter().unzip();
        assert_eq!(indices, (0..40).filter(|n| n % 2 == 1).collect::<Vec<_>>());
        let guest_error =
            |error: &Error| matches!(error, Error::Job(f) if f.kind == FailureKind::GuestError);
        assert!(errors.iter().all(guest_error), "{errors:?}");
        let ran = gate.started_jobs();
        assert_eq!(ran.len(), 40, "each has run, and once: {ran:?}");
    }
}

#[test]
fn a_job_that_cannot_be_encoded_fails_alone() {
    let _watchdog = watchdog(60);
    let pool = pool(HALF).start().unwrap();
    let error = pool.map::<_, i64>([2, -1, 4, -1].map(Fussy)).unwrap_err();
    let encode = || Error::Encode("negative".into());
    assert_eq!(error.failures, [(1, encode()), (3, encode())]);
    assert_eq!(pool.apply::<_, i64>(Fussy(-1)), Err(encode()));
    assert_eq!(pool.apply_async::<_, i64>(Fussy(-1)).unwrap_err(), encode());
    assert_eq!(pool.apply::<_, i64>(Fussy(8)), Ok(4));
}

#[test]
fn a_result_of_another_type_fails_to_decode_and_hurts_nobody() {
    let _watchdog = watchdog(60);
    let pool = pool(HALF).start().unwrap();
    for _ in 0..20 {
        assert!(matches!(pool.apply::<_, String>(2), Err(Error::Decode(_))));
    }
    let error = pool.map::<_, u8>([2, -2, 600]).unwrap_err();
    let decode = |at: usize| matches!(error.failures[at], (_, Error::Decode(_)));
    assert!(error.failures.len() == 2 && decode(0) && decode(1), "{error:?}");
    assert_eq!(pool.apply::<_, i64>(2), Ok(1));
}

#[test]
fn a_job_that_does_not_fit_the_task_is_invalid() {
    let _watchdog = watchdog(60);
    let pool = pool(HALF).start().unwrap();
    for job in [&b"\"text\""[..], b"1.5", b"[1, 2]", b"{", b"", b"99999999999999999999"] {
        let kind = failure(pool.apply_bytes(job.to_vec())).kind;
        assert_eq!(kind, FailureKind::InvalidJob, "{}", String::from_utf8_lossy(job));
    }
    assert_eq!(pool.apply_bytes(b" 8 ".to_vec()), Ok(b"4".to_vec()));
}

#[test]
fn a_job_above_the_buffer_is_refused_and_one_below_is_run() {
    let _watchdog = watchdog(60);
    let pool = guest_pool("evens", "evens")
        .config(|config, _| config.buffer_bytes_max = 1 << 20)
        .start()
        .unwrap();
    let refused = failure(pool.apply::<_, Vec<i64>>(vec![2; 600_000]));
    assert_eq!(refused.kind, FailureKind::InvalidJob);
    assert!(refused.message.contains("too large"), "{refused}");
    assert_eq!(pool.apply(vec![2; 200_000]), Ok(vec![2; 200_000]));
}

#[test]
fn a_panic_of_the_input_reaches_the_caller_and_the_pool_goes_on() {
    let _watchdog = watchdog(60);
    let pool = pool(HALF).start().unwrap();
    for end in [0, 5] {
        let jobs = || (0..10).inspect(move |&n| assert!(n < end, "no more")).map(|n| n * 2);
        let map = catch_unwind(AssertUnwindSafe(|| pool.map::<_, i64>(jobs())));
        assert!(map.is_err());
        let imap = catch_unwind(AssertUnwindSafe(|| pool.imap::<_, i64>(jobs()).count()));
        assert!(imap.is_err());
    }
    assert_eq!(pool.map([2, 4]), Ok(vec![1, 2]));
}

#[test]
fn several_pools_live_side_by_side() {
    let _watchdog = watchdog(120);
    let halves: Vec<Pool> = (0..3).map(|_| pool(HALF).start().unwrap()).collect();
    let squared = guest_pool("square", "square").start().unwrap();
    let mut halved: Vec<_> =
        halves.iter().map(|pool| pool.map_async::<_, i64>((0..500).map(|n| n * 2))).collect();
    assert_eq!(squared.map(0..500), Ok(squares(500)));
    for halved in &mut halved {
        let halved = halved.as_mut().unwrap();
        assert_eq!(halved.get(None), Ok((0..500).collect::<Vec<i64>>()));
    }
    drop(halves);
    assert_eq!(squared.apply::<_, i64>(3), Ok(9), "the end of one is not the end of another");
}

#[test]
fn several_threads_share_a_pool() {
    let _watchdog = watchdog(120);
    let pool = guest_pool("square", "square").start().unwrap();
    let pool = &pool;
    std::thread::scope(|scope| {
        for thread in 0..8 {
            scope.spawn(move || match thread % 3 {
                0 => assert_eq!(pool.map(0..500), Ok(squares(500))),
                1 => {
                    let results: Result<Vec<i64>, _> = pool.imap(0..500).collect();
                    assert_eq!(results, Ok(squares(500)));
                }
                _ => (0..50).for_each(|n| assert_eq!(pool.apply(n), Ok(n * n))),
            });
        }
    });
}

#[test]
fn a_pool_works_under_tokio() {
    let _watchdog = watchdog(60);
    for runtime in runtimes() {
        runtime.block_on(async {
            let pool = Arc::new(guest_pool("square", "square").start().unwrap());
            assert_eq!(pool.map(0..100), Ok(squares(100)));
            let theirs = Arc::clone(&pool);
            let blocking = tokio::task::spawn_blocking(move || theirs.map(0..100));
            assert_eq!(blocking.await.unwrap(), Ok(squares(100)));
        });
    }
}

#[test]
fn a_pool_that_cannot_be_is_refused_at_its_start() {
    let _watchdog = watchdog(60);
    let why = |builder: wpool::Builder| match builder.start() {
        Err(Error::Pool(why)) => why,
        other => panic!("not refused: {other:?}"),
    };
    assert!(why(pool(HALF).workers(0)).contains("at least one worker"));
    assert!(why(pool(HALF).jobs_per_worker(0)).contains("at least one job"));
    assert!(why(pool(HALF).task("third")).contains("half"), "the tasks there are are named");
    let two = r#"(module (func (export "first")) (func (export "second")))"#;
    let ambiguous = why(pool(two));
    assert!(ambiguous.contains("first") && ambiguous.contains("second"), "{ambiguous}");
    assert!(why(Pool::builder("/no/such.wasm")).contains("/no/such.wasm"));
    why(pool("(module (func (export \"f\") (result i32)))"));
    why(Pool::from_bytes(b"\0asm\x01\0\0\0garbage".as_slice()));
}

#[test]
fn a_module_with_an_unknown_import_is_refused_at_its_start() {
    let _watchdog = watchdog(60);
    let module = r#"(module (import "no" "such" (func)) (func (export "task")))"#;
    let error = pool(module).start().unwrap_err();
    assert!(matches!(&error, Error::Pool(why) if why.contains("such")), "{error:?}");
}

#[test]
fn what_guests_print_comes_with_the_process_that_printed_it() {
    let _watchdog = watchdog(60);
    let lines = Arc::new(Mutex::new(Vec::new()));
    let theirs = Arc::clone(&lines);
    let pool = guest_pool("square", "compute_squares")
        .on_log(move |line| {
            assert_eq!(line.stream, Stream::Out);
            let text = String::from_utf8_lossy(line.bytes).into_owned();
            theirs.lock().unwrap().push((line.pid, text));
        })
        .start()
        .unwrap();
    assert_eq!(pool.map(0..20), Ok(squares(20)));
    until(|| lines.lock().unwrap().len() == 20);
    for (pid, line) in lines.lock().unwrap().iter() {
        assert!(line.starts_with(&format!("Process {pid} calculating square of ")), "{line}");
    }
}

#[test]
fn an_instance_lives_as_long_as_the_isolation_says() {
    let _watchdog = watchdog(60);
    let count = r#"(module (global $n (mut i64) (i64.const 0))
        (func (export "count") (param i64) (result i64)
            (global.set $n (i64.add (global.get $n) (i64.const 1))) (global.get $n)))"#;
    let counts = |isolation| {
        let pool = pool(count).workers(1).isolation(isolation).start().unwrap();
        pool.map::<_, i64>(0..4).unwrap()
    };
    assert_eq!(counts(Isolation::Reuse), [1, 2, 3, 4]);
    assert_eq!(counts(Isolation::Fresh), [1, 1, 1, 1]);
    assert_eq!(counts(Isolation::Process), [1, 1, 1, 1]);

    let pool = pool(PROCESS_ID).workers(1).isolation(Isolation::Process).start().unwrap();
    let pids: BTreeSet<i32> = pool.map(0..4).unwrap().into_iter().collect();
    assert_eq!(pids.len(), 4, "each job has a process of its own");
}

#[test]
fn a_job_that_takes_too_long_fails_alone() {
    let _watchdog = watchdog(60);
    let pool = pool(STUCK).timeout(Duration::from_millis(50)).start().unwrap();
    let results: Vec<Result<i64, Error>> = pool.imap([1, 0, 2, 3]).collect();
    let [Ok(1), Err(Error::Job(late)), Ok(2), Ok(3)] = &results[..] else {
        panic!("{results:?}");
    };
    assert_eq!(late.kind, FailureKind::Timeout);
}

#[test]
fn a_job_is_tried_again_as_often_as_asked() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let pool = gate.task("second_try", 1).retries(1).start().unwrap();
    assert_eq!(pool.map::<_, i32>(0..5).unwrap().len(), 5);
    drop(pool);

    let gate = Gate::new();
    let pool = gate.task("second_try", 1).start().unwrap();
    assert_eq!(
        pool.map::<_, i32>(0..5).unwrap_err().failures.len(),
        5,
        "unless it is asked, never"
    );
}

#[test]
fn a_command_gets_its_arguments_and_its_input() {
    let _watchdog = watchdog(60);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("abc"), "abc").unwrap();
    let pool = Pool::builder(guest("sha256")).workers(2).dir(folder.path(), "/d", true);
    let pool = pool.start().unwrap();
    let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let output = pool.run_command(&["/d/abc"], b"").unwrap();
    assert_eq!(String::from_utf8(output).unwrap(), format!("{digest}\n"));
    assert!(matches!(pool.run_command(&["a\0b"], b""), Err(Error::Encode(_))));
}

#[test]
fn a_command_without_arguments_gets_none() {
    let _watchdog = watchdog(60);
    let pool = Pool::builder(guest("sha256")).workers(2).start().unwrap();
    let output = pool.run_command(&[], b"abc").unwrap();
    assert!(output.starts_with(b"ba7816bf8f01cfea"), "the digest of its standard input");
}
