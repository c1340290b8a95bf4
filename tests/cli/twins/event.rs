//! Events between workers: a flag that many can wait for.
//!
//! The tests mirror all of Python's `_TestEvent.test_event`.
//!
//! A further test covers what hangs in Python (gh-75158): setting an event while a process that
//! waited for it has been killed. Events between threads of the host are tested in
//! `host_objects.rs`.

use super::script::{GUEST, Script, Worker, check_that_the_end_of_a_run_ends_a_wait, shared};
use super::victim::Victim;
use crate::common::processes::{Signal, kill};
use crate::common::run::map;
use crate::common::{until, watchdog};
use serde_json::{Value as Json, json};
use std::time::Duration;
use wpool::{Event, FailureKind, Isolation, Shared, Value};

/// Makes state with an event that is not set.
fn event() -> (Shared, Event) {
    let shared = shared();
    let event = Event::create(&shared, "e").unwrap();
    (shared, event)
}

fn timed_out() -> Json {
    json!({"error": "timed-out"})
}

#[test]
fn a_wait_ends_when_its_time_is_over_or_at_once_where_it_is_set() {
    let _watchdog = watchdog(60);
    let (shared, event) = event();
    let worker = Worker::new(&shared);
    assert_eq!(
        worker.run(&["event e is-set", "within 0 event e wait"]),
        json!([false, timed_out()])
    );
    let timed = worker.run(&["now", "within 0.05 event e wait", "now"]);
    assert_eq!(timed[1], timed_out());
    assert!(timed[2].as_f64().unwrap() - timed[0].as_f64().unwrap() >= 0.05, "{timed}");
    event.set().unwrap();
    let waits =
        ["event e is-set", "within 0 event e wait", "within 60 event e wait", "event e wait"];
    assert_eq!(worker.run(&waits), json!([true, true, true, true]));
    event.clear().unwrap();
    let steps = ["event e is-set", "within 0 event e wait", "within 0.01 event e wait"];
    assert_eq!(worker.run(&steps), json!([false, timed_out(), timed_out()]));
}

#[test]
fn a_set_in_one_process_wakes_all_that_wait_in_others() {
    let _watchdog = watchdog(60);
    let (shared, event) = event();
    let workers: [Worker; 4] = Worker::several(&shared);
    let setter = Worker::new(&shared);
    for _ in 0..3 {
        let wait = |worker: &Worker| worker.start_waiting(&["event e wait"]);
        let waiting: Vec<Script> = workers.iter().map(wait).collect();
        // The waiting workers go on even if the event is cleared at once.
        assert_eq!(setter.run(&["event e set", "event e clear"]), json!([true, true]));
        for script in waiting {
            assert_eq!(script.answers(), json!([true]));
        }
        assert_eq!(event.is_set(), Ok(false));
    }
    assert_eq!(shared.check(), Vec::<String>::new());
}

#[test]
fn two_processes_take_turns_by_two_events() {
    let _watchdog = watchdog(60);
    let shared = shared();
    let _events = ["ping", "pong"].map(|name| Event::create(&shared, name).unwrap());
    let turns = Value::create(&shared, "turns", 0_i32).unwrap();
    let [one, other] = Worker::several(&shared);
    let steps = |mine: &str, theirs: &str| {
        [
            format!("event {mine} wait"),
            format!("event {mine} clear"),
            "value turns add 1".to_owned(),
            format!("event {theirs} set"),
        ]
    };
    let start = |worker: &Worker, steps: [String; 4]| {
        worker.start(&steps.each_ref().map(String::as_str).repeat(200))
    };
    let (one, other) = (start(&one, steps("ping", "pong")), start(&other, steps("pong", "ping")));
    assert_eq!(turns.get(), Ok(0), "nobody has begun");
    Event::open(&shared, "ping").unwrap().set().unwrap();
    for (first, script) in [one, other].into_iter().enumerate() {
        let answers = script.answers();
        let seen = answers.as_array().unwrap().iter().skip(2).step_by(4);
        let expected: Vec<Json> = (0..200).map(|turn| json!(2 * turn + first)).collect();
        assert_eq!(seen.cloned().collect::<Vec<_>>(), expected);
    }
}

#[test]
fn one_that_waits_and_is_killed_hinders_nobody() {
    let _watchdog = watchdog(120);
    for isolation in [Isolation::Reuse, Isolation::Fresh, Isolation::Process] {
        let (shared, event) = event();
        let [other, setter] = Worker::several(&shared);
        let waits = Value::create(&shared, "waits", false).unwrap();
        let waiting = other.start_waiting(&["event e wait"]);
        let victim = Victim::new(&shared, isolation, &["value waits set true", "event e wait"]);
        until(|| waits.get() == Ok(true) && victim.is_asleep());
        let revived = victim.kill();
        assert_eq!(setter.step("event e set"), true, "{isolation:?}");
        assert_eq!(waiting.answers(), json!([true]));
        assert_eq!(revived.step("event e wait"), true, "the flag is still set");
        event.clear().unwrap();
        assert_eq!(revived.step("within 0 event e wait"), timed_out());
        assert_eq!(shared.check(), Vec::<String>::new());
    }
}

#[test]
fn a_set_before_a_trap_or_a_kill_stays() {
    let _watchdog = watchdog(60);
    for isolation in [Isolation::Reuse, Isolation::Fresh] {
        let (shared, event) = event();
        let worker = Worker::isolated(&shared, isolation);
        assert_eq!(worker.fails(&["event e set", "trap"]).kind, FailureKind::Trap);
        assert_eq!((event.is_set(), worker.step("event e is-set")), (Ok(true), json!(true)));
    }
    let (shared, event) = event();
    Worker::new(&shared).run_and_die(&["event e set"]);
    assert_eq!(event.is_set(), Ok(true));
}

#[test]
fn one_that_dies_while_it_sets_and_clears_lets_the_others_go_on() {
    let _watchdog = watchdog(120);
    let (shared, event) = event();
    let turns = Value::create(&shared, "turns", 0_i32).unwrap();
    let [setter, waiter] = Worker::several(&shared);
    for round in 0..15 {
        turns.set(0).unwrap();
        let pid = setter.pid();
        let flips = ["event e set", "value turns add 1", "event e clear"].repeat(1500);
        let script = setter.start(&[&flips[..], &["sleep 1000"]].concat());
        let waiting = waiter.start(&["200* within 0.001 event e wait", "event e wait"]);
        until(|| turns.get().unwrap() > round * 53);
        kill(pid);
        assert_eq!(script.failure().kind, FailureKind::WorkerLost);
        event.set().unwrap();
        assert_eq!(waiting.answers()[1], true);
        event.clear().unwrap();
    }
    assert_eq!(shared.check(), Vec::<String>::new());
}

#[test]
fn a_job_that_waits_ends_when_it_is_cancelled_or_out_of_time_and_no_other_with_it() {
    let _watchdog = watchdog(60);
    for cancelled in [true, false] {
        let (shared, event) = event();
        let other = Worker::new(&shared);
        let waiting = other.start_waiting(&["event e wait"]);
        let worker = Worker::with(&shared, |builder| match cancelled {
            true => builder,
            false => builder.timeout(Duration::from_millis(300)),
        });
        let script = worker.start(&["event e wait"]);
        if cancelled {
            script.cancel();
        }
        let kind = if cancelled { FailureKind::Cancelled } else { FailureKind::Timeout };
        assert_eq!(script.failure().kind, kind);
        event.set().unwrap();
        assert_eq!(waiting.answers(), json!([true]));
        assert_eq!(worker.step("event e wait"), true);
    }
}

#[test]
fn a_drain_and_a_deadline_end_those_that_wait() {
    let wait = ["event e ensure", "event e wait"];
    check_that_the_end_of_a_run_ends_a_wait([&wait, &wait]);
}

#[test]
fn a_second_request_ends_a_job_that_waits_again_and_again() {
    let job = r#"["event e create", "print waits", "1000000000* event e wait"]"#;
    let run = map(GUEST).flags("--task script -j 1").jobs([job]).start();
    run.wait_for_message("waits");
    run.signal(Signal::SIGINT);
    run.wait_for_message("draining 1 job");
    run.signal(Signal::SIGINT);
    run.finish().ends(130).says("killed on request").prints("null\n");
}
