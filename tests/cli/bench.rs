//! `wpool bench`: the modes are run side by side, and must agree before they are timed.

use crate::common::browser::{dom, is_installed, overlaps, screenshot};
use crate::common::guest;
use crate::common::processes::{Signal, wait_for_end};
use crate::common::programs;
use crate::common::run::{Done, Wpool, file, folder, path, wpool};
use serde_json::Value as Json;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::available_parallelism;

/// The flags that limit a benchmark to one run, which suffices to see that it works.
const ONCE: [&str; 2] = ["--runs", "1"];

/// A byte task that returns what it reads of its job.
const ECHO: &str = r#"(module
    (import "wpool" "job_read" (func $read (param i32 i32 i32) (result i32)))
    (import "wpool" "result_write" (func $write (param i32 i32)))
    (memory (export "memory") 1)
    (func (export "task_echo") (result i32)
        (call $write (i32.const 0) (call $read (i32.const 0) (i32.const 0) (i32.const 65536)))
        (i32.const 0)))"#;

fn bench(module: &str) -> Wpool {
    wpool(["bench"]).arg(guest(module)).args(ONCE)
}

fn native(name: &str) -> PathBuf {
    crate::common::root().join(format!("target/guests/native/lib{name}.so"))
}

/// Makes a shell script.
fn script(name: &str, text: &str) -> PathBuf {
    let script = file(name, format!("#!/bin/sh\n{text}\n"));
    fs::set_permissions(&script, Permissions::from_mode(0o755)).expect("the test's own file");
    script
}

/// Compiles a shared library from C source.
fn shared_library(name: &str, source: &str) -> PathBuf {
    let source = file(&format!("{name}.c"), source);
    let library = path(&format!("lib{name}.so"));
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-w", "-o"]).args([&library, &source]);
    assert!(cc.status().expect("a C compiler").success());
    library
}

fn python(text: &str) -> String {
    format!("{}:f", file("function.py", text).display())
}

/// Returns the modes of a table, with their workers.
fn modes(done: &Done) -> Vec<String> {
    let text = String::from_utf8_lossy(&done.stdout);
    let rows = text.lines().skip_while(|line| !line.starts_with("mode")).skip(1);
    let rows = rows.take_while(|line| !line.is_empty());
    let name = |row: &str| {
        let words: Vec<&str> = row.split_whitespace().collect();
        let end = words.iter().position(|word| word.parse::<u32>().is_ok()).expect("workers");
        words[..=end].join(" ")
    };
    rows.map(name).collect()
}

#[test]
fn a_task_is_compared_natively_in_wasm_and_in_python() {
    let compared = bench("square")
        .args(["--task", "square", "-j", "1,2", "--native"])
        .arg(native("square"))
        .args(["--python", &python("def f(n):\n    return n * n\n")])
        .args(["--range", "0..50"]);
    let done = compared.within(300).run().ends(0).says("all agree on the results of 50 jobs");
    let expect = [
        "native 1",
        "native threads 1",
        "native threads 2",
        "native workers 1",
        "native workers 2",
        "wasm 1",
        "wasm reuse 1",
        "wasm reuse 2",
        "wasm fresh 1",
        "wasm fresh 2",
        "wasm process 1",
        "wasm process 2",
        "python 1",
        "python pool 1",
        "python pool 2",
    ];
    assert_eq!(modes(&done), expect);
}

#[test]
fn tasks_of_json_and_of_all_kinds_of_numbers_run_natively() {
    for (task, job) in [("sha256", "97"), ("nbody", "10"), ("json", "3"), ("mandelbrot", "9")] {
        let compared = bench("kernels").args(["--task", task, "--native"]).arg(native("kernels"));
        let modes = "native,threads,native-workers,wasm,reuse";
        compared.args(["--modes", modes]).jobs([job, job]).run().ends(0);
    }
}

#[test]
fn a_component_is_compared_with_a_library_by_the_same_names() {
    let compared = bench("square-component").args(["--task", "square", "--native"]);
    let compared = compared.arg(native("square")).args(["--modes", "native,reuse"]);
    compared.jobs(["3", "4"]).run().ends(0);
}

#[test]
fn no_time_is_told_of_modes_that_do_not_agree() {
    let wrong = python("def f(n):\n    return n * n if n < 3 else 0\n");
    let compared = bench("square").args(["--task", "square", "--python", &wrong]);
    let done = compared.jobs(["2", "3"]).run().ends(100).prints("");
    done.says("`wasm` and `python` do not agree: job 1 is 9 and 0").says("--modes");
}

#[test]
fn what_a_mode_lacks_is_named_before_anything_runs() {
    for (flags, what) in [
        ("--modes native", "mode `native` needs a shared library"),
        ("--modes python", "mode `python pool` needs a function"),
        ("--modes xargs", "mode `xargs` is for commands only"),
        ("--modes slow", "invalid value 'slow'"),
        ("--python f.py", "no function of a file"),
        ("-j 0", "at least one worker is needed"),
        ("--min-runs 0", "0 is not in"),
    ] {
        let run = bench("square").flags("--task square").flags(flags);
        run.jobs(["3"]).run().ends(2).prints("").says(what).says("help: ");
    }
    bench("square").flags("--task square --range 0..0").run().ends(4).says("no jobs to measure");
    let shares = bench("counter").flags("--task add --modes wasm").jobs(["1"]).run();
    shares.ends(2).says("mode `wasm` has no shared objects");
}

#[test]
fn a_library_that_cannot_be_used_says_why() {
    let with = |library: PathBuf| {
        let run = bench("square").args(["--task", "square", "--native"]).arg(library);
        run.jobs(["3"]).run().ends(101).prints("")
    };
    with(path("missing.so")).says("cannot use the native library").says("missing.so");
    with(file("text.so", "no library")).says("cannot use the native library");
    with(native("kernels")).says("it does not export `square`");
}

#[test]
fn a_native_crash_is_told_and_nothing_hangs() {
    let source = "long long square(long long n) { __builtin_trap(); }\n";
    let library = shared_library("crash", source);
    for (mode, code, how) in
        [("native", 96, "killed by signal 4"), ("native-workers", 100, "killed by SIGILL")]
    {
        let run = bench("square").args(["--task", "square", "--modes", mode, "--native"]);
        run.arg(&library).jobs(["3"]).run().ends(code).prints("").says(how);
    }
}

#[test]
fn a_job_that_fails_ends_the_benchmark_unless_failures_are_ignored() {
    let failing = |flags: &[&str]| {
        let run = bench("misbehave").args(["--task", "misbehave", "--modes", "wasm,reuse,fresh"]);
        run.args(flags).jobs(["ok", "error"]).run()
    };
    failing(&[])
        .ends(100)
        .prints("")
        .says("job 1 failed in mode `wasm`: ")
        .says("--ignore-failure");
    failing(&["--ignore-failure"]).ends(0);
}

#[test]
fn python_s_exception_is_told() {
    let raises = python("def f(n):\n    raise ValueError('no such number')\n");
    let run = bench("square").args(["--task", "square", "--python", &raises]);
    run.jobs(["3"]).run().ends(100).says("ValueError: no such number");
}

#[test]
fn a_command_is_compared_with_a_native_program() {
    let folder = path("");
    let files = ["one", "two"].map(|text| file(text, text).display().to_string());
    let native = script("native", "sha256sum < \"$1\" | cut -d' ' -f1");
    let run = bench("sha256").dir(&folder, &format!("{}::ro", folder.display()));
    let run = run.args(["--modes", "xargs,wasm,fresh,process", "--native"]).arg(&native);
    let done = run.jobs(&files).run().ends(0);
    let all = available_parallelism().expect("a number").to_string();
    let names = ["xargs", "wasm", "wasm fresh", "wasm process"];
    let names = names.map(|name| format!("{name} {}", if name == "wasm" { "1" } else { &all }));
    assert_eq!(modes(&done), names);

    let other = script("other", "echo something else");
    let run = bench("sha256").dir(&folder, &format!("{}::ro", folder.display()));
    let run = run.args(["--modes", "xargs,fresh", "--native"]).arg(other);
    run.jobs(&files).run().ends(100).prints("").says("they write other lines");
}

/// Makes a native program that does the same as the guest `sha256`: it reads the file named by its
/// last argument, or its standard input.
fn sha256sum() -> PathBuf {
    script("sha256sum", "for last; do :; done\nsha256sum < \"${last:-/dev/stdin}\" | cut -d' ' -f1")
}

#[test]
fn a_native_program_gets_what_a_command_gets_whatever_jobs_are_made_of() {
    let folder = path("");
    let [one, two] = ["one.txt", "a name; with $signs and 'quotes'"].map(|name| file(name, name));
    let mode = match programs::find(&["parallel"], "parallel") {
        Some(_) => "xargs,parallel,fresh",
        None => "xargs,fresh",
    };
    let run = || bench("sha256").args(["-j2", "--modes", mode, "--native"]).arg(sha256sum());
    run().arg("--stdin").jobs(["a", "", "two\nlines\n", "{} $x `id`"]).run().ends(0);
    run().arg("--files").jobs([&one, &two]).run().ends(0);
    run().flags("--stdin --range 0..5").run().ends(0);
    run().arg("--stdin").stdin("a\nb\n").run().ends(0);
    let named = || run().dir(&folder, &format!("{}::ro", folder.display()));
    named().jobs([&one, &two]).run().ends(0);
    named().args(["--", "{}"]).jobs([&one, &two]).run().ends(0);
    let stem = one.with_extension("");
    let stem = stem.display().to_string();
    named()
        .args(["--", &format!("{}{{}}.txt", &stem[..stem.len() - 3])])
        .jobs(["one"])
        .run()
        .ends(0);
    // Modes that are not chosen explicitly are chosen by what is available.
    let all = bench("sha256").args(["-j2", "--files", "--native"]).arg(sha256sum());
    let done = all.jobs([&one]).run().ends(0);
    assert!(modes(&done).contains(&"xargs 2".to_owned()), "{:?}", modes(&done));
}

#[test]
fn a_command_is_compared_with_gnu_parallel() {
    if programs::find(&["parallel"], "parallel").is_none() {
        return;
    }
    let folder = path("");
    let files = ["one", "a name; with $signs"].map(|name| file(name, name).display().to_string());
    let native = script("native", "sha256sum < \"$1\" | cut -d' ' -f1");
    let run = bench("sha256").dir(&folder, &format!("{}::ro", folder.display()));
    let run = run.args(["--modes", "parallel,fresh", "-j2", "--native"]).arg(native);
    let done = run.jobs(&files).run().ends(0);
    assert_eq!(modes(&done), ["GNU parallel 2", "wasm fresh 2"]);
}

#[test]
fn exports_hold_what_was_measured() {
    let exports = ["json", "csv", "markdown", "asciidoc", "orgmode"];
    let mut run = bench("square").flags("--task square --modes wasm,reuse -j 2");
    for export in exports {
        run = run.arg(format!("--export-{export}")).arg(path(export));
    }
    run.jobs(["3", "4"]).run().ends(0);
    let read = |name: &str| fs::read_to_string(path(name)).expect("it was exported");
    let json: Json = serde_json::from_str(&read("json")).expect("valid JSON");
    let results = json["results"].as_array().expect("hyperfine's form");
    assert_eq!(results.len(), 2);
    assert_eq!(results[1]["parameters"]["mode"], "wasm reuse");
    assert_eq!(results[1]["times"].as_array().map(Vec::len), Some(1));
    for export in &exports[1..] {
        assert!(read(export).contains("wasm reuse"), "{export}");
    }
    let unwritable = bench("square").flags("--task square --export-csv /nowhere/at/all");
    unwritable.jobs(["3"]).run().ends(110).prints("").says("cannot write /nowhere/at/all");
}

#[test]
fn the_page_shows_in_a_browser_what_was_measured_and_no_labels_overlap() {
    if !is_installed() {
        return;
    }
    let page = path("page.html");
    let run = bench("kernels").args(["--task", "sieve", "-j", "1,2", "--native"]);
    let run = run.arg(native("kernels")).arg("--export-html").arg(&page);
    run.args(["--range", "1000..1100"]).within(300).run().ends(0);
    assert_eq!(overlaps(&page), Vec::<String>::new());
    screenshot(&page, 1100, 3000);
    let shown = dom(&page);
    for text in ["native workers", "wasm fresh", "wasm process: when each job ran", "ideal"] {
        assert!(shown.contains(text), "the page lacks {text}");
    }
    assert!(!shown.contains("<script"));
}

#[test]
fn a_trace_has_the_jobs_of_every_pool() {
    let run = bench("square").flags("--task square --modes reuse,fresh --trace").arg(path("trace"));
    run.args(["--range", "0..20"]).run().ends(0);
    let text = fs::read_to_string(path("trace")).expect("it was written");
    let events: Vec<Json> = serde_json::from_str(&text).expect("valid JSON");
    assert_eq!(events.iter().filter(|event| event["cat"] == "job").count(), 40);
}

#[test]
fn a_deadline_bounds_each_run() {
    for mode in ["wasm", "reuse"] {
        let run = bench("misbehave").flags("--task misbehave --deadline 0.2 --modes").arg(mode);
        let done = run.jobs(["spin"]).run().ends(124).prints("");
        done.says("--deadline passed in mode `wasm");
    }
    let sleeps = python("import time\ndef f(n):\n    time.sleep(60)\n");
    let run = bench("square").flags("--task square --deadline 0.5 --modes python --python");
    run.arg(sleeps).jobs(["3"]).run().ends(124).says("took longer than 0.5 s");
}

#[test]
fn a_request_to_end_ends_other_programs_too() {
    let noted = path("pid");
    let sleeps = python(&format!(
        "import os, time\ndef f(n):\n    os.mkdir({:?} + str(os.getpid()))\n    time.sleep(60)\n",
        noted.display().to_string()
    ));
    let run = bench("square").flags("--task square -j 1 --modes python --python").arg(sleeps);
    let run = run.jobs(["3"]).start();
    let started = || {
        let entries = fs::read_dir(path("")).expect("the test's own folder");
        let names = entries.map(|entry| entry.expect("it is there").file_name());
        names.filter_map(|name| name.to_str()?.strip_prefix("pid")?.parse::<i32>().ok()).next()
    };
    run.until("the function", || started().is_some());
    run.signal(Signal::SIGTERM);
    run.finish().ends(143).says("killed on request");
    wait_for_end(started().expect("it has started"));
}

#[test]
fn a_timeout_bounds_each_job_in_one_process_too() {
    let source = "long long square(long long n) { while (n == 7) { } return n * n; }\n";
    let library = shared_library("timeout", source);
    for (mode, name) in [("native", "native"), ("threads", "native threads"), ("wasm", "wasm")] {
        let stuck = r#"(module (func (export "square") (param i64) (result i64)
            (loop $again (br_if $again (i64.eq (local.get 0) (i64.const 7))))
            (i64.mul (local.get 0) (local.get 0))))"#;
        let run = wpool(["bench"]).arg(file("stuck.wat", stuck)).args(ONCE).arg("--native");
        let run = run.arg(&library).flags("-j 2 --timeout 0.2 --range 4..9 --modes").arg(mode);
        let done = run.within(30).run().ends(100).prints("");
        let what = format!("job 3 failed in mode `{name}`: it ran longer than 200ms");
        done.says(&what).says("help: give it longer (--timeout)");
    }
    let enough = bench("square").flags("--task square --timeout 60 --modes wasm,reuse");
    enough.args(["--range", "0..100"]).run().ends(0);
}

#[test]
fn modules_are_compared_in_the_same_modes() {
    let cube = |text: &str| {
        file(
            &format!("{text}.wat"),
            format!(r#"(module (func (export "square") (param i64) (result i64) {text}))"#),
        )
    };
    let [right, other] = ["(i64.mul (local.get 0) (local.get 0))", "(i64.const 9)"].map(cube);
    let compare = |second: &Path| {
        let run = bench("square").arg(second).flags("--task square -j 2 --modes wasm,reuse");
        run.args(["--native"]).arg(native("square"))
    };
    let done = compare(&right).jobs(["3", "4"]).run().ends(0);
    let names = [guest("square"), right].map(|path| path.display().to_string());
    let rows = ["wasm 1", "wasm reuse 2"];
    let rows = rows.map(|row| names.clone().map(|name| format!("{name}: {row}"))).concat();
    assert_eq!(modes(&done), rows);
    let done = compare(&other).jobs(["3", "4"]).run().ends(100).prints("");
    let two = format!("`{}: wasm` and `{}: wasm` do not agree", names[0], other.display());
    done.says(&two).says("job 1 is 16 and 9");

    let twice = bench("square").arg(guest("square")).flags("--task square").jobs(["3"]).run();
    twice.ends(2).says("square.wasm is given twice");
    let mixed = bench("square").arg(guest("wordcount")).flags("--task square").jobs(["3"]).run();
    mixed.ends(101).says("wordcount.wasm");
}

#[test]
fn figures_that_say_little_are_doubted() {
    // The first round that counts, after the round that compares results, differs from the others.
    let cold = |quiet: &str| {
        let noted = folder("noted").display().to_string();
        let cold = python(&format!(
            "import os, time\ndef f(n):\n    calls = len(os.listdir({noted:?}))\n    \
             os.mkdir({noted:?} + '/' + str(calls))\n    time.sleep(3 if calls == 1 else 0.01)\n    \
             return n\n"
        ));
        let run =
            wpool(["bench"]).arg(file("echo.wat", ECHO)).flags("--runs 6 --modes python-serial");
        run.flags(quiet).arg("--python").arg(cold).jobs(["3"]).run().ends(0)
    };
    cold("").says("warning: python, 1 worker was slower in the first round than in the others: ");
    assert_eq!(cold("-q").stderr, "");
}

#[test]
fn a_python_function_gets_the_jobs_that_a_task_gets_whatever_they_are() {
    let echo = "def f(text):\n    print('not an answer')\n    return text\n";
    let text = file("text", "one\n2\u{2028}\"three\"\n");
    let run = |flags: &str| wpool(["bench"]).arg(file("echo.wat", ECHO)).args(ONCE).flags(flags);
    for flags in ["--modes wasm,python,python-serial -j 2", "-R --modes wasm,python -j 2"] {
        let run = run(flags).args(["--python", &python(echo)]);
        run.jobs(["12", "twelve", "a\nb", "\"a\""]).run().ends(0);
    }
    let files = run("--files --modes wasm,python --python").arg(python(echo));
    files.jobs([&text]).run().ends(0);
    let bytes = file("bytes", b"\xff");
    let files = run("--files --modes python --python").arg(python(echo));
    files.jobs([bytes]).run().ends(2).says("job 0 is not UTF-8");
}

#[test]
fn what_was_given_to_be_compared_with_is_or_the_reason_is_told() {
    let run = bench("wordcount").args(["--python", &python("def f(n):\n    return n\n")]);
    let done = run.jobs(["a"]).run().ends(2).prints("");
    done.says("--python cannot be compared with: mode `python pool` is not for commands");
}

#[test]
fn other_programs_end_with_bench_however_it_ends() {
    let noted = |name: &str| path(&format!("{name}-"));
    let started = |name: &str| {
        let entries = fs::read_dir(path("")).expect("the test's own folder");
        let names = entries.map(|entry| entry.expect("it is there").file_name());
        let prefix = format!("{name}-");
        let pid = |name: std::ffi::OsString| name.to_str()?.strip_prefix(&prefix)?.parse().ok();
        names.filter_map(pid).next()
    };
    let check = |name: &str, run: Wpool| {
        let run = run.start();
        run.until("the program", || started(name).is_some());
        run.signal(Signal::SIGKILL);
        assert_eq!(run.finish().signal, Some(9));
        wait_for_end(started(name).expect("it has started"));
    };
    let sleeps = python(&format!(
        "import os, time\ndef f(n):\n    os.mkdir({:?} + str(os.getpid()))\n    time.sleep(60)\n",
        noted("python").display().to_string()
    ));
    let run = bench("square").flags("--task square -j 1 --modes python --python").arg(sleeps);
    check("python", run.jobs(["3"]));
    let sleeps = format!("mkdir {}$$; exec sleep 60", noted("xargs").display());
    let run =
        bench("wordcount").flags("-j 1 --modes xargs --native").arg(script("sleeps", &sleeps));
    check("xargs", run.jobs(["3"]));
}
