//! Semaphores between tasks in different worker processes: what the death of a holder does to its
//! permits, and how waits end.
//!
//! The tests mirror all of Python's `_TestSemaphore`. A semaphore of Python counts events: it is
//! called `signal` here, and here too a death gives nothing back. An `owned` semaphore counts what
//! its holders have, and has no counterpart in Python.

use super::script::{Worker, check_that_the_end_of_a_run_ends_a_wait, shared};
use crate::common::processes::kill;
use crate::common::watchdog;
use serde_json::{Value as Json, json};
use std::time::{Duration, Instant};
use wpool::{FailureKind, Isolation, Permits, Semaphore, Shared};

/// Makes state with a semaphore.
fn with_semaphore(permits: Permits) -> (Shared, Semaphore) {
    let shared = shared();
    let semaphore = Semaphore::create(&shared, "s", permits).unwrap();
    (shared, semaphore)
}

/// Returns the answer to the next holder of permits whose holder died.
fn restored(permits: u32, culprit: &Json) -> Json {
    json!({"restored": permits, "culprit": culprit})
}

fn timed_out() -> Json {
    json!({"error": "timed-out"})
}

#[track_caller]
fn assert_sound(shared: &Shared) {
    assert_eq!(shared.check(), Vec::<String>::new());
}

#[test]
fn a_semaphore_counts_down_to_none_and_up_beyond_its_start() {
    let _watchdog = watchdog(60);
    for create in ["semaphore s create 2", "semaphore s create 2 owned"] {
        let shared = shared();
        let [one, other] = Worker::several(&shared);
        let steps = [create, "semaphore s acquire", "semaphore s count"];
        assert_eq!(one.run(&steps), json!([true, true, 1]), "{create}");
        assert_eq!(other.run(&["semaphore s acquire", "semaphore s count"]), json!([true, 0]));
        for worker in [&one, &other] {
            assert_eq!(worker.step("within 0 semaphore s acquire"), timed_out());
            assert_eq!(worker.step("within 0.01 semaphore s acquire"), timed_out());
        }
        for (worker, count) in [(&one, 1), (&other, 2), (&one, 3), (&other, 4)] {
            let steps = ["semaphore s release", "semaphore s count"];
            assert_eq!(worker.run(&steps), json!([true, count]), "{create}");
        }
        assert_eq!(one.run(&["4* semaphore s acquire", "semaphore s count"]), json!([true, 0]));
        assert_sound(&shared);
    }
}

#[test]
fn a_bounded_semaphore_never_has_more_permits_than_at_its_start() {
    let _watchdog = watchdog(60);
    for create in ["semaphore s create 2 bounded", "semaphore s create 2 owned bounded"] {
        let shared = shared();
        let [one, other] = Worker::several(&shared);
        let too_many = json!({"error": "too-many"});
        assert_eq!(one.run(&[create, "semaphore s release"]), json!([true, too_many]));
        assert_eq!(one.run(&["2* semaphore s acquire", "semaphore s count"]), json!([true, 0]));
        assert_eq!(one.run(&["2* semaphore s release", "semaphore s count"]), json!([true, 2]));
        for worker in [&one, &other] {
            let steps = ["semaphore s release", "semaphore s count"];
            assert_eq!(worker.run(&steps), json!([too_many, 2]), "{create}");
        }
    }
}

#[test]
fn a_wait_with_a_limit_takes_its_time_and_one_without_a_wait_none() {
    let _watchdog = watchdog(60);
    let (shared, semaphore) = with_semaphore(Permits::signal(0));
    let worker = Worker::new(&shared);
    let since = Instant::now();
    assert_eq!(worker.step("within 0.2 semaphore s acquire"), timed_out());
    assert!(since.elapsed() >= Duration::from_millis(200));
    // A thousand waits of a second each would take a quarter of an hour.
    assert_eq!(worker.step("1000* within 0 semaphore s acquire"), timed_out());
    semaphore.release().unwrap();
    assert_eq!(worker.step("within 50 semaphore s acquire"), json!(true));
}

#[test]
fn each_permit_lets_one_of_those_that_wait_go_on() {
    let _watchdog = watchdog(60);
    for permits in [Permits::signal(0), Permits::owned(0)] {
        let (shared, semaphore) = with_semaphore(permits);
        let workers: [Worker; 3] = Worker::several(&shared);
        let mut waits: Vec<_> =
            workers.iter().map(|worker| worker.start_waiting(&["semaphore s acquire"])).collect();
        for left in (0..3).rev() {
            semaphore.release().unwrap();
            let mut ended =
                || waits.iter_mut().map(|wait| u32::from(wait.has_ended())).sum::<u32>();
            crate::common::until(|| ended() == 3 - left);
            assert_eq!(semaphore.count(), Ok(0), "{left} wait");
        }
        assert!(waits.into_iter().all(|wait| wait.answers() == json!([true])));
    }
}

#[test]
fn the_permits_of_a_process_that_was_killed_are_restored_and_the_next_holder_is_told_once() {
    let _watchdog = watchdog(60);
    let (shared, _) = with_semaphore(Permits::owned(3));
    let [dies, next] = Worker::several(&shared);
    let culprit = dies.slot();
    assert_eq!(dies.run_and_die(&["2* semaphore s acquire", "semaphore s count"])[1], 1);
    crate::common::until(|| shared.show("s") == Ok(json!(3)));
    let steps = ["semaphore s acquire", "semaphore s acquire", "semaphore s count"];
    assert_eq!(next.run(&steps), json!([restored(2, &culprit), true, 1]));
    assert_sound(&shared);
}

#[test]
fn permits_of_several_dead_are_told_together() {
    let _watchdog = watchdog(60);
    let (shared, _) = with_semaphore(Permits::owned(6));
    let [first, second, next] = Worker::several(&shared);
    let culprit = second.slot();
    first.run(&["2* semaphore s acquire"]);
    second.run(&["3* semaphore s acquire"]);
    for (worker, free) in [(&first, 3), (&second, 6)] {
        worker.run_and_die(&[]);
        crate::common::until(|| shared.show("s") == Ok(json!(free)));
    }
    let steps = ["semaphore s acquire", "semaphore s acquire", "semaphore s count"];
    assert_eq!(next.run(&steps), json!([restored(5, &culprit), true, 4]));
}

#[test]
fn the_permits_of_a_semaphore_that_counts_events_are_not_restored() {
    let _watchdog = watchdog(60);
    let (shared, semaphore) = with_semaphore(Permits::signal(3));
    let [dies, next] = Worker::several(&shared);
    dies.run_and_die(&["2* semaphore s acquire"]);
    // The slot of the dead worker has been swept by now: the pool has forked a new worker for it.
    dies.step("slot");
    assert_eq!(semaphore.count(), Ok(1));
    let steps = ["semaphore s acquire", "within 0 semaphore s acquire"];
    assert_eq!(next.run(&steps), json!([true, timed_out()]));
    semaphore.release().unwrap();
    assert_eq!(next.step("semaphore s acquire"), json!(true));
}

#[test]
fn a_process_that_waits_gets_the_permit_of_one_that_is_killed_or_traps() {
    let _watchdog = watchdog(120);
    let (shared, _) = with_semaphore(Permits::owned(1));
    let [dies, next] = Worker::several(&shared);
    for round in 0..10 {
        let (pid, culprit) = (dies.pid(), dies.slot());
        assert_eq!(dies.step("semaphore s acquire"), json!(true), "round {round}");
        let waits = next.start_waiting(&["semaphore s acquire", "semaphore s release"]);
        if round % 2 == 0 {
            kill(pid);
        } else {
            assert_eq!(dies.fails(&["trap"]).kind, FailureKind::Trap);
        }
        assert_eq!(waits.answers(), json!([restored(1, &culprit), true]), "round {round}");
    }
    assert_sound(&shared);
}

#[test]
fn a_process_that_is_killed_while_it_waits_takes_no_permit_with_it() {
    let _watchdog = watchdog(60);
    for permits in [Permits::signal(0), Permits::owned(0)] {
        let (shared, semaphore) = with_semaphore(permits);
        let [dies, next] = Worker::several(&shared);
        let pid = dies.pid();
        let lost = dies.start_waiting(&["semaphore s acquire"]);
        let waits = next.start_waiting(&["semaphore s acquire"]);
        kill(pid);
        assert_eq!(lost.failure().kind, FailureKind::WorkerLost);
        semaphore.release().unwrap();
        assert_eq!(waits.answers(), json!([true]));
        assert_sound(&shared);
    }
}

#[test]
fn in_every_isolation_the_permits_of_a_job_that_died_or_ended_with_them_are_restored() {
    let _watchdog = watchdog(60);
    for isolation in [Isolation::Fresh, Isolation::Process] {
        let (shared, _) = with_semaphore(Permits::owned(2));
        let dies = Worker::isolated(&shared, isolation);
        let next = Worker::new(&shared);
        let steps = ["semaphore s acquire", "semaphore s release", "semaphore s count"];
        let culprit = dies.slot();
        dies.run(&["2* semaphore s acquire"]);
        assert_eq!(next.run(&steps), json!([restored(2, &culprit), true, 2]), "{isolation:?}");
        let culprit = dies.slot();
        assert_eq!(dies.fails(&["semaphore s acquire", "trap"]).kind, FailureKind::Trap);
        crate::common::until(|| shared.show("s") == Ok(json!(2)));
        assert_eq!(next.run(&steps), json!([restored(1, &culprit), true, 2]), "{isolation:?}");
        let culprit = dies.slot();
        let script = dies.start(&["2* semaphore s acquire", "semaphore s acquire"]);
        crate::common::until(|| shared.show("s") == Ok(json!(0)));
        script.cancel();
        assert_eq!(script.failure().kind, FailureKind::Cancelled);
        assert_eq!(next.run(&steps), json!([restored(2, &culprit), true, 2]), "{isolation:?}");
        assert_sound(&shared);
    }
}

#[test]
fn a_wait_ends_with_the_run() {
    let _watchdog = watchdog(120);
    check_that_the_end_of_a_run_ends_a_wait([&["semaphore s ensure 0", "semaphore s acquire"]]);
    check_that_the_end_of_a_run_ends_a_wait([
        &["semaphore s ensure 0 owned", "semaphore s acquire"],
        &["semaphore s ensure 0 owned", "within 1000 semaphore s acquire"],
    ]);
}
