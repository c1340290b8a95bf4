//! The remains of a pool or a process after its end, and the loss of its zygote.
//!
//! The tests mirror Python's `test_forkserver_sigkill`, `TestPoolNotLeakOnFailure` and
//! `test_child_fd_inflation`, and go beyond them: Python has no test of what outlives a killed
//! parent, because its workers do. The resource tracker's tests are not mirrored, because nothing
//! here has a name in the file system that could be left behind.
//!
//! The tests here count all processes and descriptors of the program.

use crate::alone;
use crate::common::gate::Gate;
use crate::common::processes::{
    Signal, children, is_alive, kill, parent, signal, wait_for_end, zygotes,
};
use crate::common::{HALF, PROCESS_ID, failure, pool, until, watchdog};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use wpool::{AsyncResult, Error, FailureKind, Isolation, Launcher, Process};

/// The environment variable that is set for the program that is to be killed.
const VICTIM: &str = "WPOOL_TEST_VICTIM";

/// Returns this program's open descriptors, without the numbers that distinguish two of a kind.
fn descriptors() -> Vec<String> {
    let entries = std::fs::read_dir("/proc/self/fd").unwrap();
    let names = entries.filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok());
    let kind = |name: PathBuf| name.to_string_lossy().replace(|c: char| c.is_ascii_digit(), "");
    let mut kinds: Vec<String> = names.map(kind).collect();
    kinds.sort();
    kinds
}

/// Returns whether there are no more descriptors of any kind than before. There may be fewer,
/// because descriptors of a process that was ending may still have been open.
fn no_more_than(before: &[String]) -> bool {
    let now = descriptors();
    let were = |kind| before.iter().filter(|&one| one == kind).count();
    now.chunk_by(|one, next| one == next).all(|same| same.len() <= were(&same[0]))
}

#[test]
fn no_process_outlives_its_pool() {
    let _alone = alone();
    let _watchdog = watchdog(60);
    for isolation in [Isolation::Reuse, Isolation::Process] {
        let gate = Gate::new();
        let pool = gate.pool(3).isolation(isolation).start().unwrap();
        let _results = pool.map_async::<_, i32>(0..100).unwrap();
        let started = gate.wait_for(3);
        let zygote = zygotes();
        assert_eq!(zygote.len(), 1);
        let workers = children(zygote[0]);
        assert_eq!(workers.len(), 3);
        drop(pool);
        assert!(zygotes().is_empty(), "the zygote is reaped");
        workers.into_iter().chain(started.iter().map(|at| at.pid)).for_each(wait_for_end);
    }
}

#[test]
fn no_process_and_no_descriptor_is_left_by_a_pool_that_was_joined_or_could_not_start() {
    let _alone = alone();
    let _watchdog = watchdog(120);
    let life = || {
        let good = pool(HALF).workers(3).start().unwrap();
        assert_eq!(good.map((0..100).map(|n| n * 2)), Ok((0..100).collect::<Vec<i64>>()));
        good.close();
        assert!(good.join().is_some());
        assert!(zygotes().is_empty());
        assert!(pool("(module (func").start().is_err());
        assert!(pool(HALF).task("third").start().is_err());
        assert!(zygotes().is_empty());
    };
    life();
    let before = descriptors();
    (0..10).for_each(|_| life());
    assert_eq!(descriptors(), before);
}

#[test]
fn descriptors_of_lost_workers_are_closed() {
    let _alone = alone();
    let _watchdog = watchdog(60);
    let pool = pool(PROCESS_ID).workers(1).start().unwrap();
    let lose_a_worker = || {
        let worker = pool.apply::<_, i32>(0).unwrap();
        kill(worker);
        wait_for_end(worker);
        pool.apply::<_, i32>(0).unwrap()
    };
    lose_a_worker();
    let zygote = zygotes()[0];
    let theirs = || std::fs::read_dir(format!("/proc/{zygote}/fd")).unwrap().count();
    let (ours_before, theirs_before) = (descriptors(), theirs());
    for _ in 0..20 {
        lose_a_worker();
    }
    until(|| no_more_than(&ours_before) && theirs() <= theirs_before);
}

#[test]
fn nothing_is_left_of_processes_that_have_ended() {
    let _alone = alone();
    let _watchdog = watchdog(120);
    let process = Process::from_bytes(HALF).cache(false).start(8).unwrap();
    process.join(None);
    until(|| zygotes().is_empty());
    assert_eq!(process.exit_code(), Some(0), "its zygote is gone, and it is not");
    drop(process);
    let launcher = Launcher::from_bytes(HALF).cache(false).start().unwrap();
    let run = || assert_eq!(launcher.start("half", 8).unwrap().result(None), Ok(4));
    run();
    let zygote = zygotes()[0];
    let theirs = || std::fs::read_dir(format!("/proc/{zygote}/fd")).unwrap().count();
    let (ours_before, theirs_before) = (descriptors(), theirs());
    (0..50).for_each(|_| run());
    until(|| no_more_than(&ours_before) && theirs() <= theirs_before);
}

#[test]
fn a_worker_has_no_descriptors_but_its_own() {
    let _alone = alone();
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let pool = gate.pool(5).start().unwrap();
    let _results = pool.map_async::<_, i32>(0..5).unwrap();
    let counts: Vec<usize> = gate
        .wait_for(5)
        .iter()
        .map(|at| std::fs::read_dir(format!("/proc/{}/fd", at.pid)).unwrap().count())
        .collect();
    assert!(counts.iter().all(|&count| count == counts[0]), "the fifth has no more: {counts:?}");
}

#[test]
fn the_run_goes_on_when_its_zygote_is_killed() {
    let _alone = alone();
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let pool = gate.pool(2).start().unwrap();
    let mut results: Vec<AsyncResult<i32>> =
        (0..10).map(|job| pool.apply_async(job).unwrap()).collect();
    let started = gate.wait_for(2);
    let zygote = parent(started[0].pid);
    kill(zygote);
    for result in &mut results[..2] {
        let lost = failure(result.get(None));
        assert_eq!(lost.kind, FailureKind::WorkerLost);
        assert!(lost.message.contains("zygote"), "{lost}");
    }
    assert!(!is_alive(started[0].pid) && !is_alive(started[1].pid), "its workers died with it");
    gate.open_all();
    for result in &mut results[2..] {
        assert!(result.get(None).is_ok());
    }
    assert_eq!(gate.started().len(), 10, "no job has run twice");
    assert!(!zygotes().contains(&zygote) && zygotes().len() == 1);
}

#[test]
fn a_zygote_killed_while_idle_is_replaced_again_and_again() {
    let _alone = alone();
    let _watchdog = watchdog(60);
    let pool = pool(PROCESS_ID).workers(1).start().unwrap();
    for n in 0..8 {
        let worker = pool.apply::<_, i32>(n).unwrap();
        let zygote = parent(worker);
        kill(zygote);
        wait_for_end(worker);
        // The job may meet the end of the old worker, but never an old zygote.
        until(|| !zygotes().contains(&zygote));
    }
}

#[test]
fn three_zygotes_lost_in_a_row_end_the_pool_and_every_job_is_told() {
    let _alone = alone();
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let pool = gate.pool(1).start().unwrap();
    let mut results: Vec<AsyncResult<i32>> =
        (0..6).map(|job| pool.apply_async(job).unwrap()).collect();
    for job in 0..3 {
        kill(parent(gate.wait_for_job(job)));
    }
    for (job, result) in results.iter_mut().enumerate() {
        let error = result.get(None).unwrap_err();
        match error {
            Error::Job(lost) => assert_eq!((lost.kind, job < 3), (FailureKind::WorkerLost, true)),
            error => assert!(matches!(error, Error::Pool(_)), "job {job}: {error:?}"),
        }
    }
    until(|| matches!(pool.apply::<_, i32>(7), Err(Error::Pool(_))));
    assert!(pool.join().is_none());
    assert!(zygotes().is_empty());
}

#[test]
fn stopped_processes_do_not_hold_up_the_end() {
    let _alone = alone();
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let pool = gate.pool(2).start().unwrap();
    let mut results = pool.map_async::<_, i32>(0..4).unwrap();
    let started = gate.wait_for(2);
    signal(started[0].pid, Signal::SIGSTOP);
    signal(parent(started[0].pid), Signal::SIGSTOP);
    drop(pool);
    assert!(results.is_ready());
    assert!(zygotes().is_empty());
    started.iter().for_each(|at| wait_for_end(at.pid));
}

/// Plays the program that is to be killed: prints its processes, and waits.
fn be_the_victim(end: &str) {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let pool = gate.pool(2).start().unwrap();
    let _results = pool.map_async::<_, i32>(0..10).unwrap();
    let started = gate.wait_for(2);
    let pids = [parent(started[0].pid), started[0].pid, started[1].pid];
    println!("\nprocesses {} {} {}", pids[0], pids[1], pids[2]);
    if end == "exit" {
        std::process::exit(0);
    }
    loop {
        std::thread::park();
    }
}

#[test]
fn no_process_outlives_its_program_however_that_ends() {
    if let Ok(end) = std::env::var(VICTIM) {
        return be_the_victim(&end);
    }
    let _alone = alone();
    let _watchdog = watchdog(120);
    for end in ["exit", "SIGKILL", "SIGTERM", "SIGINT", "SIGABRT", "SIGHUP"] {
        let mut victim = Command::new("env")
            // The signals get their defaults, because this program may have been told to ignore
            // some: `nohup`, or a shell's `&`.
            .arg("--default-signal")
            .arg(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "orphans::no_process_outlives_its_program_however_that_ends",
                "--nocapture",
            ])
            .env(VICTIM, end)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(victim.stdout.take().unwrap()).lines();
        let mut lines = lines.map(Result::unwrap);
        let line = lines.find_map(|line| line.strip_prefix("processes ").map(str::to_owned));
        let line = line.expect("it tells its processes");
        if let Ok(end) = end.parse::<Signal>() {
            signal(victim.id() as i32, end);
        }
        victim.wait().unwrap();
        for pid in line.split(' ') {
            wait_for_end(pid.parse().unwrap());
        }
    }
}
