//! Python's semantics of locks, semaphores, events, barriers and conditions.

use super::process::Child;
use super::*;
use std::thread::scope;

fn make(shared: &Shared, me: &Caller<'_>, spec: Spec) -> ObjectId {
    shared.create(me, &format!("{spec:?}"), &spec, 0).unwrap()
}

#[test]
fn a_lock_is_acquired_once_and_released_by_its_owner_only() {
    let _watchdog = watchdog(20);
    let (shared, me) = world();
    let other = another(&shared);
    let id = make(&shared, &me, Spec::Lock { recursive: false });
    let lock = shared.lock(id).unwrap();
    assert_eq!(lock.acquire(&me, None), Ok(Acquired::Clean));
    assert_eq!(lock.acquire(&me, NOW), Err(Error::TimedOut));
    assert_eq!(lock.acquire(&me, SOON), Err(Error::TimedOut));
    assert_eq!(lock.acquire(&me, None), Err(Error::AlreadyOwner));
    assert_eq!(lock.acquire(&other, NOW), Err(Error::TimedOut));
    assert_eq!(lock.release(&other), Err(Error::NotOwner));
    assert_eq!(lock.release(&me), Ok(()));
    assert_eq!(lock.release(&me), Err(Error::NotOwner));
    assert_sound(&shared);
}

#[test]
fn a_recursive_lock_is_released_as_often_as_it_was_acquired() {
    let (shared, me) = world();
    let other = another(&shared);
    let id = make(&shared, &me, Spec::Lock { recursive: true });
    let lock = shared.lock(id).unwrap();
    for _ in 0..3 {
        assert_eq!(lock.acquire(&me, None), Ok(Acquired::Clean));
    }
    for _ in 0..3 {
        assert_eq!(lock.acquire(&other, NOW), Err(Error::TimedOut));
        assert_eq!(lock.release(&me), Ok(()));
    }
    assert_eq!(lock.release(&me), Err(Error::NotOwner));
    assert_eq!(lock.acquire(&other, NOW), Ok(Acquired::Clean));
}

#[test]
fn a_dead_owners_lock_is_taken_by_the_next_who_is_told_until_the_data_is_consistent() {
    let _watchdog = watchdog(20);
    let (shared, me) = world();
    let id = make(&shared, &me, Spec::Lock { recursive: false });
    let lock = shared.lock(id).unwrap();
    let told = |owner| Ok(Acquired::OwnerDied { culprit: Some(owner) });
    let (first, second) = (another(&shared), another(&shared));
    lock.acquire(&first, None).unwrap();
    scope(|threads| {
        let waits = threads.spawn(|| shared.lock(id).unwrap().acquire(&second, None));
        until_waiting(&shared, second.owner);
        shared.release(&me, first.owner).unwrap();
        assert_eq!(waits.join().unwrap(), told(first.owner));
    });
    shared.release(&me, second.owner).unwrap();
    assert_eq!(lock.acquire(&me, NOW), told(second.owner), "told again");
    lock.mark_consistent(&me).unwrap();
    shared.discard(&me);
    assert_eq!(lock.acquire(&me, NOW), told(me.owner), "the discarded instance held it");
    assert_sound(&shared);
}

#[test]
fn counts_under_a_lock_are_exact_across_processes() {
    let _watchdog = watchdog(60);
    let (shared, me) = world();
    let lock = make(&shared, &me, Spec::Lock { recursive: false });
    let value = make(&shared, &me, Spec::Value { initial: Scalar::I64(0) });
    let work = |caller: Caller<'_>| {
        for _ in 0..20_000 {
            shared.lock(lock).unwrap().acquire(&caller, None).unwrap();
            let Scalar::I64(number) = shared.value(value).unwrap().get() else { panic!() };
            shared.value(value).unwrap().set(Scalar::I64(number + 1)).unwrap();
            shared.lock(lock).unwrap().release(&caller).unwrap();
        }
        0
    };
    let children: Vec<_> = (0..3)
        .map(|_| {
            let caller = another(&shared);
            Child::new(|| work(caller))
        })
        .collect();
    for child in children {
        assert_eq!(child.wait(Duration::from_secs(50)), Some(0));
    }
    assert_eq!(shared.value(value).unwrap().get(), Scalar::I64(60_000));
    assert_sound(&shared);
}

#[test]
fn one_that_dies_when_it_was_just_woken_takes_no_wake_up_with_it() {
    let _watchdog = watchdog(20);
    let (shared, me) = world();
    let id = make(&shared, &me, Spec::Lock { recursive: false });
    shared.lock(id).unwrap().acquire(&me, None).unwrap();
    let callers = [another(&shared), another(&shared)];
    let [first, second] = callers.map(|caller| {
        let shared = &shared;
        let child = Child::new(move || {
            i32::from(shared.lock(id).unwrap().acquire(&caller, None) != Ok(Acquired::Clean))
        });
        until_waiting(shared, caller.owner);
        child
    });
    first.freeze();
    shared.lock(id).unwrap().release(&me).unwrap();
    first.kill();
    shared.release(&me, callers[0].owner).unwrap();
    assert_eq!(second.wait(Duration::from_secs(1)), Some(0));
}

#[test]
fn a_stop_flag_ends_a_wait() {
    let _watchdog = watchdog(20);
    let (shared, me) = world();
    let id = make(&shared, &me, Spec::Lock { recursive: false });
    shared.lock(id).unwrap().acquire(&me, None).unwrap();
    let stop = AtomicU32::new(0);
    let other = Caller { stop: &stop, ..another(&shared) };
    let since = Instant::now();
    scope(|threads| {
        let waits = threads.spawn(|| shared.lock(id).unwrap().acquire(&other, None));
        until_waiting(&shared, other.owner);
        stop.store(1, std::sync::atomic::Ordering::Release);
        shared.interrupt(other.owner);
        assert_eq!(waits.join().unwrap(), Err(Error::Interrupted));
    });
    assert!(
        since.elapsed() < super::super::park::SLICE,
        "it was woken, and did not wake by itself"
    );
    assert_sound(&shared);
}

#[test]
fn semaphores_count() {
    let (shared, me) = world();
    for owned in [true, false] {
        let id = make(&shared, &me, Spec::Semaphore { initial: 2, owned, bounded: false });
        let semaphore = shared.semaphore(id).unwrap();
        assert_eq!(semaphore.acquire(&me, None), Ok(Permit::Clean));
        assert_eq!(semaphore.count(), 1);
        semaphore.acquire(&me, None).unwrap();
        assert_eq!(semaphore.acquire(&me, NOW), Err(Error::TimedOut));
        assert_eq!(semaphore.acquire(&me, SOON), Err(Error::TimedOut));
        for count in 1..=4 {
            semaphore.release(&me).unwrap();
            assert_eq!(semaphore.count(), count);
        }
        let id = make(&shared, &me, Spec::Semaphore { initial: 2, owned, bounded: true });
        let semaphore = shared.semaphore(id).unwrap();
        assert_eq!(semaphore.release(&me), Err(Error::TooMany));
        semaphore.acquire(&me, None).unwrap();
        semaphore.release(&me).unwrap();
        assert_eq!(semaphore.release(&me), Err(Error::TooMany));
        assert_eq!(semaphore.count(), 2);
    }
    assert_sound(&shared);
}

#[test]
fn a_dead_holders_permits_are_restored_and_told_once() {
    let (shared, me) = world();
    let dead = another(&shared);
    let id = make(&shared, &me, Spec::Semaphore { initial: 3, owned: true, bounded: true });
    let semaphore = shared.semaphore(id).unwrap();
    semaphore.acquire(&dead, None).unwrap();
    semaphore.acquire(&dead, None).unwrap();
    shared.release(&me, dead.owner).unwrap();
    assert_eq!(semaphore.count(), 3);
    let restored = Permit::Restored { permits: 2, culprit: Some(dead.owner) };
    assert_eq!(semaphore.acquire(&me, NOW), Ok(restored));
    assert_eq!(semaphore.acquire(&me, NOW), Ok(Permit::Clean));
    // The next life of the slot owes nothing.
    let heir = another(&shared);
    assert_eq!(heir.owner.slot, dead.owner.slot);
    shared.release(&me, dead.owner).unwrap();
    semaphore.acquire(&heir, NOW).unwrap();
    shared.release(&me, dead.owner).unwrap();
    assert_eq!(semaphore.count(), 0, "a second sweep of the dead takes nothing from the heir");
    assert_sound(&shared);
}

#[test]
fn an_event_lets_all_go_that_wait_when_it_is_set() {
    let _watchdog = watchdog(20);
    let (shared, me) = world();
    let id = make(&shared, &me, Spec::Event);
    let event = shared.event(id).unwrap();
    assert_eq!(event.wait(&me, NOW), Err(Error::TimedOut));
    assert_eq!(event.wait(&me, SOON), Err(Error::TimedOut));
    let others: Vec<_> = (0..4).map(|_| another(&shared)).collect();
    scope(|threads| {
        let waits: Vec<_> = others
            .iter()
            .map(|other| threads.spawn(|| shared.event(id).unwrap().wait(other, None)))
            .collect();
        others.iter().for_each(|other| until_waiting(&shared, other.owner));
        event.set(&me).unwrap();
        event.clear(&me).unwrap();
        waits.into_iter().for_each(|wait| assert_eq!(wait.join().unwrap(), Ok(())));
    });
    assert!(!event.is_set());
    event.set(&me).unwrap();
    assert_eq!(event.wait(&me, None), Ok(()));
    assert!(event.is_set());
    assert_sound(&shared);
}

#[test]
fn a_barrier_lets_all_parties_go_with_different_indices() {
    let _watchdog = watchdog(30);
    let (shared, me) = world();
    let id = make(&shared, &me, Spec::Barrier { parties: 4 });
    scope(|threads| {
        let parties: Vec<_> = (0..4)
            .map(|_| {
                let party = another(&shared);
                let shared = &shared;
                threads.spawn(move || {
                    let barrier = shared.barrier(id).unwrap();
                    (0..100).map(|_| barrier.wait(&party, None).unwrap()).collect::<Vec<_>>()
                })
            })
            .collect();
        let indices: Vec<_> = parties.into_iter().map(|party| party.join().unwrap()).collect();
        for turn in 0..100 {
            let mut all: Vec<_> = indices.iter().map(|indices| indices[turn]).collect();
            all.sort_unstable();
            assert_eq!(all, [0, 1, 2, 3]);
        }
    });
    let barrier = shared.barrier(id).unwrap();
    assert_eq!((barrier.waiting(), barrier.is_broken(), barrier.parties()), (0, false, 4));
    assert_sound(&shared);
}

#[test]
fn a_broken_barrier_tells_all_and_a_reset_one_works_again() {
    let _watchdog = watchdog(30);
    let (shared, me) = world();
    let id = make(&shared, &me, Spec::Barrier { parties: 3 });
    let barrier = shared.barrier(id).unwrap();
    let one = make(&shared, &me, Spec::Barrier { parties: 1 });
    assert_eq!(shared.barrier(one).unwrap().wait(&me, NOW), Ok(0), "one party never waits");
    let party = another(&shared);
    let breaks: [&dyn Fn() -> Error; 3] = [
        &|| {
            barrier.abort(&me).unwrap();
            barrier.wait(&me, None).unwrap_err()
        },
        &|| barrier.wait(&me, SOON).unwrap_err(),
        &|| {
            barrier.reset(&me).unwrap();
            Error::TimedOut
        },
    ];
    for cause in breaks {
        scope(|threads| {
            let waits = threads.spawn(|| shared.barrier(id).unwrap().wait(&party, None));
            until_waiting(&shared, party.owner);
            let told = Err(Error::Broken { culprit: Some(me.owner) });
            let error = cause();
            assert!(error == Error::TimedOut || Err(error) == told, "{error}");
            assert_eq!(waits.join().unwrap(), told);
        });
        barrier.reset(&me).unwrap();
        assert!(!barrier.is_broken());
    }
    assert_sound(&shared);
}

#[test]
fn a_notification_wakes_one_or_n_or_all() {
    let _watchdog = watchdog(30);
    let (shared, me) = world();
    let lock = make(&shared, &me, Spec::Lock { recursive: true });
    for lock in [None, Some(lock)] {
        let id = make(&shared, &me, Spec::Condition { lock });
        let condition = shared.condition(id).unwrap();
        assert_eq!(condition.notify(&me, 1), Err(Error::NotOwner));
        assert_eq!(condition.wait(&me, None), Err(Error::NotOwner));
        let others: Vec<_> = (0..6).map(|_| another(&shared)).collect();
        scope(|threads| {
            for other in &others {
                threads.spawn(|| {
                    let condition = shared.condition(id).unwrap();
                    condition.lock().acquire(other, None).unwrap();
                    condition.lock().acquire(other, None).unwrap();
                    let waited = condition.wait(other, None).unwrap();
                    assert_eq!(waited, Waited { notified: true, lock: Acquired::Clean });
                    condition.lock().release(other).unwrap();
                    condition.lock().release(other).unwrap();
                });
            }
            others.iter().for_each(|other| until_waiting(&shared, other.owner));
            condition.lock().acquire(&me, None).unwrap();
            assert_eq!(condition.notify(&me, 1), Ok(1));
            assert_eq!(condition.notify(&me, 2), Ok(2));
            assert_eq!(condition.notify_all(&me), Ok(3));
            assert_eq!(condition.notify(&me, 3), Ok(0));
            condition.lock().release(&me).unwrap();
        });
        condition.lock().acquire(&me, None).unwrap();
        assert!(!condition.wait(&me, SOON).unwrap().notified);
        condition.lock().release(&me).unwrap();
    }
    assert_sound(&shared);
}

#[test]
fn a_dead_waiters_notification_passes_on() {
    let _watchdog = watchdog(20);
    let (shared, me) = world();
    let id = make(&shared, &me, Spec::Condition { lock: None });
    let (dies, lives) = (another(&shared), another(&shared));
    let wait = |caller: Caller<'static>| {
        let condition = shared.condition(id).unwrap();
        condition.lock().acquire(&caller, None).unwrap();
        i32::from(!condition.wait(&caller, None).unwrap().notified)
    };
    let first = Child::new(|| wait(dies));
    until_waiting(&shared, dies.owner);
    let second = Child::new(|| wait(lives));
    until_waiting(&shared, lives.owner);
    let condition = shared.condition(id).unwrap();
    condition.lock().acquire(&me, None).unwrap();
    // The slot is chosen, wakes, and waits for the lock, which is not given back before the slot
    // dies.
    assert_eq!(condition.notify(&me, 1), Ok(1));
    until_waiting(&shared, dies.owner);
    first.kill();
    shared.release(&me, dies.owner).unwrap();
    condition.lock().release(&me).unwrap();
    assert_eq!(second.wait(Duration::from_secs(1)), Some(0));
}
