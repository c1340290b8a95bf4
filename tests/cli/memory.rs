//! Memory: the need of a run does not depend on the number of its jobs.

use crate::common::run::{Running, folder, map, map_wat};
use crate::common::{guest, processes};
use std::fs;
use std::io::{BufRead, BufReader, pipe};
use std::process::Stdio;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

/// A byte task that returns a string of 100,000 bytes that begins with its job, a number of one
/// digit or more. Job 0 makes a folder `0`, then `1`, then `2` at each of its attempts; the first
/// two attempts never end, and the third waits for the file `go`.
const LARGE: &str = r#"(module
    (import "wpool" "job_read" (func $job_read (param i32 i32 i32) (result i32)))
    (import "wpool" "job_size" (func $job_size (result i32)))
    (import "wpool" "result_write" (func $result_write (param i32 i32)))
    (import "wasi_snapshot_preview1" "path_create_directory"
        (func $create (param i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_filestat_get"
        (func $stat (param i32 i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
    (memory (export "memory") 3)
    (data (i32.const 64) "012go")
    (func $wait
        (local $attempt i32)
        (local.set $attempt (i32.const 64))
        (loop $next
            (if (call $create (i32.const 3) (local.get $attempt) (i32.const 1))
                (then
                    (local.set $attempt (i32.add (local.get $attempt) (i32.const 1)))
                    (br $next))))
        (if (i32.lt_u (local.get $attempt) (i32.const 66)) (then (loop $ever (br $ever))))
        (loop $closed
            (drop (call $yield))
            (br_if $closed (call $stat (i32.const 3) (i32.const 1) (i32.const 67) (i32.const 2)
                (i32.const 128)))))
    (func (export "task_large") (result i32)
        (memory.fill (i32.const 1024) (i32.const 46) (i32.const 99999))
        (i32.store8 (i32.const 1024) (i32.const 34))
        (i32.store8 (i32.const 101023) (i32.const 34))
        (drop (call $job_read (i32.const 1025) (i32.const 0) (i32.const 64)))
        (if (i32.and (i32.eq (call $job_size) (i32.const 1))
                (i32.eq (i32.load8_u (i32.const 1025)) (i32.const 48)))
            (then (call $wait)))
        (call $result_write (i32.const 1024) (i32.const 100000))
        (i32.const 0)))"#;

/// A lock that lets only one test run at a time, because processes of one program share its pages.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the memory of a process in KiB: its own, and its share of what it shares with others.
/// The pages of its program do not count, because the number of processes that share them varies.
fn proportional(pid: i32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let kibibytes = |name| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0)
    };
    kibibytes("Pss_Anon:") + kibibytes("Pss_Shmem:")
}

/// Returns the memory of a process and all its descendants in KiB.
fn proportional_of_tree(pid: i32) -> u64 {
    // The children are found more quickly than by a look at all processes, because a short run must
    // be looked at often.
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let children = children.unwrap_or_default();
    let children = children.split_whitespace().filter_map(|pid| pid.parse().ok());
    proportional(pid) + children.map(proportional_of_tree).sum::<u64>()
}

/// Returns the peak memory of a run of `jobs` jobs from standard input.
fn peak(jobs: u64) -> u64 {
    let lines: String = (0..jobs).map(|n| format!("{n}\n")).collect();
    // A slow reader would make results pile up, as far as --max-buffer allows.
    let run = map("square").flags("-j 2").stdin(lines).with_streams(|command| {
        command.stdout(Stdio::null());
    });
    let mut run: Running = run.start();
    let mut peak = 0;
    while run.is_running() {
        peak = peak.max(proportional_of_tree(run.pid()));
    }
    run.finish().ends(0).says(&format!("{jobs} jobs ok"));
    peak
}

#[test]
fn a_million_jobs_need_no_more_memory_than_a_hundred_thousand() {
    let _alone = alone();
    // The first run fills the cache, so that the compiler's memory does not count.
    map("square").jobs(["1"]).run().ends(0);
    let few = (0..8).map(|_| peak(100_000)).max().expect("there were several");
    let many = peak(1_000_000);
    assert!(few > 1000, "{few} KiB were seen");
    assert!(many * 10 <= few * 13, "{many} KiB is more than 1.3 times {few} KiB");
}

#[test]
fn a_slow_first_job_does_not_make_the_results_behind_it_pile_up() {
    const JOBS: usize = 5000;
    const BUFFER_KIB: u64 = 8 << 10;
    let _alone = alone();
    let gate = folder("gate");
    let (results, stdout) = pipe().expect("a pipe");
    let run = map_wat(LARGE).flags("-j 2 --max-buffer 8MiB --retries 5 --retry-on crash");
    let run = run.args(["--range", &format!("0..{JOBS}")]).dir(&gate, "/gate");
    let run = run.with_streams(|command| {
        command.stdout(stdout);
    });
    let run = run.start();
    let checked = thread::spawn(move || {
        let mut count = 0;
        for line in BufReader::new(results).lines() {
            let line = line.expect("text");
            assert_eq!(line.len(), 100_000);
            assert!(line.starts_with(&format!("\"{count}.")), "{} is not {count}", &line[..10]);
            count += 1;
        }
        count
    });
    let mut most = 0;
    let mut dispatcher = || {
        most = proportional(run.pid()).max(most);
        most
    };
    for attempt in ["0", "1"] {
        let begun = gate.join(attempt);
        // The results pile up behind the job, as far as they may.
        run.until("a full buffer", || dispatcher() > BUFFER_KIB * 3 / 4 && begun.exists());
        for worker in run.workers() {
            processes::kill(worker);
        }
    }
    run.until("the third attempt", || dispatcher() > 0 && gate.join("2").exists());
    fs::write(gate.join("go"), "").expect("is writable");
    let pid = run.pid();
    run.until("its end", || dispatcher() == 0 || !processes::is_alive(pid));
    run.finish().ends(0).says("5000 jobs ok");
    assert_eq!(checked.join().expect("all results are right"), JOBS);
    // The buffer limits what is held. The held bytes may exist twice while they are moved to a
    // larger place, and the allocator keeps what was freed. Without a bound, the memory would be 60
    // times the buffer.
    assert!(most < 6 * BUFFER_KIB, "the dispatcher needed {most} KiB");
}

#[test]
fn an_idle_worker_is_small() {
    let _alone = alone();
    let mut run = map("square").flags("-j 2").piped().start();
    run.write((0..1000).map(|n| format!("{n}\n")).collect::<String>());
    run.until("all results", || run.stdout.text().lines().count() == 1000);
    let workers = run.workers();
    assert!(!workers.is_empty(), "{:?} has workers", guest("square"));
    let most = workers.iter().map(|pid| proportional(*pid)).max().expect("there is one");
    assert!(most < 3 << 10, "{most} KiB");
    run.close_stdin();
    run.finish().ends(0);
}
