//! The operations in which victims are killed, with the checks that follow: locks, semaphores,
//! events, barriers, conditions.

use super::kill::{Case, Stage};
use super::*;

fn lock(stage: &Stage) -> Lock<'_> {
    stage.shared.lock(stage.id()).unwrap()
}

/// Checks that the next owner is told if the victim was inside, and that the one after it is not.
fn check_lock(stage: &mut Stage) {
    let acquired = lock(stage).acquire(&stage.me, SECOND).unwrap();
    let died = Acquired::OwnerDied { culprit: Some(stage.victim.owner) };
    match stage.progress() {
        1 => assert!(acquired == died, "inside"),
        2 => assert_eq!(acquired, Acquired::Clean),
        _ => {}
    }
    lock(stage).release(&stage.me).unwrap();
    assert_eq!(lock(stage).acquire(&stage.me, SECOND), Ok(Acquired::Clean));
    lock(stage).release(&stage.me).unwrap();
}

fn acquire_in_line(stage: &mut Stage) {
    stage.wait_in_line(|stage| match lock(stage).acquire(&stage.waiter, None) {
        Ok(Acquired::Clean) => i32::from(lock(stage).release(&stage.waiter).is_err()),
        Ok(Acquired::OwnerDied { .. }) => {
            10 + i32::from(lock(stage).release(&stage.waiter).is_err())
        }
        Err(_) => 3,
    });
}

fn semaphore(stage: &Stage) -> Semaphore<'_> {
    stage.shared.semaphore(stage.id()).unwrap()
}

fn check_permits(stage: &mut Stage, permits: u64) {
    assert_eq!(semaphore(stage).count(), permits);
    for _ in 0..permits {
        semaphore(stage).acquire(&stage.me, SECOND).unwrap();
    }
    assert_eq!(semaphore(stage).acquire(&stage.me, NOW), Err(Error::TimedOut));
    for _ in 0..permits {
        semaphore(stage).release(&stage.me).unwrap();
    }
}

fn barrier(stage: &Stage) -> Barrier<'_> {
    stage.shared.barrier(stage.id()).unwrap()
}

fn condition(stage: &Stage) -> Condition<'_> {
    stage.shared.condition(stage.id()).unwrap()
}

fn notified(stage: &Stage, caller: &Caller<'_>) -> i32 {
    condition(stage).lock().acquire(caller, None).unwrap();
    match condition(stage).wait(caller, None) {
        Ok(Waited { notified: true, .. }) => {
            condition(stage).lock().release(caller).unwrap();
            0
        }
        _ => 1,
    }
}

/// Notifies once and finds that the waiter was notified.
fn notify(stage: &Stage) {
    condition(stage).lock().acquire(&stage.me, SECOND).unwrap();
    condition(stage).notify(&stage.me, 1).unwrap();
    condition(stage).lock().release(&stage.me).unwrap();
}

pub(super) const CASES: &[Case] = &[
    Case {
        name: "lock: acquire and release, free",
        setup: |stage| _ = stage.make(Spec::Lock { recursive: false }),
        work: |stage| {
            lock(stage).acquire(&stage.victim, None).unwrap();
            stage.at(1);
            stage.at(0);
            lock(stage).release(&stage.victim).unwrap();
            stage.at(2);
        },
        check: check_lock,
    },
    Case {
        name: "lock: release, contended",
        setup: |stage| {
            stage.make(Spec::Lock { recursive: false });
            lock(stage).acquire(&stage.victim, None).unwrap();
            acquire_in_line(stage);
        },
        work: |stage| {
            lock(stage).release(&stage.victim).unwrap();
            stage.at(2);
        },
        check: |stage| {
            let code = stage.waited();
            assert!(code == 0 || code == 10 && stage.progress() == 0, "{code}");
            check_lock(stage);
        },
    },
    Case {
        name: "lock: acquire, held",
        setup: |stage| {
            stage.make(Spec::Lock { recursive: false });
            lock(stage).acquire(&stage.me, None).unwrap();
        },
        work: |stage| _ = lock(stage).acquire(&stage.victim, None),
        check: |stage| {
            lock(stage).release(&stage.me).unwrap();
            check_lock(stage);
        },
    },
    Case {
        name: "lock: time out while another waits",
        setup: |stage| {
            stage.make(Spec::Lock { recursive: false });
            lock(stage).acquire(&stage.me, None).unwrap();
            acquire_in_line(stage);
        },
        work: |stage| {
            let _ = lock(stage).acquire(&stage.victim, Some(Duration::from_nanos(1)));
        },
        check: |stage| {
            lock(stage).release(&stage.me).unwrap();
            assert_eq!(stage.waited(), 0);
            check_lock(stage);
        },
    },
    Case {
        name: "rlock: two levels",
        setup: |stage| _ = stage.make(Spec::Lock { recursive: true }),
        work: |stage| {
            lock(stage).acquire(&stage.victim, None).unwrap();
            lock(stage).acquire(&stage.victim, None).unwrap();
            stage.at(1);
            lock(stage).release(&stage.victim).unwrap();
            stage.at(0);
            lock(stage).release(&stage.victim).unwrap();
            stage.at(2);
        },
        check: check_lock,
    },
    Case {
        name: "semaphore: owned, two permits",
        setup: |stage| _ = stage.make(Spec::Semaphore { initial: 3, owned: true, bounded: false }),
        work: |stage| {
            semaphore(stage).acquire(&stage.victim, None).unwrap();
            semaphore(stage).acquire(&stage.victim, None).unwrap();
            semaphore(stage).release(&stage.victim).unwrap();
            semaphore(stage).release(&stage.victim).unwrap();
        },
        check: |stage| check_permits(stage, 3),
    },
    Case {
        name: "semaphore: owned, release, contended",
        setup: |stage| {
            stage.make(Spec::Semaphore { initial: 1, owned: true, bounded: true });
            semaphore(stage).acquire(&stage.victim, None).unwrap();
            stage.wait_in_line(|stage| {
                let semaphore = semaphore(stage);
                let acquired = semaphore.acquire(&stage.waiter, None).is_ok();
                i32::from(!acquired || semaphore.release(&stage.waiter).is_err())
            });
        },
        work: |stage| semaphore(stage).release(&stage.victim).unwrap(),
        check: |stage| {
            assert_eq!(stage.waited(), 0);
            check_permits(stage, 1);
        },
    },
    Case {
        name: "semaphore: owned, a live slot's own sweep after another's",
        setup: |stage| {
            stage.make(Spec::Semaphore { initial: 6, owned: true, bounded: false });
            for (caller, permits) in [(&stage.waiter, 2), (&stage.victim, 3)] {
                for _ in 0..permits {
                    semaphore(stage).acquire(caller, None).unwrap();
                }
            }
            stage.shared.discard(&stage.waiter);
        },
        work: |stage| _ = stage.shared.discard(&stage.victim),
        check: |stage| {
            let told = Permit::Restored { permits: 5, culprit: Some(stage.victim.owner) };
            assert_eq!(semaphore(stage).acquire(&stage.me, SECOND), Ok(told));
            semaphore(stage).release(&stage.me).unwrap();
            check_permits(stage, 6);
        },
    },
    Case {
        name: "semaphore: signal, post to one that waits",
        setup: |stage| {
            stage.make(Spec::Semaphore { initial: 0, owned: false, bounded: false });
            stage.wait_in_line(|stage| {
                i32::from(semaphore(stage).acquire(&stage.waiter, None).is_err())
            });
        },
        work: |stage| {
            semaphore(stage).release(&stage.victim).unwrap();
            stage.at(1);
        },
        check: |stage| {
            if stage.progress() == 0 {
                semaphore(stage).release(&stage.me).unwrap();
            }
            assert_eq!(stage.waited(), 0);
            let left = semaphore(stage).count();
            assert!(left <= u64::from(stage.progress() == 0));
        },
    },
    Case {
        name: "event: set while one waits, clear",
        setup: |stage| {
            stage.make(Spec::Event);
            stage.wait_in_line(|stage| {
                let event = stage.shared.event(stage.id()).unwrap();
                i32::from(event.wait(&stage.waiter, None).is_err())
            });
        },
        work: |stage| {
            stage.shared.event(stage.id()).unwrap().set(&stage.victim).unwrap();
            stage.at(1);
            stage.shared.event(stage.id()).unwrap().clear(&stage.victim).unwrap();
        },
        check: |stage| {
            let event = stage.shared.event(stage.id()).unwrap();
            if stage.progress() == 0 {
                event.set(&stage.me).unwrap();
            }
            assert_eq!(stage.waited(), 0);
        },
    },
    Case {
        name: "barrier: the last to arrive",
        setup: |stage| {
            stage.make(Spec::Barrier { parties: 2 });
            stage.wait_in_line(|stage| match barrier(stage).wait(&stage.waiter, None) {
                Ok(0) => 0,
                Err(Error::Broken { culprit }) if culprit == Some(stage.victim.owner) => 10,
                _ => 1,
            });
        },
        work: |stage| {
            barrier(stage).wait(&stage.victim, None).unwrap();
            stage.at(1);
        },
        check: |stage| {
            let code = stage.waited();
            assert!(code == 0 || code == 10 && stage.progress() == 0, "{code}");
            assert!(barrier(stage).is_broken(), "a party died");
            assert_eq!(barrier(stage).waiting(), 0);
            barrier(stage).reset(&stage.me).unwrap();
            assert!(!barrier(stage).is_broken());
        },
    },
    Case {
        name: "barrier: the first to arrive",
        setup: |stage| _ = stage.make(Spec::Barrier { parties: 2 }),
        work: |stage| _ = barrier(stage).wait(&stage.victim, None),
        check: |stage| {
            let broken = Error::Broken { culprit: Some(stage.victim.owner) };
            assert_eq!(barrier(stage).wait(&stage.me, SECOND), Err(broken));
            barrier(stage).reset(&stage.me).unwrap();
        },
    },
    Case {
        name: "condition: notify one that waits",
        setup: |stage| {
            stage.make(Spec::Condition { lock: None });
            stage.wait_in_line(|stage| notified(stage, &stage.waiter));
            condition(stage).lock().acquire(&stage.victim, SECOND).unwrap();
        },
        work: |stage| {
            condition(stage).notify(&stage.victim, 1).unwrap();
            stage.at(1);
            condition(stage).lock().release(&stage.victim).unwrap();
        },
        check: |stage| {
            if stage.progress() == 0 {
                notify(stage);
            }
            assert_eq!(stage.waited(), 0);
        },
    },
    Case {
        name: "condition: wait, with another waiting",
        setup: |stage| {
            stage.make(Spec::Condition { lock: None });
            stage.wait_in_line(|stage| notified(stage, &stage.waiter));
        },
        work: |stage| _ = notified(stage, &stage.victim),
        check: |stage| {
            notify(stage);
            assert_eq!(stage.waited(), 0);
        },
    },
    Case {
        name: "condition: time out, with another lock",
        setup: |stage| {
            let lock = stage.make(Spec::Lock { recursive: true });
            let condition = stage.make(Spec::Condition { lock: Some(lock) });
            stage.ids = vec![condition];
        },
        work: |stage| {
            condition(stage).lock().acquire(&stage.victim, None).unwrap();
            condition(stage).lock().acquire(&stage.victim, None).unwrap();
            condition(stage).wait(&stage.victim, NOW).unwrap();
            condition(stage).lock().release(&stage.victim).unwrap();
            condition(stage).lock().release(&stage.victim).unwrap();
        },
        check: |stage| {
            condition(stage).lock().acquire(&stage.me, SECOND).unwrap();
            condition(stage).lock().release(&stage.me).unwrap();
        },
    },
];
