//! Locks between tasks in different worker processes: the death of a holder, and the ends of waits.
//!
//! The tests mirror Python's `_TestLock`, with these differences on purpose:
//! - Releasing a lock that one does not hold is reported as such (`not-owner`, while Python has a
//!   ValueError of a Lock, and an AssertionError of an RLock), and a lock can be released only by
//!   its holder.
//! - The death of a holder releases the lock, and the next holder is told. A lock of Python is lost
//!   for ever.
//! - `test_lock_context`: scripts hold locks from step to step. The release by a guard is covered
//!   by the tests of the guest's crate, and by `host_objects.rs`.

use super::script::{Answers, Worker, check_that_the_end_of_a_run_ends_a_wait, scripts, shared};
use crate::common::processes::{kill, wait_for_end};
use crate::common::watchdog;
use serde_json::{Value as Json, json};
use std::time::{Duration, Instant};
use wpool::{FailureKind, Isolation, Lock, Shared};

/// Returns the answer to a holder whose predecessor died.
fn owner_died(culprit: &Json) -> Json {
    json!({"owner-died": true, "culprit": culprit})
}

fn error(name: &str) -> Json {
    json!({"error": name})
}

/// Makes state with a lock.
fn with_lock() -> Shared {
    let shared = shared();
    Lock::create(&shared, "guard").unwrap();
    shared
}

#[track_caller]
fn assert_sound(shared: &Shared) {
    assert_eq!(shared.check(), Vec::<String>::new());
}

#[test]
fn a_lock_is_held_by_one_process_and_released_once_by_that_one() {
    let _watchdog = watchdog(60);
    let shared = shared();
    let [holder, other] = Worker::several(&shared);
    let steps = ["lock guard create", "lock guard acquire", "within 0 lock guard acquire"];
    assert_eq!(holder.run(&steps), json!([true, true, error("timed-out")]));
    let steps = ["within 0 lock guard acquire", "within 0.01 lock guard acquire"];
    assert_eq!(other.run(&steps), json!([error("timed-out"), error("timed-out")]));
    assert_eq!(other.step("lock guard release"), error("not-owner"));
    assert_eq!(holder.step("lock guard acquire"), error("already-owner"));
    let steps = ["lock guard release", "lock guard release"];
    assert_eq!(holder.run(&steps), json!([true, error("not-owner")]));
    let steps = ["within 0 lock guard acquire", "lock guard release"];
    assert_eq!(other.run(&steps), json!([true, true]));
    assert_sound(&shared);
}

#[test]
fn a_recursive_lock_is_free_after_as_many_releases_as_acquires() {
    let _watchdog = watchdog(60);
    let shared = shared();
    let [holder, other] = Worker::several(&shared);
    let steps = ["lock guard create recursive", "3* lock guard acquire"];
    assert_eq!(holder.run(&steps), json!([true, true]));
    for _ in 0..3 {
        assert_eq!(other.step("within 0 lock guard acquire"), error("timed-out"));
        assert_eq!(holder.step("lock guard release"), json!(true));
    }
    assert_eq!(holder.step("lock guard release"), error("not-owner"));
    assert_eq!(other.step("within 0 lock guard acquire"), json!(true));
}

#[test]
fn a_wait_with_a_limit_takes_its_time_and_no_answer_but_that_it_is_over() {
    let _watchdog = watchdog(60);
    let shared = with_lock();
    let [holder, other] = Worker::several(&shared);
    holder.step("lock guard acquire");
    let since = Instant::now();
    assert_eq!(other.step("within 0.2 lock guard acquire"), error("timed-out"));
    assert!(since.elapsed() >= Duration::from_millis(200));
    assert_eq!(holder.step("lock guard release"), json!(true));
    assert_eq!(other.step("within 30 lock guard acquire"), json!(true));
}

#[test]
fn a_process_that_waits_gets_the_lock_when_it_is_released() {
    let _watchdog = watchdog(60);
    let shared = with_lock();
    let [holder, other] = Worker::several(&shared);
    for wait in ["lock guard acquire", "within 50 lock guard acquire"] {
        holder.step("lock guard acquire");
        let mut waits = other.start_waiting(&[wait, "lock guard release"]);
        assert!(!waits.has_ended());
        holder.step("lock guard release");
        assert_eq!(waits.answers(), json!([true, true]));
    }
}

#[test]
fn one_process_at_a_time_is_between_acquire_and_release() {
    let _watchdog = watchdog(60);
    let shared = with_lock();
    let pool = scripts(&shared, 4).start().unwrap();
    pool.apply::<_, Answers>(vec!["value inside create bool false"]).unwrap();
    let turn = [
        "lock guard acquire",
        "value inside compare-exchange false true",
        "value inside compare-exchange true false",
        "lock guard release",
    ];
    let exchanged = |was: bool| json!({"was": was, "exchanged": true});
    let alone = [json!(true), exchanged(false), exchanged(true), json!(true)];
    let scripts: Vec<Answers> = pool.map((0..4).map(|_| turn.repeat(250))).unwrap();
    assert!(scripts.iter().flat_map(|answers| answers.0.chunks(4)).all(|turn| turn == alone));
    assert_sound(&shared);
}

#[test]
fn the_lock_of_a_process_that_was_killed_is_free_and_the_next_holder_alone_is_told() {
    let _watchdog = watchdog(60);
    for create in ["lock guard create", "lock guard create recursive"] {
        let shared = shared();
        let [dies, next, last] = Worker::several(&shared);
        let culprit = dies.slot();
        dies.run_and_die(&[create, "lock guard acquire"]);
        let steps = ["lock guard acquire", "lock guard mark-consistent", "lock guard release"];
        assert_eq!(next.run(&steps), json!([owner_died(&culprit), true, true]));
        assert_eq!(last.run(&["lock guard acquire", "lock guard release"]), json!([true, true]));
        assert_sound(&shared);
    }
}

#[test]
fn whoever_is_told_and_dies_before_it_says_that_all_is_well_is_told_of_again() {
    let _watchdog = watchdog(60);
    let shared = with_lock();
    let [first, second, third, last] = Worker::several(&shared);
    let culprits = [first.slot(), second.slot(), third.slot()];
    first.run_and_die(&["lock guard acquire"]);
    assert_eq!(second.run_and_die(&["lock guard acquire"]), json!([owner_died(&culprits[0])]));
    let steps = ["lock guard acquire", "lock guard mark-consistent"];
    assert_eq!(third.run_and_die(&steps), json!([owner_died(&culprits[1]), true]));
    // The third worker died with the lock, although all was well when it said so.
    let steps = ["lock guard acquire", "lock guard release", "lock guard acquire"];
    assert_eq!(last.run(&steps), json!([owner_died(&culprits[2]), true, true]));
    assert_sound(&shared);
}

#[test]
fn all_levels_of_a_recursive_lock_are_released_by_a_death() {
    let _watchdog = watchdog(60);
    let shared = shared();
    let [dies, next] = Worker::several(&shared);
    let culprit = dies.slot();
    dies.run_and_die(&["lock guard create recursive", "5* lock guard acquire"]);
    let steps = ["lock guard acquire", "lock guard release", "lock guard release"];
    assert_eq!(next.run(&steps), json!([owner_died(&culprit), true, error("not-owner")]));
}

#[test]
fn a_process_that_waits_gets_the_lock_when_its_holder_is_killed_or_traps() {
    let _watchdog = watchdog(120);
    let shared = with_lock();
    let [dies, next] = Worker::several(&shared);
    for round in 0..10 {
        let (pid, culprit) = (dies.pid(), dies.slot());
        assert_eq!(dies.step("lock guard acquire"), json!(true), "round {round}");
        let waits = next.start_waiting(&["lock guard acquire", "lock guard release"]);
        if round % 2 == 0 {
            kill(pid);
            wait_for_end(pid);
        } else {
            assert_eq!(dies.fails(&["trap"]).kind, FailureKind::Trap);
        }
        assert_eq!(waits.answers(), json!([owner_died(&culprit), true]), "round {round}");
    }
    assert_sound(&shared);
}

#[test]
fn a_process_that_is_killed_while_it_waits_takes_nothing_with_it() {
    let _watchdog = watchdog(60);
    let shared = with_lock();
    let [holder, dies, next] = Worker::several(&shared);
    holder.step("lock guard acquire");
    let pid = dies.pid();
    let lost = dies.start_waiting(&["lock guard acquire"]);
    let waits = next.start_waiting(&["lock guard acquire"]);
    kill(pid);
    assert_eq!(lost.failure().kind, FailureKind::WorkerLost);
    // The dead worker was ahead of the other waiting worker.
    holder.step("lock guard release");
    assert_eq!(waits.answers(), json!([true]), "nobody died who held it");
    assert_sound(&shared);
}

#[test]
fn a_job_that_is_cancelled_while_it_waits_leaves_the_lock_to_others() {
    let _watchdog = watchdog(60);
    let shared = with_lock();
    let [holder, given_up, next] = Worker::several(&shared);
    holder.step("lock guard acquire");
    let waits = given_up.start_waiting(&["lock guard acquire"]);
    waits.cancel();
    assert_eq!(waits.failure().kind, FailureKind::Cancelled);
    holder.step("lock guard release");
    assert_eq!(next.step("lock guard acquire"), json!(true));
    assert_eq!(given_up.step("within 0 lock guard acquire"), error("timed-out"));
}

#[test]
fn a_timeout_of_the_job_ends_a_wait_and_what_it_held_is_released() {
    let _watchdog = watchdog(60);
    let shared = with_lock();
    let late = Worker::with(&shared, |builder| builder.timeout(Duration::from_millis(300)));
    let next = Worker::new(&shared);
    let culprit = late.slot();
    let steps = ["lock guard acquire", "event never ensure", "event never wait"];
    assert_eq!(late.fails(&steps).kind, FailureKind::Timeout);
    assert_eq!(next.step("lock guard acquire"), owner_died(&culprit));
}

#[test]
fn in_every_isolation_the_lock_of_a_job_that_died_or_ended_with_it_is_told() {
    let _watchdog = watchdog(60);
    for isolation in [Isolation::Fresh, Isolation::Process] {
        let shared = with_lock();
        let dies = Worker::isolated(&shared, isolation);
        let next = Worker::new(&shared);
        let steps = ["lock guard acquire", "lock guard release"];
        let told = |culprit: &Json| json!([owner_died(culprit), true]);
        // The script ends: its instance is thrown away.
        let answers = dies.run(&["slot", "lock guard acquire"]);
        assert_eq!(next.run(&steps), told(&answers[0]), "{isolation:?}");
        let culprit = dies.slot();
        assert_eq!(dies.fails(&["lock guard acquire", "trap"]).kind, FailureKind::Trap);
        assert_eq!(next.run(&steps), told(&culprit), "{isolation:?}");
        // The worker is killed.
        let culprit = dies.slot();
        let script = dies.start(&["lock guard acquire", "event e create", "event e wait"]);
        crate::common::until(|| shared.show("e").is_ok());
        script.cancel();
        assert_eq!(script.failure().kind, FailureKind::Cancelled);
        assert_eq!(next.run(&steps), told(&culprit), "{isolation:?}");
        assert_eq!(next.run(&steps), json!([true, true]), "{isolation:?}");
        assert_sound(&shared);
    }
}

#[test]
fn a_wait_ends_with_the_run() {
    let _watchdog = watchdog(120);
    check_that_the_end_of_a_run_ends_a_wait([
        &["event held ensure", "event held wait", "lock guard acquire"],
        &[
            "lock guard ensure",
            "lock guard acquire",
            "event held ensure",
            "event held set",
            "event never ensure",
            "event never wait",
        ],
    ]);
}
