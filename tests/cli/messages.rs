//! Messages are part of the interface: what people read when something is wrong, and the help.
//!
//! Each line of a snapshot is a line on standard error; the help texts are in `tests/snapshots`.

use crate::common::guest;
use crate::common::run::{Wpool, file, path, wpool};
use insta::assert_snapshot;
use std::os::unix::fs::symlink;

/// Returns a run of `wpool` with the words of a line, in a folder with a few modules.
fn typed(line: &str) -> Wpool {
    for name in ["square", "cubes", "misbehave", "sha256"] {
        let link = path(&format!("{name}.wasm"));
        if !link.exists() {
            symlink(guest(name), link).expect("the test's folder is writable");
        }
    }
    file("imports.wat", "(module (import \"env\" \"one\" (func)) (func (export \"f\")))");
    file("large.wat", "(module (memory 100) (func (export \"f\")))");
    file("open.wat", "(module (func");
    file("notes.txt", "hello\n");
    file("none.wat", "(module)");
    file("log", "Seq\n");
    let (line, jobs) = line.split_once(":::").map_or((line, None), |(l, jobs)| (l, Some(jobs)));
    let run = wpool(line.split_whitespace()).with_streams(|command| {
        command.current_dir(path("")).env("COLUMNS", "100");
    });
    match jobs {
        Some(jobs) => run.jobs(jobs.split_whitespace()),
        None => run,
    }
}

/// Returns what a run prints to standard error, without backtraces (which depend on the guest's
/// compiler), and its exit code.
fn said(line: &str) -> String {
    let done = typed(line).run();
    let lines = done.stderr.lines().filter(|line| !line.starts_with("    "));
    let said: String = lines.map(|line| format!("{line}\n")).collect();
    format!("{said}exit code {}", done.code.expect("it was not killed"))
}

#[test]
fn modules_that_cannot_be_used() {
    assert_snapshot!(said("map none-there.wasm ::: 1"), @r#"
    error: none-there.wasm: cannot read the module: No such file or directory (os error 2)
    help: give the path of a module: a .wasm or .wat file
    exit code 101
    "#);
    assert_snapshot!(said("map notes.txt ::: 1"), @r#"
    error: notes.txt: not a WebAssembly module: it is text, but not WebAssembly's
    help: build one: in Rust by cargo build --release --target wasm32-wasip1, in C by clang --target=wasm32-wasi
    exit code 101
    "#);
    assert_snapshot!(said("map open.wat ::: 1"), @r#"
    error: open.wat: not a WebAssembly module: line 1, column 14: expected `)`
    help: build one: in Rust by cargo build --release --target wasm32-wasip1, in C by clang --target=wasm32-wasi
    exit code 101
    "#);
    assert_snapshot!(said("map none.wat ::: 1"), @r#"
    error: none.wat: the module exports no function that can be a task
    help: export one: in Rust with #[task] of the crate wpool-guest, in C with wpool.h
    exit code 101
    "#);
    assert_snapshot!(said("map imports.wat ::: 1"), @r#"
    error: imports.wat: the module imports what wpool does not provide: env.one
    help: build it for wasm32-wasip1; with --stub-imports it runs as long as it calls no such function
    exit code 101
    "#);
    assert_snapshot!(said("map large.wat --memory 1MiB ::: 1"), @r#"
    error: large.wat: the module needs 6.3 MiB of memory to start, more than the limit of 1 MiB
    help: raise --memory, or build the module with less memory at the start
    exit code 101
    "#);
    assert_snapshot!(said("map square.wasm -R ::: 1"), @r#"
    error: square.wasm: square(n: s64) -> s64 does not take raw text: its only parameter would have to be a string
    help: leave out -R and --files: its jobs are JSON
    exit code 101
    "#);
}

#[test]
fn tasks_that_cannot_be_called() {
    assert_snapshot!(said("map cubes.wasm ::: 1"), @r#"
    error: cubes.wasm: the module has several tasks
    help: choose one with --task: cubes_sum(n: s64) -> s64, cubes(n: s64) -> list<s64>
    exit code 101
    "#);
    assert_snapshot!(said("map cubes.wasm --task cube ::: 1"), @r#"
    error: cubes.wasm: the module has no task `cube`
    help: choose one with --task: cubes_sum(n: s64) -> s64, cubes(n: s64) -> list<s64>
    exit code 101
    "#);
}

#[test]
fn grants_that_are_wrong() {
    assert_snapshot!(said("map square.wasm --dir /::/y:ro ::: 1"), @r#"
    error: invalid value '/::/y:ro' for '--dir <HOST[::GUEST[::ro]]>': the option follows two colons
    help: write /::/y::ro
    exit code 2
    "#);
    assert_snapshot!(said("map square.wasm --dir /:/y ::: 1"), @r#"
    error: invalid value '/:/y' for '--dir <HOST[::GUEST[::ro]]>': there is no folder /:/y
    help: write HOST::GUEST or HOST::GUEST::ro
    exit code 2
    "#);
}

#[test]
fn flags_that_are_wrong() {
    assert_snapshot!(said("map square.wasm --wokers 2 ::: 1"), @r#"
    error: unexpected argument '--wokers' found
    help: there is --workers, if that is meant; `--help` lists the flags
    exit code 2
    "#);
    assert_snapshot!(said("map square.wasm -j x ::: 1"), @r#"
    error: invalid value 'x' for '--workers <N|N%|+N|-N>': not a number of workers
    help: write 4, 50%, +1, -1, or 0 for one per job
    exit code 2
    "#);
    assert_snapshot!(said("map square.wasm --timeout 0 ::: 1"), @r#"
    error: invalid value '0' for '--timeout <DURATION|N%>': the limit must be above zero
    help: leave the flag out for none
    exit code 2
    "#);
    assert_snapshot!(said("map square.wasm --timeout soon ::: 1"), @r#"
    error: invalid value 'soon' for '--timeout <DURATION|N%>': not a duration
    help: write 0.5 (seconds), 200ms, 1.5s, 1h30m
    exit code 2
    "#);
    assert_snapshot!(said("map square.wasm --memory much ::: 1"), @r#"
    error: invalid value 'much' for '--memory <SIZE>': not a size
    help: write 4096, 64MiB, 1.5G
    exit code 2
    "#);
    assert_snapshot!(said("map square.wasm --max-buffer 1 ::: 1"), @r#"
    error: invalid value '1' for '--max-buffer <SIZE>': the buffer must have between 64KiB and 3GiB
    help: `--help` lists the flags and what they take
    exit code 2
    "#);
    assert_snapshot!(said("map square.wasm --halt later ::: 1"), @r#"
    error: invalid value 'later' for '--halt <WHEN>': not a rule
    help: write never, now,fail=1, soon,fail=20% or now,success=1
    exit code 2
    "#);
    assert_snapshot!(said("map square.wasm --retry-on bad-luck ::: 1"), @r#"
    error: invalid value 'bad-luck' for '--retry-on <LIST>'
    help: possible values: trap, timeout, memory, crash, fuel, exit, error
    exit code 2
    "#);
    assert_snapshot!(said("map square.wasm --isolation none ::: 1"), @r#"
    error: invalid value 'none' for '--isolation <HOW>'
    help: possible values: reuse, fresh, process
    exit code 2
    "#);
    assert_snapshot!(said("map square.wasm --env HOME ::: 1"), @r#"
    error: invalid value 'HOME' for '--env <KEY=VALUE>': write KEY=VALUE
    help: the value of your own variable is not passed on
    exit code 2
    "#);
    assert_snapshot!(said("map square.wasm --dir /nowhere ::: 1"), @r#"
    error: invalid value '/nowhere' for '--dir <HOST[::GUEST[::ro]]>': there is no folder /nowhere
    help: `--help` lists the flags and what they take
    exit code 2
    "#);
    assert_snapshot!(said("mop square.wasm"), @r#"
    error: unrecognized subcommand 'mop'
    help: a similar subcommand exists: 'map'
    exit code 2
    "#);
    assert_snapshot!(said("map"), @r#"
    error: the following required arguments were not provided: <MODULE>
    help: `--help` lists the flags and what they take
    exit code 2
    "#);
}

#[test]
fn jobs_that_are_named_wrongly() {
    assert_snapshot!(said("map square.wasm --range 5"), @r#"
    error: invalid value '5' for '--range <A..B[..STEP]>': not a range
    help: write 0..12, 1..=12 or 0..100..10
    exit code 2
    "#);
    assert_snapshot!(said("map square.wasm --range 0..5 ::: 1"), @r#"
    error: jobs come either after `:::` or from --range or --arg-file
    help: leave one of them out
    exit code 2
    "#);
    assert_snapshot!(said("map square.wasm -a none-there"), @r#"
    error: cannot open --arg-file none-there: No such file or directory (os error 2)
    help: give a file with a job on each line; - is standard input
    exit code 2
    "#);
    assert_snapshot!(said("map square.wasm --stdin ::: 1"), @r#"
    error: square.wasm is not a command: --stdin has no meaning
    help: -R passes each job as a string
    exit code 2
    "#);
    assert_snapshot!(said("map square.wasm -- --level 3 ::: 1"), @r#"
    error: square.wasm is not a command, so it takes no argument "--level" after `--`
    help: give jobs after `:::`
    exit code 2
    "#);
    assert_snapshot!(said("map sha256.wasm --files ::: a ::: b"), @r#"
    error: --files takes one word for each job
    help: give all words after a single `:::`
    exit code 2
    "#);
    assert_snapshot!(said("map square.wasm --range 0..5 --files"), @r#"
    error: --files needs paths, not a --range
    help: give paths after `:::`, or one a line on standard input
    exit code 2
    "#);
    assert_snapshot!(said("inspect square.wasm ::: 1"), @r#"
    error: only `wpool map` and `wpool bench` take jobs after `:::`
    help: leave out `:::` and what follows it
    exit code 2
    "#);
}

#[test]
fn calls_that_are_wrong() {
    assert_snapshot!(said("run square.wasm"), @r#"
    error: square.wasm has tasks, and none is called
    help: give a call as 'TASK(ARGUMENT, …)'; the tasks are: compute_squares(n: s64) -> s64, square(n: s64) -> s64
    exit code 2
    "#);
    assert_snapshot!(said("run sha256.wasm README.md"), @r#"
    error: sha256.wasm is a command and has no tasks to call
    help: its arguments stand behind `--`: -- README.md
    exit code 2
    "#);
    assert_snapshot!(said("run sha256.wasm --tag"), @r#"
    error: sha256.wasm is a command: --tag has no meaning
    help: its output is wpool's own; `wpool map` captures it
    exit code 2
    "#);
    assert_snapshot!(said("run square.wasm -- 1"), @r#"
    error: square.wasm is not a command, so it takes no argument "1" after `--`
    help: give calls of its tasks: 'TASK(ARGUMENT, …)'
    exit code 2
    "#);
    assert_snapshot!(said("run square.wasm sqare(1)"), @r#"
    error: square.wasm: the module has no task `sqare`
    help: call one of: compute_squares(n: s64) -> s64, square(n: s64) -> s64
    exit code 101
    "#);
    assert_snapshot!(said("run cubes.wasm (1)"), @r#"
    error: cubes.wasm: the module has several tasks
    help: call one of: cubes_sum(n: s64) -> s64, cubes(n: s64) -> list<s64>
    exit code 101
    "#);
    assert_snapshot!(said("run none.wat f(1)"), @r#"
    error: none.wat: the module exports no function that can be a task
    help: export one: in Rust with #[task] of the crate wpool-guest, in C with wpool.h
    exit code 101
    "#);
    assert_snapshot!(said("run square.wasm square(1"), @r#"
    error: call `square(1`, column 9: no `)` at the end
    help: write 'square(1)'
    exit code 2
    "#);
    assert_snapshot!(said("run misbehave.wasm misbehave(ok)"), @r#"
    error: call `misbehave(ok)`, column 11: ok is not JSON
    help: a string has double quotes: 'misbehave("ok")'
    exit code 2
    "#);
    assert_snapshot!(said("run square.wasm square(1,2)"), @r#"
    error: call `square(1,2)` gives 2 arguments, and the task takes 1
    help: it is square(n: s64) -> s64
    exit code 2
    "#);
    assert_snapshot!(said("run square.wasm p=square(1) p=square(2)"), @r#"
    error: two calls are named `p`
    help: give each a name of its own
    exit code 2
    "#);
}

#[test]
fn files_that_cannot_be_written_or_gone_on_with() {
    assert_snapshot!(said("map square.wasm -o /nowhere/results ::: 1"), @r#"
    error: cannot write --output /nowhere/results: No such file or directory (os error 2)
    help: give a file that you may write, in a folder that is there
    exit code 110
    "#);
    assert_snapshot!(said("map square.wasm --joblog /nowhere/log ::: 1"), @r#"
    error: cannot use --joblog /nowhere/log: No such file or directory (os error 2)
    help: give a file that you may write, in a folder that is there
    exit code 96
    "#);
    assert_snapshot!(said("map square.wasm --joblog log --resume ::: 1"), @r#"
    error: cannot tell what log is of: log.meta.json: No such file or directory (os error 2)
    help: --force-resume goes on all the same; without a resume flag the log begins anew
    exit code 2
    "#);
    assert_snapshot!(said("map square.wasm --resume ::: 1"), @r#"
    error: the following required arguments were not provided: --joblog <FILE>
    help: `--help` lists the flags and what they take
    exit code 2
    "#);
}

#[test]
fn jobs_that_fail() {
    assert_snapshot!(said("map square.wasm -q ::: x"), @r#"
    error: job 0 (x) is invalid: line 1, column 1: expected an integer (s64), found x
    exit code 100
    "#);
    assert_snapshot!(said("map square.wasm -q ::: 9223372036854775808"), @r#"
    error: job 0 (9223372036854775808) is invalid: line 1, column 1: 9223372036854775808 is out of range for s64 (-9223372036854775808 to 9223372036854775807)
    help: if the task takes unsigned integers, say so: --unsigned
    exit code 100
    "#);
    assert_snapshot!(said("map misbehave.wasm -q ::: error"), @r#"
    error: job 0 (error) failed: failed as asked
    exit code 100
    "#);
    assert_snapshot!(said("map misbehave.wasm -q ::: abort"), @r#"
    error: job 0 (abort) trapped: unreachable
    exit code 100
    "#);
    assert_snapshot!(said("map misbehave.wasm -q ::: exit"), @r#"
    error: job 0 (exit) exited with code 3
    exit code 100
    "#);
    assert_snapshot!(said("map misbehave.wasm -q --timeout 0.1 ::: spin"), @r#"
    error: job 0 (spin) timed out: it ran longer than 100ms
    help: give it longer: --timeout 200ms
    exit code 100
    "#);
    assert_snapshot!(said("map misbehave.wasm -q --fuel 100000 ::: spin"), @r#"
    error: job 0 (spin) used up its fuel: more than 100000 instructions
    help: give it more: --fuel 200000
    exit code 100
    "#);
    assert_snapshot!(said("map misbehave.wasm -q --memory 2MiB --max-log 0 ::: allocate"), @r#"
    error: job 0 (allocate) ran out of memory: needed more than 2 MiB (asked for 2.2 MiB)
    help: raise the limit: --memory 4MiB
    exit code 100
    "#);
    assert_snapshot!(said("map misbehave.wasm -q --max-output 1MiB ::: big-result"), @r#"
    error: job 0 (big-result) has too large a result: more than 1 MiB
    help: raise the limit: --max-output 2MiB
    exit code 100
    "#);
    assert_snapshot!(said("map misbehave.wasm -q ::: garbage"), @r#"
    error: job 0 (garbage) failed: result is not one line of JSON
    exit code 100
    "#);
    assert_snapshot!(said("map misbehave.wasm -q ::: 1 2 error error error error exit"), @r#"
    error: job 0 (1) failed: invalid job: invalid type: integer `1`, expected a string at line 1 column 1
    error: job 1 (2) failed: invalid job: invalid type: integer `2`, expected a string at line 1 column 1
    error: job 2 (error) failed: failed as asked
    error: 4 more jobs failed: 3 guest error, 1 exit
    exit code 100
    "#);
    assert_snapshot!(said("map sha256.wasm -q --files ::: none-there"), @r#"
    error: job 0 (none-there) is invalid: cannot open none-there: No such file or directory (os error 2)
    exit code 100
    "#);
    assert_snapshot!(said("map square.wasm --no-input fail --range 0..0"), @r#"
    error: there were no jobs
    help: give them after `:::`, with --range, with -a, or on standard input
    exit code 4
    "#);
}

fn help(subcommand: &str) -> String {
    let done = typed(&format!("{subcommand} --help")).run().ends(0).says_nothing();
    String::from_utf8(done.stdout).expect("text")
}

#[test]
fn help_of_the_program() {
    assert_snapshot!(help(""));
}

#[test]
fn help_of_map() {
    assert_snapshot!(help("map"));
}

#[test]
fn help_of_run() {
    assert_snapshot!(help("run"));
}

#[test]
fn help_of_bench() {
    assert_snapshot!(help("bench"));
}

#[test]
fn help_of_inspect() {
    assert_snapshot!(help("inspect"));
}

#[test]
fn help_of_compile() {
    assert_snapshot!(help("compile"));
}
