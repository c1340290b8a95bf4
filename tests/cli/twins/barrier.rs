//! Barriers between workers: the parties go on together, or learn why not.
//!
//! The tests mirror Python's `_TestBarrier`, without what has no counterpart here:
//! - `test_action`: a barrier runs no function. The party with index 0 does what one party is to do
//!   for all, and all parties wait again.
//! - `test_default_timeout`: a barrier has no limit of its own; each wait has its own timeout.
//!
//! Further tests cover what Python has no answer to (gh-123899): the death of a party. Barriers
//! between threads of the host are tested in `host_objects.rs`.

use super::script::{
    Answers, Script, Worker, check_that_the_end_of_a_run_ends_a_wait, run_waiting, scripts, shared,
};
use super::victim::Victim;
use crate::common::processes::{Signal, kill};
use crate::common::{until, watchdog};
use serde_json::{Value as Json, json};
use std::time::Duration;
use wpool::{Barrier, Builder, FailureKind, Isolation, Shared, Value};

/// Makes state with a barrier for this many parties.
fn barrier(parties: u32) -> (Shared, Barrier) {
    let shared = shared();
    let barrier = Barrier::create(&shared, "b", parties).unwrap();
    (shared, barrier)
}

/// Runs the same steps in all workers, and returns their answers.
fn together<S: AsRef<str>>(workers: &[Worker], steps: &[S]) -> Vec<Json> {
    let steps: Vec<&str> = steps.iter().map(AsRef::as_ref).collect();
    let scripts: Vec<Script> = workers.iter().map(|worker| worker.start(&steps)).collect();
    scripts.into_iter().map(Script::answers).collect()
}

/// Lets all workers wait at the barrier.
fn wait_all(workers: &[Worker], barrier: &Barrier) -> Vec<Script> {
    let before = barrier.waiting().unwrap();
    let scripts = workers.iter().map(|worker| worker.start(&["barrier b wait"])).collect();
    until(|| barrier.waiting() == Ok(before + workers.len() as u32));
    scripts
}

/// Returns the answer at a barrier that the culprit broke.
fn broken(culprit: &Json) -> Json {
    json!([{"error": "broken", "culprit": culprit}])
}

#[track_caller]
fn assert_passes(workers: &[Worker]) {
    let mut indices = together(workers, &["barrier b wait"]);
    indices.sort_by_key(|index| index[0].as_u64());
    let expected: Vec<Json> = (0..workers.len()).map(|index| json!([index])).collect();
    assert_eq!(indices, expected);
}

#[test]
fn five_parties_go_on_together_once_and_ten_times() {
    let _watchdog = watchdog(120);
    for rounds in [1, 10] {
        let (shared, barrier) = barrier(5);
        Value::create(&shared, "arrived", 0_i32).unwrap();
        let parties: [Worker; 5] = Worker::several(&shared);
        let round =
            ["value arrived add 1", "barrier b wait", "value arrived get", "barrier b wait"];
        for answers in together(&parties, &round.repeat(rounds)) {
            let seen = answers.as_array().unwrap().iter().skip(2).step_by(4);
            let expected: Vec<Json> = (1..=rounds).map(|round| json!(5 * round)).collect();
            assert_eq!(seen.cloned().collect::<Vec<_>>(), expected, "all came, and no one twice");
        }
        assert_eq!((barrier.waiting(), barrier.is_broken()), (Ok(0), Ok(false)));
        assert_eq!(shared.check(), Vec::<String>::new());
    }
}

#[test]
fn each_party_gets_another_index_in_the_order_in_which_they_came() {
    let _watchdog = watchdog(60);
    let (shared, barrier) = barrier(5);
    let parties: [Worker; 5] = Worker::several(&shared);
    assert_passes(&parties);
    let mut waiting = Vec::new();
    for party in &parties[..4] {
        waiting.push(party.start(&["barrier b wait"]));
        until(|| barrier.waiting() == Ok(waiting.len() as u32));
    }
    waiting.push(parties[4].start(&["barrier b wait", "barrier b parties"]));
    let answers: Vec<Json> = waiting.into_iter().map(Script::answers).collect();
    assert_eq!(json!(answers), json!([[0], [1], [2], [3], [4, 5]]));
}

#[test]
fn a_thousand_passes_of_five_processes_stay_in_order() {
    let _watchdog = watchdog(120);
    let (shared, _barrier) = barrier(5);
    Value::create(&shared, "passed", 0_i32).unwrap();
    let parties: [Worker; 5] = Worker::several(&shared);
    for answers in together(&parties, &["barrier b wait", "value passed add 1"].repeat(1000)) {
        for (pass, before) in answers.as_array().unwrap().iter().skip(1).step_by(2).enumerate() {
            // No party is more than one pass ahead of another.
            let (pass, before) = (pass as i64, before.as_i64().unwrap());
            assert!((5 * pass - 4..5 * pass + 9).contains(&before), "{before} in pass {pass}");
        }
    }
    assert_eq!(shared.show("passed"), Ok(json!(5000)));
}

#[test]
fn a_barrier_for_one_never_blocks() {
    let _watchdog = watchdog(60);
    let (shared, _barrier) = barrier(1);
    let worker = Worker::new(&shared);
    assert_eq!(worker.run(&["3* barrier b wait", "within 0 barrier b wait"]), json!([0, 0]));
}

#[test]
fn an_abort_breaks_it_for_those_that_wait_and_those_that_will() {
    let _watchdog = watchdog(60);
    let (shared, barrier) = barrier(5);
    let parties: [Worker; 4] = Worker::several(&shared);
    let fifth = Worker::new(&shared);
    let waiting = wait_all(&parties, &barrier);
    fifth.step("barrier b abort");
    let culprit = fifth.slot();
    for party in waiting {
        assert_eq!(party.answers(), broken(&culprit));
    }
    assert_eq!(fifth.run(&["barrier b wait"]), broken(&culprit));
    assert_eq!(fifth.run(&["barrier b is-broken", "barrier b waiting"]), json!([true, 0]));
}

#[test]
fn a_reset_sends_those_away_that_wait_and_then_all_pass() {
    let _watchdog = watchdog(60);
    for broken_before in [false, true] {
        let (shared, barrier) = barrier(5);
        let parties: [Worker; 5] = Worker::several(&shared);
        let waiting = wait_all(&parties[..4], &barrier);
        if broken_before {
            parties[4].step("barrier b abort");
        }
        parties[4].step("barrier b reset");
        let culprit = parties[4].slot();
        for party in waiting {
            assert_eq!(party.answers(), broken(&culprit));
        }
        assert_eq!(barrier.is_broken(), Ok(false));
        assert_passes(&parties);
    }
}

#[test]
fn one_late_party_breaks_it_for_all() {
    let _watchdog = watchdog(60);
    for time in ["0", "0.05"] {
        let (shared, barrier) = barrier(5);
        let parties: [Worker; 3] = Worker::several(&shared);
        let [impatient, late] = Worker::several(&shared);
        let waiting = wait_all(&parties, &barrier);
        let timed = impatient.run(&["now", &format!("within {time} barrier b wait"), "now"]);
        assert_eq!(timed[1], json!({"error": "timed-out"}));
        let took = timed[2].as_f64().unwrap() - timed[0].as_f64().unwrap();
        assert!(took >= time.parse().unwrap(), "{took}");
        let culprit = impatient.slot();
        for party in waiting {
            assert_eq!(party.answers(), broken(&culprit));
        }
        assert_eq!(late.run(&["barrier b wait"]), broken(&culprit));
    }
}

#[test]
fn a_party_that_is_killed_breaks_it_and_a_reset_makes_it_new() {
    let _watchdog = watchdog(120);
    for isolation in [Isolation::Reuse, Isolation::Fresh, Isolation::Process] {
        let (shared, barrier) = barrier(5);
        let others: [Worker; 3] = Worker::several(&shared);
        let waiting = wait_all(&others, &barrier);
        let victim = Victim::new(&shared, isolation, &["barrier b wait"]);
        until(|| barrier.waiting() == Ok(4));
        let culprit = victim.slot.clone();
        let revived = victim.kill();
        for party in waiting {
            assert_eq!(party.answers(), broken(&culprit), "{isolation:?}");
        }
        assert_eq!(others[0].run(&["barrier b wait"]), broken(&culprit), "{isolation:?}");
        assert_eq!(barrier.is_broken(), Ok(true));
        barrier.reset().unwrap();
        let [a, b, c] = others;
        assert_passes(&[revived, a, b, c, Worker::new(&shared)]);
        assert_eq!(shared.check(), Vec::<String>::new());
    }
}

#[test]
fn a_party_that_traps_breaks_it() {
    let _watchdog = watchdog(120);
    for isolation in [Isolation::Reuse, Isolation::Fresh] {
        let (shared, barrier) = barrier(3);
        let others: [Worker; 2] = Worker::several(&shared);
        let victim = Worker::isolated(&shared, isolation);
        let culprit = victim.slot();
        let waiting = wait_all(&others, &barrier);
        let failure = victim.fails(&["barrier b open", "trap"]);
        assert_eq!(failure.kind, FailureKind::Trap);
        for party in waiting {
            assert_eq!(party.answers(), broken(&culprit), "{isolation:?}");
        }
    }
}

#[test]
fn who_has_not_opened_it_or_has_closed_it_is_no_party() {
    let _watchdog = watchdog(60);
    let (shared, barrier) = barrier(3);
    let parties: [Worker; 3] = Worker::several(&shared);
    let waiting = wait_all(&parties[..2], &barrier);
    let [stranger, closed] = Worker::several(&shared);
    stranger.run_and_die(&["slot"]);
    closed.run_and_die(&["barrier b open", "barrier b drop"]);
    // The sweeps are over when the workers that replace the dead ones run.
    stranger.slot();
    closed.slot();
    assert_eq!(parties[2].run(&["barrier b wait"]), json!([2]));
    for (index, party) in waiting.into_iter().enumerate() {
        assert!(party.answers()[0].as_u64() < Some(2), "{index}");
    }
}

#[test]
fn a_party_that_ends_in_good_order_does_not_break_it() {
    let _watchdog = watchdog(60);
    let ends: [fn(Builder) -> Builder; 4] = [
        |builder| builder.isolation(Isolation::Fresh),
        |builder| builder.isolation(Isolation::Process),
        |builder| builder.isolation(Isolation::Reuse).jobs_per_worker(1),
        |builder| builder.isolation(Isolation::Fresh).jobs_per_worker(1),
    ];
    let scripts: [&[&str]; 2] = [&["barrier b wait", "barrier b drop"], &["barrier b wait"]];
    for (end, script) in ends.iter().flat_map(|end| scripts.map(|script| (end, script))) {
        let (shared, barrier) = barrier(3);
        let others: [Worker; 2] = Worker::several(&shared);
        let third = Worker::with(&shared, end);
        for _ in 0..3 {
            let waiting = wait_all(&others, &barrier);
            assert_eq!(third.run(script)[0], 2);
            for party in waiting {
                assert!(party.answers()[0].is_number());
            }
        }
    }
}

#[test]
fn a_job_that_is_cancelled_or_out_of_time_breaks_it_where_it_waits() {
    let _watchdog = watchdog(60);
    for cancelled in [true, false] {
        let (shared, barrier) = barrier(3);
        let parties: [Worker; 1] = Worker::several(&shared);
        let waiting = wait_all(&parties, &barrier);
        let other = Worker::with(&shared, |builder| match cancelled {
            true => builder,
            false => builder.timeout(Duration::from_millis(500)),
        });
        let culprit = other.slot();
        let script = other.start(&["barrier b wait"]);
        until(|| barrier.waiting() != Ok(1));
        if cancelled {
            script.cancel();
        }
        let kind = if cancelled { FailureKind::Cancelled } else { FailureKind::Timeout };
        assert_eq!(script.failure().kind, kind);
        for party in waiting {
            assert_eq!(party.answers(), broken(&culprit), "cancelled: {cancelled}");
        }
    }
}

#[test]
fn a_pool_that_is_terminated_breaks_it_for_the_others() {
    let _watchdog = watchdog(60);
    let (shared, barrier) = barrier(4);
    let others: [Worker; 1] = Worker::several(&shared);
    let waiting = wait_all(&others, &barrier);
    let pool = scripts(&shared, 2).start().unwrap();
    let jobs = [["barrier b wait"]; 2].map(|job| pool.apply_async::<_, Answers>(job).unwrap());
    until(|| barrier.waiting() == Ok(3));
    pool.terminate();
    assert!(pool.join().is_some());
    drop(jobs);
    for party in waiting {
        assert_eq!(party.answers()[0]["error"], "broken");
    }
}

#[test]
fn a_party_that_dies_at_any_moment_leaves_it_usable() {
    let _watchdog = watchdog(120);
    let (shared, barrier) = barrier(2);
    let passed = Value::create(&shared, "passed", 0_i32).unwrap();
    let mut parties: [Worker; 2] = Worker::several(&shared);
    let steps = ["barrier b wait", "value passed add 1"].repeat(1000);
    for round in 0..15 {
        passed.set(0).unwrap();
        let pid = parties[0].pid();
        let victim = parties[0].start(&["1000000000* barrier b wait"]);
        let other = parties[1].start(&steps);
        until(|| passed.get().unwrap() > round * 17);
        kill(pid);
        assert_eq!(victim.failure().kind, FailureKind::WorkerLost);
        // The survivor was told of each death, and went on.
        other.answers();
        barrier.reset().unwrap();
        assert_passes(&parties);
        parties.reverse();
    }
    assert_eq!(shared.check(), Vec::<String>::new());
}

#[test]
fn a_drain_and_a_deadline_end_one_that_waits() {
    check_that_the_end_of_a_run_ends_a_wait([&["barrier b create 2", "barrier b wait"]]);
}

#[test]
fn a_wait_that_a_drain_interrupts_breaks_it_for_the_others() {
    let wait = ["barrier b ensure 3", "barrier b wait"];
    let run = run_waiting([&wait, &wait]);
    run.signal(Signal::SIGINT);
    let done = run.finish().ends(130);
    let error = |line| Answers::of(line).0[2]["error"].take();
    let errors: Vec<Json> = done.lines().into_iter().map(error).collect();
    assert!(errors.contains(&json!("interrupted")), "{errors:?}");
    assert!(errors.iter().all(|error| error == "interrupted" || error == "broken"), "{errors:?}");
}
