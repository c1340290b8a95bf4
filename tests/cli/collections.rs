//! Lists, dicts and sets from the command line and in guests: what Python's `Manager` does, and what
//! its users complain of.

use crate::common::calls::run;
use crate::common::language::example;
use crate::common::run::{Wpool, file, map, map_wat, path};
use serde_json::{Value, json};
use std::fs;

/// A task that returns its job and knows nothing of objects.
const ECHO: &str = r#"(module (func (export "echo") (param i64) (result i64) (local.get 0)))"#;

/// A module whose task `stuck` puts its job's number into the set `s` as four bytes, and then spins.
const STUCK: &str = r#"(module
    (import "wpool" "set_open" (func $open (param i32 i32) (result i32)))
    (import "wpool" "set_add" (func $add (param i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "s")
    (func (export "stuck") (param i64) (result i32)
        (i64.store (i32.const 8) (local.get 0))
        (drop (call $add (call $open (i32.const 0) (i32.const 1)) (i32.const 8) (i32.const 4)))
        (loop $again (br $again))
        (unreachable)))"#;

/// Returns a run of the task that knows nothing of objects, for one job.
fn echo() -> Wpool {
    map_wat(ECHO).jobs(["7"])
}

/// Returns what a run shows last.
fn shown(run: Wpool, name: &str) -> Value {
    let done = run.run().ends(0);
    let last = done.lines().last().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    last.expect("a line")[name].clone()
}

#[test]
fn a_pool_of_four_updates_a_shared_list_as_in_the_manager_s_documentation() {
    let words = ["shared", "by", "processes", "without", "a", "server"];
    let jobs = words.map(|word| format!("[{word:?},\"words\"]"));
    let run = map("manager").flags("-j 4 --list words --show words").jobs(&jobs);
    let mut list: Vec<String> = serde_json::from_value(shown(run, "words")).expect("words");
    list.sort_unstable();
    let mut words = words.map(str::to_owned).to_vec();
    words.sort_unstable();
    assert_eq!(list, words);
}

#[test]
fn counts_of_many_processes_add_up_without_a_lock() {
    let jobs = vec![r#"["a b a","counts"]"#; 200];
    let run =
        map("manager").flags("--task count_words -j 4 --dict counts --show counts").jobs(jobs);
    assert_eq!(shown(run, "counts"), json!({"a": 400, "b": 200}));
}

/// In Python `groups["a"].append(word)` changes a copy, and a job that is forked with a proxy shares its socket.
#[test]
fn lists_inside_a_dict_are_changed_where_they_are_by_processes_of_their_own() {
    let jobs = [r#"["ant bee","groups"]"#, r#"["ape","groups"]"#, r#"["bat asp","groups"]"#];
    let flags = "--task group_words -j 2 --isolation process --dict groups --show groups";
    let groups = shown(map("manager").flags(flags).jobs(jobs), "groups");
    let mut sorted = groups.as_object().expect("a dict").clone();
    for group in sorted.values_mut() {
        group.as_array_mut().expect("a list").sort_by_key(Value::to_string);
    }
    assert_eq!(Value::from(sorted), json!({"a": ["ant", "ape", "asp"], "b": ["bat", "bee"]}));
}

#[test]
fn python_has_lists_dicts_and_sets_inside_each_other() {
    let Some(example) = example("python") else { return };
    let done = example.map("collect").jobs([r#""d""#]).flags("--dict d --show d").run().ends(0);
    let told: String = serde_json::from_str(done.lines()[0]).expect("text");
    let told: Value = serde_json::from_str(&told).expect("JSON");
    let popped = json!({"three": 4, "set": ["x"]});
    assert_eq!(told, json!([["a", "b", "no proxy"], 1, popped, 1, ["list"]]));
    assert_eq!(done.lines()[1], r#"{"d":{"list":[1,[2]]}}"#);
}

#[test]
fn a_name_without_an_object_is_an_error_that_names_it() {
    run("manager").args([r#"update_string("w","words")"#]).run().ends(1).says("no list `words`");
    let wrong = run("manager").args([r#"update_string("w","words")"#]).flags("--dict words");
    wrong.run().ends(1).says("list `words`");
}

#[test]
fn what_is_saved_is_what_another_run_begins_with() {
    let [list, dict, set] = ["list.json", "dict.json", "set.json"]
        .map(|name| path(name).into_os_string().into_string().expect("text"));
    let first = echo()
        .flags(r#"--list l=[1,"two",{"three":3}] --dict d={"z":1,"a":[2]} --set s=[3,3,1]"#)
        .flags(&format!("--save l={list} --save d={dict} --save s={set}"));
    first.run().ends(0);
    assert_eq!(fs::read_to_string(&list).unwrap(), "[1,\"two\",{\"three\":3}]\n");
    assert_eq!(fs::read_to_string(&dict).unwrap(), "{\"z\":1,\"a\":[2]}\n", "in order");
    assert_eq!(fs::read_to_string(&set).unwrap(), "[3,1]\n");
    let again = echo()
        .flags(&format!("--list l=@{list} --dict d=@{dict} --set s=@{set}"))
        .flags("--show l --show d --show s");
    let done = again.run().ends(0);
    let lines = done.lines();
    assert_eq!(lines[1], r#"{"l":[1,"two",{"three":3}]}"#);
    assert_eq!(lines[2..], [r#"{"d":{"z":1,"a":[2]}}"#, r#"{"s":[3,1]}"#]);
}

#[test]
fn contents_that_are_no_json_or_too_many_are_refused_with_what_to_write() {
    for (flags, what) in [
        ("--list l={}", "is not a list in JSON"),
        ("--dict d=[1]", "is not an object in JSON"),
        ("--set s:0", "0 is outside of 1"),
        ("--list l:1=[1,2]", "--list l: there is not enough space left for it"),
        ("--set s:1=[1,2]", "raise its own bounds (--set NAME:NUMBER:BYTES)"),
    ] {
        echo().flags(flags).run().ends(2).says(what);
    }
    let torn = file("torn.json", "[1,");
    echo()
        .flags(&format!("--list l=@{}", torn.display()))
        .run()
        .ends(2)
        .says("--list l=@")
        .says("EOF");
}

/// The lock of a dead client stays, in Python; and a killed writer tears what it writes.
#[test]
fn a_job_that_is_killed_leaves_what_it_has_put_in_and_holds_up_nobody() {
    let jobs: Vec<String> = (1..=8).map(|number| number.to_string()).collect();
    let run = map_wat(STUCK).flags("--timeout 300ms -j 2 --set s --show s").jobs(&jobs);
    let done = run.run();
    let last: Value = serde_json::from_str(done.lines().last().expect("a line")).expect("JSON");
    assert_eq!(last["s"].as_array().map(Vec::len), Some(8), "{last}");
}
