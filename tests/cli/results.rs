//! Results of `wpool map`: no result forges another, overwrites a file that is read, or gives
//! orders to a terminal.

use crate::common::guest;
use crate::common::run::{file, folder, map, map_file, map_wat, path, wpool};
use crate::common::terminal::open_terminal;
use crate::core::commands::map_command;
use std::fs::{self, File};
use std::io::{Read, pipe};
use std::os::unix::fs::symlink;

#[test]
fn a_file_that_is_read_is_never_written() {
    let io = file("io", "1\n2\n");
    let module = path("module.wat");
    let square = r#"(module (func (export "f") (param i64) (result i64)
        (i64.mul (local.get 0) (local.get 0))))"#;
    let run = || map_wat(square);
    for flag in ["-o", "--joblog", "--trace"] {
        let done = run().arg("-a").arg(&io).arg(flag).arg(&io).run().ends(2).prints("");
        done.says(" are one file\n").says("help: write to another file: nothing was written");
        run().arg(flag).arg(&module).jobs(["1"]).run().ends(2).says(" are one file");
    }
    let shell = |script: &str| {
        let io = io.display();
        run()
            .in_shell(&script.replace("IO", &format!("'{io}'")))
            .run()
            .ends(2)
            .says(" are one file")
    };
    shell("exec \"$@\" < IO -o IO");
    shell("exec \"$@\" < IO >> IO");
    let save = format!("q={}", io.display());
    run().arg("-a").arg(&io).args(["--queue", "q", "--save", &save]).run().ends(2).says("--save");
    let twice = run().arg("-o").arg(file("one", "kept")).arg("--joblog").arg(path("one"));
    twice.jobs(["1"]).run().ends(2).says("are one file");
    let link = path("link");
    fs::hard_link(&io, &link).expect("a second name");
    run().arg("-a").arg(&io).arg("-o").arg(&link).run().ends(2).says(" are one file");
    assert_eq!(fs::read_to_string(&io).expect("it is there"), "1\n2\n");
    assert_eq!(fs::read_to_string(path("one")).expect("it is there"), "kept");
    assert!(fs::read_to_string(&module).expect("it is there") == square);
}

#[test]
fn a_file_that_is_read_is_never_one_of_results() {
    let results = folder("results");
    let inside = results.join("1/old");
    fs::create_dir_all(&inside).expect("is writable");
    let (list, module) = (inside.join("stdout"), inside.join("seq"));
    fs::write(&list, "3\n").expect("is writable");
    fs::write(&module, fs::read(guest("square")).expect("it is there")).expect("is writable");
    let run = || map("square").arg("--results").arg(&results);
    let link = path("link");
    symlink(&list, &link).expect("a link");
    let done = run().arg("-a").arg(&link).run().ends(2).prints("");
    done.says("may write").says("help: give another folder: nothing was written");
    run().in_shell(&format!("exec \"$@\" < '{}'", list.display())).run().ends(2);
    run().arg("-o").arg(inside.join("stderr")).jobs(["old"]).run().ends(2).says("may write");
    map_file(&module).arg("--results").arg(&results).jobs(["1"]).run().ends(2).says("may write");
    let run = map_command("wordcount").arg("--files").arg("--results").arg(&results);
    run.jobs([&list]).run().ends(100).says("this run writes it");
    assert_eq!(fs::read_to_string(&list).expect("it is there"), "3\n");
    // The list has a name that no job's file can have, so it is read.
    let list = inside.join("list");
    fs::write(&list, "3\n").expect("is writable");
    map("square").arg("--results").arg(&results).arg("-a").arg(&list).run().ends(0).prints("9\n");
}

#[test]
fn nothing_is_written_where_a_guest_may_have_put_a_link() {
    let (work, victim) = (folder("work"), file("victim", "kept"));
    let deep = work.join("deep");
    fs::create_dir(&deep).expect("is writable");
    let link = deep.join("link");
    symlink(&victim, &link).expect("a link");
    let run = |granted: &str| map("square").dir(&work, granted).jobs(["3"]);
    for flag in ["-o", "--joblog", "--trace", "--results"] {
        let done = run("/w").arg(flag).arg(&link).run().ends(2).prints("");
        done.says("where guests may put a link in its place").says("::/w::ro");
    }
    run("/w").arg("--results").arg(&work).run().ends(2).says("where guests may");
    let save = format!("v={}", link.display());
    run("/w").args(["--value", "v=i64:1", "--save", &save]).run().ends(2).says("--save");
    // Wherever the path begins, and whatever leads there.
    let alias = path("alias");
    symlink(&deep, &alias).expect("a link");
    run("/w").arg("-o").arg(alias.join("new")).run().ends(2).says("where guests may");
    let script = format!("cd '{}' && exec \"$@\"", deep.display());
    run("/w").args(["-o", "link"]).in_shell(&script).run().ends(2).says("where guests may");
    let calls = wpool(["run"]).arg(guest("square")).dir(&work, "/w").arg("square(3)");
    calls.arg("-o").arg(&link).run().ends(2).says("where guests may");
    let bench = wpool(["bench"]).arg(guest("square")).dir(&work, "/w").arg("--export-json");
    bench.arg(&link).jobs(["3"]).run().ends(2).says("where guests may");
    let results = folder("results");
    let granted = results.join("1");
    fs::create_dir(&granted).expect("is writable");
    let within = map("square").dir(&granted, "/w").arg("--results").arg(&results);
    within.jobs(["3"]).run().ends(2).says("guests may put links into");
    assert_eq!(fs::read_to_string(&victim).expect("it is there"), "kept");
    assert_eq!(fs::read_dir(&deep).expect("a folder").count(), 1);
    // The links are the user's own if guests may only read.
    run("/w::ro").arg("-o").arg(&link).run().ends(0);
    assert_eq!(fs::read_to_string(&victim).expect("it is there"), "9\n");
}

#[test]
fn a_job_that_is_the_file_of_results_fails_alone() {
    let (one, results) = (file("one", "1"), file("results", ""));
    let run =
        map_command("wordcount").arg("--files").arg("-o").arg(&results).jobs([&one, &results]);
    run.run().ends(100).says("this run writes it");
    assert_eq!(fs::read_to_string(&results).expect("it is there"), "0 1 1\n");
}

/// A byte task that returns its job's bytes unchanged.
const ECHO: &str = r#"(module
    (import "wpool" "job_read" (func $job_read (param i32 i32 i32) (result i32)))
    (import "wpool" "result_write" (func $result_write (param i32 i32)))
    (memory (export "memory") 2)
    (data (i32.const 100) "1\0a2") (data (i32.const 110) "1\0d2") (data (i32.const 120) "\"a\00b\"")
    (data (i32.const 130) "\"\1b[2J\"") (data (i32.const 140) "not json") (data (i32.const 150) "1 2")
    (data (i32.const 160) "\"\ff\"") (data (i32.const 170) "\"\c2\9b2J\"")
    (func $say (param i32 i32) (call $result_write (local.get 0) (local.get 1)))
    (func (export "task_lf") (result i32) (call $say (i32.const 100) (i32.const 3)) (i32.const 0))
    (func (export "task_cr") (result i32) (call $say (i32.const 110) (i32.const 3)) (i32.const 0))
    (func (export "task_nul") (result i32) (call $say (i32.const 120) (i32.const 5)) (i32.const 0))
    (func (export "task_escape") (result i32) (call $say (i32.const 130) (i32.const 6)) (i32.const 0))
    (func (export "task_junk") (result i32) (call $say (i32.const 140) (i32.const 8)) (i32.const 0))
    (func (export "task_two") (result i32) (call $say (i32.const 150) (i32.const 3)) (i32.const 0))
    (func (export "task_bytes") (result i32) (call $say (i32.const 160) (i32.const 3)) (i32.const 0))
    (func (export "task_c1") (result i32) (call $say (i32.const 170) (i32.const 6)) (i32.const 0))
    (func (export "task_empty") (result i32) (i32.const 0))
    (func (export "task_deep") (result i32)
        (memory.fill (i32.const 1000) (i32.const 91) (i32.const 50000))
        (memory.fill (i32.const 51000) (i32.const 93) (i32.const 50000))
        (call $say (i32.const 1000) (i32.const 100000)) (i32.const 0)))"#;

#[test]
fn a_result_that_is_not_one_value_of_json_fails_its_job() {
    for task in ["lf", "cr", "nul", "escape", "junk", "two", "bytes", "empty", "deep"] {
        for flags in ["", "--jsonl", "--files"] {
            let job = file("job", "1");
            let run = map_wat(ECHO).args(["--task", task]).flags(flags).jobs([&job]);
            let run = if flags.is_empty() { run.arg("-R") } else { run };
            run.run().ends(100).says("failed: result is not one line of JSON");
        }
    }
}

#[test]
fn a_result_with_nul_in_it_is_not_printed_as_two() {
    let run = |flags: &str| map_wat(ECHO).flags("--task nul").flags(flags).jobs(["1"]);
    run("--output-format null").run().ends(100).prints("null\0").says("has a NUL byte in it");
    run("--output-format null -r").run().ends(100).prints("null\0");
    run("-r").run().ends(0).prints("\"a\0b\"\n");
    let command = r#"(module
        (import "wasi_snapshot_preview1" "fd_write" (func $w (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1) (data (i32.const 0) "\10\00\00\00\03\00\00\00") (data (i32.const 16) "a\00b")
        (func (export "_start")
            (drop (call $w (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;
    map_wat(command).jobs(["1"]).run().ends(0).prints("a\0b");
    map_wat(command).flags("--output-format null").jobs(["1"]).run().ends(100);
}

#[test]
fn a_tag_cannot_forge_a_line_nor_reach_the_terminal() {
    let folder = folder("names");
    let name = folder.join("a\n1\t\u{1b}[2J\u{202e}");
    fs::write(&name, "one").expect("is writable");
    let done = map_command("wordcount").args(["--files", "--tag"]).jobs([&name]).run().ends(0);
    let name = format!("{}/a\\n1\\t\\x1b[2J\\u{{202e}}\t0 1 3\n", folder.display());
    assert_eq!(String::from_utf8(done.stdout).expect("text"), name);
}

#[test]
fn rows_and_descriptions_hold_no_character_that_steers_a_terminal() {
    let done = map_wat(ECHO).flags("--task c1 --jsonl -R").jobs(["\u{9b}\u{202e}é"]).run().ends(0);
    let text = String::from_utf8(done.stdout.clone()).expect("text");
    assert!(
        text.contains(r#""input":"\u009b\u202eé""#) && text.contains(r#""\u009b2J""#),
        "{text}"
    );
    let named =
        r#"(module (func (export "\u{9b}\u{202e}") (param i64) (result i64) (local.get 0)))"#;
    let done = wpool(["inspect", "--json"]).arg(file("named.wat", named)).run().ends(0);
    assert!(String::from_utf8(done.stdout).expect("text").contains(r"\u009b\u202e"));
}

#[test]
fn a_terminal_is_shown_no_order_of_a_guest() {
    for (flags, shown) in [("--task c1", r#""\u009b2J""#), ("--task escape -r", r#""\x1b[2J""#)] {
        let (screen, mut keyboard): (File, File) = open_terminal();
        let run = map_wat(ECHO).flags(flags).jobs(["1"]).with_streams(|command| {
            command.stdout(screen);
        });
        run.run().ends(0);
        let mut text = vec![0; 1000];
        let size = keyboard.read(&mut text).expect("it was written");
        assert_eq!(String::from_utf8_lossy(&text[..size]).trim_end(), shown);
    }
}

#[test]
fn a_closed_standard_stream_is_an_error_where_it_is_needed() {
    let run = |script: &str| map("square").jobs(["3"]).in_shell(script);
    let results = path("results");
    run("exec \"$@\" >&-").run().ends(110).says("error: standard output is closed");
    let to_file = format!("exec \"$@\" -o '{}' >&-", results.display());
    map("square").arg("--range").arg("0..3").in_shell(&to_file).run().ends(0);
    assert_eq!(fs::read_to_string(&results).expect("it is there"), "0\n1\n4\n");
    run("exec \"$@\" 2>&-").run().ends(0).prints("9\n");
    run("exec \"$@\" <&-").run().ends(0).prints("9\n");
    map("square").in_shell("exec \"$@\" <&-").run().ends(2).says("standard input is closed");
    let inspect = wpool(["inspect"]).arg(guest("square")).in_shell("exec \"$@\" >&-");
    inspect.run().ends(110).says("standard output is closed");
    let calls = wpool(["run"]).arg(guest("square")).arg("square(3)").in_shell("exec \"$@\" >&-");
    calls.run().ends(110).says("standard output is closed");
}

#[test]
fn a_failure_tells_the_line_and_the_job() {
    let jobs = file("jobs", "1\nx\n3\n");
    let told = format!("error: job 1 (line 2 of {}: x) is invalid", jobs.display());
    map("square").arg("-a").arg(&jobs).run().ends(100).says(&told);
    let long = "y".repeat(1000);
    let done = map("square").stdin(long).run().ends(100);
    done.says(&format!("error: job 0 (line 1 of standard input: {}…) is", "y".repeat(60)));
}

#[test]
fn results_do_not_wait_for_who_reads_standard_error() {
    // Each job prints 60000 bytes: together more than --max-buffer, and more than a pipe takes.
    let talks = r#"(module
        (import "wasi_snapshot_preview1" "fd_write" (func $w (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 2) (data (i32.const 16) "x\0a")
        (data (i32.const 0) "\10\00\00\00\02\00\00\00\00\04\00\00\60\ea\00\00")
        (func (export "_start")
            (drop (call $w (i32.const 2) (i32.const 8) (i32.const 1) (i32.const 32)))
            (drop (call $w (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32)))))"#;
    let (reader, writer) = pipe().expect("a pipe");
    let run = map_wat(talks).args(["--max-buffer", "1MiB", "--range", "0..100"]);
    let run = run.with_streams(|command| {
        command.stderr(writer);
    });
    let run = run.start();
    run.until("all results", || run.stdout.text() == "x\n".repeat(100));
    drop(reader);
    run.finish().ends(0);
}
