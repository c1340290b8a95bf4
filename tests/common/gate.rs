//! A gate for jobs: each job reports that it has started, and waits until the test lets it go on.

use super::calls::run_wat;
use super::run::{Wpool, map_wat};
use super::until;
use std::fs;
use tempfile::TempDir;
use wpool::{Builder, Launcher, Pool, Process};

/// A module with byte tasks that make an empty folder `PID.JOB` in the folder that is granted to
/// them:
/// - `wait` then waits for the file `go-JOB` or `all`, and returns its process id;
/// - `note` returns its process id;
/// - `large` returns its process id and four megabytes of blanks;
/// - `odd_fails` fails if its job ends in an odd digit, with its process id as the message;
/// - `second_try` traps unless this process has had that job before.
///
/// Only the first 64 bytes of a job count.
const MODULE: &str = r#"(module
    (import "wpool" "job_read" (func $job_read (param i32 i32 i32) (result i32)))
    (import "wpool" "result_write" (func $result_write (param i32 i32)))
    (import "wpool" "process_id" (func $process_id (result i32)))
    (import "wasi_snapshot_preview1" "path_create_directory"
        (func $create (param i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_filestat_get"
        (func $stat (param i32 i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
    (memory (export "memory") 2)
    ;; The process id's digits end at 127; the job follows at 128, and once more at 259.
    (data (i32.const 127) ".")
    (data (i32.const 256) "go-")
    (data (i32.const 512) "all")
    (global $id (mut i32) (i32.const 0))
    (global $job_size (mut i32) (i32.const 0))

    ;; Reads the job, writes down the process id, and creates the folder: answers with the errno.
    (func $begin (result i32)
        (local $rest i32)
        (drop (call $job_read (i32.const 259) (i32.const 0) (i32.const 64)))
        (global.set $job_size (call $job_read (i32.const 128) (i32.const 0) (i32.const 64)))
        (global.set $id (i32.const 127))
        (local.set $rest (call $process_id))
        (loop $digit
            (global.set $id (i32.sub (global.get $id) (i32.const 1)))
            (i32.store8 (global.get $id)
                (i32.add (i32.const 48) (i32.rem_u (local.get $rest) (i32.const 10))))
            (br_if $digit
                (local.tee $rest (i32.div_u (local.get $rest) (i32.const 10)))))
        (call $create (i32.const 3) (global.get $id)
            (i32.add (i32.sub (i32.const 128) (global.get $id)) (global.get $job_size))))
    (func $answer
        (call $result_write (global.get $id) (i32.sub (i32.const 127) (global.get $id))))
    (func $is_there (param $name i32) (param $size i32) (result i32)
        (i32.eqz (call $stat (i32.const 3) (i32.const 1) (local.get $name) (local.get $size)
            (i32.const 1024))))

    (func (export "task_wait") (result i32)
        (drop (call $begin))
        (block $open
            (loop $closed
                (br_if $open (call $is_there (i32.const 512) (i32.const 3)))
                (br_if $open (call $is_there (i32.const 256)
                    (i32.add (i32.const 3) (global.get $job_size))))
                (drop (call $yield))
                (br $closed)))
        (call $answer)
        (i32.const 0))
    (func (export "task_note") (result i32)
        (drop (call $begin))
        (call $answer)
        (i32.const 0))
    (func (export "task_large") (result i32)
        (local $rest i32)
        (drop (call $begin))
        (call $answer)
        (memory.fill (i32.const 65536) (i32.const 32) (i32.const 65536))
        (local.set $rest (i32.const 64))
        (loop $write
            (call $result_write (i32.const 65536) (i32.const 65536))
            (br_if $write (local.tee $rest (i32.sub (local.get $rest) (i32.const 1)))))
        (i32.const 0))
    (func (export "task_odd_fails") (result i32)
        (drop (call $begin))
        (call $answer)
        (i32.and (i32.const 1)
            (i32.load8_u (i32.add (i32.const 127) (global.get $job_size)))))
    (func (export "task_second_try") (result i32)
        (if (i32.eqz (call $begin)) (then (unreachable)))
        (call $answer)
        (i32.const 0)))"#;

/// A folder in which jobs report that they have started, and are told to go on.
pub(crate) struct Gate {
    folder: TempDir,
}

/// A job that has started.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Started {
    /// The job, as JSON.
    pub(crate) job: String,
    /// The process that runs the job.
    pub(crate) pid: i32,
}

impl Gate {
    /// Makes a closed gate.
    pub(crate) fn new() -> Gate {
        Gate { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// Returns a pool of this many workers whose jobs wait at this gate.
    pub(crate) fn pool(&self, workers: usize) -> Builder {
        self.task("wait", workers)
    }

    /// Returns a pool of this many workers for a task of the module.
    pub(crate) fn task(&self, task: &str, workers: usize) -> Builder {
        let pool = Pool::from_bytes(MODULE).cache(false).task(task).workers(workers);
        pool.dir(self.folder.path(), "/gate", false)
    }

    /// Returns a launcher of the module's tasks.
    pub(crate) fn launcher(&self) -> Launcher {
        let launcher =
            Launcher::from_bytes(MODULE).cache(false).dir(self.folder.path(), "/gate", false);
        launcher.start().expect("the module is good")
    }

    /// Returns a process for a task of the module, with a zygote of its own.
    pub(crate) fn process(&self, task: &str) -> Builder<Process> {
        let process = Process::from_bytes(MODULE).cache(false).task(task);
        process.dir(self.folder.path(), "/gate", false)
    }

    /// Returns a run of `wpool map` for a task of the module, with jobs numbered from 0.
    pub(crate) fn map(&self, task: &str, jobs: u64) -> Wpool {
        let run = map_wat(MODULE).args(["--task", task, "--range", &format!("0..{jobs}")]);
        run.dir(self.folder.path(), "/gate")
    }

    /// Returns a run of `wpool run` for calls of the module's tasks.
    pub(crate) fn run(&self, calls: &[&str]) -> Wpool {
        run_wat(MODULE).args(calls).dir(self.folder.path(), "/gate")
    }

    /// Returns the jobs that have started, sorted. A job that was started by two processes is
    /// listed twice.
    pub(crate) fn started(&self) -> Vec<Started> {
        let names = fs::read_dir(self.folder.path()).expect("the folder is there");
        let names = names.map(|entry| entry.expect("is readable").file_name());
        let mut started: Vec<Started> = names
            .filter_map(|name| {
                let (pid, job) = name.to_str()?.split_once('.')?;
                Some(Started { job: job.to_owned(), pid: pid.parse().ok()? })
            })
            .collect();
        started.sort();
        started
    }

    /// Returns the jobs that have started, without their processes.
    pub(crate) fn started_jobs(&self) -> Vec<String> {
        self.started().into_iter().map(|started| started.job).collect()
    }

    /// Waits until this many jobs have started.
    pub(crate) fn wait_for(&self, count: usize) -> Vec<Started> {
        until(|| self.started().len() >= count);
        self.started()
    }

    /// Waits until this job has started, and returns the id of its process.
    pub(crate) fn wait_for_job(&self, job: i64) -> i32 {
        let job = job.to_string();
        let find = || self.started().iter().find(|at| at.job == job).map(|at| at.pid);
        until(|| find().is_some());
        find().expect("just seen")
    }

    /// Lets one job go on.
    pub(crate) fn open(&self, job: i64) {
        fs::write(self.folder.path().join(format!("go-{job}")), "").expect("is writable");
    }

    /// Lets all jobs go on, whenever they come.
    pub(crate) fn open_all(&self) {
        fs::write(self.folder.path().join("all"), "").expect("is writable");
    }
}
