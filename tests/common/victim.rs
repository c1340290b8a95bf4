//! A worker that is killed while it runs a script.

use super::processes::{is_asleep, job_processes, kill, wait_for_end};
use super::script::{Script, Worker};
use super::until;
use serde_json::Value as Json;
use wpool::{FailureKind, Isolation, Shared};

/// A worker that was given a script to die in.
pub(crate) struct Victim {
    worker: Worker,
    script: Script,
    pid: i32,
    /// What `culprit` tells of it.
    pub(crate) slot: Json,
}

impl Victim {
    /// A worker of this isolation that runs a script. In isolation `process` it has to be the only one
    /// of the program.
    pub(crate) fn new(shared: &Shared, isolation: Isolation, steps: &[&str]) -> Victim {
        let worker = Worker::isolated(shared, isolation);
        let (slot, mut pid) = (worker.slot(), worker.pid());
        if isolation == Isolation::Process {
            wait_for_end(pid);
        }
        let script = worker.start(steps);
        if isolation == Isolation::Process {
            until(|| job_processes().len() == 1);
            pid = job_processes()[0];
        }
        Victim { worker, script, pid, slot }
    }

    /// Whether the process waits for something.
    pub(crate) fn is_asleep(&self) -> bool {
        is_asleep(self.pid)
    }

    /// Kills the process that runs the script. The worker can run others.
    #[track_caller]
    pub(crate) fn kill(self) -> Worker {
        kill(self.pid);
        assert_eq!(self.script.failure().kind, FailureKind::WorkerLost);
        self.worker
    }
}
