//! Shared state between a program and the workers of its pools.

use crate::common::processes::{kill, parent, wait_for_end};
use crate::common::tasks::tasks;
use crate::common::{failure, guest_pool, pool, until, watchdog};
use serde_json::{Value as Json, json};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread::{self, scope};
use wpool::{
    Array, Barrier, Builder, Capacity, Condition, Error, Event, FailureKind, Isolation, Lock,
    Permits, Pool, Queue, Region, Semaphore, Shared, SharedError, Value,
};

const ISOLATIONS: [Isolation; 3] = [Isolation::Reuse, Isolation::Fresh, Isolation::Process];

/// Makes state with room for what these tests need.
fn state() -> Shared {
    Shared::builder().shared_bytes(16 << 20).region_bytes(1 << 20).build().unwrap()
}

/// Returns a pool of two workers for one of the tasks.
fn sharing(shared: &Shared, task: &str) -> Builder {
    pool(&tasks()).task(task).shared(shared)
}

#[track_caller]
fn assert_sound(shared: &Shared) {
    assert_eq!(shared.check(), Vec::<String>::new());
}

/// Returns the process id that a job reports before it goes on for ever, once there is one.
fn running(shared: &Shared) -> i32 {
    let process = Value::<i64>::open(shared, "p").unwrap();
    until(|| process.get().unwrap() != 0);
    process.swap(0).unwrap() as i32
}

/// Makes the value through which such jobs report.
fn with_process(shared: &Shared) {
    Value::create(shared, "p", 0_i64).unwrap();
}

#[test]
fn numbers_go_through_queues_there_and_back() {
    let _watchdog = watchdog(60);
    for isolation in ISOLATIONS {
        let shared = state();
        let there = Queue::<i64>::create(&shared, "q", Capacity::messages(10)).unwrap();
        let back = Queue::<i64>::create(&shared, "r", Capacity::messages(10)).unwrap();
        let pool = sharing(&shared, "double").isolation(isolation).start().unwrap();
        let mut jobs = pool.map_async::<_, i64>(0..300).unwrap();
        let mut doubles = scope(|scope| {
            scope.spawn(|| (0..300).for_each(|n| there.put(&n).unwrap()));
            (0..300).map(|_| back.get().unwrap()).collect::<Vec<_>>()
        });
        assert!(doubles.iter().all(|message| !message.redelivered));
        doubles.sort_by_key(|message| message.value);
        assert!(doubles.iter().map(|message| message.value).eq((0..600).step_by(2)));
        let mut taken = jobs.get(None).unwrap();
        taken.sort_unstable();
        assert!(taken.into_iter().eq(0..300), "{isolation:?}: each job had a message of its own");
        drop(pool);
        assert_eq!((there.len(), back.len()), (Ok(0), Ok(0)));
        assert_sound(&shared);
    }
}

#[test]
fn a_count_that_pools_of_different_modules_and_threads_change_is_exact() {
    let _watchdog = watchdog(60);
    let shared = state();
    let lock = Lock::create(&shared, "l").unwrap();
    let value = Value::create(&shared, "v", 0_i64).unwrap();
    let one = sharing(&shared, "locked").start().unwrap();
    let other = r#"(module
        (import "wpool" "lock_open" (func $lock_open (param i32 i32) (result i32)))
        (import "wpool" "lock_acquire" (func $acquire (param i32 i64) (result i32)))
        (import "wpool" "lock_release" (func $release (param i32) (result i32)))
        (import "wpool" "value_open" (func $value_open (param i32 i32) (result i32)))
        (import "wpool" "value_get" (func $get (param i32) (result i64)))
        (import "wpool" "value_set" (func $set (param i32 i64)))
        (memory (export "memory") 1)
        (data (i32.const 0) "lv")
        (func (export "add") (param $n i64) (result i64)
            (local $lock i32) (local $value i32)
            (local.set $lock (call $lock_open (i32.const 0) (i32.const 1)))
            (local.set $value (call $value_open (i32.const 1) (i32.const 1)))
            (drop (call $acquire (local.get $lock) (i64.const -1)))
            (call $set (local.get $value) (i64.add (call $get (local.get $value)) (local.get $n)))
            (drop (call $release (local.get $lock)))
            (call $get (local.get $value))))"#;
    let two = pool(other).shared(&shared).isolation(Isolation::Fresh).start().unwrap();
    let mut ones = one.map_async::<_, i32>([1000; 20]).unwrap();
    let mut twos = two.map_async::<_, i64>([1_000_000; 200]).unwrap();
    scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..1000 {
                    let _held = lock.lock().unwrap();
                    value.set(value.get().unwrap() + 1_000_000_000).unwrap();
                }
            });
        }
    });
    ones.get(None).unwrap();
    twos.get(None).unwrap();
    assert_eq!(value.get(), Ok(3000 * 1_000_000_000 + 200 * 1_000_000 + 20_000));
    assert_eq!(shared.show("l").unwrap()["owner-died"], false);
}

#[test]
fn the_lock_of_a_worker_that_was_killed_comes_to_a_thread_that_is_told() {
    let _watchdog = watchdog(120);
    for isolation in ISOLATIONS {
        let shared = state();
        with_process(&shared);
        let lock = Lock::create(&shared, "l").unwrap();
        let pool = sharing(&shared, "hold").isolation(isolation).workers(1).start().unwrap();
        for round in 0..5 {
            let mut job = pool.apply_async::<_, i32>(0).unwrap();
            let process = running(&shared);
            assert_eq!(lock.try_lock().err(), Some(SharedError::TimedOut));
            let victim = match isolation {
                // The worker is killed; the process of the job dies with it, in its own time.
                Isolation::Process if round % 2 == 0 => parent(process),
                _ => process,
            };
            let guard = scope(|scope| {
                let waiting = scope.spawn(|| lock.lock().unwrap().owner_died());
                kill(victim);
                waiting.join().unwrap()
            });
            assert!(guard, "{isolation:?}, round {round}");
            assert_eq!(failure(job.get(None)).kind, FailureKind::WorkerLost);
            let guard = lock.lock().unwrap();
            assert!(!guard.owner_died(), "a release says that all is well");
        }
        drop(pool);
        assert_sound(&shared);
    }
}

#[test]
fn what_a_killed_zygote_takes_along_is_free_again() {
    let _watchdog = watchdog(60);
    let shared = state();
    with_process(&shared);
    let lock = Lock::create(&shared, "l").unwrap();
    let pool = sharing(&shared, "hold").workers(1).start().unwrap();
    let mut job = pool.apply_async::<_, i32>(0).unwrap();
    kill(parent(running(&shared)));
    assert!(lock.lock().unwrap().owner_died());
    assert_eq!(failure(job.get(None)).kind, FailureKind::WorkerLost);
    // The pool goes on, and so does sharing.
    let mut job = pool.apply_async::<_, i32>(0).unwrap();
    let process = running(&shared);
    pool.terminate();
    pool.join();
    wait_for_end(process);
    assert!(job.get(None).is_err());
    assert!(lock.try_lock().unwrap().owner_died(), "a joined pool holds nothing");
    assert_sound(&shared);
}

#[test]
fn a_permit_of_a_worker_that_was_killed_is_restored_and_told_of_once() {
    let _watchdog = watchdog(60);
    let shared = state();
    with_process(&shared);
    let semaphore = Semaphore::create(&shared, "s", Permits::owned(1)).unwrap();
    let pool = sharing(&shared, "take").start().unwrap();
    let mut job = pool.apply_async::<_, i32>(0).unwrap();
    kill(running(&shared));
    let permit = semaphore.acquire().unwrap();
    assert_eq!((permit.restored(), permit.culprit().is_some()), (1, true));
    drop(permit);
    assert_eq!(semaphore.acquire().unwrap().restored(), 0);
    assert!(job.get(None).is_err());
}

#[test]
fn a_message_that_a_killed_worker_had_comes_again_and_says_so() {
    let _watchdog = watchdog(60);
    let shared = state();
    with_process(&shared);
    let queue = Queue::<String>::create(&shared, "q", Capacity::messages(10)).unwrap();
    ["one", "two"].iter().for_each(|word| queue.put(&(*word).into()).unwrap());
    let pool = sharing(&shared, "fetch").start().unwrap();
    let mut job = pool.apply_async::<_, i32>(0).unwrap();
    let process = running(&shared);
    assert_eq!(queue.peek().unwrap(), ["two"]);
    kill(process);
    assert!(job.get(None).is_err());
    let got: Vec<_> = (0..2).map(|_| queue.get().unwrap()).collect();
    assert_eq!((got[0].value.as_str(), got[0].redelivered), ("one", true));
    assert_eq!((got[1].value.as_str(), got[1].redelivered), ("two", false));
}

#[test]
fn a_barrier_is_for_workers_and_threads_and_breaks_when_a_worker_dies() {
    let _watchdog = watchdog(60);
    let shared = state();
    let barrier = Barrier::create(&shared, "b", 3).unwrap();
    let pool = sharing(&shared, "meet").start().unwrap();
    for _ in 0..50 {
        let mut jobs = pool.map_async::<_, u32>([0, 1]).unwrap();
        let mut indices = vec![barrier.wait().unwrap()];
        indices.extend(jobs.get(None).unwrap());
        indices.sort_unstable();
        assert_eq!(indices, [0, 1, 2]);
    }
    // A worker comes, and is killed with its pool.
    let _job = pool.apply_async::<_, i32>(0).unwrap();
    until(|| barrier.waiting() == Ok(1));
    scope(|scope| {
        let waiting = scope.spawn(|| barrier.wait());
        until(|| barrier.waiting() == Ok(2));
        pool.terminate();
        let broken = waiting.join().unwrap();
        assert!(matches!(broken, Err(SharedError::Broken { culprit: Some(_) })), "{broken:?}");
    });
    barrier.reset().unwrap();
    assert_eq!((barrier.waiting(), barrier.is_broken()), (Ok(0), Ok(false)));
}

#[test]
fn events_and_notifications_cross_over() {
    let _watchdog = watchdog(60);
    let shared = state();
    let event = Event::create(&shared, "e").unwrap();
    let waiting = sharing(&shared, "wait").start().unwrap();
    let mut jobs = waiting.map_async::<_, i32>([0, 1]).unwrap();
    assert!(!jobs.is_ready());
    event.set().unwrap();
    assert_eq!(jobs.get(None), Ok(vec![0, 0]));

    let condition = Condition::create(&shared, "c").unwrap();
    let asleep = |count| until(|| shared.show("c").unwrap()["waiting"] == count);
    let sleeping = sharing(&shared, "sleep").start().unwrap();
    let mut jobs = sleeping.map_async::<_, i32>([0, 1]).unwrap();
    asleep(2);
    assert_eq!(condition.lock().unwrap().notify_one(), Ok(true));
    asleep(1);
    assert_eq!(condition.lock().unwrap().notify_all(), Ok(1));
    assert_eq!(jobs.get(None), Ok(vec![0, 0]));

    let waking = sharing(&shared, "wake").start().unwrap();
    scope(|scope| {
        let thread = scope.spawn(|| drop(condition.lock().unwrap().wait().unwrap()));
        asleep(1);
        assert_eq!(waking.apply(0), Ok(1));
        thread.join().unwrap();
    });
    assert_sound(&shared);
}

#[test]
fn what_workers_write_is_seen_here_and_the_other_way_round() {
    let _watchdog = watchdog(60);
    let shared = state();
    let array = Array::<i64>::create(&shared, "a", 1000).unwrap();
    array.write(0, &(0..1000).collect::<Vec<_>>()).unwrap();
    let pool = sharing(&shared, "sums").start().unwrap();
    assert_eq!(pool.apply(0), Ok(1000));
    let sums: Vec<i64> = (0..1000).map(|n| n * (n + 1) / 2).collect();
    assert_eq!(array.to_vec(), Ok(sums));
}

#[test]
fn the_bytes_of_a_region_are_seen_on_both_sides() {
    let _watchdog = watchdog(60);
    let shared = state();
    let region = Region::create(&shared, "r", 100).unwrap();
    Region::create_read_only(&shared, "fixed", 5, &b"fixed"[..]).unwrap();
    let pool = guest_pool("script", "script").shared(&shared).start().unwrap();
    let script = |steps: &[&str]| pool.apply::<_, Json>(steps).unwrap();
    region.write(10, b"hello").unwrap();
    assert_eq!(script(&["region r read 10 5", "region r write 20 there"]), json!(["hello", true]));
    let mut bytes = [0; 5];
    region.read(20, &mut bytes).unwrap();
    assert_eq!(&bytes, b"there");
    assert_eq!(
        script(&["region fixed read 0 5", "region fixed write 0 x"]),
        json!(["fixed", {"error": "read-only"}])
    );
    // A region that a guest makes outlives the guest, and is found here.
    assert_eq!(script(&["region made create 10", "region made write 0 made"]), json!([true, true]));
    drop(pool);
    let made = Region::open(&shared, "made").unwrap();
    assert_eq!(made.size(), 10);
    made.delete().unwrap();
    assert_eq!(shared.show("r").unwrap()["text"], "\0".repeat(10) + "hello\0\0\0\0\0there");
    assert_sound(&shared);
}

#[test]
fn state_outlives_its_pools_and_pools_their_state() {
    let _watchdog = watchdog(120);
    let shared = state();
    let value = Value::create(&shared, "v", 0_i64).unwrap();
    // The pools are more than there are places, one after the other.
    for round in 1..=70 {
        let pool = sharing(&shared, "atomic").workers(1).start().unwrap();
        assert_eq!(pool.apply(10), Ok(0));
        assert_eq!(value.get(), Ok(round * 10));
    }
    assert_sound(&shared);
    let pool = sharing(&shared, "atomic").start().unwrap();
    drop(shared);
    assert_eq!(pool.apply(10), Ok(0));
    assert_eq!(value.get(), Ok(710));
    let shared = pool.shared().unwrap().clone();
    drop((pool, value));
    assert_eq!(shared.show("v").unwrap(), 710);
}

#[test]
fn a_module_that_uses_objects_has_state_of_its_own_if_it_is_given_none() {
    let _watchdog = watchdog(60);
    let plain = pool(crate::common::HALF).start().unwrap();
    assert!(plain.shared().is_none());
    let pools: Vec<Pool> = (0..2).map(|_| pool(&tasks()).task("atomic").start().unwrap()).collect();
    let values: Vec<Value<i64>> =
        pools.iter().map(|pool| Value::create(pool.shared().unwrap(), "v", 0).unwrap()).collect();
    assert_eq!(pools[0].apply(7), Ok(0));
    assert_eq!((values[0].get(), values[1].get()), (Ok(7), Ok(0)));
    // A module that uses no shared state can be given some, in vain.
    let shared = state();
    let plain = pool(crate::common::HALF).shared(&shared).start().unwrap();
    assert_eq!(plain.apply(8), Ok(4));
}

#[test]
fn a_pool_ends_though_its_guests_wait_for_ever() {
    let _watchdog = watchdog(60);
    let shared = state();
    Event::create(&shared, "e").unwrap();
    let pool = sharing(&shared, "wait").start().unwrap();
    let mut jobs = pool.map_async::<_, i32>([0, 1, 2]).unwrap();
    pool.terminate();
    pool.join();
    assert_eq!(jobs.get(None).unwrap_err().failures.len(), 3);
    assert_sound(&shared);
}

#[test]
fn a_pool_that_finds_no_place_says_so() {
    let _watchdog = watchdog(60);
    let shared = state();
    let event = Event::create(&shared, "e").unwrap();
    let full = Arc::new(std::sync::Barrier::new(64));
    let (end, told) = channel::<()>();
    let told = Arc::new(Mutex::new(told));
    let threads: Vec<_> = (0..63)
        .map(|_| {
            let (event, full, told) = (event.clone(), Arc::clone(&full), Arc::clone(&told));
            thread::spawn(move || {
                event.set().unwrap();
                full.wait();
                let _ = told.lock().unwrap().recv();
            })
        })
        .collect();
    full.wait();
    let refused = sharing(&shared, "wait").start().unwrap_err();
    let Error::Pool(message) = refused else { panic!("{refused:?}") };
    assert!(message.contains("no slot left for this pool"), "{message}");
    drop(end);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(sharing(&shared, "wait").start().unwrap().apply(0), Ok(0));
}
