//! `--trace`: a timeline of workers, jobs and waits.

use crate::common::calls::{run, run_wat};
use crate::common::gate::Gate;
use crate::common::processes::{Signal, kill};
use crate::common::run::{Wpool, map, map_wat, path};
use crate::common::{STUCK, guest};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// Returns a run that writes its timeline to the test's folder.
fn traced(run: Wpool) -> Wpool {
    run.arg("--trace").arg(path("trace"))
}

/// Returns the timeline of a test as it is on disk.
fn text() -> String {
    fs::read_to_string(path("trace")).expect("the timeline is there")
}

/// A timeline.
struct Timeline {
    events: Vec<Json>,
}

/// A span of time in which something happened. Times are in nanoseconds.
#[derive(Clone, Debug)]
struct Span {
    name: String,
    row: i64,
    began: u64,
    ended: u64,
    args: Json,
}

impl Span {
    fn is_in(&self, outer: &Span) -> bool {
        self.row == outer.row && outer.began <= self.began && self.ended <= outer.ended
    }

    fn number(&self, arg: &str) -> u64 {
        self.args[arg].as_u64().unwrap_or_else(|| panic!("no {arg}: {self:?}"))
    }
}

fn nanos(event: &Json, field: &str) -> u64 {
    (event[field].as_f64().expect("a time") * 1e3).round() as u64
}

impl Timeline {
    /// Reads the timeline that a test has written, which has to be JSON with one event on each
    /// line.
    fn read() -> Timeline {
        let text = text();
        let events: Vec<Json> = serde_json::from_str(&text).expect("the file is valid JSON");
        assert_eq!(text.lines().count(), events.len() + 2);
        let timeline = Timeline { events };
        timeline.check_rows();
        timeline
    }

    /// Asserts that every event is in a row that has a name.
    fn check_rows(&self) {
        let rows = self.rows();
        for event in &self.events {
            let row = event["tid"].as_i64().expect("a row");
            assert!(rows.contains_key(&row), "{event} is in no row");
        }
        let [dispatcher] = &self.of_kind("M", "process_name")[..] else { panic!("one process") };
        assert_eq!(rows[&dispatcher["pid"].as_i64().expect("a process")], "dispatcher");
        for (row, name) in rows.iter().filter(|(_, name)| *name != "dispatcher") {
            assert!(
                name.starts_with("worker ") && name.ends_with(&format!(" (pid {row})")),
                "{name}"
            );
        }
    }

    fn of_kind(&self, kind: &str, name: &str) -> Vec<&Json> {
        self.events.iter().filter(|event| event["ph"] == kind && event["name"] == name).collect()
    }

    /// Returns the names of the rows.
    fn rows(&self) -> BTreeMap<i64, String> {
        let named = self.of_kind("M", "thread_name").into_iter();
        let entry = |event: &Json| {
            let name = event["args"]["name"].as_str().expect("a name");
            (event["tid"].as_i64().expect("a row"), name.to_owned())
        };
        named.map(entry).collect()
    }

    /// Returns the acts of the dispatcher with this name: the time and the arguments of each.
    fn acts(&self, name: &str) -> Vec<(u64, &Json)> {
        let acts = self.of_kind("i", name).into_iter();
        acts.map(|event| (nanos(event, "ts"), &event["args"])).collect()
    }

    fn spans(&self, category: &str) -> Vec<Span> {
        let spans = self.events.iter().filter(|e| e["ph"] == "X" && e["cat"] == category);
        let span = |event: &Json| {
            let began = nanos(event, "ts");
            Span {
                name: event["name"].as_str().expect("a name").to_owned(),
                row: event["tid"].as_i64().expect("a row"),
                began,
                ended: began + nanos(event, "dur"),
                args: event["args"].clone(),
            }
        };
        spans.map(span).collect()
    }

    /// Returns the attempts at jobs, by job and number. Asserts that attempts of one worker do not
    /// overlap.
    fn jobs(&self) -> Vec<Span> {
        let mut jobs = self.spans("job");
        jobs.sort_by_key(|job| (job.row, job.began));
        for pair in jobs.windows(2) {
            assert!(pair[0].row != pair[1].row || pair[0].ended <= pair[1].began, "{pair:?}");
        }
        jobs.sort_by_key(|job| (job.number("job"), job.number("attempt")));
        jobs
    }

    /// Asserts that jobs 0 to `count` ran, once each and with success.
    #[track_caller]
    fn has_run(&self, count: u64) -> Vec<Span> {
        let jobs = self.jobs();
        assert_eq!(jobs.len() as u64, count);
        for (number, job) in jobs.iter().enumerate() {
            let told = (job.number("job"), job.number("attempt"), &job.args["ok"]);
            assert_eq!(told, (number as u64, 1, &json!(true)));
        }
        jobs
    }
}

#[test]
fn every_job_is_one_span_in_the_row_of_its_worker() {
    for mode in ["reuse", "fresh", "process"] {
        let run = map("square").flags("--range 0..300 -j 3 --isolation").arg(mode);
        traced(run).run().ends(0);
        let timeline = Timeline::read();
        let jobs = timeline.has_run(300);
        assert!(jobs.iter().all(|job| job.name == "square" && job.number("memory") > 0));
        let sent = timeline.acts("dispatch");
        assert!(
            sent.iter().map(|(_, args)| args["jobs"].as_u64().expect("a number")).sum::<u64>()
                >= 300
        );
        let started = timeline.spans("worker");
        assert_eq!(started.len(), timeline.acts("worker start").len());
        assert_eq!(started.len(), timeline.acts("worker end").len());
        for job in jobs {
            let is_before = |(when, args): &(u64, &Json)| {
                *when <= job.began && args["first"].as_u64() <= job.args["job"].as_u64()
            };
            assert!(sent.iter().any(is_before), "{job:?} began before it was sent");
            let is_its = |start: &&Span| start.row == job.row && start.ended <= job.began;
            assert_eq!(started.iter().filter(is_its).count(), 1, "{job:?} began before its worker");
        }
    }
}

#[test]
fn a_job_that_is_tried_again_has_a_span_for_each_attempt() {
    let gate = Gate::new();
    traced(gate.map("second_try", 3).flags("-j 1 --retries 1")).run().ends(0);
    let jobs = Timeline::read().jobs();
    let told: Vec<_> = jobs
        .iter()
        .map(|job| (job.number("job"), job.number("attempt"), job.args["failure"].clone()))
        .collect();
    let attempts = |job| [(job, 1, json!("trap")), (job, 2, Json::Null)];
    assert_eq!(told, (0..3).flat_map(attempts).collect::<Vec<_>>());
    assert!(jobs.chunks(2).all(|attempts| attempts[0].ended <= attempts[1].began));
}

#[test]
fn a_timeout_is_a_kill_an_end_and_another_worker() {
    let run = map_wat(STUCK).flags("-j 1 --timeout 0.2").jobs(["1", "0", "2"]);
    traced(run).run().ends(100);
    let timeline = Timeline::read();
    let jobs = timeline.jobs();
    let failures: Vec<&Json> = jobs.iter().map(|job| &job.args["failure"]).collect();
    assert_eq!(failures, [&Json::Null, &json!("timeout"), &Json::Null]);
    let stuck = &jobs[1];
    assert!(stuck.ended - stuck.began >= 200_000_000, "{stuck:?}");
    let [(killed, args)] = timeline.acts("kill")[..] else { panic!("one kill") };
    assert_eq!((&args["why"], &args["pid"]), (&json!("timeout"), &json!(stuck.row)));
    assert_eq!(args["message"], "it ran longer than 200ms");
    let (ended, how) = timeline.acts("worker end")[0];
    assert_eq!((&how["how"], &how["pid"]), (&json!("killed by SIGKILL"), &json!(stuck.row)));
    let [_, (started, next)] = timeline.acts("worker start")[..] else { panic!("two workers") };
    assert_eq!(next["pid"], jobs[2].row);
    assert!(stuck.began <= killed && killed <= ended && killed <= started);
}

#[test]
fn a_worker_that_is_lost_leaves_a_span_that_ends_with_it() {
    let gate = Gate::new();
    let run = traced(gate.map("wait", 2).flags("-j 2 --unordered")).start();
    gate.wait_for(2);
    let dead = gate.wait_for_job(1);
    kill(dead);
    run.wait_for_message("error: job 1");
    gate.open_all();
    run.finish().ends(100);
    let timeline = Timeline::read();
    let jobs = timeline.jobs();
    assert_eq!(jobs.len(), 2);
    assert_eq!((jobs[1].row, &jobs[1].args["failure"]), (dead.into(), &json!("worker-lost")));
    let (ended, args) = timeline.acts("worker end")[0];
    assert_eq!(args, &json!({"worker": args["worker"], "pid": dead, "how": "killed by SIGKILL"}));
    assert!(jobs[1].began < jobs[1].ended && jobs[1].ended <= ended);
    assert!(timeline.acts("kill").is_empty(), "wpool killed nobody");
}

/// A module with tasks that wait: `hold` holds the lock while `take` waits for it in vain, and
/// `patient` waits for a condition again and again, each time until the time is over.
const WAITS: &str = r#"(module
    (import "wpool" "lock_open" (func $lock (param i32 i32) (result i32)))
    (import "wpool" "lock_acquire" (func $acquire (param i32 i64) (result i32)))
    (import "wpool" "event_open" (func $event (param i32 i32) (result i32)))
    (import "wpool" "event_set" (func $set (param i32) (result i32)))
    (import "wpool" "event_wait" (func $await (param i32 i64) (result i32)))
    (import "wpool" "condition_open" (func $condition (param i32 i32) (result i32)))
    (import "wpool" "condition_acquire" (func $enter (param i32 i64) (result i32)))
    (import "wpool" "condition_wait" (func $wait (param i32 i64) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "guardhelddone")
    (func $guard (result i32) (call $lock (i32.const 0) (i32.const 5)))
    (func $held (result i32) (call $event (i32.const 5) (i32.const 4)))
    (func $done (result i32) (call $event (i32.const 9) (i32.const 4)))
    (func (export "hold")
        (drop (call $acquire (call $guard) (i64.const -1)))
        (drop (call $set (call $held)))
        (drop (call $await (call $done) (i64.const -1))))
    (func (export "take") (result i32)
        (drop (call $await (call $held) (i64.const -1)))
        (call $acquire (call $guard) (i64.const 100000000))
        (drop (call $set (call $done))))
    (func (export "patient") (param $times i32)
        (local $condition i32)
        (local.set $condition (call $condition (i32.const 5) (i32.const 4)))
        (drop (call $enter (local.get $condition) (i64.const -1)))
        (loop $again
            (drop (call $wait (local.get $condition) (i64.const 0)))
            (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))))"#;

#[test]
fn a_wait_for_a_lock_is_a_span_inside_that_of_its_job() {
    let run = run_wat(WAITS).args(["hold()", "mine=take()"]);
    traced(run.flags("--lock guard --event held --event done")).run().ends(0);
    let timeline = Timeline::read();
    let jobs = timeline.has_run(2);
    let names: Vec<&str> = jobs.iter().map(|job| job.name.as_str()).collect();
    assert_eq!(names, ["hold", "mine"]);
    let waits = timeline.spans("wait");
    assert!(waits.iter().all(|wait| wait.is_in(&jobs[wait.number("job") as usize])), "{waits:?}");
    let locks: Vec<&Span> = waits.iter().filter(|wait| wait.args["kind"] == "lock").collect();
    let [wait] = locks[..] else { panic!("one wait for the lock: {waits:?}") };
    assert_eq!(wait.name, "wait for lock guard");
    assert_eq!(wait.args, json!({"job": 1, "kind": "lock", "object": "guard"}));
    assert!(wait.ended - wait.began >= 100_000_000);
}

#[test]
fn the_wait_in_which_a_job_was_killed_is_told() {
    let run = run_wat(WAITS).args(["hold()", "--timeout", "0.2"]);
    traced(run.flags("--lock guard --event held --event done")).run().ends(124);
    let timeline = Timeline::read();
    let [job] = &timeline.jobs()[..] else { panic!("one job") };
    let [wait] = &timeline.spans("wait")[..] else { panic!("one wait") };
    assert_eq!(
        (wait.name.as_str(), &job.args["failure"]),
        ("wait for event done", &json!("timeout"))
    );
    assert!(wait.is_in(job) && wait.ended == job.ended, "{wait:?} in {job:?}");
}

#[test]
fn waits_beyond_a_thousand_of_a_job_are_counted() {
    for (times, left_out) in [(1000, None), (1005, Some(5))] {
        let run = map_wat(WAITS).flags("--task patient --condition held").jobs([times.to_string()]);
        traced(run).run().ends(0);
        let timeline = Timeline::read();
        let job = &timeline.has_run(1)[0];
        let waits = timeline.spans("wait");
        assert_eq!(waits.len(), 1000);
        assert!(waits.iter().all(|wait| wait.is_in(job) && wait.name == "wait for condition held"));
        let counted = timeline.acts("further waits are left out");
        let counted = counted.first().map(|(_, args)| args["waits"].as_u64().expect("a number"));
        assert_eq!(counted, left_out);
    }
}

#[test]
fn what_is_free_is_no_wait() {
    let run = run("counter").args(["add_locked(1000)"]);
    traced(run.flags("--value balance=i32:0 --lock guard")).run().ends(0);
    let timeline = Timeline::read();
    assert_eq!(timeline.has_run(1)[0].name, "add_locked");
    assert!(timeline.spans("wait").is_empty());
}

#[test]
fn an_interrupted_run_leaves_a_whole_timeline() {
    for kills in [false, true] {
        let gate = Gate::new();
        let run = traced(gate.map("wait", 5).flags("-j 2")).start();
        gate.wait_for(2);
        run.signal(Signal::SIGINT);
        run.wait_for_message("draining 2 jobs");
        match kills {
            true => run.signal(Signal::SIGINT),
            false => gate.open_all(),
        }
        run.finish().ends(130);
        let timeline = Timeline::read();
        let failures: Vec<Json> =
            timeline.jobs().iter().map(|job| job.args["failure"].clone()).collect();
        let failure = if kills { json!("cancelled") } else { Json::Null };
        assert_eq!(failures, [failure.clone(), failure]);
        let [(_, drain)] = timeline.acts("drain")[..] else { panic!("one drain") };
        assert_eq!(drain, &json!({"running": 2, "why": "asked to"}));
        assert_eq!(timeline.acts("kill").len(), if kills { 2 } else { 0 });
        assert_eq!(timeline.acts("worker end").len(), 2);
    }
}

#[test]
fn of_a_run_that_was_itself_killed_only_the_end_is_missing() {
    let gate = Gate::new();
    let run = traced(gate.map("wait", 5).flags("-j 2")).start();
    gate.wait_for(2);
    gate.open(0);
    run.until("a job in the file", || text().contains("\"cat\":\"job\""));
    run.signal(Signal::SIGKILL);
    run.finish();
    let events: Vec<Json> = serde_json::from_str(&format!("{}\n]", text())).expect("valid JSON");
    let timeline = Timeline { events };
    timeline.check_rows();
    assert_eq!(timeline.jobs()[0].number("job"), 0);
}

#[test]
fn a_job_that_no_worker_had_is_in_the_dispatchers_row() {
    let run = map("sha256").flags("--files");
    traced(run.jobs([guest("square").to_str().expect("text"), "/nowhere"])).run().ends(100);
    let timeline = Timeline::read();
    assert_eq!(timeline.jobs().len(), 1);
    let [(_, args)] = timeline.acts("not run")[..] else { panic!("one job was not run") };
    assert_eq!((&args["job"], &args["ok"]), (&json!(1), &json!(false)));
}

#[test]
fn a_hundred_thousand_jobs_are_each_there_once() {
    let run = map("square").flags("--range 0..100000 -j 2").env("WPOOL_TRACE", path("trace"));
    run.run().ends(0);
    let timeline = Timeline::read();
    let jobs = timeline.has_run(100_000);
    let rows: BTreeSet<i64> = jobs.iter().map(|job| job.row).collect();
    assert!(rows.iter().all(|row| timeline.rows().contains_key(row)));
}

#[test]
fn a_file_that_cannot_be_written_ends_the_run_before_it_has_begun() {
    for (file, why) in [("/nowhere/trace", "No such file"), ("/dev/full", "No space left")] {
        let wrong = format!("error: cannot write --trace {file}: {why}");
        let gate = Gate::new();
        let done = gate.map("note", 3).args(["--trace", file]).run();
        done.ends(110).prints("").says(&wrong);
        assert!(gate.started().is_empty());
        let done = gate.run(&["note()"]).args(["--trace", file]).run();
        done.ends(110).prints("").says(&wrong);
        assert!(gate.started().is_empty());
    }
}
