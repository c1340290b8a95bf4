//! The common parts of the integration tests: a watchdog, the example guests, and small modules of
//! our own.
#![allow(dead_code, reason = "each test program uses a part of this")]

pub(crate) mod browser;
pub(crate) mod calls;
pub(crate) mod dice;
pub(crate) mod done;
pub(crate) mod flat;
pub(crate) mod gate;
pub(crate) mod language;
pub(crate) mod printed;
pub(crate) mod processes;
pub(crate) mod programs;
pub(crate) mod run;
pub(crate) mod tasks;
pub(crate) mod terminal;
pub(crate) mod wit_type;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;
use wpool::{Builder, Error, Failure, Pool};

/// A scalar task that returns the id of the worker's process, whatever its job is.
pub(crate) const PROCESS_ID: &str = r#"(module
    (import "wpool" "process_id" (func $process_id (result i32)))
    (func (export "process_id") (param i64) (result i32) (call $process_id)))"#;

/// A scalar task that traps if its job is an odd number, and otherwise returns half of it.
pub(crate) const HALF: &str = r#"(module
    (func (export "half") (param i64) (result i64)
        (if (i64.eqz (i64.rem_u (local.get 0) (i64.const 2))) (then) (else (unreachable)))
        (i64.div_s (local.get 0) (i64.const 2))))"#;

/// A scalar task that never ends if its job is 0, and otherwise returns the job.
pub(crate) const STUCK: &str = r#"(module
    (func (export "stuck") (param i64) (result i64)
        (loop $again (br_if $again (i64.eqz (local.get 0))))
        (local.get 0)))"#;

/// A guard that aborts the program unless it is dropped in time.
pub(crate) struct Watchdog {
    _test_goes_on: Sender<()>,
}

/// Aborts this program with a message if the calling test takes longer than `seconds`: a test that
/// hangs must not hold up the others for ever.
#[must_use]
pub(crate) fn watchdog(seconds: u64) -> Watchdog {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let (test_goes_on, end) = channel();
    std::thread::spawn(move || {
        if end.recv_timeout(Duration::from_secs(seconds)) == Err(RecvTimeoutError::Timeout) {
            // The message is not printed by `eprintln`, because the harness would keep it, and lose
            // it when the program aborts.
            let _ = writeln!(std::io::stderr(), "\nwatchdog: {test} hangs (after {seconds} s)");
            std::process::abort();
        }
    });
    Watchdog { _test_goes_on: test_goes_on }
}

/// Waits until a condition holds. The watchdog bounds the wait.
pub(crate) fn until(mut it_is_so: impl FnMut() -> bool) {
    while !it_is_so() {
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

/// Returns the root of the repository.
pub(crate) fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).expect("packages lie two folders below the root")
}

/// Returns the path of an example guest.
pub(crate) fn guest(name: &str) -> PathBuf {
    let file = format!("target/guests/{name}.wasm");
    let path = root().join(&file);
    assert!(path.exists(), "{file} is missing: run `cargo xtask guests` first");
    path
}

/// Returns a pool of two workers for the text of a module, which leaves nothing in the user's
/// cache.
pub(crate) fn pool(wat: &str) -> Builder {
    Pool::from_bytes(wat).workers(2).cache(false)
}

/// Returns a pool of two workers for a task of an example guest.
pub(crate) fn guest_pool(name: &str, task: &str) -> Builder {
    Pool::builder(guest(name)).task(task).workers(2)
}

/// Returns pools that square numbers, and how many jobs are in a batch of each.
pub(crate) fn squaring_pools() -> impl Iterator<Item = (Option<u16>, Pool)> {
    [None, Some(1), Some(20), Some(100)].into_iter().map(|batch| {
        let pool = guest_pool("square", "square").config(|config, _| config.batch_jobs_max = batch);
        (batch, pool.start().unwrap())
    })
}

/// Returns a runtime of one thread, and one of two.
pub(crate) fn runtimes() -> [tokio::runtime::Runtime; 2] {
    [
        tokio::runtime::Builder::new_current_thread().build().unwrap(),
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap(),
    ]
}

/// Returns the squares of 0, 1, 2 and so on.
pub(crate) fn squares(count: i64) -> Vec<i64> {
    (0..count).map(|n| n * n).collect()
}

/// Returns the failure of a job that failed.
#[track_caller]
pub(crate) fn failure<T: std::fmt::Debug>(result: Result<T, Error>) -> Failure {
    match result {
        Err(Error::Job(failure)) => failure,
        other => panic!("not a failed job: {other:?}"),
    }
}
