//! Queues between tasks in different worker processes: what deaths do to messages, and how waits
//! end.
//!
//! The tests mirror Python's `_TestQueue` and `TestSimpleQueue`, with these differences on purpose:
//! - There is no feeder thread: a put has happened when it returns, so lengths are exact, and
//!   nothing is lost at the end of a process. `test_queue_feeder_on_queue_feeder_error`, about the
//!   hook that is told of a feeder's errors, has no counterpart: the putting process gets the
//!   error.
//! - `test_queue_feeder_donot_stop_onexc` is mirrored by messages that can never fit.
//! - A closed queue gives what it has, and its length may be asked for (OSError there).
//! - `join_thread` and `cancel_join_thread` have nothing to wait for.

use super::script::{Answers, Worker, check_that_the_end_of_a_run_ends_a_wait, scripts, shared};
use crate::common::processes::kill;
use crate::common::{until, watchdog};
use serde_json::{Value as Json, json};
use std::time::{Duration, Instant};
use wpool::{Capacity, Event, FailureKind, Isolation, Queue, Shared};

/// Makes state with a queue for this many messages.
fn with_queue(messages: u32) -> (Shared, Queue<Json>) {
    let shared = shared();
    let queue = Queue::create(&shared, "q", Capacity::messages(messages)).unwrap();
    (shared, queue)
}

fn error(name: &str) -> Json {
    json!({"error": name})
}

/// Returns the answer for a message whose first receiver died.
fn again(message: impl Into<Json>) -> Json {
    json!({"value": message.into(), "redelivered": true})
}

#[track_caller]
fn assert_sound(shared: &Shared) {
    assert_eq!(shared.check(), Vec::<String>::new());
}

#[test]
fn a_queue_for_six_takes_six_however_they_are_put_and_then_is_full() {
    let _watchdog = watchdog(60);
    let shared = shared();
    let [producer, consumer] = Worker::several(&shared);
    let steps = [
        "queue q create 6 4096",
        "queue q len",
        "queue q put 1",
        "within 0 queue q put 2",
        "within 0.5 queue q put 3",
        "queue q put-text 4",
        "queue q put-bytes 0",
        "within 30 queue q put 6",
        "queue q len",
        "within 0 queue q put 7",
    ];
    let answers = json!([true, 0, true, true, true, true, true, true, 6, error("timed-out")]);
    assert_eq!(producer.run(&steps), answers);
    let since = Instant::now();
    assert_eq!(producer.step("within 0.2 queue q put 7"), error("timed-out"));
    assert!(since.elapsed() >= Duration::from_millis(200));
    let steps = ["6* queue q get-text", "queue q len"];
    assert_eq!(consumer.run(&steps), json!(["6", 0]));
    assert_sound(&shared);
}

#[test]
fn messages_come_in_the_order_they_were_put_and_then_the_queue_is_empty() {
    let _watchdog = watchdog(60);
    let (shared, queue) = with_queue(6);
    let [producer, consumer] = Worker::several(&shared);
    producer.run(&["queue q put 1", "queue q put [2]", "queue q put {\"3\": null}", "queue q len"]);
    let steps = [
        "queue q get",
        "within 0 queue q get",
        "within 0.5 queue q get",
        "queue q len",
        "within 0 queue q get",
    ];
    let answers = json!([1, [2], {"3": null}, 0, error("timed-out")]);
    assert_eq!(consumer.run(&steps), answers);
    let since = Instant::now();
    assert_eq!(consumer.step("within 0.2 queue q get"), error("timed-out"));
    assert!(since.elapsed() >= Duration::from_millis(200));
    assert_eq!(queue.is_empty(), Ok(true));
}

#[test]
fn what_was_put_before_a_worker_was_there_and_after_arrives() {
    let _watchdog = watchdog(60);
    let (shared, queue) = with_queue(20);
    (0..10).for_each(|n| queue.put(&json!(n)).unwrap());
    let [producer, consumer] = Worker::several(&shared);
    let puts: Vec<String> = (10..20).map(|n| format!("queue q put {n}")).collect();
    producer.run(&puts.iter().map(String::as_str).collect::<Vec<_>>());
    let gets = ["queue q get"; 20];
    assert_eq!(consumer.run(&gets), json!((0..20).collect::<Vec<_>>()));
    assert_eq!(consumer.step("within 0 queue q get"), error("timed-out"));
}

#[test]
fn the_length_is_exact_in_every_process() {
    let _watchdog = watchdog(60);
    let (shared, queue) = with_queue(6);
    let [one, other] = Worker::several(&shared);
    for (step, length) in [("len", 0), ("put 1", 1), ("put 5", 2), ("get", 1), ("get", 0)] {
        one.step(&format!("queue q {step}"));
        assert_eq!(other.step("queue q len"), json!(length), "after {step}");
        assert_eq!(queue.len(), Ok(length));
    }
}

#[test]
fn a_join_returns_when_four_workers_are_done_with_ten_tasks() {
    let _watchdog = watchdog(60);
    let shared = shared();
    let queue = Queue::<Json>::create_joinable(&shared, "q", Capacity::messages(100)).unwrap();
    let pool = scripts(&shared, 4).start().unwrap();
    let task = [
        "queue q get",
        "sleep 0.01",
        "value done ensure i32 0",
        "value done add 1",
        "queue q task-done",
    ];
    let mut working = pool.map_async::<_, Answers>([task; 10]).unwrap();
    let joiner = Worker::new(&shared);
    (0..10).for_each(|n| queue.put(&json!(n)).unwrap());
    assert_eq!(joiner.run(&["queue q join", "value done get"]), json!([0, 10]));
    assert_eq!(queue.join(), Ok(0));
    working.get(None).unwrap();
    assert_eq!(joiner.step("queue q task-done"), error("too-many"));
    assert_sound(&shared);
}

#[test]
fn a_message_that_can_never_fit_is_refused_and_takes_no_place() {
    let _watchdog = watchdog(60);
    let shared = shared();
    let [producer, consumer] = Worker::several(&shared);
    let steps = [
        "queue q create 1 1024",
        "100* queue q put-bytes 1025",
        "within 0 queue q put-bytes 1024",
        "within 0 queue q put 2",
    ];
    let answers = json!([true, error("too-large"), true, error("timed-out")]);
    assert_eq!(producer.run(&steps), answers);
    assert_eq!(consumer.step("queue q get-bytes"), json!(1024));
    assert_eq!(producer.step("within 30 queue q put 2"), json!(true));
    assert_eq!(consumer.step("queue q get"), json!(2));
}

#[test]
fn a_closed_queue_gives_what_it_has_and_takes_nothing() {
    let _watchdog = watchdog(60);
    let (shared, _) = with_queue(6);
    let [closer, other] = Worker::several(&shared);
    let steps = ["queue q put 1", "queue q is-closed", "queue q close", "queue q close"];
    assert_eq!(closer.run(&steps), json!([true, false, true, true]), "twice is once");
    let closed = error("closed");
    let steps = ["queue q is-closed", "queue q put 2", "within 0 queue q put 2", "queue q len"];
    assert_eq!(other.run(&steps), json!([true, closed, closed, 1]));
    let steps = ["queue q get", "queue q get", "within 0 queue q get", "queue q len"];
    assert_eq!(other.run(&steps), json!([1, closed, closed, 0]));
}

#[test]
fn whoever_waits_is_told_that_the_queue_was_closed() {
    let _watchdog = watchdog(60);
    let shared = shared();
    let [closer, getter, putter] = Worker::several(&shared);
    closer.run(&["queue empty create 1 0", "queue full create 1 0", "queue full put 1"]);
    let gets = getter.start_waiting(&["queue empty get"]);
    let puts = putter.start_waiting(&["queue full put 2"]);
    closer.run(&["queue empty close", "queue full close"]);
    assert_eq!(
        (gets.answers(), puts.answers()),
        (json!([error("closed")]), json!([error("closed")]))
    );
}

#[test]
fn a_wait_to_get_ends_with_a_put_and_a_wait_to_put_with_a_get() {
    let _watchdog = watchdog(60);
    let (shared, _) = with_queue(1);
    let [one, other] = Worker::several(&shared);
    for limit in ["", "within 50 "] {
        let waits = other.start_waiting(&[&format!("{limit}queue q get")]);
        one.step("queue q put 1");
        assert_eq!(waits.answers(), json!([1]));
        one.step("queue q put 2");
        let waits = other.start_waiting(&[&format!("{limit}queue q put 3")]);
        assert_eq!(one.run(&["queue q get", "queue q get"]), json!([2, 3]));
        assert_eq!(waits.answers(), json!([true]));
    }
    assert_sound(&shared);
}

#[test]
fn a_put_that_was_waiting_when_its_process_was_killed_never_happened() {
    let _watchdog = watchdog(60);
    let (shared, queue) = with_queue(1);
    let [dies, next] = Worker::several(&shared);
    for message in ["queue q put 2", "queue q put-bytes 200"] {
        queue.put(&json!(1)).unwrap();
        let pid = dies.pid();
        let lost = dies.start_waiting(&[message]);
        kill(pid);
        assert_eq!(lost.failure().kind, FailureKind::WorkerLost);
        let steps = ["queue q get", "queue q len", "within 0 queue q get"];
        assert_eq!(next.run(&steps), json!([1, 0, error("timed-out")]), "{message}");
    }
    assert_sound(&shared);
}

#[test]
fn what_was_put_before_a_death_stays() {
    let _watchdog = watchdog(60);
    let (shared, _) = with_queue(6);
    let [dies, next] = Worker::several(&shared);
    dies.run_and_die(&["queue q put 1", "queue q put-bytes 200"]);
    assert_eq!(dies.fails(&["queue q put 3", "trap"]).kind, FailureKind::Trap);
    let steps = ["queue q get", "queue q get-bytes", "queue q get", "queue q len"];
    assert_eq!(next.run(&steps), json!([1, 200, 3, 0]));
    assert_sound(&shared);
}

#[test]
fn a_message_is_whole_or_not_there_whenever_the_producer_is_killed() {
    let _watchdog = watchdog(120);
    let shared = shared();
    let [dies, next] = Worker::several(&shared);
    next.step("queue q create 64 262144");
    for round in 0..20_u32 {
        let pid = dies.pid();
        let producer = dies.start(&["1000000* queue q put-bytes 20000"]);
        // Some messages go through, a different number each time.
        for _ in 0..round % 7 + 1 {
            assert_eq!(next.step("queue q get-bytes"), json!(20_000), "round {round}");
        }
        kill(pid);
        assert_eq!(producer.failure().kind, FailureKind::WorkerLost);
        until(|| next.step("within 0.2 queue q get-bytes") != json!(20_000));
        assert_eq!(next.step("queue q len"), json!(0), "round {round}");
        assert_sound(&shared);
    }
}

#[test]
fn what_a_killed_process_had_got_is_delivered_again_first_and_says_so() {
    let _watchdog = watchdog(60);
    let (shared, queue) = with_queue(6);
    let [dies, next] = Worker::several(&shared);
    (1..=3).for_each(|n| queue.put(&json!(n)).unwrap());
    // The first message is done when the worker gets the second.
    dies.die_within(&["queue q get", "queue q get"]);
    assert_eq!(next.run(&["queue q get", "queue q get"]), json!([again(2), 3]));
    // The message is delivered again as often as needed.
    queue.put(&json!(4)).unwrap();
    (0..3).for_each(|_| dies.die_within(&["queue q get"]));
    let steps = ["queue q get", "within 0 queue q get"];
    assert_eq!(next.run(&steps), json!([again(4), error("timed-out")]));
    assert_sound(&shared);
}

#[test]
fn a_process_that_waits_gets_the_message_of_one_that_is_killed_or_traps() {
    let _watchdog = watchdog(120);
    let (shared, queue) = with_queue(6);
    let go = Event::create(&shared, "go").unwrap();
    let [dies, next] = Worker::several(&shared);
    for round in 0..10 {
        let pid = dies.pid();
        queue.put(&json!(round)).unwrap();
        let lost = dies.start_waiting(&["queue q get", "event go wait", "trap"]);
        let waits = next.start_waiting(&["queue q get", "queue q acknowledge"]);
        let kind = if round % 2 == 0 {
            kill(pid);
            FailureKind::WorkerLost
        } else {
            go.set().unwrap();
            FailureKind::Trap
        };
        assert_eq!(lost.failure().kind, kind);
        assert_eq!(waits.answers(), json!([again(round), true]));
        go.clear().unwrap();
    }
    assert_sound(&shared);
}

#[test]
fn what_a_job_got_is_done_with_when_it_has_succeeded() {
    let _watchdog = watchdog(60);
    for isolation in [Isolation::Reuse, Isolation::Fresh, Isolation::Process] {
        let (shared, queue) = with_queue(6);
        let one = Worker::isolated(&shared, isolation);
        let next = Worker::new(&shared);
        queue.put(&json!(1)).unwrap();
        assert_eq!(one.step("queue q get"), json!(1));
        drop(one);
        assert_eq!(next.step("within 0 queue q get"), error("timed-out"), "{isolation:?}");
        assert_sound(&shared);
    }
}

#[test]
fn what_was_acknowledged_is_not_delivered_again() {
    let _watchdog = watchdog(60);
    let (shared, queue) = with_queue(6);
    let [dies, next] = Worker::several(&shared);
    queue.put(&json!(1)).unwrap();
    let steps = ["queue q get", "queue q acknowledge"];
    dies.die_within(&steps);
    assert_eq!(dies.step("queue q acknowledge"), error("not-owner"));
    assert_eq!(next.step("within 0 queue q get"), error("timed-out"));
    assert_sound(&shared);
}

#[test]
fn a_process_that_is_killed_while_it_waits_takes_no_message_with_it() {
    let _watchdog = watchdog(60);
    let (shared, queue) = with_queue(6);
    let [dies, next] = Worker::several(&shared);
    let pid = dies.pid();
    let lost = dies.start_waiting(&["queue q get"]);
    let waits = next.start_waiting(&["queue q get"]);
    kill(pid);
    assert_eq!(lost.failure().kind, FailureKind::WorkerLost);
    queue.put(&json!(1)).unwrap();
    assert_eq!(waits.answers(), json!([1]));
    assert_sound(&shared);
}

#[test]
fn a_join_ends_though_a_worker_died_before_it_was_done_and_tells_how_many_were_lost() {
    let _watchdog = watchdog(60);
    let shared = shared();
    let queue = Queue::<Json>::create_joinable(&shared, "q", Capacity::messages(6)).unwrap();
    let [dies, next, joiner] = Worker::several(&shared);
    (1..=3).for_each(|n| queue.put(&json!(n)).unwrap());
    let joins = joiner.start_waiting(&["queue q join"]);
    // The first two messages are acknowledged by the next get and never done; the third is
    // delivered again.
    dies.die_within(&["3* queue q get"]);
    assert_eq!(next.run(&["queue q get", "queue q task-done"]), json!([again(3), true]));
    assert_eq!(joins.answers(), json!([2]));
    assert_eq!(joiner.step("within 0 queue q join"), json!(0), "told once");
    assert_sound(&shared);
}

#[test]
fn in_every_isolation_what_a_job_that_died_had_got_is_delivered_again() {
    let _watchdog = watchdog(60);
    for isolation in [Isolation::Fresh, Isolation::Process] {
        let (shared, queue) = with_queue(6);
        let dies = Worker::isolated(&shared, isolation);
        let next = Worker::new(&shared);
        let steps = ["queue q get", "queue q acknowledge", "within 0 queue q get"];
        let told = json!([again(1), true, error("timed-out")]);
        queue.put(&json!(1)).unwrap();
        assert_eq!(dies.fails(&["queue q get", "trap"]).kind, FailureKind::Trap);
        assert_eq!(next.run(&steps), told, "{isolation:?}");
        // The worker is killed.
        queue.put(&json!(1)).unwrap();
        let script = dies.start(&["queue q get", "event e create", "event e wait"]);
        until(|| shared.show("e").is_ok());
        script.cancel();
        assert_eq!(script.failure().kind, FailureKind::Cancelled);
        assert_eq!(next.run(&steps), told, "{isolation:?}");
        assert_sound(&shared);
    }
}

#[test]
fn waits_to_get_to_put_and_for_all_tasks_end_with_the_run() {
    let _watchdog = watchdog(180);
    check_that_the_end_of_a_run_ends_a_wait([&["queue q ensure 1 0", "queue q get"]]);
    check_that_the_end_of_a_run_ends_a_wait([&[
        "queue q ensure 1 0",
        "queue q put 1",
        "queue q put 2",
    ]]);
    check_that_the_end_of_a_run_ends_a_wait([&[
        "queue q ensure 1 0 joinable",
        "queue q put 1",
        "queue q join",
    ]]);
}
