//! Conditions between workers: a worker waits, with a lock released, until another one notifies it.
//!
//! The tests mirror all of Python's `_TestCondition`: `test_notify`, `test_notify_all`,
//! `test_notify_n`, `test_timeout`, `test_wait_result`, `test_waitfor`, `test_waitfor_timeout`.
//! There are two differences: `notify` does not wait here until the woken workers have said so, and
//! a wait is interrupted by a request to the whole run, not by a signal to one process.
//!
//! Further tests cover what Python has no answer to (gh-75158, gh-88304): the death of a worker
//! that holds the lock or was notified. Conditions between threads of the host are tested in
//! `host_objects.rs`.

use super::script::{
    Answers, GUEST, Script, Worker, check_that_the_end_of_a_run_ends_a_wait, shared,
};
use super::victim::Victim;
use crate::common::processes::{Signal, kill};
use crate::common::run::map;
use crate::common::{until, watchdog};
use serde_json::{Value as Json, json};
use std::thread::scope;
use std::time::{Duration, Instant};
use wpool::{Condition, FailureKind, Isolation, Shared, SharedError, Value};

/// A script that sleeps until it is notified, and counts that.
const SLEEP: [&str; 4] =
    ["condition c acquire", "condition c wait", "value woken add 1", "condition c release"];

/// Makes state with the condition `c` and the value `woken`.
fn condition() -> (Shared, Condition, Value<i32>) {
    let shared = shared();
    let condition = Condition::create(&shared, "c").unwrap();
    let woken = Value::create(&shared, "woken", 0).unwrap();
    (shared, condition, woken)
}

/// Returns the number of waits for a notification.
fn waiting(shared: &Shared) -> u64 {
    shared.show("c").unwrap()["waiting"].as_u64().unwrap()
}

fn is_held(shared: &Shared) -> bool {
    shared.show("c").unwrap()["held"] == true
}

/// Sleeps as `SLEEP` does, in a thread of the host.
fn sleep(condition: &Condition, woken: &Value<i32>) -> Result<(), SharedError> {
    let _held = condition.lock()?.wait()?;
    woken.add(1).map(drop)
}

/// Notifies, and returns how many waits were ended.
fn notify(worker: &Worker, operation: &str) -> Json {
    let step = format!("condition c {operation}");
    worker.run(&["condition c acquire", &step, "condition c release"])[1].take()
}

/// Asserts that the next holder of the lock is told that the culprit died.
#[track_caller]
fn assert_told(worker: &Worker, culprit: &Json) {
    let told = json!({"owner-died": true, "culprit": culprit});
    let steps = ["condition c acquire", "condition c release", "condition c acquire"];
    assert_eq!(worker.run(&steps), json!([told, true, true]), "once, for it was released");
    assert_eq!(worker.step("condition c release"), true);
}

#[test]
fn each_notification_wakes_one_sleeper_be_it_a_process_or_a_thread() {
    let _watchdog = watchdog(60);
    let (shared, condition, woken) = condition();
    let [worker, notifier] = Worker::several(&shared);
    scope(|scope| {
        let thread = scope.spawn(|| sleep(&condition, &woken));
        let process = worker.start(&SLEEP);
        until(|| waiting(&shared) == 2);
        for count in [1, 2] {
            assert_eq!(notify(&notifier, "notify 1"), 1);
            until(|| woken.get() == Ok(count));
            assert_eq!(waiting(&shared), 2 - count as u64);
        }
        assert_eq!(process.answers()[1], json!({"notified": true}));
        assert_eq!(thread.join().unwrap(), Ok(()));
    });
}

#[test]
fn six_waits_run_out_of_time_and_six_others_are_all_woken_at_once() {
    let _watchdog = watchdog(60);
    let (shared, condition, woken) = condition();
    let workers: [Worker; 3] = Worker::several(&shared);
    let notifier = Worker::new(&shared);
    let timed = SLEEP.map(|step| step.replace("condition c wait", "within 0.05 condition c wait"));
    scope(|scope| {
        let wait = || condition.lock()?.wait_timeout(Duration::from_millis(50)).map(|(_, w)| w);
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(wait)).collect();
        let steps = timed.each_ref().map(String::as_str);
        let scripts: Vec<Script> = workers.iter().map(|worker| worker.start(&steps)).collect();
        for script in scripts {
            assert_eq!(script.answers()[1], json!({"notified": false}));
        }
        for thread in threads {
            assert_eq!(thread.join().unwrap(), Ok::<bool, SharedError>(false));
        }
    });
    woken.set(0).unwrap();
    scope(|scope| {
        let threads = [(); 3].map(|()| scope.spawn(|| sleep(&condition, &woken)));
        let scripts: Vec<Script> = workers.iter().map(|worker| worker.start(&SLEEP)).collect();
        until(|| waiting(&shared) == 6);
        assert_eq!(notify(&notifier, "notify-all"), 6);
        scripts.into_iter().for_each(|script| drop(script.answers()));
        let _ = threads.map(|thread| thread.join().unwrap().unwrap());
    });
    assert_eq!(woken.get(), Ok(6));
    let left = json!({"held": false, "owner-died": false, "waiting": 0});
    assert_eq!(shared.show("c"), Ok(left));
    assert_eq!(shared.check(), Vec::<String>::new());
}

#[test]
fn a_notification_wakes_as_many_as_it_says_or_as_there_are() {
    let _watchdog = watchdog(60);
    let (shared, condition, woken) = condition();
    let workers: [Worker; 3] = Worker::several(&shared);
    let notifier = Worker::new(&shared);
    scope(|scope| {
        let threads = [(); 3].map(|()| scope.spawn(|| sleep(&condition, &woken)));
        let scripts: Vec<Script> = workers.iter().map(|worker| worker.start(&SLEEP)).collect();
        until(|| waiting(&shared) == 6);
        assert_eq!(notify(&notifier, "notify 2"), 2);
        until(|| woken.get() == Ok(2));
        assert_eq!(waiting(&shared), 4);
        assert_eq!(notify(&notifier, "notify 4"), 4);
        scripts.into_iter().for_each(|script| drop(script.answers()));
        let _ = threads.map(|thread| thread.join().unwrap().unwrap());
    });
    assert_eq!(notify(&notifier, "notify 3"), 0);
    assert_eq!((woken.get(), waiting(&shared)), (Ok(6), 0));
}

#[test]
fn a_wait_says_whether_it_was_notified_or_its_time_was_over() {
    let _watchdog = watchdog(60);
    let (shared, ..) = condition();
    let [worker, notifier] = Worker::several(&shared);
    let wait = ["condition c acquire", "now", "within 0.05 condition c wait", "now"];
    let timed =
        worker.run(&[&wait[..], &["within 0 condition c wait", "condition c release"]].concat());
    assert_eq!((&timed[2], &timed[4]), (&json!({"notified": false}), &json!({"notified": false})));
    assert!(timed[3].as_f64().unwrap() - timed[1].as_f64().unwrap() >= 0.05, "{timed}");
    let script =
        worker.start(&["condition c acquire", "within 60 condition c wait", "condition c release"]);
    until(|| waiting(&shared) == 1);
    assert_eq!(notify(&notifier, "notify 1"), 1);
    assert_eq!(script.answers(), json!([true, {"notified": true}, true]));
}

#[test]
fn what_is_waited_for_is_changed_by_other_processes() {
    let _watchdog = watchdog(60);
    let (shared, condition, state) = condition();
    let worker = Worker::new(&shared);
    // The host waits until workers have changed the value.
    let change =
        ["condition c acquire", "value woken add 1", "condition c notify 1", "condition c release"];
    let script = worker.start(&change.repeat(4));
    let held = condition.lock().unwrap().wait_while(|| state.get() != Ok(4)).unwrap();
    drop(held);
    script.answers();
    // A worker waits until the host has changed the value.
    let look = ["condition c wait", "value woken get"].repeat(4);
    let script = worker.start(&[&["condition c acquire"], &look[..]].concat());
    for _ in 0..4 {
        until(|| waiting(&shared) == 1);
        let held = condition.lock().unwrap();
        state.add(1).unwrap();
        assert_eq!(held.notify_one(), Ok(true));
    }
    let answers = script.answers();
    let seen: Vec<&Json> = answers.as_array().unwrap().iter().skip(2).step_by(2).collect();
    assert_eq!(seen, [&json!(5), &json!(6), &json!(7), &json!(8)]);
}

#[test]
fn what_does_not_come_about_is_waited_for_no_longer_than_the_limit() {
    let _watchdog = watchdog(60);
    let (shared, condition, state) = condition();
    let worker = Worker::new(&shared);
    let change = ["condition c acquire", "value woken add 1", "condition c notify-all"];
    let script = worker.start(&[&change.repeat(3)[..], &["3* condition c release"]].concat());
    let limit = Duration::from_millis(50);
    let since = Instant::now();
    let held = condition.lock().unwrap();
    let (held, came) = held.wait_timeout_while(limit, || state.get() != Ok(4)).unwrap();
    assert!(!came && since.elapsed() >= limit);
    drop(held);
    script.answers();
    assert_eq!(state.get(), Ok(3));
}

#[test]
fn only_who_holds_the_lock_waits_and_notifies_and_has_all_its_levels_afterwards() {
    let _watchdog = watchdog(60);
    let (shared, ..) = condition();
    let [one, other] = Worker::several(&shared);
    let not_owner = json!({"error": "not-owner"});
    for operation in ["wait", "notify 1", "notify-all", "release", "mark-consistent"] {
        assert_eq!(one.step(&format!("condition c {operation}")), not_owner, "{operation}");
    }
    let script =
        one.start(&["3* condition c acquire", "condition c wait", "2* condition c release"]);
    until(|| waiting(&shared) == 1);
    assert_eq!(notify(&other, "notify 1"), 1, "the lock is free meanwhile");
    assert_eq!(script.answers(), json!([true, {"notified": true}, true]));
    assert_eq!(other.step("within 0 condition c acquire"), json!({"error": "timed-out"}));
    one.step("condition c release");
    assert_eq!(other.step("within 0 condition c acquire"), true);
}

#[test]
fn the_lock_of_one_that_is_killed_goes_to_the_next_who_is_told() {
    let _watchdog = watchdog(120);
    for isolation in [Isolation::Reuse, Isolation::Fresh, Isolation::Process] {
        let (shared, ..) = condition();
        let [next, after] = Worker::several(&shared);
        let victim = Victim::new(&shared, isolation, &["2* condition c acquire", "sleep 1000"]);
        until(|| is_held(&shared));
        let culprit = victim.slot.clone();
        let script = next.start(&["condition c acquire"]);
        victim.kill();
        let told = json!([{"owner-died": true, "culprit": culprit}]);
        assert_eq!(script.answers(), told, "{isolation:?}");
        // The next holder dies too, before it has said that all is well.
        let culprit = next.slot();
        next.run_and_die(&["slot"]);
        assert_told(&after, &culprit);
        assert_eq!(shared.check(), Vec::<String>::new());
    }
}

#[test]
fn what_was_marked_as_consistent_is_suspect_no_more() {
    let _watchdog = watchdog(60);
    let (shared, ..) = condition();
    let [first, second, third] = Worker::several(&shared);
    first.run_and_die(&["condition c acquire"]);
    second.run(&["condition c acquire", "condition c mark-consistent"]);
    second.step("condition c release");
    assert_eq!(third.run(&["condition c acquire", "condition c release"]), json!([true, true]));
}

#[test]
fn the_lock_of_one_that_traps_goes_to_the_next_who_is_told() {
    let _watchdog = watchdog(60);
    for isolation in [Isolation::Reuse, Isolation::Fresh] {
        let (shared, ..) = condition();
        let [next, victim] = [Worker::new(&shared), Worker::isolated(&shared, isolation)];
        let culprit = victim.slot();
        let failure = victim.fails(&["condition c acquire", "trap"]);
        assert_eq!(failure.kind, FailureKind::Trap);
        assert_told(&next, &culprit);
    }
}

#[test]
fn one_that_is_killed_with_a_notification_passes_it_on() {
    let _watchdog = watchdog(120);
    for isolation in [Isolation::Reuse, Isolation::Fresh] {
        let (shared, condition, woken) = condition();
        let second = Worker::new(&shared);
        let victim = Victim::new(&shared, isolation, &SLEEP);
        until(|| waiting(&shared) == 1);
        let script = second.start(&SLEEP);
        until(|| waiting(&shared) == 2);
        // The worker gets the notification because it came first, but it does not get the lock.
        let held = condition.lock().unwrap();
        assert_eq!(held.notify_one(), Ok(true));
        assert_eq!(waiting(&shared), 1);
        victim.kill();
        until(|| waiting(&shared) == 0);
        drop(held);
        assert_eq!(script.answers(), json!([true, {"notified": true}, 0, true]));
        assert_eq!(woken.get(), Ok(1), "{isolation:?}");
        assert_eq!(shared.check(), Vec::<String>::new());
    }
}

#[test]
fn one_that_waits_and_is_killed_takes_no_notification() {
    let _watchdog = watchdog(120);
    for isolation in [Isolation::Reuse, Isolation::Fresh] {
        let (shared, ..) = condition();
        let [second, notifier] = Worker::several(&shared);
        let victim = Victim::new(&shared, isolation, &SLEEP);
        until(|| waiting(&shared) == 1);
        let script = second.start(&SLEEP);
        until(|| waiting(&shared) == 2);
        victim.kill();
        until(|| waiting(&shared) == 1);
        assert_eq!(notify(&notifier, "notify 1"), 1);
        assert_eq!(script.answers()[1], json!({"notified": true}));
        assert_eq!(notify(&notifier, "notify-all"), 0);
    }
}

#[test]
fn who_is_notified_by_one_that_dies_with_the_lock_is_told_of_both() {
    let _watchdog = watchdog(120);
    for isolation in [Isolation::Reuse, Isolation::Fresh] {
        let (shared, ..) = condition();
        let worker = Worker::new(&shared);
        let script = worker.start(&SLEEP);
        until(|| waiting(&shared) == 1);
        let steps = ["condition c acquire", "condition c notify 1", "sleep 1000"];
        let victim = Victim::new(&shared, isolation, &steps);
        until(|| waiting(&shared) == 0 && victim.is_asleep());
        let culprit = victim.slot.clone();
        victim.kill();
        let told = json!({"notified": true, "owner-died": true, "culprit": culprit});
        assert_eq!(script.answers(), json!([true, told, 0, true]));
    }
}

#[test]
fn notifications_are_not_lost_where_sleepers_are_killed_at_any_moment() {
    let _watchdog = watchdog(120);
    let (shared, condition, woken) = condition();
    let dying = Value::create(&shared, "dying", 0_i32).unwrap();
    let [survivor, victim] = Worker::several(&shared);
    let steps = [&SLEEP[..3], &["value dying add 1", "condition c release"]].concat().repeat(3000);
    let notify = || condition.lock().unwrap().notify(1).unwrap();
    for round in 0..15 {
        woken.set(0).unwrap();
        dying.set(0).unwrap();
        let pid = victim.pid();
        let victim = victim.start(&steps);
        let mut survivor = survivor.start(&SLEEP.repeat(100));
        let mut sent = 0;
        while dying.get().unwrap() <= round {
            sent += notify();
        }
        kill(pid);
        assert_eq!(victim.failure().kind, FailureKind::WorkerLost);
        while !survivor.has_ended() {
            sent += notify();
        }
        // Each notification was counted, except one whose receivers all died.
        let woken = woken.get().unwrap() as u32;
        assert!(sent == woken || sent == woken + 1, "{sent} for {woken}");
    }
    assert_eq!(shared.check(), Vec::<String>::new());
}

#[test]
fn a_job_that_waits_and_is_cancelled_or_out_of_time_leaves_the_line() {
    let _watchdog = watchdog(60);
    for cancelled in [true, false] {
        let (shared, ..) = condition();
        let [other, notifier] = Worker::several(&shared);
        let worker = Worker::with(&shared, |builder| match cancelled {
            true => builder,
            false => builder.timeout(Duration::from_millis(300)),
        });
        let script = worker.start(&SLEEP);
        until(|| waiting(&shared) == 1);
        if cancelled {
            script.cancel();
        }
        let kind = if cancelled { FailureKind::Cancelled } else { FailureKind::Timeout };
        assert_eq!(script.failure().kind, kind);
        until(|| waiting(&shared) == 0);
        let script = other.start(&SLEEP);
        until(|| waiting(&shared) == 1);
        assert_eq!(notify(&notifier, "notify 1"), 1);
        assert_eq!(script.answers()[1], json!({"notified": true}));
    }
}

#[test]
fn a_drain_and_a_deadline_end_those_that_wait() {
    let wait = ["condition c ensure", "condition c acquire", "condition c wait"];
    check_that_the_end_of_a_run_ends_a_wait([&wait, &wait]);
}

#[test]
fn who_was_interrupted_does_not_hold_the_lock() {
    let job = r#"["condition c create", "condition c acquire", "print waits", "condition c wait",
        "condition c release"]"#;
    let run = map(GUEST).flags("--task script -j 1").jobs([job]).start();
    run.wait_for_message("waits");
    run.signal(Signal::SIGINT);
    let done = run.finish().ends(130).says("1 job ok");
    let Answers(answers) = Answers::of(done.lines()[0]);
    let ends = [json!({"error": "interrupted"}), json!({"error": "not-owner"})];
    assert_eq!(answers[3..], ends);
}
