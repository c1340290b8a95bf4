//! Warm starts: guests that are initialised once, and forked.

use super::{
    Attached, Calling, Failure, FailureKind, Folders, Guest, Invocation, Live, LogSink, Program,
    TaskCall, outcome, runtime,
};
use crate::worker::typed::flow::Flow;
use crate::worker::typed::quick::Argument;
use crate::worker::wasi;
use std::sync::Arc;

impl<'a> Guest<'a> {
    /// Makes a guest with an initialised instance, to be forked. The sink gets the lines that the
    /// guest prints.
    ///
    /// # Errors
    /// Returns the failure of the initialisation.
    pub(crate) fn initialised(
        program: &'a Program,
        sink: Arc<dyn LogSink>,
    ) -> Result<Self, Failure> {
        let mut guest = Guest::before_fork(program, sink);
        guest.folders = program
            .folders
            .of_process(&format!("init-{}", std::process::id()))
            .map_err(|error| {
                let what = format!("there is no scratch folder to initialise it in: {error}");
                Failure::new(FailureKind::WorkerLost, what)
            })?;
        let mut initialise = || {
            guest.random.begin_job(0);
            let live = guest.instantiate(0, 0, Invocation::default());
            guest.log.end_job();
            live.map(|live| guest.live = Some(live))
        };
        match program.waits() {
            true => runtime::visit(program.waiting, initialise)?,
            false => initialise()?,
        }
        Ok(guest)
    }

    /// Takes over a guest that was initialised in another process.
    pub(crate) fn move_in(&mut self, sink: Arc<dyn LogSink>, attached: Option<Attached>) {
        self.log.pass_to(sink);
        if let (Some(live), Some(attached)) = (&mut self.live, &attached) {
            live.store.join(attached);
        }
        self.attached = attached;
    }

    /// Makes instances see the folders of this process.
    pub(crate) fn settle_in(&mut self, folders: Folders) {
        let live = self.live.as_mut();
        if let Some(context) = live.and_then(|live| live.store.data_mut().wasi.as_mut()) {
            wasi::move_to(context, &self.folders, &folders);
        }
        self.folders = folders;
    }

    /// Renews the state of the host that an instance made in another process shares with its
    /// siblings: random numbers, unless they are to be the same.
    pub(crate) fn renew(&mut self) {
        if !self.program.wasi {
            return;
        }
        wasi::reseed();
        let live = self.live.as_mut().filter(|_| self.program.settings.grants.seed.is_none());
        let context = live.and_then(|live| live.store.data_mut().wasi.as_mut());
        context.into_iter().for_each(wasi::renew);
    }

    /// Calls the task that initialises the instance.
    pub(super) fn initialise(&mut self, init: usize, live: &mut Live) -> Result<(), Failure> {
        let called = match (&live.call, self.program.calling(init)) {
            (TaskCall::Scalar(call), _) => call.call(&mut live.store, &mut self.numbers).map(Ok),
            (TaskCall::Byte(task), _) => {
                let job = &mut live.store.data_mut().job;
                job.begin();
                job.input.extend_from_slice(b"null");
                let code = task.call(&mut *live.store, ());
                code.map(|code| match code {
                    0 => Ok(()),
                    _ => Err(outcome::guest_error(&live.store.data_mut().job.output)),
                })
            }
            (TaskCall::Concurrent(function), Calling::Typed { signature, .. }) => {
                let nothing = Flow::Values(Vec::new());
                signature
                    .call_concurrently(function, &mut live.store, nothing)
                    .map(|answer| signature.write_flow(answer, &mut Vec::new()))
            }
            (TaskCall::Typed(function), Calling::Typed { signature, .. }) => {
                let mut results = signature.room();
                let called = function.call(&mut *live.store, &[], &mut results);
                called.map(|()| signature.write(&results, &mut Vec::new()))
            }
            (TaskCall::Quick(call), _) => {
                call(&mut live.store, Argument::Nothing).map(|answer| answer.map(drop))
            }
            (TaskCall::Start(_) | TaskCall::Run(_) | TaskCall::ConcurrentRun(_), _) => {
                live.run_command().map(Ok)
            }
            (TaskCall::Typed(_) | TaskCall::Concurrent(_), _) => {
                unreachable!("a component's function has its signature")
            }
        };
        let failed = match called {
            Ok(answered) => answered,
            Err(error) => {
                Err(self.failure(&live.store, &error).unwrap_or_else(outcome::exited_early))
            }
        };
        failed.map_err(|failure| Failure {
            message: format!("while it was initialised: {}", failure.message),
            ..failure
        })
    }
}
