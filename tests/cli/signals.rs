//! Signals and keys: a first request drains, a second one kills, and a pause costs no job time.

use crate::common::gate::Gate;
use crate::common::processes::{self, Signal};
use crate::common::run::map;
use crate::common::terminal::{CTRL_BACKSLASH, CTRL_C, CTRL_Z, at_terminal, is_stopped, press};
use std::time::{Duration, Instant};

/// Waits for a time that has to pass.
fn pass(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        std::thread::park_timeout(time.saturating_sub(start.elapsed()));
    }
}

#[test]
fn the_first_ctrl_c_lets_running_jobs_finish_and_starts_no_others() {
    for mode in ["reuse", "process"] {
        let gate = Gate::new();
        let run = gate.map("wait", 5).args(["-j", "2", "--isolation", mode]);
        let (run, mut keyboard) = at_terminal(run);
        run.until("two jobs", || gate.started().len() == 2);
        press(&mut keyboard, CTRL_C);
        run.wait_for_message("wpool: draining 2 jobs, Ctrl-C again to kill\n");
        gate.open_all();
        let done = run.finish().ends(130).says("2 jobs ok, 3 not run").says("stopped on request");
        let pids: Vec<String> = gate.started().iter().map(|job| job.pid.to_string()).collect();
        assert_eq!(done.lines(), pids);
        assert_eq!(gate.started_jobs(), ["0", "1"]);
    }
}

#[test]
fn the_second_ctrl_c_kills() {
    let gate = Gate::new();
    let (run, mut keyboard) = at_terminal(gate.map("wait", 5).args(["-j", "2"]));
    run.until("two jobs", || gate.started().len() == 2);
    let workers = run.workers();
    press(&mut keyboard, CTRL_C);
    run.wait_for_message("draining 2 jobs");
    press(&mut keyboard, CTRL_C);
    let done = run.finish().ends(130).says("killed on request").says("2 cancelled");
    assert_eq!(done.lines(), ["null", "null"]);
    workers.iter().for_each(|pid| processes::wait_for_end(*pid));
}

#[test]
fn ctrl_c_ends_a_run_that_waits_for_input() {
    let mut run = map("square").piped().start();
    run.write("3\n");
    run.until("an answer", || run.stdout.text() == "9\n");
    run.signal(Signal::SIGINT);
    run.until("its end", || !processes::is_alive(run.pid()));
    run.finish().ends(130).prints("9\n");
}

#[test]
fn a_signal_that_was_ignored_at_the_start_is_ignored() {
    for (name, ignored) in [("HUP", Signal::SIGHUP), ("INT", Signal::SIGINT)] {
        let gate = Gate::new();
        let run = gate.map("wait", 3).flags("-j 1").ignoring(name).start();
        run.until("a job", || gate.started().len() == 1);
        run.signal(ignored);
        gate.open_all();
        run.finish().ends(0).says("3 jobs ok");
    }
}

#[test]
fn a_signal_that_wpool_ignores_still_ends_a_worker() {
    let gate = Gate::new();
    let run = gate.map("wait", 1).ignoring("TERM").start();
    processes::signal(gate.wait_for_job(0), Signal::SIGTERM);
    run.finish().ends(100).says("SIGTERM");
}

#[test]
fn ctrl_backslash_leaves_nobody_behind() {
    let gate = Gate::new();
    let (run, mut keyboard) = at_terminal(gate.map("wait", 2).args(["-j", "2"]));
    run.until("two jobs", || gate.started().len() == 2);
    let workers = run.workers();
    press(&mut keyboard, CTRL_BACKSLASH);
    assert_eq!(run.finish().signal, Some(Signal::SIGQUIT as i32));
    workers.iter().for_each(|pid| processes::wait_for_end(*pid));
}

#[test]
fn terminate_gives_running_jobs_their_grace_and_then_kills() {
    let gate = Gate::new();
    let run = gate.map("wait", 3).flags("-j 1 --grace 0.3").start();
    run.until("a job", || gate.started().len() == 1);
    run.signal(Signal::SIGTERM);
    let asked = Instant::now();
    let done = run.finish().ends(143).says("draining 1 job\n").says("1 cancelled");
    assert!(asked.elapsed() >= Duration::from_millis(300));
    assert_eq!(done.lines(), ["null"]);

    let gate = Gate::new();
    let run = gate.map("wait", 3).flags("-j 1 --grace 60").start();
    run.until("a job", || gate.started().len() == 1);
    run.signal(Signal::SIGTERM);
    run.wait_for_message("draining 1 job\n");
    gate.open_all();
    run.finish().ends(143).says("1 job ok, 2 not run");
    assert_eq!(gate.started_jobs(), ["0"]);
}

#[test]
fn a_second_terminate_kills_at_once() {
    let gate = Gate::new();
    let run = gate.map("wait", 3).flags("-j 1 --grace 1h").start();
    run.until("a job", || gate.started().len() == 1);
    run.signal(Signal::SIGTERM);
    run.wait_for_message("draining 1 job\n");
    run.signal(Signal::SIGTERM);
    run.finish().ends(143).says("killed on request");
}

#[test]
fn a_hang_up_drains_without_a_limit_and_can_be_resumed() {
    let gate = Gate::new();
    let log = crate::common::run::path("log");
    let logged = || gate.map("wait", 4).flags("-j 1 --joblog").arg(&log);
    let (run, keyboard) = at_terminal(logged());
    run.until("a job", || gate.started().len() == 1);
    // The terminal is closed.
    drop(keyboard);
    run.wait_for_message("draining 1 job\n");
    gate.open_all();
    run.finish()
        .ends(106)
        .says("1 job ok, 3 not run")
        .says("go on with: wpool map --resume-failed");
    let done = logged().arg("--resume").run().ends(0).says("3 jobs ok");
    assert_eq!(done.lines().len(), 3);
    assert_eq!(gate.started_jobs(), ["0", "1", "2", "3"]);
}

#[test]
fn usr1_tells_what_is_running() {
    let gate = Gate::new();
    let run = gate.map("wait", 3).flags("-j 1").start();
    run.until("a job", || gate.started().len() == 1);
    let line = format!("worker {} runs job 0 for ", gate.started()[0].pid);
    // The clock of a job starts when the job is first looked at.
    run.until("the report", || {
        run.signal(Signal::SIGUSR1);
        run.stderr.text().contains(&line)
    });
    gate.open_all();
    run.finish().ends(0);
}

/// Presses Ctrl-Z, and continues after longer than the jobs may take.
fn pause(mode: &str) {
    let gate = Gate::new();
    let run = gate.map("wait", 2).flags("-j 2 --timeout 0.6 --isolation").arg(mode).within(10);
    let (run, mut keyboard) = at_terminal(run);
    run.until("both jobs", || gate.started().len() == 2);
    press(&mut keyboard, CTRL_Z);
    let jobs: Vec<i32> = gate.started().iter().map(|job| job.pid).collect();
    run.until("all to stop", || is_stopped(run.pid()) && jobs.iter().all(|pid| is_stopped(*pid)));
    pass(Duration::from_millis(900));
    gate.open_all();
    run.signal(Signal::SIGCONT);
    run.finish().ends(0).says("2 jobs ok");
}

#[test]
fn ctrl_z_stops_jobs_and_their_time_limits() {
    pause("reuse");
}

#[test]
fn ctrl_z_stops_jobs_with_processes_of_their_own_too() {
    pause("process");
}

#[test]
fn time_limits_stand_while_the_dispatcher_is_stopped() {
    let gate = Gate::new();
    let run = gate.map("wait", 1).flags("-j 1 --timeout 0.6").start();
    run.until("the job", || gate.started().len() == 1);
    run.signal(Signal::SIGSTOP);
    run.until("it to stop", || is_stopped(run.pid()));
    pass(Duration::from_millis(900));
    run.signal(Signal::SIGCONT);
    gate.open_all();
    run.finish().ends(0).says("1 job ok");
}

#[test]
fn a_stop_and_a_continuation_in_one_go_are_harmless() {
    let gate = Gate::new();
    let run = gate.map("wait", 200).flags("-j 2").start();
    run.until("both jobs", || gate.started().len() == 2);
    for _ in 0..5 {
        run.signal(Signal::SIGTSTP);
        run.until("it to stop", || is_stopped(run.pid()));
        run.signal(Signal::SIGCONT);
        run.until("it to go on", || !is_stopped(run.pid()));
    }
    gate.open_all();
    assert_eq!(run.finish().ends(0).lines().len(), 200);
}
