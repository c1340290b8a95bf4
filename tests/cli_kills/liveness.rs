//! Runs that must end: with little memory, with a reader that does not read, with processes that
//! are stopped, killed or cannot be started.

use crate::common::dice::Dice;
use crate::common::gate::Gate;
use crate::common::processes::{self, Signal};
use crate::common::run::{Running, Wpool, copy_of_wpool, file, map, map_wat, path};
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;

/// A byte task whose job is one digit: `0` traps, `1` returns three bytes, `2` a million, `4` a
/// hundred thousand, `3` three bytes after a while, and `5` three bytes after ten times as long.
const MIXED: &str = r#"(module
    (import "wpool" "job_read" (func $job_read (param i32 i32 i32) (result i32)))
    (import "wpool" "result_write" (func $result_write (param i32 i32)))
    (memory (export "memory") 20)
    (func (export "_initialize") (memory.fill (i32.const 1024) (i32.const 49) (i32.const 1000000)))
    (func (export "task_mixed") (result i32)
        (local $turns i32) (local $most i32) (local $kind i32)
        (drop (call $job_read (i32.const 0) (i32.const 0) (i32.const 2)))
        (local.set $kind (i32.load8_u (i32.const 0)))
        (if (i32.eq (local.get $kind) (i32.const 48)) (then (unreachable)))
        (if (i32.eq (local.get $kind) (i32.const 51)) (then (local.set $most (i32.const 20000000))))
        (if (i32.eq (local.get $kind) (i32.const 53)) (then (local.set $most (i32.const 200000000))))
        (loop $turn
            (br_if $turn (i32.lt_u
                (local.tee $turns (i32.add (local.get $turns) (i32.const 1)))
                (local.get $most))))
        (call $result_write (i32.const 1024)
            (select (i32.const 1000000)
                (select (i32.const 100000) (i32.const 3) (i32.eq (local.get $kind) (i32.const 52)))
                (i32.eq (local.get $kind) (i32.const 50))))
        (i32.const 0)))"#;

/// Returns the size, in bytes, of the answer to a job of [`MIXED`], or of the word in its place.
fn answer_bytes(kind: u8) -> usize {
    match kind {
        b'0' => "null".len(),
        b'2' => 1_000_000,
        b'4' => 100_000,
        _ => 3,
    }
}

/// Runs jobs of [`MIXED`] in order, and checks that each answer is in its place.
fn all_have_their_answers(jobs: &[u8], flags: &str) {
    let lines: String = jobs.iter().map(|&kind| format!("{}\n", kind as char)).collect();
    let out = path("out");
    let done = map_wat(MIXED)
        .flags("--task mixed -o")
        .arg(&out)
        .arg("-a")
        .arg(file("jobs", lines))
        .flags(flags)
        .within(120)
        .run();
    let failed = jobs.contains(&b'0');
    done.ends(if failed { 100 } else { 0 });
    let written = fs::read(&out).expect("the output is there");
    let lengths: Vec<usize> =
        written.split(|&byte| byte == b'\n').map(<[u8]>::len).take(jobs.len()).collect();
    let wanted: Vec<usize> = jobs.iter().map(|&kind| answer_bytes(kind)).collect();
    assert!(lengths == wanted, "{flags}: other answers than asked for");
}

#[test]
fn a_job_that_is_tried_again_later_does_not_wait_for_room_that_others_take() {
    let jobs: Vec<u8> = (0..600).map(|job| if job % 40 == 0 { b'0' } else { b'2' }).collect();
    all_have_their_answers(&jobs, "-j 2 --retries 1 --retry-delay 1 --max-buffer 16MiB");
}

#[test]
fn a_job_that_came_back_does_not_wait_for_room_that_others_take() {
    let mut dice = Dice::new(1);
    for _ in 0..2 {
        let kind = |job| if job % 667 == 400 { b'5' } else { *dice.pick(b"111111111111111444422") };
        let jobs: Vec<u8> = (0..6000).map(kind).collect();
        all_have_their_answers(&jobs, "-j 2 --isolation fresh --max-buffer 1MiB");
    }
}

#[test]
fn whatever_jobs_and_buffers_there_are_every_job_gets_its_answer() {
    let mut dice = Dice::new(2);
    for _ in 0..12 {
        let kinds = dice.pick(&["0112344", "1111112443", "012", "4444423", "1111110"]);
        let count = 100 + dice.below(400);
        let jobs: Vec<u8> = (0..count).map(|_| *dice.pick(kinds.as_bytes())).collect();
        let flags = format!(
            "-j {} --isolation {} --max-buffer {} {} {}",
            1 + dice.below(4),
            dice.pick(&["reuse", "fresh"]),
            dice.pick(&["1MiB", "1100KiB", "2MiB", "8MiB"]),
            dice.pick(&["", "--retries 1", "--retries 2 --retry-delay 0.05"]),
            dice.pick(&["", "--batch 1", "--max-jobs-per-worker 7"]),
        );
        all_have_their_answers(&jobs, &flags);
    }
}

/// Starts a run with more results than a pipe holds, none of which is read.
fn unread(flags: &str) -> (Running, OwnedFd) {
    let (reader, writer) = rustix::pipe::pipe().expect("a pipe");
    let run = map("square").flags("--range 0..1000000 -j 2").flags(flags);
    let run = run.with_streams(|command| {
        command.stdout(writer);
    });
    (run.start(), reader)
}

/// Returns the number of bytes in a pipe once no process writes to it any more.
fn left_in(reader: OwnedFd) -> usize {
    let mut bytes = Vec::new();
    fs::File::from(reader).read_to_end(&mut bytes).expect("a pipe can be read");
    bytes.len()
}

#[test]
fn a_deadline_ends_a_run_whose_reader_does_not_read() {
    // The deadline is long enough for compiling on a busy machine.
    let (run, reader) = unread("--deadline 5");
    run.finish().ends(124).says("of the output: they are lost").says("stopped by --deadline");
    assert!(left_in(reader) > 0);
}

#[test]
fn signals_end_a_run_whose_reader_does_not_read() {
    for (signals, code) in [
        (&[Signal::SIGTERM][..], 143),
        (&[Signal::SIGINT, Signal::SIGINT], 130),
        (&[Signal::SIGHUP], 106),
    ] {
        let (run, reader) = unread("--grace 0.2");
        run.until("a worker", || !run.workers().is_empty());
        run.wait_until_stuck();
        for &signal in signals {
            run.signal(signal);
            if signals.len() > 1 {
                run.wait_for_message("draining");
            }
        }
        run.finish().ends(code).says("of the output: they are lost");
        drop(reader);
    }
}

#[test]
fn a_run_that_has_finished_and_waits_for_its_reader_tells_what_the_second_ctrl_c_loses() {
    let (reader, writer) = rustix::pipe::pipe().expect("a pipe");
    let run = map("square").flags("--range 0..100000 -j 2").with_streams(|command| {
        command.stdout(writer);
    });
    let run = run.start();
    run.until("a worker", || !run.workers().is_empty());
    run.wait_until_stuck();
    run.signal(Signal::SIGINT);
    run.wait_for_message("draining");
    run.signal(Signal::SIGINT);
    run.finish().ends(130).says("of the output: they are lost");
    drop(reader);
}

#[test]
fn a_worker_that_is_stopped_before_it_begins_is_replaced_and_its_job_runs() {
    for flags in ["-j 1 --timeout 1", "-j 2 --timeout 1", "-j 1 --timeout 1 --isolation process"] {
        let mut run = map("square").flags(flags).piped().start();
        run.write("3\n");
        run.until("an answer", || run.stdout.text() == "9\n");
        let stopped = run.workers()[0];
        processes::signal(stopped, Signal::SIGSTOP);
        run.until("it to stop", || crate::common::terminal::is_stopped(stopped));
        run.write("1\n2\n4\n");
        run.until("all answers", || run.stdout.text() == "9\n1\n4\n16\n");
        run.close_stdin();
        run.finish().ends(0).says("4 jobs ok");
    }
}

#[test]
fn no_job_starts_once_a_failure_is_known_that_ends_the_run() {
    for mode in ["reuse", "process"] {
        let gate = Gate::new();
        let run = gate.map("odd_fails", 40).flags("--fail-fast -j 1 --isolation").arg(mode);
        run.run().ends(100);
        assert_eq!(gate.started_jobs(), ["0", "1"], "{mode}: job 1 fails");
    }
}

/// A user with a copy of the program, and with what is needed to run it.
struct User {
    /// The id of the user; this program's own user if it may not become another one.
    id: u32,
    folder: tempfile::TempDir,
}

impl User {
    /// Returns a user who has no processes, if this program may become one.
    fn new(id: u32) -> User {
        let own = nix::unistd::geteuid();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let all = fs::Permissions::from_mode(0o777);
        fs::set_permissions(folder.path(), all).expect("it is ours");
        fs::copy(crate::common::guest("square"), folder.path().join("square.wasm"))
            .expect("copied");
        fs::copy(crate::common::run::program(), folder.path().join("wpool")).expect("copied");
        let user = User { id: if own.is_root() { id } else { own.as_raw() }, folder };
        user.run("compile").run().ends(0);
        user
    }

    fn run(&self, subcommand: &str) -> Wpool {
        let folder = self.folder.path();
        let run = copy_of_wpool(&folder.join("wpool"), [subcommand]);
        let run = run.arg(folder.join("square.wasm"));
        let run = run.env("XDG_CACHE_HOME", folder.join("cache"));
        let run = run.env("XDG_STATE_HOME", folder.join("state"));
        if nix::unistd::geteuid().is_root() { run.by_user(self.id) } else { run }
    }

    /// Returns a run that may have `processes` processes.
    fn map(&self, processes: usize, flags: &str) -> Wpool {
        let most = processes + processes::threads_of(self.id);
        self.run("map").flags(flags).limited(&format!("--nproc={most}"))
    }
}

#[test]
fn a_pool_does_with_the_processes_that_it_gets() {
    let user = User::new(54_321);
    for (isolation, processes) in [("reuse", 6), ("process", 6), ("process", 4), ("fresh", 5)] {
        let flags = format!("--range 0..2000 -j 12 --isolation {isolation}");
        let done = user.map(processes, &flags).run().ends(0).says("2000 jobs ok");
        assert_eq!(done.says("for now").lines().len(), 2000, "{isolation}");
    }
}

#[test]
fn a_module_is_compiled_without_threads_where_there_are_none_to_be_had() {
    let user = User::new(54_323);
    let done = user.map(3, "--no-cache -j 1 --range 0..3").run();
    done.ends(0).prints("0\n1\n4\n");
}

#[test]
fn a_pool_that_gets_no_process_at_all_says_so() {
    let user = User::new(54_322);
    user.map(2, "--range 0..10 -j 2").run().ends(96).says("no worker can be started");
}

#[test]
fn a_pool_does_with_the_descriptors_that_it_gets() {
    let run = map("square").flags("--range 0..2000 -j 12").limited("--nofile=32");
    let done = run.run().ends(0).says("2000 jobs ok").says("for now");
    assert_eq!(done.lines().len(), 2000);
}

/// Returns how often each job has been run, from the journal that jobs write.
fn journal(folder: &std::path::Path) -> BTreeMap<u64, usize> {
    let mut runs = BTreeMap::new();
    let text = fs::read_to_string(folder.join("log")).unwrap_or_default();
    for job in text.split_ascii_whitespace() {
        *runs.entry(job.parse().expect("a number")).or_default() += 1;
    }
    runs
}

#[test]
fn no_job_runs_twice_when_a_zygote_is_killed_while_it_forks() {
    let mut dice = Dice::new(3);
    for _ in 0..25 {
        let folder = crate::common::run::folder("journal");
        let run =
            map("journal").flags("--task journal --range 0..3000 -j 16 --unordered --batch 64");
        let run = run.dir(&folder, "/journal").start();
        let zygote = run.zygote();
        // The zygote is killed once the first worker exists; other workers have been requested but
        // not forked.
        run.until("a worker", || !processes::children(zygote).is_empty());
        for _ in 0..dice.below(2000) {
            std::hint::spin_loop();
        }
        processes::kill(zygote);
        let done = run.finish();
        assert!(matches!(done.code, Some(0 | 100)), "{done:?}");
        let runs = journal(&folder);
        let twice: Vec<_> = runs.iter().filter(|(_, times)| **times > 1).collect();
        assert!(twice.is_empty(), "jobs and how often they ran: {twice:?}");
        let mut lines = done.lines();
        lines.sort_unstable();
        let count = lines.len();
        lines.dedup();
        assert_eq!(lines.len(), count, "an outcome too many");
    }
}

#[test]
fn a_zygote_that_is_killed_before_the_first_job_is_replaced() {
    for _ in 0..3 {
        let mut run = map("square").flags("-j 2").piped().start();
        processes::kill(run.zygote());
        run.write("3\n4\n");
        run.close_stdin();
        run.finish().ends(0).prints("9\n16\n");
    }
}

#[test]
fn zygotes_that_are_killed_one_after_another_end_a_run_that_hands_over_what_is_finished() {
    let gate = Gate::new();
    let run = gate.map("wait", 9).flags("-j 2").start();
    run.until("two jobs", || gate.started().len() == 2);
    gate.open(0);
    run.until("a result", || !run.stdout.text().is_empty());
    let mut killed = Vec::new();
    for _ in 0..3 {
        run.until("another zygote", || {
            processes::children(run.pid()).iter().any(|zygote| !killed.contains(zygote))
        });
        let zygote = processes::children(run.pid());
        let zygote = *zygote.iter().find(|zygote| !killed.contains(zygote)).expect("just seen");
        processes::kill(zygote);
        killed.push(zygote);
    }
    let done = run.finish().ends(96).says("3 zygotes in a row were lost");
    let job_0 = gate.started().into_iter().find(|job| job.job == "0").expect("it ran");
    assert_eq!(done.lines()[0], job_0.pid.to_string());
}
