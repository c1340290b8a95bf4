//! Shared state while processes are killed at random: no process hangs, no committed change is
//! lost, and every process that a death concerns is told.
//!
//! `cargo xtask soak` runs the long form, for as many seconds as `WPOOL_SOAK` says. The seed of the
//! random numbers is printed, and can be set by `WPOOL_TEST_SEED`.

use crate::alone;
use crate::common::dice::Dice;
use crate::common::{guest, processes, until, watchdog};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use wpool::{Array, Capacity, Lock, Pool, Queue, Shared, Value};

/// The largest number of messages in a round.
const MESSAGES_MAX: usize = 200_000;

/// The time of a round of the queue's soak. The rounds together take the requested time.
const ROUND: Duration = Duration::from_secs(20);

/// Returns the duration that was requested for the long form.
fn seconds() -> Option<u64> {
    std::env::var("WPOOL_SOAK").ok().map(|seconds| seconds.parse().expect("WPOOL_SOAK: seconds"))
}

/// Returns all workers of this program.
fn workers() -> Vec<i32> {
    processes::zygotes().into_iter().flat_map(processes::children).collect()
}

/// Kills a random worker, if there is one.
fn kill_one(dice: &mut Dice) -> bool {
    let workers = workers();
    if workers.is_empty() {
        return false;
    }
    let pid = nix::unistd::Pid::from_raw(workers[dice.below(workers.len())]);
    // The worker may have ended just now.
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).is_ok()
}

fn pool(task: &str, workers: usize, shared: &Shared) -> Pool {
    Pool::builder(guest("soak")).task(task).workers(workers).shared(shared).start().unwrap()
}

#[test]
fn a_locked_counter_holds_what_was_acknowledged_and_at_most_one_more_for_each_kill() {
    let _alone = alone();
    let lives = if seconds().is_some() { 500 } else { 60 };
    let _watchdog = watchdog(240);
    let mut dice = Dice::new(1);
    let shared = Shared::new().unwrap();
    let guard = Lock::create(&shared, "guard").unwrap();
    let [balance, _inside, deaths, told] = ["balance", "inside", "deaths", "told"]
        .map(|name| Value::<i64>::create(&shared, name, 0).unwrap());
    let pool = pool("increment", 8, &shared);
    let (mut kills, mut acknowledged, mut next) = (0, 0, 0);
    let ended = AtomicBool::new(false);
    // Each job holds the lock for 10 µs.
    let jobs = std::iter::from_fn(|| (!ended.load(Ordering::Relaxed)).then_some(10_u64));
    for (count, outcome) in pool.imap_unordered::<_, ()>(jobs).enumerate() {
        match outcome {
            Ok(()) => acknowledged += 1,
            Err(error) => {
                let error = error.to_string();
                assert!(error.contains("killed by SIGKILL"), "{error}");
            }
        }
        if count >= next && kills < lives && kill_one(&mut dice) {
            kills += 1;
            next = count + dice.below(100);
        }
        ended.store(kills == lives, Ordering::Relaxed);
    }
    drop(pool);
    let (counter, deaths, told) =
        (balance.get().unwrap(), deaths.get().unwrap(), told.get().unwrap());
    eprintln!(
        "{kills} kills: {acknowledged} increments acknowledged, the counter is {counter}; {deaths} \
         owners died inside, {told} deaths were told"
    );
    assert!(acknowledged <= counter && counter <= acknowledged + kills);
    assert!(deaths <= told && told <= kills, "each owner's death is told once");
    drop(guard.lock_timeout(Duration::from_secs(1)).expect("the lock is free"));
    assert_eq!(shared.check(), Vec::<String>::new());
}

/// The fate of the messages of a round.
#[derive(Debug, Default)]
struct Tally {
    kills: usize,
    put: usize,
    unacknowledged: usize,
    twice: usize,
    lost: Vec<usize>,
    unflagged: Vec<usize>,
}

impl Tally {
    fn add(&mut self, number: usize, put: u32, got: u32, again: u32) {
        self.put += put as usize;
        self.unacknowledged += usize::from(put == 0 && got > 0);
        self.twice += usize::from(got > 1);
        if got < put {
            self.lost.push(number);
        }
        if got > 1 + again {
            self.unflagged.push(number);
        }
    }
}

/// Runs two producers and two consumers, which are killed at random, until `time` is over or enough
/// messages were put.
fn round(dice: &mut Dice, time: Duration) -> Tally {
    let shared = Shared::new().unwrap();
    let next = Value::<i64>::create(&shared, "next", 0).unwrap();
    let [put, got, again] = ["put", "got", "again"]
        .map(|name| Array::<u32>::create(&shared, name, 2 * MESSAGES_MAX).unwrap());
    let capacity = Capacity::messages(64).bytes(16 << 10);
    let messages = Queue::<[u8]>::create(&shared, "messages", capacity).unwrap();
    let (producers, consumers) = (pool("produce", 2, &shared), pool("consume", 2, &shared));
    let (closing, produced) = (AtomicBool::new(false), AtomicBool::new(false));
    let start = Instant::now();
    let kills = std::thread::scope(|scope| {
        scope.spawn(|| {
            let more = || !closing.load(Ordering::Relaxed);
            let jobs = std::iter::from_fn(|| more().then_some(20_u64));
            producers.imap_unordered::<_, ()>(jobs).for_each(|outcome| expect_kill(outcome.err()));
            produced.store(true, Ordering::Release);
        });
        let consuming = scope.spawn(|| {
            let more = || !(produced.load(Ordering::Acquire) && messages.is_empty().unwrap());
            let jobs = std::iter::from_fn(|| more().then_some(50_u64));
            consumers.imap_unordered::<_, u64>(jobs).for_each(|outcome| expect_kill(outcome.err()));
        });
        let (mut kills, mut due) = (0, 0);
        until(|| {
            let count = next.get().unwrap() as usize;
            if count >= due && kill_one(dice) {
                kills += 1;
                due = count + dice.below(400);
            }
            let enough = count >= MESSAGES_MAX || start.elapsed() >= time;
            closing.fetch_or(enough, Ordering::Relaxed);
            enough
        });
        consuming.join().unwrap();
        kills
    });
    drop((producers, consumers));
    let mut tally = Tally { kills, ..Tally::default() };
    let [put, got, again] = [put, got, again].map(|array| array.to_vec().unwrap());
    for number in 0..put.len() {
        tally.add(number, put[number], got[number], again[number]);
    }
    // The messages on lease when the last consumers ended are in the queue again.
    let left: BTreeSet<usize> = std::iter::from_fn(|| messages.try_get().ok())
        .map(|message| u64::from_le_bytes(*message.value.first_chunk().unwrap()) as usize)
        .collect();
    tally.lost.retain(|number| !left.contains(number));
    assert_eq!(shared.check(), Vec::<String>::new());
    tally
}

fn expect_kill(error: Option<wpool::Error>) {
    if let Some(error) = error {
        let error = error.to_string();
        assert!(error.contains("killed by SIGKILL"), "{error}");
    }
}

#[test]
fn a_queue_loses_no_message_and_flags_each_that_comes_again() {
    let _alone = alone();
    let time = Duration::from_secs(seconds().unwrap_or(4));
    let _watchdog = watchdog(2 * time.as_secs() + 120);
    let mut dice = Dice::new(2);
    let (start, mut rounds, mut all) = (Instant::now(), 0, Tally::default());
    while start.elapsed() < time {
        let tally = round(&mut dice, ROUND.min(time));
        assert!(tally.lost.is_empty() && tally.unflagged.is_empty(), "{tally:?}");
        rounds += 1;
        all.kills += tally.kills;
        all.put += tally.put;
        all.unacknowledged += tally.unacknowledged;
        all.twice += tally.twice;
    }
    eprintln!(
        "{rounds} rounds, {} kills: {} messages put, none lost; {} delivered twice, all flagged; {} \
         more came of puts whose producer was killed before it knew",
        all.kills, all.put, all.twice, all.unacknowledged
    );
    assert!(all.kills > 0 && all.put > 0);
}
