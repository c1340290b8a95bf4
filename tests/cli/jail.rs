//! The jail: which processes are in it, what is missing of it on other kernels, and what users are told.

use crate::common::gate::Gate;
use crate::common::run::{map_wat, wpool};
use nix::unistd::geteuid;
use std::fs;

/// A task whose guest does nothing special.
const SQUARE: &str = r#"(module
    (func (export "square") (param i64) (result i64)
        (i64.mul (local.get 0) (local.get 0))))"#;

/// Returns what the system tells of a process by this name.
fn status(pid: i32, name: &str) -> String {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.expect("the system tells it").trim().to_owned()
}

#[test]
fn whoever_runs_a_guest_is_in_a_jail_unless_it_is_off() {
    // The process of a job has its resident's filter, and one of its own where limits do not bind it.
    let own = if geteuid().is_root() { "2" } else { "1" };
    for (flags, filters) in [
        ("", "1"),
        ("--isolation fresh", "1"),
        ("--isolation process", own),
        ("--jail strict", "1"),
        ("--jail off", "0"),
    ] {
        let gate = Gate::new();
        let run = gate.map("wait", 2).flags("-j 2").flags(flags).start();
        for job in gate.wait_for(2) {
            assert_eq!(status(job.pid, "Seccomp_filters"), filters, "{flags}");
            assert_eq!(status(job.pid, "NoNewPrivs"), "1", "{flags}");
            let mode = if filters == "0" { "0" } else { "2" };
            assert_eq!(status(job.pid, "Seccomp"), mode, "{flags}");
        }
        gate.open_all();
        run.finish().ends(0);
    }
}

#[test]
fn a_kernel_that_lacks_a_layer_is_used_or_refused_by_rule() {
    let run = |flags: &str| map_wat(SQUARE).flags(flags).jobs(["3"]).run();
    let all = run("--jail strict").ends(0).prints("9\n");
    assert!(all.labelled("warning:").is_empty());
    run("--jail-kernel filters").ends(0).prints("9\n").says("warning: this kernel has no Landlock");
    run("--jail-kernel filters --jail strict").ends(96).says("help: run it under another kernel");
    run("--jail-kernel landlock=7").ends(96).says("error: this kernel cannot filter system calls");
    run("--jail-kernel landlock=7 --jail off").ends(0).prints("9\n").says("the jail is off");
    // The first version of Landlock cannot grant a folder for writing.
    run("--jail-kernel filters,landlock=1 --jail strict").ends(0).prints("9\n");
    run("--jail-kernel filters,landlock=1 --jail strict --scratch").ends(96).says("version 1");
}

#[test]
fn the_doctor_tells_what_holds_for_each_kind_of_process() {
    let told = wpool(["doctor", "--json"]).run().ends(0);
    let told: serde_json::Value = serde_json::from_slice(&told.stdout).expect("JSON");
    assert_eq!(told["jail"]["runs"], true);
    let processes = told["jail"]["processes"].as_array().expect("a list");
    let worker = processes.iter().find(|process| process["name"] == "worker").expect("a worker");
    assert!(worker["layers"].as_array().expect("a list").iter().any(|layer| layer == "seccomp"));
    assert!(worker["calls"].as_u64().expect("a number") < 60);
    let told = wpool(["doctor"]).run().ends(0);
    assert!(told.lines().contains(&"seccomp    yes"));
}
