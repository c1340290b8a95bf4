//! Regions, the shared memory of tasks in different worker processes, found by their names.
//!
//! The tests mirror Python's `_TestSharedMemory`, with these differences on purpose, and without
//! what has no counterpart here:
//! - A region is not a file of the system: it belongs to the processes of one shared state, and
//!   goes with that state. There is no tracker, and nothing to untrack: `_untracking`, `_tracking`,
//!   `SharedMemoryManager_basics`, `SharedMemoryManager_reuses_resource_tracker` and
//!   `SharedMemoryServer_ignores_sigint`.
//! - `cleaned_after_process_termination` is mirrored by a killed program; there is no leak to warn
//!   of.
//! - `close` and `unlink` are `drop` and `delete`, which are for all kinds of objects.
//! - `pickle_unpickle`: only names are sent. A name may be dead; the opening then reports so.
//! - `ShareableList`: there is no such type; an array has elements of one type (`value.rs`).
//!
//! The mapping of regions into memories is tested in `region.rs`.

use super::script::{Worker, run_waiting, shared};
use crate::common::processes;
use crate::common::{until, watchdog};
use serde_json::{Value as Json, json};
use std::fs;
use wpool::{FailureKind, Isolation, Region, Shared};

fn error(name: &str) -> Json {
    json!({"error": name})
}

#[track_caller]
fn assert_sound(shared: &Shared) {
    assert_eq!(shared.check(), Vec::<String>::new());
}

#[test]
fn a_region_is_created_once_and_opened_by_its_name() {
    let _watchdog = watchdog(60);
    let shared = shared();
    let [one, other] = Worker::several(&shared);
    let steps = ["region r create 512", "region r create 512", "region s open"];
    assert_eq!(one.run(&steps), json!([true, error("exists"), error("not-found")]));
    let steps = ["region r open", "region r size", "region r write 0 pickled", "region r read 0 9"];
    assert_eq!(other.run(&steps), json!([true, 512, true, "pickled\0\0"]));
    assert_eq!(one.run(&["region r open", "region r read 0 7"]), json!([true, "pickled"]));
    // The size requested by a process that finds the region does not matter.
    assert_eq!(other.run(&["region r ensure 100000", "region r size"]), json!([true, 512]));
    let wrong = other.fails(&["region r read 510 3"]);
    assert_eq!(wrong.kind, FailureKind::Trap, "{wrong:?}");
    assert_sound(&shared);
}

#[test]
fn sizes_and_names_that_make_no_region_are_told() {
    let _watchdog = watchdog(60);
    let shared = shared();
    let worker = Worker::new(&shared);
    let steps = [
        "region r create 0".to_owned(),
        "region a\0b create 512".to_owned(),
        format!("region {} create 512", "n".repeat(129)),
        format!("region {} create 512", "n".repeat(128)),
    ];
    let steps = steps.each_ref().map(String::as_str);
    let wrong = error("out-of-range");
    assert_eq!(worker.run(&steps), json!([wrong, wrong, wrong, true]));
    assert_eq!(worker.step("region r create 10000000000"), error("no-space"));
}

#[test]
fn bytes_that_one_process_writes_others_read_copied_or_mapped() {
    let _watchdog = watchdog(60);
    let shared = shared();
    let region = Region::create(&shared, "r", 100_000).unwrap();
    let [one, other] = Worker::several(&shared);
    one.step("region r write 0 from a copy");
    other.run(&["region r map", "region r poke 99990 mapped"]);
    assert_eq!(other.step("region r peek 0 11"), json!("from a copy"));
    assert_eq!(one.step("region r read 99990 6"), json!("mapped"));
    one.run(&["region r map", "region r poke 5 of"]);
    assert_eq!(other.step("region r peek 0 11"), json!("from ofcopy"));
    let mut bytes = [0; 6];
    region.read(99_990, &mut bytes).unwrap();
    assert_eq!(&bytes, b"mapped");
    region.write(0, b"host").unwrap();
    assert_eq!(other.step("region r peek 0 5"), json!("host "));
    assert_sound(&shared);
}

#[test]
fn a_deleted_region_has_no_name_and_stays_with_those_that_have_it_open() {
    let _watchdog = watchdog(60);
    let shared = shared();
    let [one, other] = Worker::several(&shared);
    one.run(&["region r create 512", "region r write 0 old"]);
    assert_eq!(other.step("region r open"), json!(true));
    let steps = ["region r delete", "region r delete"];
    assert_eq!(one.run(&steps), json!([true, error("not-found")]));
    let steps = ["region r drop", "region r open", "region r create 64"];
    assert_eq!(one.run(&steps), json!([true, error("not-found"), true]));
    assert_eq!(other.run(&["region r size", "region r read 0 3"]), json!([512, "old"]));
    assert_eq!(one.run(&["region r size", "region r read 0 3"]), json!([64, "\0\0\0"]));
    assert_sound(&shared);
}

#[test]
fn a_region_outlives_the_process_that_made_it_and_closing_is_not_deleting() {
    let _watchdog = watchdog(60);
    for isolation in [Isolation::Reuse, Isolation::Fresh, Isolation::Process] {
        let shared = shared();
        let dies = Worker::isolated(&shared, isolation);
        let next = Worker::new(&shared);
        dies.run(&["region r create 512", "region r write 0 kept", "region r drop"]);
        let steps = ["region r map", "region r poke 4 too", "trap"];
        assert_eq!(dies.fails(&steps).kind, FailureKind::Trap, "{isolation:?}");
        let steps = ["region r map", "region r poke 7 !", "event e create", "event e wait"];
        let script = dies.start(&steps);
        until(|| shared.show("e").is_ok());
        script.cancel();
        assert_eq!(script.failure().kind, FailureKind::Cancelled);
        assert_eq!(next.step("region r read 0 8"), json!("kepttoo!"), "{isolation:?}");
        assert_sound(&shared);
    }
}

#[test]
fn a_deleted_region_s_space_comes_back_when_the_last_that_had_it_open_is_killed() {
    let _watchdog = watchdog(60);
    let shared = Shared::builder().region_bytes(1 << 20).build().unwrap();
    let [dies, next] = Worker::several(&shared);
    for round in 0..3 {
        assert_eq!(dies.run(&["region r create 1048576", "region r map"])[0], json!(true));
        assert_eq!(dies.step("region r fill 0 1048576 255"), json!(true));
        assert_eq!(
            next.run(&["region r open", "region r delete", "region r drop"])[1],
            json!(true)
        );
        assert_eq!(next.step("region s create 65536"), error("no-space"), "round {round}");
        dies.run_and_die(&[]);
        until(|| next.step("region s create 65536") == json!(true));
        assert_eq!(next.step("region s read 0 4"), json!("\0\0\0\0"), "round {round}");
        next.run(&["region s delete", "region s drop"]);
    }
    assert_sound(&shared);
}

/// Returns how many of these processes have shared state mapped.
fn users_of_shared_memory(of: &[i32]) -> usize {
    let maps = |pid: &&i32| fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
    of.iter().filter(|pid| maps(pid).contains("wpool-shared")).count()
}

#[test]
fn nothing_is_left_of_a_region_when_the_program_is_killed() {
    let run = run_waiting([&[
        "region r ensure 1048576",
        "region r map",
        "queue q ensure 1 0",
        "queue q get",
    ]]);
    let processes = [&[run.pid(), run.zygote()][..], &run.workers()].concat();
    assert!(users_of_shared_memory(&processes) > 0);
    run.signal(processes::Signal::SIGKILL);
    processes.iter().for_each(|pid| processes::wait_for_end(*pid));
    let left = |folder: &str| {
        let names = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.file_name());
        names.filter(|name| name.to_string_lossy().contains("wpool-shared")).count()
    };
    assert_eq!(left("/dev/shm"), 0, "it never was a file");
}
