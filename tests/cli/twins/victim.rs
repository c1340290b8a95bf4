//! A worker that is killed while it runs a script.

use super::script::{Script, Worker};
use crate::common::processes::{children, is_asleep, kill};
use crate::common::until;
use serde_json::Value as Json;
use std::sync::mpsc::channel;
use wpool::{FailureKind, Isolation, Shared};

/// A worker that was given a script to die in.
pub(crate) struct Victim {
    worker: Worker,
    script: Script,
    pid: i32,
    /// The worker's slot, as reported in `culprit`.
    pub(crate) slot: Json,
}

impl Victim {
    /// Starts a worker of this isolation that runs a script.
    pub(crate) fn new(shared: &Shared, isolation: Isolation, steps: &[&str]) -> Victim {
        let (tell, told) = channel();
        let worker = Worker::with(shared, |builder| {
            builder.isolation(isolation).on_log(move |line| {
                // The receiver is gone when a later job prints.
                let _ = tell.send(line.pid);
            })
        });
        let slot = worker.slot();
        worker.step("print hello");
        let mut pid = told.recv().expect("it prints");
        until(|| children(pid).is_empty());
        let script = worker.start(steps);
        if isolation == Isolation::Process {
            until(|| children(pid).len() == 1);
            pid = children(pid)[0];
        }
        Victim { worker, script, pid, slot }
    }

    /// Returns whether the process waits for something.
    pub(crate) fn is_asleep(&self) -> bool {
        is_asleep(self.pid)
    }

    /// Kills the process that runs the script. The worker can run other scripts.
    #[track_caller]
    pub(crate) fn kill(self) -> Worker {
        kill(self.pid);
        assert_eq!(self.script.failure().kind, FailureKind::WorkerLost);
        self.worker
    }
}
