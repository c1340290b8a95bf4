//! `wpool run` of a command: the command has wpool's own streams, and ends as if it had run alone.

use super::commands::{ARGV0, passed_on, run_command, run_command_text};
use crate::common::processes::{self, Signal, wait_for_end};
use crate::common::run::{Running, Wpool, file, folder, path};
use crate::common::terminal::{CTRL_C, CTRL_D, at_terminal, is_stopped, press};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write, pipe};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

/// Returns a run of a command with this body and the imports of WASI that the tests use.
fn command(body: &str) -> Wpool {
    run_command_text(&format!(
        r#"(module
            (import "wasi_snapshot_preview1" "fd_read"
                (func $fd_read (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_write"
                (func $fd_write (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_fdstat_get"
                (func $fdstat (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "poll_oneoff"
                (func $poll (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "args_sizes_get"
                (func $args_sizes (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 2)
            (data (i32.const 900) "late\nmore\n")
            (func $write (param $fd i32) (param $at i32) (param $size i32) (result i32)
                (i32.store (i32.const 0) (local.get $at))
                (i32.store (i32.const 4) (local.get $size))
                (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)))
            (func $read (result i32)
                (i32.store (i32.const 0) (i32.const 4096))
                (i32.store (i32.const 4) (i32.const 65536))
                (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
                (i32.load (i32.const 8)))
            ;; Waits for input, or so many milliseconds: 1 or 0.
            (func $wait (param $ms i64) (result i32)
                (i32.store8 (i32.const 112) (i32.const 1))
                (i32.store (i32.const 120) (i32.const 0))
                (i32.store8 (i32.const 160) (i32.const 0))
                (i32.store (i32.const 168) (i32.const 1))
                (i64.store (i32.const 176) (i64.mul (local.get $ms) (i64.const 1000000)))
                (drop (call $poll (i32.const 104) (i32.const 304) (i32.const 2) (i32.const 8)))
                (i32.eq (i32.load8_u (i32.const 314)) (i32.const 1)))
            (func (export "_start") (local $n i32) {body}))"#
    ))
}

/// Code that copies standard input to standard output as it comes.
const COPY: &str = "(loop $more
    (if (local.tee $n (call $read))
        (then (drop (call $write (i32.const 1) (i32.const 4096) (local.get $n))) (br $more))))";

/// Code that prints without end, until printing fails.
const FLOOD: &str = "(loop $more
    (br_if $more (i32.eqz (call $write (i32.const 1) (i32.const 900) (i32.const 5)))))";

/// Starts to copy what the test types.
fn start_copying() -> Running {
    let mut run = command(COPY).piped().start();
    run.write("one\n");
    run.until("its echo", || run.stdout.text() == "one\n");
    run
}

#[test]
fn a_command_reads_and_writes_as_things_come() {
    let mut run = start_copying();
    run.write("two");
    run.until("its echo", || run.stdout.text() == "one\ntwo");
    run.close_stdin();
    run.finish().ends(0).prints("one\ntwo").says_nothing();
}

#[test]
fn its_arguments_are_passed_as_they_are() {
    let print = "(drop (call $args_sizes (i32.const 0) (i32.const 4)))
        (local.set $n (i32.load (i32.const 4)))
        (drop (call $args (i32.const 1024) (i32.const 4096)))
        (drop (call $write (i32.const 1) (i32.const 4096) (local.get $n)))";
    let words = ["--", "-n", "{}", ":::", "a b", "", "--", "x=f(1)"];
    let expected = format!("{ARGV0}\0-n\0{{}}\0:::\0a b\0\0--\0x=f(1)\0");
    command(print).args(words).run().ends(0).prints(expected).says_nothing();
    command(print).run().ends(0).prints(format!("{ARGV0}\0"));
}

#[test]
fn it_ends_with_its_own_code_and_wpool_says_nothing_of_that() {
    for code in [0, 1, 42, 126, 255] {
        let exit = format!("(call $exit (i32.const {code}))");
        command(&exit).run().ends(passed_on(code)).prints("").says_nothing();
    }
    command("").run().ends(0).says_nothing();
    let done = command("unreachable").run().ends(134);
    assert!(done.stderr.starts_with("error: module (process "), "{}", done.stderr);
    let done = done.says(") trapped: unreachable\n");
    assert!(!done.stderr.contains("help:"));
    command("(loop $l (br $l))").args(["--timeout", "0.1"]).run().ends(124).says("timed out");
    let large = "(if (i32.eq (memory.grow (i32.const 100)) (i32.const -1)) (then unreachable))";
    command(large).args(["--memory", "1MiB"]).run().ends(134).says("help: raise the limit");
}

#[test]
fn it_reads_all_that_comes_down_a_pipe() {
    let bytes = vec![b'x'; 30 << 20];
    command(COPY).stdin(bytes.clone()).run().ends(0).prints(bytes);
    run_command("wordcount").stdin("hello world\n").run().ends(0).prints("1 2 12\n");
}

#[test]
fn it_reads_and_writes_files() {
    let (from, to) = (file("from", "a file\n"), path("to"));
    let streams = |command: &mut Command| {
        command.stdin(File::open(&from).expect("is there"));
        command.stdout(File::create(&to).expect("is writable"));
    };
    command(COPY).with_streams(streams).run().ends(0).says_nothing();
    assert_eq!(fs::read(&to).expect("is there"), b"a file\n");
}

#[test]
fn it_sees_folders_and_variables_only_if_they_are_granted() {
    let granted = folder("granted");
    fs::write(granted.join("text"), "one two\n").expect("is writable");
    let count = || run_command("wordcount").dir(&granted, "/data");
    count().args(["--", "/data/text"]).run().ends(0).prints("1 2 8\n");
    run_command("wordcount")
        .args(["--", "/data/text"])
        .run()
        .ends(1)
        .says("wordcount: /data/text: ");
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    let (reader, writer) = pipe().expect("a pipe");
    let run = command(FLOOD).with_streams(|command| {
        command.stdout(writer);
    });
    let run = run.start();
    let mut output = BufReader::new(reader);
    let mut line = String::new();
    output.read_line(&mut line).expect("it prints");
    assert_eq!(line, "late\n");
    drop(output);
    run.finish().ends(141).says_nothing();
}

#[test]
fn signals_end_it_at_once() {
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143), (Signal::SIGHUP, 129)] {
        let run = start_copying();
        let workers = run.workers();
        assert_eq!(workers.len(), 1);
        run.signal(signal);
        run.until("its end", || !processes::is_alive(run.pid()));
        run.finish().ends(code).prints("one\n").says_nothing();
        workers.into_iter().for_each(wait_for_end);
    }
}

#[test]
fn a_command_that_is_killed_is_told_of() {
    let run = start_copying();
    processes::kill(run.workers()[0]);
    run.finish().ends(137).says(") was killed by SIGKILL\n");
}

#[test]
fn it_may_read_from_the_terminal() {
    let (run, mut keyboard) = at_terminal(run_command("wordcount"));
    keyboard.write_all(b"hello world\n").expect("the terminal is open");
    press(&mut keyboard, CTRL_D);
    run.finish().ends(0).prints("1 2 12\n").says_nothing();
}

#[test]
fn ctrl_c_ends_a_command_that_reads_from_the_terminal() {
    let (run, mut keyboard) = at_terminal(command(COPY));
    keyboard.write_all(b"one\n").expect("the terminal is open");
    run.until("its echo", || run.stdout.text() == "one\n");
    let workers = run.workers();
    press(&mut keyboard, CTRL_C);
    run.until("its end", || !processes::is_alive(run.pid()));
    run.finish().ends(130).prints("one\n").says_nothing();
    workers.into_iter().for_each(wait_for_end);
}

#[test]
fn it_stops_and_goes_on_with_wpool() {
    let mut run = start_copying();
    let worker = run.workers()[0];
    run.signal(Signal::SIGTSTP);
    run.until("both to stop", || is_stopped(run.pid()) && is_stopped(worker));
    run.signal(Signal::SIGCONT);
    run.write("two\n");
    run.until("its echo", || run.stdout.text() == "one\ntwo\n");
    run.close_stdin();
    run.finish().ends(0);
}

#[test]
fn it_can_tell_a_terminal_from_a_pipe() {
    // The first byte is the kind of file: 2, a character device, is a terminal.
    let is_terminal = "(drop (call $fdstat (i32.const 0) (i32.const 504)))
        (call $exit (i32.eq (i32.load8_u (i32.const 504)) (i32.const 2)))";
    let (run, _keyboard) = at_terminal(command(is_terminal));
    run.finish().ends(1);
    command(is_terminal).stdin("").run().ends(0);
}

#[test]
fn it_can_wait_for_input_and_time_at_once() {
    let body = "(if (i32.eqz (call $wait (i64.const 20)))
            (then (drop (call $write (i32.const 1) (i32.const 900) (i32.const 5)))))
        (if (call $wait (i64.const 600000))
            (then (drop (call $write (i32.const 1) (i32.const 905) (i32.const 5)))))
        (drop (call $write (i32.const 1) (i32.const 4096) (call $read)))
        ;; The end of the input is something to read.
        (call $exit (call $wait (i64.const 600000)))";
    let mut run = command(body).piped().start();
    run.until("the time", || run.stdout.text() == "late\n");
    run.write("text");
    run.until("the input", || run.stdout.text() == "late\nmore\ntext");
    run.close_stdin();
    run.finish().ends(1);

    let nothing = file("nothing", "");
    let from_file = |command: &mut Command| {
        command.stdin(File::open(&nothing).expect("is there"));
    };
    command(body).with_streams(from_file).run().ends(1).prints("more\n");
}

/// Code that waits until the standard output, then the standard error, takes bytes, and then
/// prints.
const AWAIT_ROOM: &str = "(i32.store8 (i32.const 112) (i32.const 2))
    (loop $next
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (i32.store (i32.const 120) (local.get $n))
        (drop (call $poll (i32.const 104) (i32.const 304) (i32.const 1) (i32.const 8)))
        (drop (call $write (local.get $n) (i32.const 900) (i32.const 5)))
        (br_if $next (i32.lt_u (local.get $n) (i32.const 2))))";

#[test]
fn an_output_is_ready_at_once_whatever_it_is_and_whatever_the_input_does() {
    // The input has nothing to read while it is open.
    let run = command(AWAIT_ROOM).piped().start();
    run.until("both lines", || (run.stdout.text() + &run.stderr.text()) == "late\nlate\n");
    run.finish().ends(0);
    let (socket, other_end) = UnixStream::pair().expect("a pair");
    let files = [
        Stdio::from(File::create(path("output")).expect("is writable")),
        Stdio::from(OwnedFd::from(socket)),
        Stdio::from(File::options().write(true).open("/dev/null").expect("is there")),
    ];
    for output in files {
        let streams = |command: &mut Command| {
            command.stdout(output);
        };
        command(AWAIT_ROOM).with_streams(streams).run().ends(0).says("late\n");
    }
    drop(other_end);
    let (run, _keyboard) = at_terminal(command(AWAIT_ROOM));
    run.finish().ends(0);
}

#[test]
fn no_process_outlives_wpool() {
    let run = start_copying();
    let workers = run.workers();
    run.signal(Signal::SIGKILL);
    assert_eq!(run.finish().signal, Some(9));
    workers.into_iter().for_each(wait_for_end);
}
