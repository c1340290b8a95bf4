//! Components of the asynchronous component model: tasks that wait, streams and futures, WASI 0.3.

use crate::common::run::{Wpool, file, folder, map, map_file, map_wat, path, wpool};
use std::fs;

const ISOLATIONS: [&str; 3] = ["reuse", "fresh", "process"];

/// Returns a run of `wpool map` for a task of the example.
fn streams(task: &str) -> Wpool {
    map("streams-component").args(["--task", task])
}

/// Returns a run of `wpool run` for the command of WASI 0.3.
fn relay() -> Wpool {
    wpool(["run"]).arg(crate::common::guest("relay-component"))
}

/// Returns a component whose function has this type and, where it is lifted, these options. The
/// core function returns `answer`, an i64, through the matching built-in.
fn lifted(ty: &str, options: &str) -> String {
    format!(
        r#"(component
  (core module $module
    (import "host" "return" (func $return (param i64)))
    (func (export "square") (param i64) (result i32)
      (call $return (i64.mul (local.get 0) (local.get 0)))
      (i32.const 0))
    (func (export "callback") (param i32 i32 i32) (result i32) unreachable))
  (core func $return (canon task.return (result s64)))
  (core instance $i (instantiate $module
    (with "host" (instance (export "return" (func $return))))))
  (func (export "square") {ty} (canon lift (core func $i "square") {options})))"#
    )
}

#[test]
fn an_asynchronous_function_is_a_task_in_every_isolation() {
    let callback = r#"async (callback (func $i "callback"))"#;
    let ty = r#"async (param "n" s64) (result s64)"#;
    for isolation in ISOLATIONS {
        let flags = ["--isolation", isolation];
        let map = streams("square-later").args(flags);
        map.jobs(["[3,1]", "[4,0]", "[-5,2]"]).run().ends(0).prints("9\n16\n25\n");
        // The component does not use WASI.
        let map = map_wat(&lifted(ty, callback)).args(flags);
        map.jobs(["3", "-4"]).run().ends(0).prints("9\n16\n");
    }
    wpool(["run"])
        .arg(crate::common::guest("streams-component"))
        .args(["square-later(3, 2)", "square-later(4, 1)"])
        .run()
        .ends(0)
        .prints("9\n16\n");
    let shown = wpool(["inspect"]).arg(path("module.wat")).run().ends(0).lines().join("\n");
    assert!(shown.contains("component-model-async"), "{shown}");
    assert!(shown.contains("square(n: s64) -> s64"), "{shown}");
}

#[test]
fn a_stream_of_bytes_is_bytes_on_both_sides() {
    for isolation in ISOLATIONS {
        let shout = |flags: &str, job: &str| {
            streams("shout").args(["--isolation", isolation]).flags(flags).jobs([job]).run()
        };
        shout("-R -r", "hello world").ends(0).prints("HELLO WORLD\n");
        shout("", "[104,105]").ends(0).prints("[72,73]\n");
        shout("--base64", "\"aGk=\"").ends(0).prints("\"SEk=\"\n");
        shout("-R -r", "").ends(0).prints("\n");
    }
    // The text takes more than one piece, and more than a pipe holds.
    let large = "x".repeat(3 << 20);
    let files = streams("shout").flags("-r --files").jobs([file("large", &large)]);
    files.run().ends(0).prints(large.to_uppercase() + "\n");
    streams("measure").flags("-R").jobs(["ab"]).run().ends(0).prints("[2,195]\n");
    streams("shout").jobs(["hi"]).run().ends(100).says("expected an array, found hi");
}

#[test]
fn streams_and_futures_of_other_values_are_lists_and_values() {
    for isolation in ISOLATIONS {
        let run = |task: &str, job: &str| {
            streams(task).args(["--isolation", isolation]).jobs([job]).run()
        };
        run("evens", "7").ends(0).prints("[[0,2,4,6],4]\n");
        run("words", "\"a bc\"").ends(0).prints("[\"a\",\"bc\"]\n");
        run("words", "\"\"").ends(100).says("failed: there are no words");
    }
    let done = wpool(["inspect"]).arg(crate::common::guest("streams-component")).run().ends(0);
    let shown = done.lines();
    for task in [
        "task       evens(n: s64) -> tuple<stream<s64>, future<u64>>",
        "task       words(text: future<string>) -> result<stream<string>, string>",
    ] {
        assert!(shown.contains(&task), "{task}: {shown:?}");
    }
}

#[test]
fn limits_hold_while_a_task_waits_and_while_its_answer_flows() {
    let run = |task: &str, flags: &str, job: &str| streams(task).flags(flags).jobs([job]).run();
    run("zeros", "-r --max-output 10000", "[10000,false]")
        .ends(0)
        .prints("\0".repeat(10000) + "\n");
    run("zeros", "-r --max-output 9999", "[10000,false]").ends(100).says("too large a result");
    run("zeros", "--max-output 1MiB", "[0,true]").ends(100).says("too large a result");
    run("evens", "--max-output 100", "1000000").ends(100).says("too large a result");
    for isolation in ISOLATIONS {
        let flags = |limit: &str| format!("--isolation {isolation} {limit}");
        run("spin", &flags("--timeout 0.2"), "").ends(100).says("timed out");
        run("spin", &flags("--fuel 10000000"), "").ends(100).says("more than 10000000 instr");
        run("square-later", &flags("--timeout 0.2"), "[2,600000]").ends(100).says("timed out");
        run("grow-later", &flags("--memory 16MiB"), "64").ends(100).says("out of memory");
        run("grow-later", &flags("--memory 16MiB"), "8").ends(0).prints("8\n");
        run("panic-later", &flags(""), "\"oh dear\"").ends(100).says("oh dear");
    }
}

#[test]
fn a_task_that_waits_for_what_nobody_does_is_told_so() {
    streams("forget").jobs(["", ""]).run().ends(100).says("job 1 trapped: deadlock detected");
    // The task waits for something else, which is no reason to wait for ever.
    streams("crowd").jobs(["[1000,1]"]).run().ends(0).prints("1000\n");
}

#[test]
fn what_a_task_does_after_its_return_belongs_to_its_job() {
    for isolation in ISOLATIONS {
        let run = streams("add-after").args(["--isolation", isolation]);
        let run = run.flags("-j1 --lock guard --value total=i64:0 --show total");
        run.jobs(["1", "2", "3"]).run().ends(0).prints("1\n2\n3\n{\"total\":6}\n");
    }
    // The work that never ends after the return does not keep the job from its end.
    streams("busy-after").jobs(["", ""]).run().ends(0).prints("1\n1\n");
}

#[test]
fn an_asynchronous_task_initialises_and_what_it_waits_for_goes_on_in_the_workers() {
    for isolation in ISOLATIONS {
        let init = streams("prepared").flags("-j2 --init prepare --isolation").arg(isolation);
        init.jobs(["", "", ""]).run().ends(0).prints("1100\n1100\n1100\n");
    }
    let run = wpool(["run", "--init", "prepare"]).arg(crate::common::guest("streams-component"));
    run.args(["prepared()"]).run().ends(0).prints("1100\n");
}

#[test]
fn a_command_of_wasi_0_3_has_the_streams_and_the_code_of_wpool() {
    relay().stdin("hello\n").run().ends(0).prints("HELLO\n").says_nothing();
    let large = vec![b'x'; 3 << 20];
    relay().stdin(large.clone()).run().ends(0).prints(large.to_ascii_uppercase());
    let mut run = relay().piped().start();
    for word in ["one\n", "two\n"] {
        run.write(word);
        let echo = word.to_uppercase();
        run.until("its echo", || run.stdout.text().ends_with(&echo));
    }
    run.close_stdin();
    run.finish().ends(0).prints("ONE\nTWO\n").says_nothing();
    let from = file("from", "a file\n");
    relay()
        .with_streams(|command| {
            command.stdin(fs::File::open(&from).expect("is there"));
        })
        .run()
        .ends(0)
        .prints("A FILE\n");
    for (words, code) in [(["fail"], 1), (["exit"], 1), (["unknown"], 1)] {
        relay().arg("--").args(words).run().ends(code).prints("");
    }
    relay().args(["--", "panic"]).run().ends(134).says("as asked");
    relay().args(["--", "warn", "mind\n"]).run().ends(0).prints("").says("mind\n");
}

#[test]
fn a_command_that_waits_for_input_can_wait_for_time_as_well() {
    let mut run = relay().args(["--", "tick"]).piped().start();
    run.until("a tick without any input", || run.stdout.text() == "tick\n");
    run.write("x");
    run.close_stdin();
    run.finish().ends(0).prints("tick\n").says_nothing();
}

#[test]
fn a_command_of_wasi_0_3_maps_its_input_and_sees_what_is_granted() {
    let granted = folder("granted");
    fs::write(granted.join("text"), "in a file").expect("is writable");
    for isolation in ISOLATIONS {
        let relay = || map("relay-component").args(["--isolation", isolation]);
        relay().arg("--stdin").jobs(["one\n", "two\n"]).run().ends(0).prints("ONE\nTWO\n");
        let cat = |map: Wpool| map.args(["--", "cat"]).jobs(["text"]).run();
        cat(relay().dir(&granted, "/data")).ends(0).prints("in a file");
        cat(relay()).ends(100).says("no directory is granted");
        relay().args(["--", "fail"]).jobs(["x"]).run().ends(100).says("exited with code 1");
        let variable = |map: Wpool| map.args(["--", "variable"]).jobs(["KEY"]).run();
        variable(relay().args(["--env", "KEY=value"])).ends(0).prints("value");
        variable(relay()).ends(0).prints("none");
        let random = |flags: &str| {
            let map = relay().flags(flags).args(["--stdin", "--", "random"]);
            map.jobs(["x"]).run().ends(0).stdout
        };
        assert_ne!(random(""), random(""), "{isolation}");
        assert_eq!(random("--seed 7"), random("--seed 7"), "{isolation}");
    }
}

#[test]
fn what_is_not_there_is_refused_by_its_name() {
    let ty = r#"async (param "n" s64) (result s64)"#;
    let stackful = map_wat(&lifted(ty, "async")).jobs(["3"]).run().ends(101);
    stackful.says("async stackful").says("help: build it without");
    let point = r#"(component
  (core module $module
    (func (export "points") (result i32) unreachable)
    (func (export "callback") (param i32 i32 i32) (result i32) unreachable))
  (core instance $i (instantiate $module))
  (type $point' (record (field "x" s32)))
  (export $point "point" (type $point'))
  (type $points (stream $point))
  (func (export "points") async (result $points)
    (canon lift (core func $i "points") async (callback (func $i "callback")))))"#;
    let done = map_file(file("points.wat", point)).jobs([""]).run().ends(101);
    done.says("task `points` cannot be called: a stream<").says("only numbers");
}
