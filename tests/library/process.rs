//! Processes of the library.
//!
//! The tests mirror Python's `_TestProcess` and its neighbours (test_process, test_args_argument,
//! test_terminate, test_kill, test_sentinel, test_many_processes, test_lose_target_ref,
//! test_child_fd_inflation, test_closefd, test_stderr_flush, test_sys_exit,
//! test_forkserver_sigkill), and go beyond them for limits, traps and dropped handles.
//!
//! The following are not mirrored, because they do not exist here:
//! - the state before `start` or after `close` (test_close, parts of test_process and
//!   test_sentinel): a handle exists only from the start on, and closing means dropping it;
//! - daemons, `active_children`, `authkey`, `cpu_count`, `parent_process`, start methods and
//!   contexts, the subclassing of `run` and the guard against fork bombs: a handle belongs to the
//!   code that started it, and a guest knows nothing of its host;
//! - processes, threads, `atexit` functions and signal handlers of guests (test_recursion,
//!   test_nested_startmethod, test_wait_for_threads, test_atexit, test_interrupt): WASI has none of them;
//! - waits that signals interrupt (TestIgnoreEINTR): waits of the standard library go on by
//!   themselves.

use crate::common::gate::Gate;
use crate::common::processes::{is_alive, kill, parent, wait_for_end};
use crate::common::{HALF, PROCESS_ID, STUCK, failure, guest, runtimes, until, watchdog};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use wpool::{Builder, Error, FailureKind, Launcher, Pool, Process, Stream};

/// The environment variable that tells this program to print.
const PRINTING: &str = "WPOOL_TEST_PRINTING";

/// A task that sleeps for the number of milliseconds in its job.
const NAP: &str = r#"(module
    (import "wasi_snapshot_preview1" "poll_oneoff"
        (func $poll (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "nap") (param $ms i64)
        (i32.store (i32.const 16) (i32.const 1))
        (i64.store (i32.const 24) (i64.mul (local.get $ms) (i64.const 1000000)))
        (drop (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)))))"#;

fn process(wat: &str) -> Builder<Process> {
    Process::from_bytes(wat).cache(false)
}

fn misbehave(kind: &str) -> Process {
    Process::builder(guest("misbehave")).on_log(|_| {}).start(kind).unwrap()
}

/// Returns whether the sentinel is readable.
fn has_ended(process: &Process) -> bool {
    let sentinel = process.sentinel();
    poll(&mut [PollFd::new(&sentinel, PollFlags::IN)], Some(&Timespec::default())).unwrap() == 1
}

#[test]
fn a_process_runs_its_task_under_its_own_id_and_ends_with_0() {
    let _watchdog = watchdog(60);
    let process = process(PROCESS_ID).start(0).unwrap().named("p1");
    assert_eq!(process.name(), "p1");
    assert!(process.pid() > 0 && process.pid() != std::process::id() as i32);
    assert!(process.join(None));
    assert!(!process.is_alive());
    assert_eq!(process.exit_code(), Some(0));
    assert_eq!(process.result::<i32>(None), Ok(process.pid()));
    assert_eq!(process.result::<i32>(None), Ok(process.pid()), "any number of times");
}

#[test]
fn while_it_runs_it_has_no_exit_code_and_waits_for_it_time_out() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let process = gate.process("wait").start(1).unwrap();
    assert_eq!(gate.wait_for_job(1), process.pid());
    assert!(process.is_alive());
    assert_eq!(process.exit_code(), None);
    assert!(!process.join(Some(Duration::ZERO)));
    assert!(!process.join(Some(Duration::from_millis(10))));
    assert_eq!(process.result::<i32>(Some(Duration::from_millis(10))), Err(Error::TimedOut));
    assert_eq!(process.name(), "wait", "the task, unless it is named otherwise");
    gate.open_all();
    assert!(process.join(None));
    assert!(process.join(Some(Duration::ZERO)) && process.join(None), "again and again");
    assert_eq!((process.is_alive(), process.exit_code()), (false, Some(0)));
}

#[test]
fn arguments_arrive_unchanged() {
    let _watchdog = watchdog(60);
    let product = Launcher::builder(guest("product")).start().unwrap();
    assert_eq!(product.start("product", (2, -3, 7)).unwrap().result(None), Ok(-42));
    assert_eq!(product.start("product", [2, -3, 7]).unwrap().result(None), Ok(-42));
    let evens = Process::builder(guest("evens")).task("evens").start(vec![1, 2, 3, 4]).unwrap();
    assert_eq!(evens.result(None), Ok(vec![2, 4]));
    let none = process("(module (func (export \"seven\") (result i32) (i32.const 7)))");
    assert_eq!(none.start(()).unwrap().result(None), Ok(7));
}

#[test]
fn kill_and_terminate_end_it_with_their_signals() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let launcher = gate.launcher();
    for (end, signal) in [(Process::kill as fn(&Process), 9), (Process::terminate, 15)] {
        let process = launcher.start("wait", signal).unwrap();
        gate.wait_for_job(signal.into());
        end(&process);
        assert!(process.join(None));
        assert_eq!(process.exit_code(), Some(-signal));
        let failure = failure(process.result::<i32>(None));
        assert_eq!((failure.kind, failure.signal), (FailureKind::Cancelled, Some(signal)));
        assert!(!is_alive(process.pid()));
        end(&process);
        assert_eq!(process.exit_code(), Some(-signal), "once it has ended, nothing happens");
    }
}

#[test]
fn one_that_is_killed_as_soon_as_it_starts_is_dead() {
    let _watchdog = watchdog(60);
    let launcher = Launcher::from_bytes(STUCK).cache(false).start().unwrap();
    for round in 0..100 {
        let process = launcher.start("stuck", 0).unwrap();
        let code = if round % 2 == 0 { -9 } else { -15 };
        if code == -9 {
            process.kill()
        } else {
            process.terminate()
        }
        assert!(process.join(None));
        assert_eq!(process.exit_code(), Some(code));
        wait_for_end(process.pid());
    }
}

#[test]
fn a_signal_from_outside_is_its_exit_code_too() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let process = gate.process("wait").start(1).unwrap();
    kill(gate.wait_for_job(1));
    process.join(None);
    assert_eq!(process.exit_code(), Some(-9));
    assert_eq!(failure(process.result::<i32>(None)).kind, FailureKind::WorkerLost);
}

#[test]
fn the_sentinel_is_readable_from_the_end_on() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let process = gate.process("wait").start(1).unwrap();
    gate.wait_for_job(1);
    assert!(!has_ended(&process));
    gate.open_all();
    until(|| has_ended(&process));
    assert_eq!(process.exit_code(), Some(0), "it is known by then");
    assert!(has_ended(&process), "it stays readable");
}

#[test]
fn a_hundred_run_at_once_and_end_as_they_are_told() {
    let _watchdog = watchdog(120);
    let launcher = Launcher::from_bytes(NAP).cache(false).start().unwrap();
    let start = |ms: i64| -> Vec<Process> {
        (0..100).map(|_| launcher.start("nap", ms).unwrap()).collect()
    };
    let sleepers = start(3_600_000);
    let pids: BTreeSet<i32> = sleepers.iter().map(Process::pid).collect();
    assert_eq!(pids.len(), 100);
    let parents: BTreeSet<i32> = pids.iter().map(|pid| parent(*pid)).collect();
    assert_eq!(parents.len(), 1, "all are of one zygote");
    assert!(sleepers.iter().all(Process::is_alive));
    sleepers.iter().for_each(Process::terminate);
    for process in sleepers {
        assert!(process.join(None));
        assert_eq!(process.exit_code(), Some(-15));
    }
    for process in start(1) {
        assert!(process.join(None));
        assert_eq!(process.exit_code(), Some(0));
    }
}

#[test]
fn exit_codes_tell_how_it_ended() {
    let _watchdog = watchdog(60);
    for (kind, code) in
        [("ok", 0), ("error", 1), ("exit", 3), ("panic", -6), ("abort", -6), ("recurse", -6)]
    {
        let process = misbehave(kind);
        process.join(None);
        assert_eq!(process.exit_code(), Some(code), "{kind}");
    }
    let codes = r#"(module
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (func (export "leave") (param i32) (call $exit (local.get 0))))"#;
    let launcher = Launcher::from_bytes(codes).cache(false).start().unwrap();
    for (given, told) in [(0, 0), (8, 8), (255, 255), (-1, 255), (256, 255)] {
        let process = launcher.start("leave", given).unwrap();
        process.join(None);
        assert_eq!(process.exit_code(), Some(told), "{given}");
    }
    let wrong = process(HALF).start("x").unwrap();
    wrong.join(None);
    assert_eq!(wrong.exit_code(), Some(2), "arguments of the wrong type");
}

#[test]
fn limits_end_it() {
    let _watchdog = watchdog(60);
    let late = process(STUCK).timeout(Duration::from_millis(50)).start(0).unwrap();
    assert_eq!(failure(late.result::<i64>(None)).kind, FailureKind::Timeout);
    assert_eq!(late.exit_code(), Some(-9));
    let hungry = Process::builder(guest("misbehave")).memory(16 << 20).on_log(|_| {});
    let hungry = hungry.start("allocate").unwrap();
    assert_eq!(failure(hungry.result::<String>(None)).kind, FailureKind::OutOfMemory);
    assert_eq!(hungry.exit_code(), Some(-6));
    let busy = process(STUCK).fuel(1_000_000).start(0).unwrap();
    assert_eq!(failure(busy.result::<i64>(None)).kind, FailureKind::Fuel);
    assert_eq!(busy.exit_code(), Some(-6));
}

#[test]
fn all_that_it_prints_is_handed_on_before_it_has_ended() {
    let _watchdog = watchdog(60);
    let lines = Arc::new(Mutex::new(Vec::new()));
    let theirs = Arc::clone(&lines);
    let launcher = Launcher::builder(guest("square")).on_log(move |line| {
        let text = String::from_utf8_lossy(line.bytes).into_owned();
        theirs.lock().unwrap().push((line.pid, line.stream, text));
    });
    let launcher = launcher.start().unwrap();
    for n in 0..20 {
        let process = launcher.start("compute_squares", n).unwrap();
        process.join(None);
        let line = format!("Process {} calculating square of {n}", process.pid());
        let last = lines.lock().unwrap().pop();
        assert_eq!(last, Some((process.pid(), Stream::Out, line)));
    }
}

#[test]
fn what_it_prints_is_the_output_of_this_program() {
    let _watchdog = watchdog(60);
    let name = "process::what_it_prints_is_the_output_of_this_program";
    if std::env::var_os(PRINTING).is_some() {
        Process::builder(guest("square")).task("compute_squares").start(3).unwrap().join(None);
        misbehave_aloud();
        return;
    }
    let program = std::env::current_exe().unwrap();
    let mut again = Command::new(program);
    let done = again.args(["--exact", "--nocapture", name]).env(PRINTING, "1").output().unwrap();
    let (stdout, stderr) =
        (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(stdout.contains(" calculating square of 3\n"), "{stdout}");
    assert!(stderr.contains("panicked as asked\n"), "{stderr}");
}

#[test]
fn a_standard_stream_that_nobody_reads_or_that_is_locked_holds_nobody_up() {
    let _watchdog = watchdog(60);
    let name = "process::a_standard_stream_that_nobody_reads_or_that_is_locked_holds_nobody_up";
    if std::env::var_os(PRINTING).is_some() {
        let _locked = (std::io::stdout().lock(), std::io::stderr().lock());
        let pool = Pool::builder(guest("misbehave")).workers(1).start().unwrap();
        assert!(pool.apply::<_, String>("print").is_ok());
        let process = Process::builder(guest("misbehave")).start("print").unwrap();
        assert!(process.result::<String>(None).is_ok());
        return;
    }
    let (reader, closed) = std::io::pipe().unwrap();
    drop(reader);
    let program = std::env::current_exe().unwrap();
    let mut again = Command::new(program);
    again.args(["--exact", "--nocapture", name]).env(PRINTING, "1");
    again.stdin(Stdio::null()).stdout(Stdio::null()).stderr(closed);
    assert!(again.status().unwrap().success());
}

/// A library that starts a thread when it is loaded.
const STRANGER: &str = r#"
    #define _GNU_SOURCE
    #include <pthread.h>
    #include <unistd.h>
    static void *sleeps(void *nothing) { for (;;) pause(); }
    __attribute__((constructor)) static void begin(void) {
        pthread_t thread;
        pthread_create(&thread, 0, sleeps, 0);
        pthread_setname_np(thread, "stranger");
    }"#;

/// A shell script that runs a command while `/etc/ld.so.preload` names a library, in its own file
/// system.
const PRELOADED: &str = r#"
    library=$1 etc=$2; shift 2
    cp -a /etc/. "$etc" 2>/dev/null; echo "$library" > "$etc/ld.so.preload"
    mount --bind "$etc" /etc && exec "$@""#;

#[test]
fn a_thread_that_a_library_starts_before_a_zygote_begins_is_named() {
    let _watchdog = watchdog(60);
    let name = "process::a_thread_that_a_library_starts_before_a_zygote_begins_is_named";
    if std::env::var_os(PRINTING).is_some() {
        eprintln!("{}", process(HALF).start(4).unwrap_err());
        return;
    }
    let unshare = || {
        let mut unshare = Command::new("unshare");
        unshare.args(["--map-root-user", "--mount"]);
        unshare
    };
    // The system may not allow a user to have his own file system.
    if !unshare().arg("true").status().is_ok_and(|status| status.success()) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (source, library) = (folder.path().join("stranger.c"), folder.path().join("stranger.so"));
    fs::write(&source, STRANGER).unwrap();
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-pthread", "-o"]).args([&library, &source]);
    assert!(cc.status().unwrap().success());
    let etc = tempfile::tempdir().unwrap();
    let mut run = unshare();
    run.args(["sh", "-c", PRELOADED, "sh"]).arg(&library).arg(etc.path());
    run.arg(std::env::current_exe().unwrap()).args(["--exact", "--nocapture", name]);
    let done = run.env(PRINTING, "1").output().unwrap();
    let stderr = String::from_utf8_lossy(&done.stderr);
    assert!(stderr.contains("cannot start a zygote: it must have one thread"), "{stderr}");
    assert!(stderr.contains("(stranger)") && stderr.contains("stranger.so"), "{stderr}");
}

/// Starts a process that prints to standard error.
fn misbehave_aloud() {
    Process::builder(guest("misbehave")).start("panic").unwrap().join(None);
}

#[test]
fn a_command_has_arguments_an_input_and_an_output() {
    let _watchdog = watchdog(60);
    let count = Process::builder(guest("wordcount")).start_command(&[], b"one two\n").unwrap();
    assert_eq!(count.result_bytes(None), Ok(b"1 2 8\n".to_vec()));
    assert_eq!(count.exit_code(), Some(0));
    let launcher = Launcher::builder(guest("wordcount")).on_log(|_| {}).start().unwrap();
    let missing = launcher.start_command(&["/none"], b"").unwrap();
    assert_eq!(failure(missing.result_bytes(None)).kind, FailureKind::Exit);
    assert_eq!(missing.exit_code(), Some(1));
}

#[test]
fn what_cannot_start_says_why() {
    let _watchdog = watchdog(60);
    let why = |result: Result<Process, Error>| result.unwrap_err().to_string();
    assert!(why(process("(module").start(1)).contains("not a WebAssembly module"));
    assert!(why(process(HALF).task("third").start(1)).contains("half"), "tasks are named");
    assert!(why(process(HALF).start_command(&[], b"")).contains("not a command"));
    let command = Launcher::builder(guest("wordcount")).start().unwrap();
    assert!(why(command.start("count", 1)).contains("is a command and has no task `count`"));
    assert!(why(command.start_command(&["a\0b"], b"")).contains("NUL"));
    let launcher = Launcher::from_bytes(HALF).cache(false).start().unwrap();
    assert!(why(launcher.start("third", 1)).contains("half"));
    assert_eq!(launcher.start("half", 4).unwrap().result(None), Ok(2), "it is as good as before");
}

#[test]
fn it_can_be_waited_for_by_several_threads_and_from_any() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let process = gate.process("wait").start(1).unwrap();
    std::thread::scope(|scope| {
        let waiting = || scope.spawn(|| (process.join(None), process.result::<i32>(None)));
        let waiting = [waiting(), waiting(), waiting()];
        gate.wait_for_job(1);
        gate.open_all();
        for thread in waiting {
            assert_eq!(thread.join().unwrap(), (true, Ok(process.pid())));
        }
    });
    let elsewhere = std::thread::spawn(move || process.exit_code());
    assert_eq!(elsewhere.join().unwrap(), Some(0));
}

#[test]
fn it_works_under_tokio() {
    let _watchdog = watchdog(60);
    for runtime in runtimes() {
        runtime.block_on(async {
            let here = process(HALF).start(8).unwrap();
            assert_eq!(here.result(None), Ok(4));
            let there =
                tokio::task::spawn_blocking(|| process(HALF).start(6).unwrap().result(None));
            assert_eq!(there.await.unwrap(), Ok(3));
        });
    }
}

#[test]
fn a_process_that_is_dropped_is_killed_and_so_are_those_of_a_launcher_that_is() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let process = gate.process("wait").start(1).unwrap();
    let (pid, zygote) = (gate.wait_for_job(1), parent(process.pid()));
    drop(process);
    [pid, zygote].into_iter().for_each(wait_for_end);

    let launcher = gate.launcher();
    let dropped = launcher.start("wait", 2).unwrap();
    let kept = launcher.start("wait", 3).unwrap();
    let (first, second) = (gate.wait_for_job(2), gate.wait_for_job(3));
    drop(dropped);
    wait_for_end(first);
    assert!(kept.is_alive() && is_alive(second), "others live on");
    drop(launcher);
    assert!(kept.join(None));
    assert_eq!(kept.exit_code(), Some(-9));
    wait_for_end(second);
}

#[test]
fn it_has_no_descriptors_of_this_program_or_of_other_processes() {
    let _watchdog = watchdog(60);
    let flags = rustix::fs::MemfdFlags::empty();
    let leaky = rustix::fs::memfd_create("wpool-test-secret", flags).unwrap();
    let gate = Gate::new();
    let launcher = gate.launcher();
    let processes: Vec<Process> = (0..5).map(|job| launcher.start("wait", job).unwrap()).collect();
    gate.wait_for(5);
    let open = |process: &Process| {
        let links = fs::read_dir(format!("/proc/{}/fd", process.pid())).unwrap();
        let links = links.map(|link| fs::read_link(link.unwrap().path()).unwrap());
        links.map(|link| link.to_string_lossy().into_owned()).collect::<Vec<_>>()
    };
    let all: Vec<Vec<String>> = processes.iter().map(open).collect();
    assert!(all.iter().all(|links| links.len() == all[0].len()), "the fifth has no more: {all:?}");
    assert!(!all.concat().iter().any(|link| link.contains("wpool-test-secret")), "{all:?}");
    drop(leaky);
}

#[test]
fn a_launcher_that_loses_its_zygote_starts_another() {
    let _watchdog = watchdog(60);
    let gate = Gate::new();
    let launcher = gate.launcher();
    let lost = launcher.start("wait", 1).unwrap();
    gate.wait_for_job(1);
    kill(parent(lost.pid()));
    assert!(lost.join(None));
    assert_eq!(lost.exit_code(), Some(-9));
    gate.open_all();
    assert_eq!(launcher.start("note", 2).unwrap().result(None), Ok(gate.wait_for_job(2)));
}
