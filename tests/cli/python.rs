//! Tasks in Python: the language behaves as its users expect, and processes share objects.

use crate::common::language::{Example, example};
use crate::common::run::file;
use serde_json::json;

fn python() -> Option<Example> {
    example("python")
}

/// Returns a job of `run_source`: a program.
fn program(source: &str) -> String {
    json!(source).to_string()
}

#[test]
fn only_what_the_world_exports_is_a_task() {
    let Some(python) = python() else { return };
    // The export that componentize-py calls at build time still exists.
    python.run().arg("init()").run().ends(101).says("the module has no task `init`");
}

/// Returns what Python itself prints for the functions that the tasks are made of.
fn with_multiprocessing() -> Vec<String> {
    let program = "guest-examples/python/with_multiprocessing.py";
    let output = std::process::Command::new("python3")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        // The variable would make its processes print into one another's lines.
        .env_remove("PYTHONUNBUFFERED")
        .arg(program)
        .current_dir(crate::common::root())
        .output()
        .expect("python3 can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("it is text").lines().map(str::to_owned).collect()
}

#[test]
fn functions_for_multiprocessing_do_the_same_in_wpool() {
    let Some(python) = python() else { return };
    let theirs = with_multiprocessing();
    let said = |start: &str| theirs.iter().rfind(|line| line.starts_with(start));
    let numbers = "([1,2,3,4,5,6,7,8,9,10])";
    let calls = ["calc-square", "calc-square-root"].map(|task| format!("{task}{numbers}"));
    let done = python.run().args(calls).run().ends(0);
    for line in [said("Squares"), said("Square Roots")] {
        let line = line.expect("it prints them").as_str();
        assert!(done.lines().contains(&line), "{line}: {:?}", done.lines());
    }

    let done = python.map("calc_product").jobs(["[1,2,3]", "[3,4,5]"]).run().ends(0);
    let result = format!("Result is: [{}]", done.lines().join(", "));
    assert_eq!(said("Result"), Some(&result));

    let nums: Vec<i64> = (0..100).collect();
    let queue = python.run().arg(format!("get-even({})", json!(nums))).flags("--queue evens");
    let done = queue.flags("--show evens").run().ends(0);
    let shown: serde_json::Value = serde_json::from_str(done.lines()[0]).expect("it is JSON");
    let evens = shown["evens"][0].to_string().replace(',', ", ");
    assert_eq!(said("Queue"), Some(&format!("Queue: {evens}")));

    let objects = "--value balance=i32:1 --lock guard --show balance";
    let done = python.run().args(["add-locked()", "subtract-locked()"]).flags(objects).run();
    let shown: serde_json::Value = serde_json::from_str(done.lines()[0]).expect("it is JSON");
    assert_eq!(said("Value"), Some(&format!("Value is {}", shown["balance"])));
}

#[test]
fn an_exception_ends_the_job_with_its_traceback() {
    let Some(python) = python() else { return };
    let done = python.map("reciprocals").flags("-j 1").jobs(["[4]", "[2,0]", "[2]"]).run();
    let done = done
        .ends(100)
        .prints("[0.25]\nnull\n[0.5]\n")
        .says("Traceback (most recent call last):")
        .says("    return [reciprocal(n) for n in numbers]\n")
        .says("    return 1 / n\n")
        .says("job 1 ([2,0]) trapped: ZeroDivisionError: division by zero\nwpool: ");
    assert!(!done.stderr.contains("panicked"), "{}", done.stderr);
}

#[test]
fn an_exception_is_the_error_of_a_task_that_has_one_and_leaves_its_instance_alone() {
    let Some(python) = python() else { return };
    let remember = program("import random; random.seed(1)");
    let fail = program("import json\njson.loads('[')");
    let recall = program("import random; first = random.random()\nresult = first");
    let expected = python.map("run_source").flags("-j 1").jobs([&remember, &recall]).run().ends(0);
    let done = python.map("run_source").flags("-j 1").jobs([remember, fail, recall]).run();
    let done = done
        .ends(100)
        .says("  File \"job\", line 2, in <module>\n")
        .says("failed: json.decoder.JSONDecodeError: Expecting value: line 1 column 2 (char 1)\n");
    assert_eq!(done.lines()[2], expected.lines()[1], "the seed of job 0 is lost");
}

#[test]
fn a_program_that_exits_fails_its_job_alone() {
    let Some(python) = python() else { return };
    let jobs = [program("import sys; sys.exit(3)"), program("result = 1")];
    let done = python.map("run_source").jobs(jobs).run();
    done.ends(100).prints("null\n\"1\"\n").says("exited with code 1");
}

#[test]
fn python_sleeps_and_knows_what_time_it_is() {
    let Some(python) = python() else { return };
    let done = python.map("take_a_nap").jobs(["0.05", "0"]).run().ends(0);
    let slept: Vec<f64> = done.lines().iter().map(|line| line.parse().unwrap()).collect();
    assert!(slept[0] >= 0.05 && slept[1] >= 0.0, "{slept:?}");
}

#[test]
fn random_numbers_differ_unless_they_are_seeded() {
    let Some(python) = python() else { return };
    let throw = |flags: &str| {
        let done = python.map("throw_dice").flags(flags).flags("--isolation fresh");
        let done = done.jobs(["50", "50"]).run().ends(0);
        done.lines().iter().map(|line| (*line).to_owned()).collect::<Vec<_>>()
    };
    let thrown = throw("");
    assert_ne!(thrown[0], thrown[1]);
    assert_ne!(thrown, throw(""));
    assert_eq!(throw("--seed 7"), throw("--seed 7"));
}

#[test]
fn an_interpreter_that_was_prepared_once_is_what_every_process_begins_with() {
    let Some(python) = python() else { return };
    let is_prime = || python.map("is_prime").flags("--isolation process --range 199990..200000");
    let primes = "false\nfalse\nfalse\nfalse\nfalse\nfalse\nfalse\nfalse\nfalse\ntrue\n";
    for (init, times) in [("", 10), ("--init prepare", 1)] {
        let done = is_prime().flags(init).run().ends(0);
        assert_eq!(done.stderr.matches("17984 primes").count(), times, "{init}");
        done.prints(primes);
    }
}

#[test]
fn what_python_prints_is_shown_line_by_line() {
    let Some(python) = python() else { return };
    let done = python.map("greet").jobs(["Ada"]).run().ends(0).prints("null\n");
    done.says("] Hello, Ada!\n").says("] Ada was greeted.\n");
    python.run().arg("greet(\"Ada\")").run().ends(0).prints("Hello, Ada!\n");
}

#[test]
fn every_shared_object_does_what_its_namesake_in_multiprocessing_does() {
    let Some(python) = python() else { return };
    let region = file("region", "read me");
    let done = python
        .map("run_source")
        .arg("--region")
        .arg(format!("readonly=@{}:ro", region.display()))
        .jobs([program(include_str!("../python/objects.py"))])
        .run();
    done.ends(0).prints("\"'every object'\"\n");
}

#[test]
fn whoever_gets_a_lock_after_its_owner_died_is_told_until_somebody_repairs() {
    let Some(python) = python() else { return };
    let take = "import wpool\nlock = wpool.Lock.open_or_create('guard')\n";
    let told = "try:\n  lock.acquire(); result = 'clean'\n\
                except wpool.OwnerDied as died:\n  result = died.culprit is not None\n";
    let jobs = [
        // The exit ends the instance, and is not an error.
        format!("{take}lock.acquire()\nimport time\nraise SystemExit(1)"),
        // The exception is not caught, so that it ends the instance as well.
        format!("{take}with lock: result = 'not told'"),
        format!("{take}{told}lock.mark_consistent(); lock.release()"),
        format!("{take}{told}lock.release()"),
    ];
    let jobs = jobs.map(|job| program(&job));
    let done = python.map("run_source").flags("-j 1 --lock guard").jobs(jobs).run().ends(100);
    assert_eq!(done.lines(), ["null", "null", "\"True\"", "\"'clean'\""]);
    done.says("trapped: wpool.errors.OwnerDied: lock `guard`: its last owner died");
}

#[test]
fn a_repair_is_done_before_a_block_that_holds_a_lock_whose_owner_died() {
    let Some(python) = python() else { return };
    let hold = "import wpool\nresult = []\n\
                with wpool.Lock.open('guard').held(repair=lambda: result.append('repaired')):\n  \
                result.append('held')";
    let die = "import wpool\nwpool.Lock.open('guard').acquire()\nraise SystemExit(1)";
    let jobs = [hold, die, hold, hold].map(program);
    let done = python.map("run_source").flags("-j 1 --lock guard").jobs(jobs).run().ends(100);
    let (held, repaired) = ("\"['held']\"", "\"['repaired', 'held']\"");
    assert_eq!(done.lines(), [held, "null", repaired, held]);
}

#[test]
fn messages_cross_from_python_to_python_and_come_again_after_a_death() {
    let Some(python) = python() else { return };
    let put = "import wpool\nwpool.Queue.open('q').put({'grüße': [1, None, 0.5]})";
    let get = "import wpool\nq = wpool.Queue.open('q')\nresult = q.get(), q.redelivered\n";
    let die = format!("{get}raise SystemExit(1)");
    let jobs = [put, &die, get].map(program);
    let done = python.map("run_source").flags("-j 1 --queue q").jobs(jobs).run().ends(100);
    assert_eq!(done.lines()[2], json!("({'grüße': [1, None, 0.5]}, True)").to_string());
}
