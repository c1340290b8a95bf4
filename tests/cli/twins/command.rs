//! `wpool map` of commands: each job runs in a fresh sandbox, and its standard output is the
//! result.

use super::COMPONENT;
use super::commands::{ARGV0, map_command, map_command_text, passed_on};
use crate::common::guest;
use crate::common::run::{Wpool, file, folder, path, wpool};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;

/// A command that prints its arguments, each followed by NUL.
const ARGUMENTS: &str = r#"(module
    (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "args_get" (func $get (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write"
        (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "_start")
        (drop (call $sizes (i32.const 0) (i32.const 4)))
        (drop (call $get (i32.const 1024) (i32.const 4096)))
        (i32.store (i32.const 8) (i32.const 4096))
        (i32.store (i32.const 12) (i32.load (i32.const 4)))
        (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 16)))))"#;

/// A command that copies up to 1000 bytes of its standard input, and exits with the first one.
const COPY_AND_EXIT: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_read"
        (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write"
        (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func (export "_start")
        (i32.store (i32.const 8) (i32.const 4096))
        (i32.store (i32.const 12) (i32.const 1000))
        (drop (call $read (i32.const 0) (i32.const 8) (i32.const 1) (i32.const 16)))
        (i32.store (i32.const 12) (i32.load (i32.const 16)))
        (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 16)))
        (call $exit (i32.load8_u (i32.const 4096)))))"#;

/// Returns a run of a command with this body, which can call a function that writes bytes at an
/// address to a stream.
fn command(body: &str) -> Wpool {
    map_command_text(&format!(
        r#"(module
            (import "wasi_snapshot_preview1" "fd_write"
                (func $fd_write (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "environ_sizes_get"
                (func $environ_sizes (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "environ_get"
                (func $environ (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "random_get"
                (func $random (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "clock_time_get"
                (func $time (param i32 i64 i32) (result i32)))
            (import "wasi_snapshot_preview1" "path_open" (func $open
                (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
            (memory (export "memory") 1)
            (data (i32.const 900) "first\nlast")
            (data (i32.const 950) "made")
            (func $write (param $fd i32) (param $at i32) (param $size i32)
                (i32.store (i32.const 0) (local.get $at))
                (i32.store (i32.const 4) (local.get $size))
                (drop (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
            (func (export "_start") {body}))"#
    ))
}

const DIGEST_OF_NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const DIGEST_OF_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// Returns the arguments, behind the command's name, that a template makes of the words `a/b.txt` and `c`.
fn arguments(template: &str) -> String {
    let mut run = map_command_text(ARGUMENTS).arg("--");
    run = run.flags(template);
    let done = run.jobs(["a/b.txt"]).jobs(["c"]).run().ends(0);
    let text = String::from_utf8(done.stdout).expect("text");
    let text = text.strip_suffix('\0').expect("the last argument ends with NUL").replace('\0', " ");
    let arguments = text.strip_prefix(&format!("{ARGV0} "));
    arguments.unwrap_or_else(|| panic!("the file's name comes first: {text}")).to_owned()
}

#[test]
fn files_bytes_are_the_standard_input() {
    let files = [file("nothing", ""), file("abc", "abc"), file("words", "one two\n  three\n")];
    let digests = format!("{DIGEST_OF_NOTHING}\n{DIGEST_OF_ABC}\n");
    map_command("sha256").arg("--files").jobs(&files[..2]).run().ends(0).prints(digests);
    let tagged = files.iter().zip(["0 0 0", "0 1 3", "2 3 16"]);
    let tagged: String =
        tagged.map(|(file, counts)| format!("{}\t{counts}\n", file.display())).collect();
    map_command("wordcount").args(["--files", "--tag"]).jobs(&files).run().ends(0).prints(&tagged);
    let list: String = files.iter().map(|file| format!("{}\n", file.display())).collect();
    map_command("wordcount").args(["--files", "--tag"]).stdin(list).run().ends(0).prints(&tagged);
}

#[test]
fn a_thousand_files_have_their_own_digests() {
    let many = folder("many");
    let files: Vec<_> = (0..1000).map(|n| many.join(n.to_string())).collect();
    for (n, file) in files.iter().enumerate() {
        fs::write(file, if n % 2 == 0 { "abc" } else { "" }).expect("is writable");
    }
    let expected = format!("{DIGEST_OF_ABC}\n{DIGEST_OF_NOTHING}\n").repeat(500);
    map_command("sha256").arg("--files").jobs(&files).run().ends(0).prints(expected);
}

#[test]
fn a_file_that_cannot_be_read_fails_alone() {
    let good = file("good", "abc");
    let loops = path("loops");
    symlink(&loops, &loops).expect("a link");
    let jobs = [good.clone(), "/nowhere/file".into(), folder("folder"), loops, good];
    let done = map_command("sha256").arg("--files").jobs(&jobs).run().ends(100);
    let done = done.prints(format!("{DIGEST_OF_ABC}\n{DIGEST_OF_ABC}\n"));
    let done = done.says("error: job 1 (/nowhere/file) is invalid: cannot open /nowhere/file");
    done.says("neither a regular file nor a pipe").says("2 jobs ok, 3 failed");
}

#[test]
fn a_jobs_text_can_be_the_standard_input() {
    let run = map_command("wordcount").arg("--stdin");
    run.jobs(["one two", ""]).run().ends(0).prints("0 2 7\n0 0 0\n");
    let run = map_command("wordcount").args(["--stdin", "-0"]);
    run.stdin("a b\nc\n\0d\0").run().ends(0).prints("2 3 6\n0 1 1\n");
}

#[test]
fn jobs_are_the_last_arguments_or_stand_where_the_braces_are() {
    assert_eq!(arguments(""), "a/b.txt c");
    assert_eq!(arguments("-x"), "-x a/b.txt c");
    assert_eq!(arguments("{}"), "a/b.txt c");
    assert_eq!(arguments("{2} {1}"), "c a/b.txt");
    assert_eq!(arguments("{1.} {1/} {1//} {1/.}"), "a/b b.txt a b");
    assert_eq!(arguments("--level=3 <{1}> {#}"), "--level=3 <a/b.txt> 1");
}

#[test]
fn arguments_may_hold_what_a_shell_would_split() {
    let words = ["two words", "", "*", "--", "\u{e9}"];
    let done = map_command_text(ARGUMENTS).jobs(words).run().ends(0);
    done.prints(words.map(|word| format!("{ARGV0}\0{word}\0")).concat());
}

#[test]
fn a_granted_file_can_be_named_as_an_argument() {
    let granted = folder("granted");
    fs::write(granted.join("abc"), "abc").expect("is writable");
    let run = || map_command("sha256").dir(&granted, "/in").arg("--").arg("/in/{}");
    run().jobs(["abc"]).run().ends(0).prints(format!("{DIGEST_OF_ABC}\n"));
    run().jobs(["none"]).run().ends(100).prints("").says("job 0 (none) exited with code 1");
    let outside = map_command("sha256").jobs([granted.join("abc")]);
    outside.run().ends(100).prints("").says("exited with code 1");
    let above = map_command("sha256").dir(&granted, "/in").jobs(["/in/../../../etc/hostname"]);
    above.run().ends(100).prints("");
}

#[test]
fn output_bytes_pass_unchanged() {
    let bytes = [b"\0\xff\xfe\n\r\x1b[2J".as_slice(), b"\0no line end"];
    let files = [file("first", bytes[0]), file("second", bytes[1])];
    let run = || map_command_text(COPY_AND_EXIT).arg("--files").jobs(&files);
    run().run().ends(0).prints(bytes.concat());
    let files = [file("first", b"\x01\xff\n\x1b[2J"), file("second", bytes[1]), file("third", "")];
    let null = map_command_text(COPY_AND_EXIT).flags("--files --output-format null --ok-exit 0,1");
    let done = null.jobs(&files).run().ends(100).prints(b"\x01\xff\n\x1b[2J\0\0\0");
    done.says("job 1").says("its result has a NUL byte in it");
}

#[test]
fn rows_hold_text_or_base64() {
    let files = [file("text", "\0abc\n"), file("bytes", "\0\u{ff}".as_bytes().split_at(2).0)];
    let done = map_command_text(COPY_AND_EXIT).flags("--files --jsonl").jobs(&files).run().ends(0);
    let rows = done.rows();
    assert_eq!(rows[0]["output"], "\0abc\n");
    assert_eq!(rows[1]["output"]["base64"], "AMM=");
    assert_eq!(rows[1]["input"], files[1].to_str().expect("text"));
}

#[test]
fn what_a_command_prints_is_printed_whatever_it_exits_with() {
    let run = || map_command_text(COPY_AND_EXIT).arg("--files");
    let files = [file("zero", "\0zero"), file("three", "\x03three"), file("last", "\0last")];
    let done = run().arg("--jsonl").jobs(&files).run().ends(100);
    let rows = done.rows();
    assert_eq!((&rows[0]["ok"], &rows[2]["ok"]), (&true.into(), &true.into()));
    assert_eq!(rows[1]["error"]["kind"], "exit");
    assert_eq!(rows[1]["error"]["code"], passed_on(3));
    assert_eq!((&rows[1]["stdout"], &rows[1]["output"]), (&"\u{3}three".into(), &().into()));
    assert_eq!((&rows[0]["exit_code"], &rows[1]["exit_code"]), (&0.into(), &passed_on(3).into()));
    for isolation in ["reuse", "process"] {
        let done = run().args(["--isolation", isolation]).jobs(&files).run().ends(100);
        done.prints("\0zero\x03three\0last").says(&format!("exited with code {}", passed_on(3)));
    }
    let traps = "(call $write (i32.const 1) (i32.const 950) (i32.const 4)) unreachable";
    command(traps).jobs(["1"]).run().ends(100).prints("made").says("trapped: unreachable");
    command(traps).args(["--tag", "--unordered"]).jobs(["1"]).run().ends(100).prints("1\tmade");
}

#[test]
fn what_a_command_printed_before_its_time_was_over_is_printed() {
    let spins = "(call $write (i32.const 1) (i32.const 950) (i32.const 2))
        (call $write (i32.const 1) (i32.const 952) (i32.const 2)) (loop $again (br $again))";
    let run = |body: &str| command(body).flags("-j 1 --timeout 0.3").jobs(["1", "2"]);
    for isolation in ["reuse", "fresh", "process"] {
        let done = run(spins).args(["--isolation", isolation]).run().ends(100).prints("mademade");
        done.says("job 0 (1) timed out");
    }
    let results = path("results");
    let done = run(spins).arg("--jsonl").arg("--results").arg(&results).run().ends(100);
    assert_eq!(
        (&done.rows()[1]["stdout"], &done.rows()[1]["output"]),
        (&"made".into(), &().into())
    );
    assert_eq!(fs::read_to_string(results.join("1/2/stdout")).expect("it is there"), "made");
    // More than the memory that job and record share.
    let writes = "(call $write (i32.const 1) (i32.const 1024) (i32.const 60000))".repeat(20);
    let done = run(&format!("{writes} (loop $again (br $again))")).run().ends(100);
    assert_eq!(done.stdout.len(), 2 * 20 * 60000);
    // A command that prints less than an earlier one prints only that; and a job that is given up
    // prints nothing.
    let shorter = "(call $write (i32.const 1) (i32.const 950) (i32.const 4)) unreachable";
    run(shorter).run().ends(100).prints("mademade");
    let done = command(spins).flags("-j 1 --timeout 60 --deadline 2").jobs(["1"]).run().ends(124);
    done.prints("");
}

#[test]
fn as_much_is_printed_as_a_result_may_have() {
    // The output is longer than the memory that job and record share.
    let writes = "(call $write (i32.const 1) (i32.const 1024) (i32.const 60000))".repeat(20);
    let exits = format!("{writes} unreachable");
    let done = command(&exits).flags("--max-output 2MiB --max-buffer 3MiB").jobs(["1"; 3]).run();
    assert_eq!(done.ends(100).stdout.len(), 3 * 20 * 60000);
    let done = command(&exits).flags("--max-output 1MiB").jobs(["1"]).run().ends(100).prints("");
    done.says("has too large a result");
}

#[test]
fn exit_codes_that_are_given_are_successes() {
    let log = path("log");
    let code = passed_on(10);
    let files = [file("zero", "\0zero"), file("ten", "\x0aten")];
    let run = |codes: String| {
        let run = map_command_text(COPY_AND_EXIT).args(["--files", "--jsonl", "--joblog"]);
        run.arg(&log).args(["--ok-exit", &codes]).jobs(&files)
    };
    let done = run(format!("0,{code}")).run().ends(0);
    let rows = done.rows();
    assert_eq!((&rows[1]["ok"], &rows[1]["output"]), (&true.into(), &"\nten".into()));
    assert_eq!((&rows[0]["exit_code"], &rows[1]["exit_code"]), (&0.into(), &code.into()));
    let logged = fs::read_to_string(&log).expect("it is there");
    assert!(logged.contains(&format!("\t{code}\t0\t")), "{logged}");
    run(format!("0,{code}")).arg("--resume-failed").run().ends(0).prints("");
    // The list of codes is complete: a list without 0 makes 0 a failure.
    let done = run(code.to_string()).run().ends(100).says("exited with code 0");
    assert_eq!(done.rows()[0]["stdout"], "\0zero");
    let task = wpool(["map"]).arg(guest("square")).flags("--ok-exit 0,1").jobs(["1"]).run().ends(2);
    task.says("is not a command: --ok-exit has no meaning");
}

#[test]
fn a_failed_commands_output_is_among_its_results() {
    let results = path("results");
    let run = map_command_text(COPY_AND_EXIT).arg("--stdin").arg("--results").arg(&results);
    run.jobs(["\u{3}three"]).run().ends(100);
    let stdout = fs::read_to_string(results.join("1/\u{3}three/stdout")).expect("it is there");
    assert_eq!(stdout, "\u{3}three");
}

#[test]
fn what_means_nothing_to_a_command_is_an_error() {
    for (flag, name) in [
        ("-R", "--raw-input"),
        ("--raw-input", "--raw-input"),
        ("--base64", "--base64"),
        ("-r", "--raw-output"),
    ] {
        let done = command("").arg(flag).jobs(["1"]).run().ends(2);
        done.says(&format!("is a command: {name} has no meaning\n")).says("help: ");
    }
    let task = wpool(["map"]).arg(guest("square")).arg("--base64").jobs(["1"]).run().ends(2);
    task.says("is no component: --base64 has no meaning").says("list<u8>");
}

#[test]
fn every_job_has_a_fresh_instance() {
    // The second instance could find the first job's bytes in a buffer that is used again.
    let files = [file("long", "\0".repeat(1000)), file("short", "")];
    let done = map_command_text(COPY_AND_EXIT).flags("--files -j 1").jobs(&files).run().ends(0);
    assert_eq!(done.stdout.len(), 1000);
}

#[test]
fn standard_error_is_shown_as_lines_and_is_no_result() {
    let body = "(call $write (i32.const 2) (i32.const 900) (i32.const 10))
        (call $write (i32.const 1) (i32.const 950) (i32.const 4))";
    let done = command(body).jobs(["1"]).run().ends(0).prints("made");
    done.says("] first\n").says("] last\n");
    let fails = "(call $write (i32.const 2) (i32.const 900) (i32.const 10)) unreachable";
    command(fails).jobs(["1"]).run().ends(100).prints("").says("] last\n").says("trapped");
}

#[test]
fn variables_are_those_that_are_granted() {
    let body = "(drop (call $environ_sizes (i32.const 16) (i32.const 20)))
        (drop (call $environ (i32.const 1024) (i32.const 4096)))
        (call $write (i32.const 1) (i32.const 4096) (i32.load (i32.const 20)))";
    let run = || command(body).jobs(["1"]);
    run().flags("--env A=1 --env B=2").run().ends(0).prints("A=1\0B=2\0");
    run().run().ends(0).prints("");
    // The last value of a name counts.
    run().flags("--env A=1 --env B=2 --env A=3").run().ends(0).prints("B=2\0A=3\0");
}

#[test]
fn a_folder_can_be_granted_for_reading_only() {
    // The command makes a file in the first granted folder, and traps if that fails.
    let make = "(if (call $open (i32.const 3) (i32.const 0) (i32.const 950) (i32.const 4)
        (i32.const 1) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 16))
        (then unreachable))";
    let granted = folder("granted");
    command(make).dir(&granted, "/to::ro").jobs(["1"]).run().ends(100);
    assert!(!granted.join("made").exists());
    command(make).dir(&granted, "/to").jobs(["1"]).run().ends(0);
    assert!(granted.join("made").exists());
}

/// A command that acts on two granted folders as its job says. `swap`: replaces `in`, which is in
/// the first folder, by a link to `../victim`. `plant`: does the same with `b` and
/// `../victim/secret`. Any other job prints the file `secret` of the second folder, and makes the
/// file `made` there.
const SWAP: &str = r#"(module
    (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_rename"
        (func $rename (param i32 i32 i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_symlink"
        (func $link (param i32 i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_open" (func $open
        (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read"
        (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write"
        (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 100) "in")
    (data (i32.const 110) "in.old")
    (data (i32.const 120) "../victim/secret")
    (data (i32.const 140) "made")
    (data (i32.const 150) "b")
    (func $print (param $size i32)
        (i32.store (i32.const 4) (local.get $size))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
    (func (export "_start") (local $job i32)
        (drop (call $args (i32.const 1024) (i32.const 2048)))
        (local.set $job (i32.load8_u (i32.load (i32.const 1028))))
        (i32.store (i32.const 0) (i32.const 4096))
        (if (i32.eq (local.get $job) (i32.const 0x73)) (then
            (drop (call $rename (i32.const 3) (i32.const 100) (i32.const 2)
                (i32.const 3) (i32.const 110) (i32.const 6)))
            (if (call $link (i32.const 120) (i32.const 9) (i32.const 3) (i32.const 100) (i32.const 2))
                (then (unreachable)))
            (return)))
        (if (i32.eq (local.get $job) (i32.const 0x70)) (then
            (drop (call $rename (i32.const 3) (i32.const 150) (i32.const 1)
                (i32.const 3) (i32.const 110) (i32.const 6)))
            (if (call $link (i32.const 120) (i32.const 16) (i32.const 3) (i32.const 150) (i32.const 1))
                (then (unreachable)))
            (return)))
        (if (call $open (i32.const 4) (i32.const 0) (i32.const 130) (i32.const 6) (i32.const 0)
                (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 16))
            (then (unreachable)))
        (i32.store (i32.const 4) (i32.const 100))
        (drop (call $read (i32.load (i32.const 16)) (i32.const 0) (i32.const 1) (i32.const 8)))
        (call $print (i32.load (i32.const 8)))
        (if (call $open (i32.const 4) (i32.const 0) (i32.const 140) (i32.const 4) (i32.const 1)
                (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 16))
            (then (unreachable)))))"#;

#[test]
fn a_granted_folder_stays_the_same_when_its_name_leads_elsewhere() {
    for isolation in ["reuse", "fresh", "process"] {
        let (data, victim) = (folder("data"), folder("victim"));
        fs::create_dir(data.join("in")).expect("is writable");
        fs::write(data.join("in/secret"), "granted\n").expect("is writable");
        fs::write(victim.join("secret"), "not granted\n").expect("is writable");
        let run = map_command_text(SWAP).flags("-j 1 --isolation").arg(isolation);
        let run = run.dir(&data, "/data").dir(&data.join("in"), "/in");
        run.jobs(["use", "swap", "use"]).run().ends(0).prints("granted\ngranted\n");
        assert!(data.join("in.old/made").exists() && !victim.join("made").exists());
        assert!(data.join("in").is_symlink());
        // The next run is granted the folder to which the name now leads, because the user says so.
        let run = map_command_text(SWAP).dir(&data, "/data").dir(&data.join("in"), "/in");
        fs::write(victim.join("secret"), "granted now\n").expect("is writable");
        fs::remove_file(data.join("in")).expect("is writable");
        symlink(&victim, data.join("in")).expect("a link");
        run.jobs(["use"]).run().ends(0).prints("granted now\n");
    }
}

#[test]
fn files_are_not_read_through_links_that_a_guest_may_have_made() {
    let (work, victim) = (folder("work"), folder("victim"));
    fs::write(victim.join("secret"), "not granted").expect("is writable");
    for name in ["a", "b", "c"] {
        fs::write(work.join(name), format!("\0{name}")).expect("is writable");
    }
    let plant = map_command_text(SWAP).dir(&work, "/work").jobs(["plant"]);
    plant.run().ends(0);
    assert!(work.join("b").is_symlink());
    let files = ["a", "b", "c"].map(|name| work.join(name));
    let run = || map_command_text(COPY_AND_EXIT).arg("--files").jobs(&files);
    let done = run().dir(&work, "/work").run().ends(100).prints("\0a\0c");
    done.says("work/b: it leads out of a folder that guests may write");
    // The links are the user's own if guests cannot make any.
    run().dir(&work, "/work::ro").run().ends(100).says("exited with code");
}

#[test]
fn a_folder_that_holds_the_cache_can_be_granted_for_reading_only() {
    map_command("wordcount").arg("--stdin").jobs([""]).run().ends(0);
    let (cache, scratch) = (path("wpool"), path(""));
    symlink("wpool", path("alias")).expect("a link");
    for granted in [&scratch, &cache, &path("alias"), &scratch.join("..")] {
        let run = || map_command("wordcount").arg("--stdin").jobs([""]);
        let done = run().dir(granted, "/h").run().ends(2).prints("");
        done.says("error: guests could write wpool's cache of machine code").says("::ro");
        run().dir(granted, "/h").arg("--no-cache").run().ends(2);
        run()
            .dir(granted, "/h")
            .env("XDG_CACHE_HOME", path("not/yet/there"))
            .run()
            .ends(if *granted == scratch || *granted == scratch.join("..") { 2 } else { 0 });
        run().dir(granted, "/h::ro").run().ends(0);
    }
    map_command("wordcount").arg("--stdin").dir(&folder("beside"), "/h").jobs([""]).run().ends(0);
}

#[test]
fn variables_of_the_environment_grant_nothing() {
    let body = "(drop (call $environ_sizes (i32.const 16) (i32.const 20)))
        (i32.store (i32.const 24) (i32.add (i32.const 48) (i32.load (i32.const 16))))
        (call $write (i32.const 1) (i32.const 24) (i32.const 1))
        (if (i32.eqz (call $open (i32.const 3) (i32.const 0) (i32.const 950) (i32.const 4)
            (i32.const 1) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 16)))
            (then unreachable))";
    let granted = folder("granted");
    let run = command(body).env("WPOOL_DIR", &granted).env("WPOOL_ENV", "A=1");
    run.env("WPOOL_FILES", "1").jobs(["1"]).run().ends(0).prints("0");
}

#[test]
fn a_job_has_a_bounded_number_of_open_files() {
    // The command opens a file again and again, and prints the count in hundreds as a digit.
    let body = "(local $count i32)
        (loop $more
            (if (i32.eqz (call $open (i32.const 3) (i32.const 0) (i32.const 950) (i32.const 4)
                    (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 16)))
                (then
                    (local.set $count (i32.add (local.get $count) (i32.const 1)))
                    (br_if $more (i32.lt_u (local.get $count) (i32.const 100000))))))
        (i32.store (i32.const 24)
            (i32.add (i32.const 48) (i32.div_u (local.get $count) (i32.const 100))))
        (call $write (i32.const 1) (i32.const 24) (i32.const 1))";
    let granted = folder("granted");
    fs::write(granted.join("made"), "").expect("is writable");
    let run = || command(body).dir(&granted, "/g").args(["-j", "1"]);
    for isolation in ["fresh", "process"] {
        // The next job does not inherit the files that a job has open.
        let done = run().args(["--isolation", isolation]).jobs(["1", "2"]).run().ends(0);
        let counts: Vec<u8> = done.stdout.iter().map(|digit| digit - b'0').collect();
        // The adapter of a component allows 128 at most.
        let least = if COMPONENT { 1 } else { 5 };
        let all_right = counts.iter().all(|count| (least..=10).contains(count));
        assert!(counts.len() == 2 && all_right, "{counts:?}");
    }
}

#[test]
fn a_command_can_be_given_another_name() {
    let run = map_command_text(ARGUMENTS).flags("--argv0 busybox").jobs(["a"]);
    run.run().ends(0).prints("busybox\0a\0");
}

#[test]
fn a_seed_and_a_clock_make_a_command_deterministic() {
    let body = "(drop (call $random (i32.const 1024) (i32.const 16)))
        (drop (call $time (i32.const 0) (i64.const 1) (i32.const 1040)))
        (call $write (i32.const 1) (i32.const 1024) (i32.const 24))";
    let jobs = |flags| command(body).flags(flags).jobs(["1", "2"]).run().ends(0).stdout;
    let seeded = jobs("--seed 7 --clock 1700000000");
    assert_eq!(seeded, jobs("--seed 7 --clock 1700000000 -j 1 --isolation process"));
    assert_ne!(seeded[..16], seeded[24..40], "jobs have numbers of their own");
    assert_eq!(seeded[16..24], seeded[40..48], "the clock stands still");
    assert_ne!(jobs(""), jobs(""));
}

#[test]
fn limits_hold_for_commands() {
    let grows = "(if (i32.eq (memory.grow (i32.const 1000)) (i32.const -1)) (then unreachable))";
    let spins = "(loop $again (br $again))";
    let floods = "(loop $more
        (call $write (i32.const 1) (i32.const 900) (i32.const 10)) (br $more))";
    for (body, flags, kind) in [
        (grows, "--memory 2MiB", "out-of-memory"),
        (spins, "--fuel 1000000", "fuel"),
        (spins, "--timeout 0.1", "timeout"),
        (floods, "--max-output 1MiB", "output-too-large"),
        ("unreachable", "", "trap"),
    ] {
        let run = command(body).args(["--jsonl", "--retries", "1"]).flags(flags);
        let done = run.jobs(["1", "2", "3"]).run().ends(100);
        let rows = done.rows();
        let kinds: Vec<_> = rows.iter().map(|row| &row["error"]["kind"]).collect();
        assert_eq!(kinds, [kind; 3], "{flags}");
    }
}

#[test]
fn every_isolation_gives_the_same_results() {
    for isolation in ["reuse", "fresh", "process"] {
        let run = map_command("sha256").args(["--stdin", "--isolation", isolation]);
        let done = run.jobs(["", "abc"].repeat(20)).run().ends(0);
        done.prints(format!("{DIGEST_OF_NOTHING}\n{DIGEST_OF_ABC}\n").repeat(20));
    }
}

/// Returns the arguments of all jobs, without the name of the program before each job's arguments.
fn without_name(run: Wpool) -> String {
    let text = String::from_utf8(run.run().ends(0).stdout).expect("text");
    let (name, _) = text.split_once('\0').expect("a name");
    text.replace(&format!("{name}\0"), "").replace('\0', " ")
}

#[test]
fn columns_and_their_names_stand_for_words_of_arguments() {
    let run = |flags: &str, template: &str, lines: &str| {
        let run = map_command_text(ARGUMENTS).flags(flags).arg("--").flags(template).stdin(lines);
        without_name(run)
    };
    assert_eq!(run("--csv", "{2} {1.}", "a.c,\"b, d\"\n"), "b, d a ");
    assert_eq!(run("--colsep ,", "", "a, b\n"), "a b ");
    assert_eq!(run("--csv --header :", "-n={name} {file/.}", "file,name\nx/y.c,z\n"), "-n=z y ");
    assert_eq!(run("--header :", "{n}", "n\n1\n2\n"), "1 2 ");
    assert_eq!(run("-N 2", "{2}-{1} {}", "a\nb\nc\n"), "b-a a b -c c ");
    assert_eq!(run("-N 2", "", "a\nb\nc\n"), "a b c ");
    assert_eq!(run("-N 0", "x", "a\nb\n"), "x x ");
    assert_eq!(run("-I ,,", ",,{}", "a\n"), "a{} ");
    assert_eq!(run("-j 1", "{%}{#}", "a\nb\n"), "11 12 ");
    assert_eq!(run("-d ,", "", "a,b"), "a b ");
    let done = map_command_text(ARGUMENTS).flags("--header : -- {b}{a}");
    assert_eq!(without_name(done.jobs(["a", "1", "2"]).jobs(["b", "x"])), "x1 x2 ");
    let done = map_command_text(ARGUMENTS).flags("--dry-run -q -- -x {}").jobs(["a b"]).run();
    assert!(done.lines()[0].ends_with(" -x 'a b'"), "{:?}", done.lines());
}

#[test]
fn blocks_of_lines_are_the_standard_input_of_jobs() {
    let lines = "one\ntwo\nthree\nfour\n";
    let counts = |flags: &str| map_command("wordcount").flags(flags).stdin(lines).run().ends(0);
    counts("--pipe").prints("4 4 19\n");
    counts("--pipe --block 8").prints("2 2 8\n1 1 6\n1 1 5\n");
    counts("--pipe --block 1").prints("1 1 4\n1 1 4\n1 1 6\n1 1 5\n");
    counts("--pipe -N 3").prints("3 3 14\n1 1 5\n");
    counts("--pipe -N 2 --header :").prints("3 3 14\n2 2 9\n");
    let list = file("lines", lines);
    let run = map_command("wordcount").flags("--pipe-part --block 8 -a").arg(&list);
    run.run().ends(0).prints("2 2 8\n1 1 6\n1 1 5\n");
    let run = map_command("wordcount").flags("--pipe --block 8 --max-buffer 64KiB");
    let long = "x".repeat(100_000) + "\n1\n";
    run.stdin(long).run().ends(100).says("block 1 of standard input").says("too large");
    map_command("wordcount").flags("--pipe").jobs(["a"]).run().ends(2).says("--pipe reads files");
}

#[test]
fn files_may_have_any_name_and_be_pipes() {
    let name = std::ffi::OsStr::from_bytes(b"na\xefve");
    let folder = folder("names");
    fs::write(folder.join(name), "abc").expect("is writable");
    let run = map_command("sha256").arg("--files").jobs([folder.join(name)]);
    run.run().ends(0).prints(format!("{DIGEST_OF_ABC}\n"));
    // The input is first a slow pipe, then a file: each has its own digest.
    let abc = file("abc", "abc");
    let mut run =
        map_command("sha256").arg("--files").jobs([Path::new("/dev/fd/0"), &abc]).piped().start();
    run.write("a");
    run.write("bc");
    run.close_stdin();
    run.finish().ends(0).prints(format!("{DIGEST_OF_ABC}\n{DIGEST_OF_ABC}\n"));
    let run = map_command("sha256").flags("--files --max-buffer 64KiB").jobs(["/dev/fd/0"]);
    run.stdin("x".repeat(200_000)).run().ends(100).says("too large");
}
