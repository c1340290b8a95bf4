//! The tokio runtime of a worker, in which guests wait for time to pass and for input.

use std::cell::Cell;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// The way the calls of a program wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// Each call blocks the thread until it is done. No call waits for time to pass.
    Blocking,
    /// Each call blocks the thread. A runtime of one thread drives no timers while that thread is
    /// blocked: absolute sleeps and polls of two subscriptions hang in it. Therefore only a module
    /// that polls gets a second thread.
    Polling,
    /// The tasks of a component wait for one another, in an event loop that the runtime drives. The
    /// runtime has neither a thread nor a descriptor, so that it goes on in forked children.
    Concurrent,
    /// The same as `Concurrent`; the loop also waits for the standard input of wpool's user.
    ConcurrentInput,
}

/// The time that a runtime's thread may take to end: it has nothing left to do.
const SHUTDOWN: Duration = Duration::from_secs(5);

thread_local! {
    /// The runtime that drives the event loops of components in this thread.
    static DRIVER: Cell<Option<&'static Runtime>> = const { Cell::new(None) };
}

impl Waiting {
    /// Returns whether a process that has entered such a runtime can fork, and its child can use
    /// the runtime.
    pub(crate) fn survives_fork(self) -> bool {
        matches!(self, Waiting::Blocking | Waiting::Concurrent)
    }

    fn is_concurrent(self) -> bool {
        matches!(self, Waiting::Concurrent | Waiting::ConcurrentInput)
    }

    fn runtime(self) -> Runtime {
        let mut builder = match self {
            Waiting::Polling => Builder::new_multi_thread(),
            _ => Builder::new_current_thread(),
        };
        match self {
            Waiting::Blocking => &mut builder,
            Waiting::Polling => builder.worker_threads(1).enable_all(),
            Waiting::Concurrent => builder.enable_time(),
            Waiting::ConcurrentInput => builder.enable_all(),
        };
        builder.build().expect("the system grants a thread and its events")
    }
}

/// Enters the runtime, for this thread and for good.
///
/// # Panics
/// Panics if the system refuses what a runtime needs: the worker cannot go on.
pub(crate) fn enter(waiting: Waiting) {
    if waiting.is_concurrent() && DRIVER.get().is_some() {
        return;
    }
    // The runtime is leaked with what it hands out: a worker has one runtime, as long as it lives.
    let runtime: &'static Runtime = Box::leak(Box::new(waiting.runtime()));
    std::mem::forget(runtime.enter());
    if waiting.is_concurrent() {
        DRIVER.set(Some(runtime));
    }
}

/// Runs `what` inside such a runtime, after which this process can fork again. Waits of a component
/// go on in the children; of any other module nothing is left.
///
/// # Panics
/// Panics in the same cases as [`enter`].
pub(crate) fn visit<T>(waiting: Waiting, what: impl FnOnce() -> T) -> T {
    if waiting.survives_fork() && waiting.is_concurrent() {
        enter(waiting);
        return what();
    }
    let runtime = waiting.runtime();
    let done = {
        let _entered = runtime.enter();
        what()
    };
    runtime.shutdown_timeout(SHUTDOWN);
    done
}

/// Drives an event loop until it is done.
///
/// # Panics
/// Panics if this thread has entered no concurrent runtime.
pub(crate) fn block_on<F: Future>(event_loop: F) -> F::Output {
    DRIVER.get().expect("a worker of concurrent components has a runtime").block_on(event_loop)
}
