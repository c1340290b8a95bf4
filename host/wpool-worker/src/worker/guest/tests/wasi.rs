//! Tests of guests that use WASI: commands, printed lines, time, random numbers, and grants.

use super::*;

/// Returns a module with these WASI imports, a page of memory and these functions.
fn wasi(functions: &str) -> String {
    format!(
        r#"(module
          (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes (param i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ_sizes (param i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
          (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "path_open"
            (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
          (memory (export "memory") 1)
          (data (i32.const 60000) "one\ntwo")
          (data (i32.const 61000) "thread 'main' panicked at src/lib.rs:1:2:\nboom\nnote: x\n")
          (func $write (param $fd i32) (param $at i32) (param $size i32)
            (i32.store (i32.const 0) (local.get $at)) (i32.store (i32.const 4) (local.get $size))
            (drop (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
          {functions})"#
    )
}

/// The functions of a command that writes its arguments, with a NUL after each, then its standard
/// input.
const SHOW: &str = r#"(func (export "_start") (local $n i32)
  (drop (call $args_sizes (i32.const 16) (i32.const 20)))
  (drop (call $args (i32.const 100) (i32.const 1000)))
  (call $write (i32.const 1) (i32.const 1000) (i32.load (i32.const 20)))
  (loop $more
    (i32.store (i32.const 0) (i32.const 2000)) (i32.store (i32.const 4) (i32.const 7))
    (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 12)))
    (local.set $n (i32.load (i32.const 12)))
    (call $write (i32.const 1) (i32.const 2000) (local.get $n))
    (br_if $more (local.get $n))))"#;

fn command(template: &[&str]) -> Settings {
    let template = template.iter().map(|text| (*text).into()).collect();
    let command = CommandLine { name: "tool".into(), template, append: true, replace: None };
    Settings::from(TaskSpec { command, ..TaskSpec::default() })
}

#[test]
fn a_command_gets_arguments_and_input_and_its_output_is_the_result() {
    let jobs = [
        command_job(&[b"a/b.txt"], b"some\nlonger input").unwrap(),
        command_job(&[b"c"], b"").unwrap(),
    ];
    let jobs: Vec<&[u8]> = jobs.iter().map(Vec::as_slice).collect();
    let (results, printed) = run(&wasi(SHOW), command(&["-x", "{/.}={#}"]), &jobs);
    let results: Vec<String> = results.into_iter().map(Result::unwrap).collect();
    assert_eq!(results, ["tool\0-x\0b=1\0some\nlonger input", "tool\0-x\0c=2\0"]);
    assert!(printed.is_empty());
}

#[test]
fn a_command_s_exit_code_decides_and_its_standard_error_is_printed() {
    let exit = |code: i32| {
        wasi(&format!(
            r#"(func (export "_start") (call $write (i32.const 1) (i32.const 60000) (i32.const 3))
              (call $write (i32.const 2) (i32.const 60000) (i32.const 7)) (call $exit (i32.const {code})))"#
        ))
    };
    let job = command_job(&[], b"").unwrap();
    let (mut outcome, printed) = run(&exit(0), command(&[]), &[&job]);
    assert_eq!(
        (outcome.remove(0).unwrap().as_str(), printed),
        ("one", vec!["one".into(), "two".into()])
    );
    for code in [1, 200, -1] {
        let (mut outcome, _) = run(&exit(code), command(&[]), &[&job]);
        let failure = outcome.remove(0).unwrap_err();
        assert_eq!((failure.kind, failure.code), (FailureKind::Exit, Some(code)));
    }
}

#[test]
fn a_command_that_writes_too_much_is_ended() {
    let text = wasi(
        r#"(func (export "_start") (loop $l (call $write (i32.const 1) (i32.const 0) (i32.const 60000)) (br $l)))"#,
    );
    let mut settings = command(&[]);
    settings.limits.output_bytes_max = 1 << 20;
    let (mut outcome, _) = run(&text, settings, &[&command_job(&[], b"").unwrap()]);
    assert_eq!(outcome.remove(0).unwrap_err().to_string(), "output too large: more than 1 MiB");
}

#[test]
fn what_a_task_prints_is_passed_on_line_by_line_and_cut_at_the_limit() {
    let text = wasi(
        r#"(func (export "f") (param i32)
      (call $write (i32.const 1) (i32.const 60000) (i32.const 7))
      (if (i32.eqz (local.get 0)) (then unreachable)))"#,
    );
    let jobs: [&[u8]; 2] = [b"1", b"0"];
    let (outcomes, printed) = run(&text, Settings::default(), &jobs);
    assert_eq!(printed, ["one", "two", "one", "two"]);
    assert_eq!(outcomes[1].as_ref().unwrap_err().to_string(), "trap: unreachable");
    let limited = Settings::from(Limits { log_bytes_max: 4, ..Limits::default() });
    let (_, printed) = run(&text, limited, &[b"1"]);
    assert_eq!(printed, ["one", "… output cut: more than 4 bytes"]);
}

#[test]
fn a_panic_s_message_is_the_trap_s() {
    let text = wasi(
        r#"(func (export "f")
      (call $write (i32.const 2) (i32.const 61000) (i32.const 55)) unreachable)"#,
    );
    let (outcomes, printed) = run(&text, Settings::default(), &[b""]);
    let failure = outcomes[0].as_ref().unwrap_err();
    assert_eq!(failure.to_string(), "trap: panicked at src/lib.rs:1:2: boom");
    assert_eq!(printed.len(), 3);
}

#[test]
fn a_task_that_exits_has_failed_whatever_its_code_and_the_next_job_runs() {
    let text = wasi(
        r#"(func (export "f") (param i32) (result i32)
      (if (i32.ge_s (local.get 0) (i32.const 0)) (then (call $exit (local.get 0)))) (i32.const 7))"#,
    );
    assert_eq!(
        results(&text, Settings::default(), &["3", "0", "-1"]),
        ["exit: with code 3", "exit: with code 0, before there was a result", "7"]
    );
}

/// The functions of a task that sleeps 2 ms in one of three ways, and returns the nanoseconds
/// slept.
const SLEEP: &str = r#"
  (func $now (result i64) (drop (call $clock (i32.const 1) (i64.const 1) (i32.const 4096)))
    (i64.load (i32.const 4096)))
  (func $subscribe (param $at i32) (param $absolute i32)
    (i64.store (local.get $at) (i64.const 7))
    (i32.store8 offset=8 (local.get $at) (i32.const 0))
    (i32.store offset=16 (local.get $at) (i32.const 1))
    (i64.store offset=24 (local.get $at) (i64.add (i64.const 2000000)
      (if (result i64) (local.get $absolute) (then (call $now)) (else (i64.const 0)))))
    (i64.store offset=32 (local.get $at) (i64.const 1))
    (i32.store16 offset=40 (local.get $at) (local.get $absolute)))
  (func (export "sleep") (param $count i32) (param $absolute i32) (result i64) (local $start i64)
    (local.set $start (call $now))
    (call $subscribe (i32.const 0) (local.get $absolute))
    (call $subscribe (i32.const 48) (local.get $absolute))
    (if (call $poll (i32.const 0) (i32.const 1024) (local.get $count) (i32.const 2048))
      (then unreachable))
    (i64.sub (call $now) (local.get $start)))"#;

#[test]
fn sleeps_end_whether_relative_absolute_or_two_at_once() {
    let jobs = ["[1,0]", "[1,1]", "[2,0]", "[2,1]"];
    for slept in results(&wasi(SLEEP), Settings::default(), &jobs) {
        assert!(slept.parse::<u64>().unwrap() >= 2_000_000, "{slept}");
    }
}

#[test]
fn seeded_random_numbers_depend_on_seed_and_job_alone() {
    let text = wasi(
        r#"(func (export "f") (result i64)
      (drop (call $random (i32.const 0) (i32.const 8))) (i64.load (i32.const 0)))"#,
    );
    let numbers = |seed, isolation| {
        let task = TaskSpec { isolation, ..TaskSpec::default() };
        let grants = Grants { seed, ..Grants::default() };
        results(&text, Settings { task, grants, ..Settings::default() }, &["", "", ""])
    };
    let reuse = numbers(Some(1), Isolation::Reuse);
    assert_eq!(reuse, numbers(Some(1), Isolation::Fresh));
    assert_ne!(reuse[0], reuse[1]);
    assert_ne!(reuse, numbers(Some(2), Isolation::Reuse));
    assert_ne!(numbers(None, Isolation::Reuse), numbers(None, Isolation::Reuse));
}

#[test]
fn a_fixed_clock_stands_still() {
    let text = wasi(
        r#"(func (export "f") (param i32) (result i64)
      (drop (call $clock (local.get 0) (i64.const 1) (i32.const 8))) (i64.load (i32.const 8)))"#,
    );
    let settings =
        Settings::from(Grants { clock: Some(1_700_000_000_123_456_789), ..Grants::default() });
    assert_eq!(results(&text, settings, &["0", "1"]), ["1700000000123456789"; 2]);
}

#[test]
fn a_guest_has_the_environment_it_is_granted_and_no_other() {
    let text = wasi(
        r#"(func (export "f") (result i32)
      (drop (call $environ_sizes (i32.const 0) (i32.const 4))) (i32.load (i32.const 0)))"#,
    );
    assert_eq!(results(&text, Settings::default(), &[""]), ["0"]);
    let env = vec![("KEY".into(), "value".into())];
    assert_eq!(results(&text, Settings::from(Grants { env, ..Grants::default() }), &[""]), ["1"]);
}

#[test]
fn a_guest_opens_files_in_granted_directories_only_and_writes_where_it_may() {
    // The task opens the file `one` in the first granted directory, and creates it if the argument
    // is not 0.
    let text = wasi(
        r#"(func (export "f") (param i32) (result i32)
      (if (result i32) (call $prestat (i32.const 3) (i32.const 16)) (then (i32.const -1)) (else
        (call $open (i32.const 3) (i32.const 0) (i32.const 60000) (i32.const 3) (local.get 0)
          (i64.const 66) (i64.const 66) (i32.const 0) (i32.const 32)))))"#,
    );
    assert_eq!(results(&text, Settings::default(), &["0"]), ["-1"]);
    let directory = tempfile::tempdir().unwrap();
    let granted = |read_only| {
        let dir = Directory::new(directory.path(), "/d", read_only);
        Settings::from(Grants { dirs: vec![dir], ..Grants::default() })
    };
    let (not_there, not_permitted) = ("44", "63");
    assert_eq!(results(&text, granted(true), &["1"]), [not_permitted]);
    assert_eq!(results(&text, granted(false), &["0", "1"]), [not_there, "0"]);
    assert!(directory.path().join("one").exists());
}
