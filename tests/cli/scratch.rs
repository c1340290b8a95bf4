//! `--scratch`: an empty folder for each job, which is removed after it.

use crate::common::processes::{Signal, wait_for_end};
use crate::common::run::{Wpool, file, folder, map_file, map_wat, wpool};
use crate::core::commands::component as encoded;
use std::fs;
use std::path::Path;
use wpool::Pool;

/// The functions that the modules have in common: `$made` makes the file `new` and the folder `b`
/// in the first folder, and traps if they exist; `$fill` writes a page to the file without end.
const HELPERS: &str = r#"
    (import "wasi_snapshot_preview1" "path_open" (func $open
        (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_create_directory" (func $mkdir
        (param i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 2)
    (data (i32.const 16) "new") (data (i32.const 24) "ab")
    (func $made
        ;; It has to be made, and a file of an earlier job would be in the way.
        (if (call $open (i32.const 3) (i32.const 0) (i32.const 16) (i32.const 3) (i32.const 5)
                (i64.const 66) (i64.const 0) (i32.const 0) (i32.const 32)) (then (unreachable)))
        (i32.store (i32.const 40) (i32.const 16)) (i32.store (i32.const 44) (i32.const 3))
        (if (call $write (i32.load (i32.const 32)) (i32.const 40) (i32.const 1) (i32.const 48))
            (then (unreachable)))
        (if (call $mkdir (i32.const 3) (i32.const 25) (i32.const 1)) (then (unreachable))))
    (func $fill
        (i32.store (i32.const 44) (i32.const 65536))
        (loop $again
            (drop (call $write (i32.load (i32.const 32)) (i32.const 40) (i32.const 1) (i32.const 48)))
            (br $again)))
    (func $spin (loop $again (br $again)))"#;

/// Tasks: `make` (if its argument is 0; it does not return if that is 1, traps if 2, and fills the file if 3), and
/// `first`, which makes the file `a`, before the first job.
fn tasks() -> Wpool {
    map_wat(&format!(
        r#"(module {HELPERS}
        (func (export "make") (param $how i32) (result i32)
            (call $made)
            (if (i32.eq (local.get $how) (i32.const 1)) (then (call $spin)))
            (if (i32.eq (local.get $how) (i32.const 2)) (then (unreachable)))
            (if (i32.eq (local.get $how) (i32.const 3)) (then (call $fill)))
            (local.get $how))
        (func (export "first") (drop (call $open (i32.const 3) (i32.const 0) (i32.const 24) (i32.const 1)
            (i32.const 1) (i64.const 66) (i64.const 0) (i32.const 0) (i32.const 32)))))"#
    ))
    .flags("--task make")
}

/// A command that makes the file, as a core module or as a component.
fn command(component: bool, body: &str) -> Wpool {
    let text = format!(r#"(module {HELPERS} (func (export "_start") (call $made) {body}))"#);
    match component {
        false => map_wat(&text),
        true => map_file(file("module.wasm", encoded(&wat::parse_str(&text).expect("a module")))),
    }
}

/// Returns whether nothing is left of a run in the folder for temporary files.
fn is_empty(place: &Path) -> bool {
    fs::read_dir(place).expect("a folder").next().is_none()
}

#[test]
fn each_job_finds_an_empty_folder_that_goes_with_it() {
    let place = folder("place");
    for flags in [
        "",
        "--isolation fresh",
        "--isolation process",
        "--init first",
        "--init first --isolation process",
    ] {
        let run = tasks().env("TMPDIR", &place).flags("--scratch -j 2").flags(flags);
        run.args(["--range", "0..1"]).run().ends(0).prints("0\n");
        let jobs = vec!["0"; 100].into_iter().chain(["2"]).chain(vec!["0"; 100]);
        let run = tasks().env("TMPDIR", &place).flags("--scratch -j 2").flags(flags);
        run.jobs(jobs).run().ends(100).says("1 failed");
        // A job that is killed leaves nothing for the next one, nor anywhere else.
        let run = tasks().env("TMPDIR", &place).flags("--scratch -j 1 --timeout 0.3").flags(flags);
        run.jobs(["0", "1", "0", "1", "0"]).run().ends(100).prints("0\nnull\n0\nnull\n0\n");
        assert!(is_empty(&place), "{flags}");
    }
    for component in [false, true] {
        for isolation in ["reuse", "fresh", "process"] {
            let command = |body| {
                let run = command(component, body).env("TMPDIR", &place);
                run.flags("--scratch=/work -j 2 --isolation").arg(isolation)
            };
            command("").jobs(["1"; 50]).run().ends(0);
            let spins = command("(call $spin)").flags("--timeout 0.3").jobs(["1", "2"]);
            spins.run().ends(100).says("timed out");
        }
    }
    assert!(is_empty(&place));
}

#[test]
fn a_granted_folder_keeps_its_place_beside_it() {
    let (place, work) = (folder("place"), folder("work"));
    // The granted folder comes first.
    tasks().env("TMPDIR", &place).flags("--scratch").dir(&work, "/w").jobs(["0"]).run().ends(0);
    assert_eq!(fs::read_to_string(work.join("new")).expect("it is there"), "new");
    assert!(is_empty(&place));
    tasks()
        .flags("--scratch=tmp")
        .jobs(["0"])
        .run()
        .ends(2)
        .says("a guest's paths begin at the root");
    tasks().jobs(["0"]).run().ends(100).says("trapped");
}

#[test]
fn a_job_that_fills_its_folder_is_stopped() {
    let place = folder("place");
    let run = tasks().env("TMPDIR", &place).flags("--scratch --scratch-size 3MiB -j 1");
    let done = run.jobs(["0", "3", "0"]).run().ends(100).prints("0\nnull\n0\n");
    done.says("ran out of memory: its scratch folder has more than 3145728 bytes")
        .says("help: raise the limit: --scratch-size 6MiB");
    assert!(is_empty(&place));
}

#[test]
fn what_a_killed_run_has_left_is_removed_by_the_next_one() {
    let place = folder("place");
    let run = tasks().env("TMPDIR", &place).flags("--scratch -j 1").jobs(["1"]).start();
    let left = || fs::read_dir(&place).expect("a folder").flatten().next();
    run.until("the job's file", || {
        let folder = left().and_then(|left| fs::read_dir(left.path()).ok()?.flatten().next());
        folder.is_some_and(|folder| folder.path().join("new").exists())
    });
    // Another run leaves the folder alone.
    tasks().env("TMPDIR", &place).flags("--scratch").jobs(["0"]).run().ends(0);
    assert!(left().is_some());
    let (zygote, workers) = (run.zygote(), run.workers());
    run.signal(Signal::SIGKILL);
    workers.into_iter().chain([zygote]).for_each(wait_for_end);
    tasks().env("TMPDIR", &place).flags("--scratch").jobs(["0"]).run().ends(0);
    assert!(is_empty(&place));
}

#[test]
fn processes_of_calls_and_programs_have_one_as_well() {
    let place = folder("place");
    let module = file(
        "calls.wat",
        format!(
            r#"(module {HELPERS} (func (export "make") (result i32) (call $made) (i32.const 7)))"#
        ),
    );
    let run = wpool(["run"]).arg(&module).args(["make", "make", "--scratch"]);
    run.env("TMPDIR", &place).run().ends(0).prints("7\n7\n");
    assert!(is_empty(&place));
    let pool =
        Pool::builder(&module).workers(1).scratch("/tmp", 1 << 20).start().expect("a module");
    let results: Vec<i32> = pool.map(vec![(); 2]).expect("two results");
    assert_eq!(results, [7, 7]);
}
