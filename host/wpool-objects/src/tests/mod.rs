//! Tests of shared state: Python's semantics, deaths at every instruction, and hostile bytes.
//!
//! No test sleeps to wait for something: a test waits until control memory says that a slot waits.
//! Every test has a watchdog.

mod hostile;
mod kill;
mod kill_cases;
mod kill_collections;
mod kill_queue;
pub(crate) mod process;
mod semantics;
mod semantics_collections;
mod semantics_data;
mod semantics_queue;
mod soak;

use super::slots::Slot;
use super::*;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

const SECOND: Option<Duration> = Some(Duration::from_secs(1));
const NOW: Option<Duration> = Some(Duration::ZERO);
const SOON: Option<Duration> = Some(Duration::from_millis(5));

static GO_ON: AtomicU32 = AtomicU32::new(0);

/// A guard that aborts the test program if it is not dropped in time.
struct Watchdog {
    _alive: Sender<()>,
}

fn watchdog(seconds: u64) -> Watchdog {
    let (alive, gone) = channel();
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    std::thread::spawn(move || {
        if gone.recv_timeout(Duration::from_secs(seconds)) == Err(RecvTimeoutError::Timeout) {
            eprintln!("{name} did not end within {seconds} s");
            std::process::abort();
        }
    });
    Watchdog { _alive: alive }
}

/// Makes small memories with one caller, for the operations of the test itself.
fn world() -> (Arc<Shared>, Caller<'static>) {
    let space = Space { shared_bytes: 32 << 20, region_bytes: 1 << 20 };
    let shared = Arc::new(Shared::new(space).unwrap());
    let me = another(&shared);
    (shared, me)
}

/// Makes a further caller.
fn another(shared: &Shared) -> Caller<'static> {
    caller(shared.attach(Side::Worker).unwrap())
}

fn caller(owner: Owner) -> Caller<'static> {
    Caller { owner, stop: &GO_ON }
}

/// Waits until a slot stands in a line.
fn until_waiting(shared: &Shared, owner: Owner) {
    let slot = Slot::new(shared.memory(), owner.slot);
    let since = Instant::now();
    while !slot.waits().is_some_and(|wait| wait.is_queued()) {
        assert!(since.elapsed() < Duration::from_secs(10), "{owner} does not wait");
        std::thread::yield_now();
    }
}

#[track_caller]
fn assert_sound(shared: &Shared) {
    let wrong = shared.fsck();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
