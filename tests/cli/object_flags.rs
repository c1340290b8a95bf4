//! Shared objects from the command line: made by flags, filled from files, shown and saved
//! afterwards. (The messages about wrong flags are tested in `messages.rs`.)

use crate::common::processes::Signal;
use crate::common::run::{Wpool, file, map, map_wat, path, wpool};
use serde_json::{Value, json};
use std::fs::{self, OpenOptions};
use std::process::Stdio;

/// A task that returns its job and knows nothing of objects.
const ECHO: &str = r#"(module (func (export "echo") (param i64) (result i64) (local.get 0)))"#;

/// A module with tasks on the lock `guard`: `keep` acquires it and ends, `spin` acquires it and
/// goes on for ever, `take` returns how it was acquired, `make` creates it.
const GUARD: &str = r#"(module
    (import "wpool" "lock_create" (func $create (param i32 i32 i32) (result i32)))
    (import "wpool" "lock_open" (func $open (param i32 i32) (result i32)))
    (import "wpool" "lock_acquire" (func $acquire (param i32 i64) (result i32)))
    (import "wpool" "lock_release" (func $release (param i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "guard")
    (func $guard (result i32) (call $open (i32.const 0) (i32.const 5)))
    (func (export "keep") (param i64) (result i32) (call $acquire (call $guard) (i64.const -1)))
    (func (export "spin") (param i64) (result i32)
        (drop (call $acquire (call $guard) (i64.const -1)))
        (loop $again (br $again))
        (unreachable))
    (func (export "take") (param i64) (result i32)
        (local $guard i32) (local $how i32)
        (local.set $guard (call $guard))
        (local.set $how (call $acquire (local.get $guard) (i64.const -1)))
        (drop (call $release (local.get $guard)))
        (local.get $how))
    (func (export "make") (param i64) (result i32)
        (call $create (i32.const 0) (i32.const 5) (i32.const 0))))"#;

/// Returns a run of the task that knows nothing of objects, for one job.
fn echo() -> Wpool {
    map_wat(ECHO).jobs(["7"])
}

/// Returns the objects that a run shows after the result of its job.
fn shown(run: Wpool) -> Vec<Value> {
    let done = run.run().ends(0);
    let lines = done.lines();
    assert_eq!(lines[0], "7");
    lines[1..].iter().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn every_kind_of_object_is_made_and_shown_in_the_order_asked_for() {
    let free = json!({"held": false, "owner-died": false});
    let run = echo()
        .flags("--lock l --rlock rl --semaphore s=2:owned:bounded --condition c --condition cl:l")
        .flags("--event e --event set=set --barrier b=4 --queue q:2:1KiB:joinable")
        .flags("--value v=i32:-7 --value f=f64:NaN --value t=bool:true --array a=u32:3")
        .flags("--array n=f32:[0.1,-Infinity] --region r:64MiB")
        .flags("--show v --show f --show t --show l --show rl --show s --show c --show cl --show e")
        .flags("--show set --show b --show q --show a --show n --show r --show v");
    let waiting = json!({"held": false, "owner-died": false, "waiting": 0});
    assert_eq!(
        shown(run),
        [
            json!({"v": -7}),
            json!({"f": "NaN"}),
            json!({"t": true}),
            json!({"l": free}),
            json!({"rl": free}),
            json!({"s": 2}),
            json!({"c": waiting}),
            json!({"cl": waiting}),
            json!({"e": false}),
            json!({"set": true}),
            json!({"b": {"parties": 4, "waiting": 0, "broken": false}}),
            json!({"q": []}),
            json!({"a": [0, 0, 0]}),
            json!({"n": [0.1, "-Infinity"]}),
            json!({"r": {"bytes": 64 << 20}}),
            json!({"v": -7}),
        ]
    );
}

#[test]
fn guests_find_the_objects_of_flags() {
    let run = map_wat(GUARD).flags("--task take --lock guard --show guard -j 4 --range 0..500");
    let done = run.run().ends(0);
    let (last, taken) = done.lines().split_last().map(|(l, t)| (*l, t.to_vec())).unwrap();
    assert_eq!(last, r#"{"guard":{"held":false,"owner-died":false}}"#);
    assert!(taken.len() == 500 && taken.iter().all(|how| *how == "0"));
}

#[test]
fn a_worker_that_dies_with_a_lock_loses_it_and_the_next_is_told() {
    let run = map_wat(GUARD).flags("--task spin --lock guard --show guard --timeout 0.2 -j 2");
    let done = run.jobs(["1", "2"]).run().ends(100);
    done.says("timed out").prints("null\nnull\n{\"guard\":{\"held\":false,\"owner-died\":true}}\n");
}

#[test]
fn an_object_that_a_guest_makes_can_be_shown_too() {
    let run = map_wat(GUARD).flags("--task make --show guard").jobs(["1"]);
    run.run().ends(0).prints("1\n{\"guard\":{\"held\":false,\"owner-died\":false}}\n");
    let save = format!("--save=q={}", path("saved").display());
    let run = map_wat(GUARD).flags("--task make --show guards").arg(save).jobs(["1"]);
    let done = run.run().ends(2).prints("1\n");
    assert_eq!(
        done.labelled("error:"),
        [
            "error: --show guards: there is no object of this name",
            "error: --save q: there is no object of this name"
        ]
    );
    done.says("help: there are: lock guard");
}

#[test]
fn each_line_of_a_file_is_a_message() {
    let messages = file("messages", "1\n\n{\"a\": [2]}\nwords and more\n\"x\"");
    let queue = format!("q=@{}", messages.display());
    let shows = shown(echo().arg("--queue").arg(&queue).flags("--show q"));
    assert_eq!(shows, [json!({"q": [1, "", {"a": [2]}, "words and more", "x"]})]);
    let saved = path("saved");
    let save = format!("q={}", saved.display());
    echo().arg("--queue").arg(queue).arg("--save").arg(save).run().ends(0);
    assert_eq!(fs::read_to_string(saved).unwrap(), "1\n\n{\"a\": [2]}\nwords and more\n\"x\"\n");
    let empty = format!("q=@{}", file("empty", "").display());
    assert_eq!(shown(echo().arg("--queue").arg(empty).flags("--show q")), [json!({"q": []})]);
}

#[test]
fn a_queue_has_room_for_the_messages_of_its_file() {
    let long = "x".repeat(100_000);
    let lines: String = (0..5000).map(|n| format!("{n}\n")).collect();
    let lines = file("lines", format!("{lines}{}", format!("{long}\n").repeat(300)));
    let queue = format!("q=@{}", lines.display());
    let shows = shown(echo().arg("--queue").arg(queue).flags("--show q"));
    let messages = shows[0]["q"].as_array().unwrap();
    assert_eq!(
        (messages.len(), &messages[4999], &messages[5000]),
        (5300, &json!(4999), &json!(long))
    );
}

#[test]
fn what_a_job_got_is_gone_when_it_succeeded_and_comes_again_when_it_trapped() {
    let take = r#"(module
        (import "wpool" "queue_open" (func $open (param i32 i32) (result i32)))
        (import "wpool" "queue_get" (func $get (param i32 i32 i32 i64) (result i64)))
        (memory (export "memory") 1)
        (data (i32.const 0) "q")
        (func (export "take") (param $good i64) (result i64)
            (local $got i64)
            (local.set $got (call $get (call $open (i32.const 0) (i32.const 1))
                (i32.const 100) (i32.const 100) (i64.const 0)))
            (if (i64.eqz (local.get $good)) (then (unreachable)))
            (local.get $got)))"#;
    let queue = format!("--queue=q=@{}", file("messages", "a\nbb\nccc\n").display());
    let again = 1_u64 << 32;
    for isolation in ["reuse", "fresh", "process"] {
        let run = map_wat(take).args(["--isolation", isolation]).arg(&queue).flags("--show q -j 1");
        let done = run.jobs(["1", "0", "1"]).run().ends(100);
        assert_eq!(
            done.lines(),
            ["1", "null", &(again + 2).to_string(), r#"{"q":["ccc"]}"#],
            "{isolation}"
        );
    }
}

#[test]
fn what_a_job_got_that_failed_is_not_dealt_with_because_the_next_succeeds() {
    let queue = format!("--queue=q=@{}", file("messages", "1\n2\n").display());
    let run = map("script").arg(queue).flags("--show q -j 1");
    let done = run.jobs([r#"["queue q get", "error no"]"#, r#"["queue q len"]"#]).run().ends(100);
    assert_eq!(done.lines(), ["null", "[1]", r#"{"q":[1,2]}"#]);
}

#[test]
fn a_file_of_numbers_is_json_or_words() {
    for text in ["[1.5, \"NaN\",\n-2]\n", "1.5\nNaN\n-2\n", " 1.5 NaN\t-2"] {
        let array = format!("a=f64:@{}", file("numbers", text).display());
        let shows = shown(echo().arg("--array").arg(array).flags("--show a"));
        assert_eq!(shows, [json!({"a": [1.5, "NaN", -2.0]})], "{text:?}");
    }
}

#[test]
fn what_is_saved_can_be_read_again() {
    let numbers: Vec<f64> = (0..200_000).map(|n| f64::from(n) / 7.0).collect();
    let json = serde_json::to_string(&numbers).unwrap();
    let bytes: Vec<u8> = (0..5_000_001).map(|n: u32| (n % 251) as u8).collect();
    file("array", format!("{json}\n"));
    file("region", &bytes);
    file("queue", "1\ntwo\n");
    let here = |name: &str| path(name).display().to_string();
    for (from, to) in [("", "2"), ("2", "3")] {
        let arguments = [
            format!("--array=a=f64:@{}{from}", here("array")),
            format!("--region=r=@{}{from}", here("region")),
            format!("--queue=q=@{}{from}", here("queue")),
            format!("--save=a={}{to}", here("array")),
            format!("--save=r={}{to}", here("region")),
            format!("--save=q={}{to}", here("queue")),
            format!("--save=v={}{to}", here("value")),
        ];
        echo().args(arguments).flags("--value v=u64:18446744073709551615").run().ends(0);
        for name in ["array", "region", "queue"] {
            let (before, after) = (fs::read(path(name)), fs::read(path(&format!("{name}{to}"))));
            assert!(before.unwrap() == after.unwrap(), "{name}{to}");
        }
        let value = fs::read_to_string(path(&format!("value{to}"))).unwrap();
        assert_eq!(value, "18446744073709551615\n");
    }
}

#[test]
fn a_file_can_be_read_and_saved_in_one_run() {
    let region = file("region", "hello");
    let name = region.display();
    let run = echo().arg(format!("--region=r:10=@{name}")).arg(format!("--save=r={name}"));
    run.flags("--show r").run().ends(0).prints("7\n{\"r\":{\"bytes\":10,\"text\":\"hello\"}}\n");
    assert_eq!(fs::read(region).unwrap(), b"hello\0\0\0\0\0");
}

#[test]
fn a_large_region_comes_back_whole() {
    let large = file("large", "begin");
    OpenOptions::new().write(true).open(&large).unwrap().set_len(256 << 20).unwrap();
    let saved = path("saved");
    let run = echo().arg(format!("--region=r=@{}:ro", large.display()));
    let run =
        run.arg(format!("--save=r={}", saved.display())).flags("--region-space 256MiB --show r");
    run.run().ends(0).prints("7\n{\"r\":{\"bytes\":268435456}}\n");
    let bytes = fs::read(&saved).unwrap();
    assert!(bytes.len() == 256 << 20 && bytes.starts_with(b"begin\0"));
    assert!(bytes[5..].iter().all(|&byte| byte == 0));
}

/// Returns a run of a task that never ends.
fn endless() -> Wpool {
    let run = map_wat(GUARD).flags("--task spin --lock guard --value v=i64:5 --show v");
    run.arg(format!("--save=v={}", path("saved").display())).jobs(["1"])
}

#[test]
fn objects_are_shown_and_saved_after_a_run_that_failed_or_was_killed() {
    let saved = || fs::read_to_string(path("saved")).unwrap();
    endless().flags("--timeout 0.1").run().ends(100).prints("null\n{\"v\":5}\n");
    assert_eq!(saved(), "5\n");
    let run = endless().start();
    // A signal before this moment would find wpool unprepared.
    run.until("a worker", || !run.workers().is_empty());
    // Only a running job holds its place among the results.
    run.until("the job to run", || {
        run.signal(Signal::SIGUSR1);
        run.stderr.text().contains("runs job 0")
    });
    run.signal(Signal::SIGINT);
    run.wait_for_message("Ctrl-C again to kill");
    assert_eq!(saved(), "5\n", "what was there stays until the end");
    run.signal(Signal::SIGINT);
    run.finish().ends(130).prints("null\n{\"v\":5}\n");
    assert_eq!(saved(), "5\n");
}

#[test]
fn what_is_shown_begins_on_a_line_of_its_own() {
    let command = r#"(module
        (import "wasi_snapshot_preview1" "fd_write"
            (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 0) "\10\00\00\00\05\00\00\00")
        (data (i32.const 16) "no\nln")
        (func (export "_start")
            (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;
    let run = || map_wat(command).flags("--value v=i64:5 --show v").jobs(["1"]);
    run().run().ends(0).prints("no\nln\n{\"v\":5}\n");
    // The records end as results do.
    run().flags("--output-format null").run().ends(0).prints("no\nln\0{\"v\":5}\0");
    // A file gets results and nothing else.
    let results = path("results");
    run().arg("-o").arg(&results).run().ends(0).prints("{\"v\":5}\n");
    assert_eq!(fs::read(results).unwrap(), b"no\nln");
    let rows = echo().flags("--jsonl --value v=i64:5 --show v").run().ends(0).rows();
    assert_eq!((rows.len(), &rows[0]["output"], &rows[1]), (2, &json!(7), &json!({"v": 5})));
}

#[test]
fn names_are_printed_as_json() {
    let name = "a\"\u{1b}[2Jé";
    let run = echo().arg(format!("--value={name}=i64:1")).arg("--show").arg(name);
    run.run().ends(0).prints("7\n{\"a\\\"\\u001b[2Jé\":1}\n");
}

#[test]
fn objects_can_be_named_in_the_environment() {
    let run = echo().env("WPOOL_VALUE", "v=i64:3").env("WPOOL_SHOW", "v");
    run.run().ends(0).prints("7\n{\"v\":3}\n");
}

#[test]
fn a_dry_run_makes_everything_and_leaves_nothing() {
    let saved = path("saved");
    let save = format!("--save=v={}", saved.display());
    let run = || echo().flags("--dry-run --show v").arg(&save);
    run().flags("--value v=i64:3").run().ends(0);
    assert!(!saved.exists());
    run().flags("--value w=i64:3").run().ends(2).says("error: --show v: no flag makes an object");
}

#[test]
fn a_file_that_cannot_be_written_ends_the_run_before_or_is_told_after_it() {
    let run = echo().flags("--value v=i64:3 --save v=/nowhere/file");
    run.run().ends(110).prints("").says("error: cannot write --save v=/nowhere/file: No such file");
    let run = echo().flags("--value v=i64:3 --save v=/dev/full --show v");
    let done = run.run().ends(110).prints("7\n{\"v\":3}\n").says("1 job ok");
    done.says("error: cannot write --save v=/dev/full: No space left on device");
    // A failed job takes precedence.
    let run = map_wat(GUARD).flags("--task spin --timeout 0.1 --lock guard --value v=i64:3");
    run.flags("--save v=/dev/full").jobs(["1"]).run().ends(100).says("/dev/full");
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let run = echo().flags("--value v=i64:3 --show v").arg("-o").arg(path("results"));
    let run = run.with_streams(|command| {
        command.stdout(Stdio::from(writer));
    });
    let done = run.run().ends(141);
    assert_eq!(done.labelled("error:"), [""; 0]);
}

#[test]
fn a_job_whose_time_was_over_while_it_waited_says_for_what_and_what_ends_such_waits() {
    let check = |flags: &str, steps: &[&str], jobs: usize, what: &str, help: &str| {
        let steps = serde_json::to_string(steps).expect("a list of texts");
        let run = map("script").flags("--task script --timeout 0.3").flags(flags);
        let done = run.jobs(vec![steps; jobs]).run().ends(100);
        done.says(&format!("it ran longer than 300ms, waiting for {what}\nhelp: {help}"));
    };
    let put = ["2* queue evens put 1"];
    check("--queue evens:1", &put, 1, "room in queue evens", "have other jobs get from it");
    let get = ["queue evens get"];
    check("--queue evens", &get, 1, "a message in queue evens", "put as many messages");
    let join = ["queue evens put 1", "queue evens join"];
    let done = "the messages of queue evens to be done with";
    check("--queue evens:9:joinable", &join, 1, done, "say of each message");
    check("--event e", &["event e wait"], 1, "event e", "it takes a job that");
    let permit = "a permit of semaphore s";
    check("--semaphore s=0", &["semaphore s acquire"], 1, permit, "whoever has it");
    let notified = ["condition c acquire", "condition c wait"];
    check("--condition c", &notified, 1, "a notification of condition c", "it takes a job that");
    let barrier = ["barrier b wait"];
    let parties = "the other parties of barrier b (2 of 3 are there)";
    check(
        "--barrier b=3 -j 2",
        &barrier,
        2,
        parties,
        "as many jobs have to run at once as it has parties: -j 3",
    );
    let parties = "the other parties of barrier b (1 of 3 are there)";
    check("--barrier b=3 -j 3", &barrier, 1, parties, "all of its parties have to come");
}

#[test]
fn a_barrier_that_nobody_can_pass_is_warned_of() {
    let warning = "warning: barrier b has 3 parties, and no more than 2 run at once: ";
    let run = |jobs: u32, flags: &str| {
        let range = format!("--range 0..{jobs} --barrier b=3");
        map_wat(ECHO).flags(&range).flags(flags).run().ends(0)
    };
    run(9, "-j 2").says(warning);
    assert!(!run(3, "-j 3").stderr.contains("warning"));
    let calls = wpool(["run"]).arg(file("echo.wat", ECHO)).args(["echo(1)", "echo(2)"]);
    calls.flags("--barrier b=3").run().ends(0).says(warning);
}

#[test]
fn what_was_saved_stays_if_what_is_new_cannot_be_saved() {
    let saved = file("saved", "old\n");
    let save = format!("q={}", saved.display());
    let run = |message: &str| {
        let puts = format!(
            r#"(module
                (import "wpool" "queue_open" (func $open (param i32 i32) (result i32)))
                (import "wpool" "queue_put" (func $put (param i32 i32 i32 i64) (result i32)))
                (memory (export "memory") 1) (data (i32.const 0) "q") (data (i32.const 8) "{message}")
                (func (export "put") (result i32)
                    (call $put (call $open (i32.const 0) (i32.const 1)) (i32.const 8) (i32.const 3)
                        (i64.const -1))))"#
        );
        map_wat(&puts).args(["--queue", "q", "--save", &save]).jobs(["[]"]).run()
    };
    run("a\\0ab").ends(110).says("message 0 has a line end in it");
    assert_eq!(fs::read_to_string(&saved).expect("it is there"), "old\n");
    run("new").ends(0);
    assert_eq!(fs::read_to_string(&saved).expect("it is there"), "new\n");
    assert!(!path("saved.saving").exists());
}
