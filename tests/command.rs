//! `wpool map` of commands: a fresh sandbox for each job, whose standard output is the result.

mod common;

use common::run::{Wpool, file, folder, map, map_wat, path};
use std::fs;
use std::os::unix::fs::symlink;

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

const DIGEST_OF_NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const DIGEST_OF_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// What the arguments are for the words `a/b.txt` and `c`, with a template.
fn arguments(template: &str) -> String {
    let mut run = map_wat(ARGUMENTS).arg("--");
    run = run.flags(template);
    let done = run.jobs(["a/b.txt"]).jobs(["c"]).run().ends(0);
    let text = String::from_utf8(done.stdout).expect("text");
    text.strip_suffix('\0').expect("the last argument ends with NUL").replace('\0', " ")
}

#[test]
fn files_bytes_are_the_standard_input() {
    let files = [file("nothing", ""), file("abc", "abc"), file("words", "one two\n  three\n")];
    let digests = format!("{DIGEST_OF_NOTHING}\n{DIGEST_OF_ABC}\n");
    map("sha256").arg("--files").jobs(&files[..2]).run().ends(0).prints(digests);
    let tagged = files.iter().zip(["0 0 0", "0 1 3", "2 3 16"]);
    let tagged: String =
        tagged.map(|(file, counts)| format!("{}\t{counts}\n", file.display())).collect();
    map("wordcount").args(["--files", "--tag"]).jobs(&files).run().ends(0).prints(&tagged);
    let list: String = files.iter().map(|file| format!("{}\n", file.display())).collect();
    map("wordcount").args(["--files", "--tag"]).stdin(list).run().ends(0).prints(&tagged);
}

#[test]
fn a_thousand_files_have_their_own_digests() {
    let many = folder("many");
    let files: Vec<_> = (0..1000).map(|n| many.join(n.to_string())).collect();
    for (n, file) in files.iter().enumerate() {
        fs::write(file, if n % 2 == 0 { "abc" } else { "" }).expect("is writable");
    }
    let expected = format!("{DIGEST_OF_ABC}\n{DIGEST_OF_NOTHING}\n").repeat(500);
    map("sha256").arg("--files").jobs(&files).run().ends(0).prints(expected);
}

#[test]
fn a_file_that_cannot_be_read_fails_alone() {
    let good = file("good", "abc");
    let loops = path("loops");
    symlink(&loops, &loops).expect("a link");
    let jobs = [good.clone(), "/nowhere/file".into(), folder("folder"), loops, good];
    let done = map("sha256").arg("--files").jobs(&jobs).run().ends(100);
    let done = done.prints(format!("{DIGEST_OF_ABC}\n{DIGEST_OF_ABC}\n"));
    let done = done.says("error: job 1 (/nowhere/file) is invalid: cannot open /nowhere/file");
    done.says("not a regular file").says("2 jobs ok, 3 failed");
}

#[test]
fn a_jobs_text_can_be_the_standard_input() {
    let run = map("wordcount").arg("--stdin");
    run.jobs(["one two", ""]).run().ends(0).prints("0 2 7\n0 0 0\n");
    let run = map("wordcount").args(["--stdin", "-0"]);
    run.stdin("a b\nc\n\0d\0").run().ends(0).prints("2 3 6\n0 1 1\n");
}

#[test]
fn jobs_are_the_last_arguments_or_stand_where_the_braces_are() {
    assert_eq!(arguments(""), "module a/b.txt c");
    assert_eq!(arguments("-x"), "module -x a/b.txt c");
    assert_eq!(arguments("{}"), "module a/b.txt c");
    assert_eq!(arguments("{2} {1}"), "module c a/b.txt");
    assert_eq!(arguments("{1.} {1/} {1//} {1/.}"), "module a/b b.txt a b");
    assert_eq!(arguments("--level=3 <{1}> {#}"), "module --level=3 <a/b.txt> 1");
}

#[test]
fn arguments_may_hold_what_a_shell_would_split() {
    let done = map_wat(ARGUMENTS).jobs(["two words", "", "*", "--", "\u{e9}"]).run().ends(0);
    done.prints("module\0two words\0module\0\0module\0*\0module\0--\0module\0\u{e9}\0");
}

#[test]
fn a_granted_file_can_be_named_as_an_argument() {
    let granted = folder("granted");
    fs::write(granted.join("abc"), "abc").expect("is writable");
    let run = || map("sha256").dir(&granted, "/in").arg("--").arg("/in/{}");
    run().jobs(["abc"]).run().ends(0).prints(format!("{DIGEST_OF_ABC}\n"));
    run().jobs(["none"]).run().ends(100).prints("").says("job 0 (none) exited with code 1");
    let outside = map("sha256").jobs([granted.join("abc")]);
    outside.run().ends(100).prints("").says("exited with code 1");
    let above = map("sha256").dir(&granted, "/in").jobs(["/in/../../../etc/hostname"]);
    above.run().ends(100).prints("");
}

#[test]
fn output_bytes_pass_unchanged() {
    let bytes = [b"\0\xff\xfe\n\r\x1b[2J".as_slice(), b"\0no line end"];
    let files = [file("first", bytes[0]), file("second", bytes[1])];
    let run = || map_wat(COPY_AND_EXIT).arg("--files").jobs(&files);
    run().run().ends(0).prints(bytes.concat());
    let null = map_wat(COPY_AND_EXIT).flags("--files --output-format null").jobs(&files);
    null.run().ends(0).prints([bytes[0], b"\0", bytes[1], b"\0"].concat());
}

#[test]
fn rows_hold_text_or_base64() {
    let files = [file("text", "\0abc\n"), file("bytes", "\0\u{ff}".as_bytes().split_at(2).0)];
    let done = map_wat(COPY_AND_EXIT).flags("--files --jsonl").jobs(&files).run().ends(0);
    let rows = done.rows();
    assert_eq!(rows[0]["output"], "\0abc\n");
    assert_eq!(rows[1]["output"]["base64"], "AMM=");
    assert_eq!(rows[1]["input"], files[1].to_str().expect("text"));
}

#[test]
fn an_exit_code_that_is_not_zero_is_a_failure_which_prints_nothing() {
    let run: Wpool = map_wat(COPY_AND_EXIT).flags("--files --jsonl");
    let files = [file("zero", "\0zero"), file("three", "\x03three"), file("last", "\0last")];
    let done = run.jobs(&files).run().ends(100);
    let rows = done.rows();
    assert_eq!((&rows[0]["ok"], &rows[2]["ok"]), (&true.into(), &true.into()));
    assert_eq!(rows[1]["error"]["kind"], "exit");
    assert_eq!(rows[1]["error"]["code"], 3);
    let done = map_wat(COPY_AND_EXIT).arg("--files").jobs(&files).run().ends(100);
    done.prints("\0zero\0last").says("exited with code 3");
}

#[test]
fn every_job_has_a_fresh_instance() {
    // The second time around, the buffer would hold the first job's bytes.
    let files = [file("long", "\0".repeat(1000)), file("short", "")];
    let done = map_wat(COPY_AND_EXIT).flags("--files -j 1").jobs(&files).run().ends(0);
    assert_eq!(done.stdout.len(), 1000);
}
