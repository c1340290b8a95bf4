//! Locks, semaphores, conditions, events and barriers between threads of the host. The tests mirror
//! those of Python's `_test_multiprocessing`, with these differences on purpose:
//! - A guard releases its lock, so the lock cannot be released too often, or by another thread.
//! - A thread that ends while it holds something counts as dead, and the next holder is told.

use crate::common::{until, watchdog};
use std::mem::forget;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread::scope;
use std::time::Duration;
use wpool::{Barrier, Condition, Event, Lock, Permits, Semaphore, Shared, SharedError};

const SOON: Duration = Duration::from_millis(5);

fn shared() -> Shared {
    Shared::builder().shared_bytes(16 << 20).region_bytes(1 << 20).build().unwrap()
}

/// Runs a function in its own thread, and waits until the thread has ended.
fn elsewhere<T: Send>(f: impl FnOnce() -> T + Send) -> T {
    scope(|scope| scope.spawn(f).join().unwrap())
}

#[test]
fn a_lock_is_held_by_one_thread() {
    let _watchdog = watchdog(60);
    let lock = Lock::create(&shared(), "lock").unwrap();
    let guard = lock.lock().unwrap();
    assert!(!guard.owner_died());
    assert_eq!(elsewhere(|| lock.try_lock().err()), Some(SharedError::TimedOut));
    assert_eq!(elsewhere(|| lock.lock_timeout(SOON).err()), Some(SharedError::TimedOut));
    // A lock that waits for its own holder is an error, or waits in vain if there is a limit.
    assert_eq!(lock.lock().err(), Some(SharedError::AlreadyOwner));
    assert_eq!(lock.lock_timeout(SOON).err(), Some(SharedError::TimedOut));
    guard.release().unwrap();
    assert!(elsewhere(|| lock.try_lock().is_ok()));
    drop(lock.lock_timeout(SOON).unwrap());
}

#[test]
fn a_recursive_lock_is_released_as_often_as_it_was_acquired() {
    let _watchdog = watchdog(60);
    let lock = Lock::create_recursive(&shared(), "lock").unwrap();
    let mut guards: Vec<_> = (0..3).map(|_| lock.lock().unwrap()).collect();
    while guards.pop().is_some() {
        let free = elsewhere(|| lock.try_lock().is_ok());
        assert_eq!(free, guards.is_empty(), "{} are left", guards.len());
    }
}

#[test]
fn a_count_that_threads_change_under_a_lock_is_exact() {
    let _watchdog = watchdog(60);
    let lock = Lock::create(&shared(), "lock").unwrap();
    let count = AtomicUsize::new(0);
    scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..2000 {
                    let _held = lock.lock().unwrap();
                    count.store(count.load(SeqCst) + 1, SeqCst);
                }
            });
        }
    });
    assert_eq!(count.into_inner(), 16_000);
}

#[test]
fn the_lock_of_a_thread_that_ended_is_free_and_the_next_owner_is_told() {
    let _watchdog = watchdog(60);
    let shared = shared();
    let lock = Lock::create(&shared, "lock").unwrap();
    elsewhere(|| forget(lock.lock().unwrap()));
    // A holder that dies before it says that all is well leaves that to the next one.
    elsewhere(|| {
        let guard = lock.lock().unwrap();
        assert!(guard.owner_died() && guard.culprit().is_some());
        forget(guard);
    });
    elsewhere(|| {
        let mut guard = lock.lock().unwrap();
        assert!(guard.owner_died());
        guard.mark_consistent().unwrap();
        assert!(!guard.owner_died());
    });
    let guard = lock.lock().unwrap();
    assert_eq!((guard.owner_died(), guard.culprit()), (false, None));
    assert_eq!(shared.check(), Vec::<String>::new());
}

#[test]
fn a_thread_that_waits_gets_the_lock_of_one_that_ends() {
    let _watchdog = watchdog(60);
    let lock = Lock::create(&shared(), "lock").unwrap();
    for _ in 0..20 {
        let held = AtomicUsize::new(0);
        scope(|scope| {
            let holder = scope.spawn(|| {
                forget(lock.lock().unwrap());
                held.store(1, SeqCst);
            });
            until(|| held.load(SeqCst) == 1);
            assert!(lock.lock().unwrap().owner_died());
            holder.join().unwrap();
        });
    }
}

#[test]
fn a_semaphore_counts_down_and_up_and_beyond_its_start() {
    let _watchdog = watchdog(60);
    for permits in [Permits::signal(2), Permits::owned(2)] {
        let semaphore = Semaphore::create(&shared(), "s", permits).unwrap();
        for left in [1, 0] {
            semaphore.acquire().unwrap().forget();
            assert_eq!(semaphore.count(), Ok(left));
        }
        assert_eq!(semaphore.try_acquire().err(), Some(SharedError::TimedOut));
        assert_eq!(semaphore.acquire_timeout(SOON).err(), Some(SharedError::TimedOut));
        for count in [1, 2, 3, 4] {
            semaphore.release().unwrap();
            assert_eq!(semaphore.count(), Ok(count));
        }
        drop(semaphore.acquire().unwrap());
        assert_eq!(semaphore.count(), Ok(4), "a permit is released by its drop");
    }
}

#[test]
fn a_bounded_semaphore_has_never_more_permits_than_at_its_start() {
    let _watchdog = watchdog(60);
    for permits in [Permits::signal(1).bounded(), Permits::owned(1).bounded()] {
        let semaphore = Semaphore::create(&shared(), "s", permits).unwrap();
        assert_eq!(semaphore.release(), Err(SharedError::TooMany));
        semaphore.acquire().unwrap().forget();
        semaphore.release().unwrap();
        assert_eq!(semaphore.release(), Err(SharedError::TooMany));
    }
}

#[test]
fn owned_permits_of_a_thread_that_ended_are_restored_and_told_of_once() {
    let _watchdog = watchdog(60);
    let shared = shared();
    let semaphore = Semaphore::create(&shared, "s", Permits::owned(3)).unwrap();
    elsewhere(|| (0..3).for_each(|_| semaphore.acquire().unwrap().forget()));
    assert_eq!(semaphore.count(), Ok(3));
    let permit = semaphore.acquire().unwrap();
    assert_eq!((permit.restored(), permit.culprit().is_some()), (3, true));
    assert_eq!(semaphore.acquire().unwrap().restored(), 0);
    let signals = Semaphore::create(&shared, "signals", Permits::signal(3)).unwrap();
    elsewhere(|| signals.acquire().unwrap().forget());
    assert_eq!(signals.count(), Ok(2), "a signal belongs to nobody");
}

#[test]
fn a_notification_wakes_as_many_as_it_says() {
    let _watchdog = watchdog(60);
    let state = shared();
    let condition = Condition::create(&state, "condition").unwrap();
    let woken = AtomicUsize::new(0);
    let waiting = || state.show("condition").unwrap()["waiting"].as_u64().unwrap();
    scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                drop(condition.lock().unwrap().wait().unwrap());
                woken.fetch_add(1, SeqCst);
            });
        }
        until(|| waiting() == 6);
        assert_eq!(condition.lock().unwrap().notify_one(), Ok(true));
        until(|| woken.load(SeqCst) == 1);
        assert_eq!(condition.lock().unwrap().notify(2), Ok(2));
        until(|| woken.load(SeqCst) == 3);
        assert_eq!(waiting(), 3);
        assert_eq!(condition.lock().unwrap().notify_all(), Ok(3));
    });
    assert_eq!(woken.into_inner(), 6);
    assert_eq!(condition.lock().unwrap().notify(3), Ok(0), "nobody waits");
    assert_eq!(state.check(), Vec::<String>::new());
}

#[test]
fn a_wait_ends_when_its_time_is_over_with_the_lock_held_again() {
    let _watchdog = watchdog(60);
    let condition = Condition::create(&shared(), "condition").unwrap();
    let guard = condition.lock().unwrap();
    let inner = condition.lock().unwrap();
    let (inner, notified) = inner.wait_timeout(SOON).unwrap();
    assert!(!notified);
    let (inner, done) = inner.wait_timeout_while(SOON, || true).unwrap();
    assert!(!done);
    drop(inner);
    assert!(elsewhere(|| condition.try_lock().is_err()), "it is held as often as before");
    drop(guard);
    assert!(elsewhere(|| condition.try_lock().is_ok()));
}

#[test]
fn a_condition_can_have_a_lock_that_is_there() {
    let _watchdog = watchdog(60);
    let state = shared();
    let lock = Lock::create(&state, "lock").unwrap();
    let full = Condition::create_with(&state, "full", &lock).unwrap();
    let empty = Condition::create_with(&state, "empty", &lock).unwrap();
    let stranger = Condition::create_with(&shared(), "stranger", &lock);
    assert!(matches!(stranger, Err(SharedError::NotFound { .. })), "a lock of another state");
    let stock = AtomicUsize::new(0);
    let held = lock.lock().unwrap();
    assert!(elsewhere(|| full.try_lock().is_err() && empty.try_lock().is_err()));
    drop(held);
    scope(|scope| {
        scope.spawn(|| {
            for _ in 0..500 {
                let held = empty.lock().unwrap().wait_while(|| stock.load(SeqCst) == 3).unwrap();
                stock.fetch_add(1, SeqCst);
                drop(held);
                full.lock().unwrap().notify_one().unwrap();
            }
        });
        for _ in 0..500 {
            let held = full.lock().unwrap().wait_while(|| stock.load(SeqCst) == 0).unwrap();
            stock.fetch_sub(1, SeqCst);
            drop(held);
            empty.lock().unwrap().notify_one().unwrap();
        }
    });
    assert_eq!(stock.into_inner(), 0);
}

#[test]
fn an_event_lets_all_go_that_wait_for_it() {
    let _watchdog = watchdog(60);
    let event = Event::create(&shared(), "event").unwrap();
    assert_eq!(event.is_set(), Ok(false));
    assert_eq!(event.wait_timeout(Duration::ZERO), Err(SharedError::TimedOut));
    assert_eq!(event.wait_timeout(SOON), Err(SharedError::TimedOut));
    scope(|scope| {
        let waiting: Vec<_> = (0..8).map(|_| scope.spawn(|| event.wait())).collect();
        event.set().unwrap();
        assert!(waiting.into_iter().all(|thread| thread.join().unwrap() == Ok(())));
    });
    assert_eq!((event.wait(), event.wait_timeout(Duration::ZERO)), (Ok(()), Ok(())));
    event.clear().unwrap();
    assert_eq!(event.wait_timeout(SOON), Err(SharedError::TimedOut));
}

#[test]
fn the_parties_of_a_barrier_go_on_together_again_and_again() {
    let _watchdog = watchdog(60);
    let barrier = Barrier::create(&shared(), "barrier", 5).unwrap();
    let arrived = AtomicUsize::new(0);
    let indices = scope(|scope| {
        let party = || {
            scope.spawn(|| {
                let round = |round: usize| {
                    arrived.fetch_add(1, SeqCst);
                    let index = barrier.wait().unwrap();
                    assert!(arrived.load(SeqCst) >= 5 * (round + 1), "all came first");
                    index
                };
                (0..100).map(round).collect::<Vec<_>>()
            })
        };
        let parties: Vec<_> = (0..5).map(|_| party()).collect();
        parties.into_iter().map(|party| party.join().unwrap()).collect::<Vec<_>>()
    });
    for round in 0..100 {
        let mut indices: Vec<_> = indices.iter().map(|party| party[round]).collect();
        indices.sort_unstable();
        assert_eq!(indices, [0, 1, 2, 3, 4], "round {round}");
    }
    assert_eq!((barrier.waiting(), barrier.is_broken()), (Ok(0), Ok(false)));
    let alone = Barrier::create(&shared(), "alone", 1).unwrap();
    assert_eq!(alone.wait(), Ok(0), "a barrier for one never blocks");
}

#[test]
fn a_barrier_is_broken_by_an_abort_a_reset_or_a_party_that_waits_no_longer() {
    let _watchdog = watchdog(60);
    let barrier = Barrier::create(&shared(), "barrier", 5).unwrap();
    type End = (&'static str, fn(&Barrier));
    let ends: [End; 3] = [
        ("abort", |barrier| barrier.abort().unwrap()),
        ("reset", |barrier| barrier.reset().unwrap()),
        ("time", |barrier| {
            assert_eq!(barrier.wait_timeout(Duration::ZERO), Err(SharedError::TimedOut));
        }),
    ];
    for (how, end) in ends {
        scope(|scope| {
            let others: Vec<_> = (0..3).map(|_| scope.spawn(|| barrier.wait())).collect();
            until(|| barrier.waiting() == Ok(3));
            end(&barrier);
            for other in others {
                let broken = other.join().unwrap();
                assert!(matches!(broken, Err(SharedError::Broken { culprit: Some(_) })), "{how}");
            }
        });
        assert_eq!(barrier.is_broken(), Ok(how != "reset"));
        barrier.reset().unwrap();
        // The barrier is as good as new.
        scope(|scope| {
            (0..4).for_each(|_| drop(scope.spawn(|| barrier.wait().unwrap())));
            barrier.wait().unwrap();
        });
    }
}
