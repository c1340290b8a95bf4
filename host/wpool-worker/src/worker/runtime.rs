//! The tokio runtime of a worker: where guests wait for time to pass and for input.

use std::cell::Cell;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// How the calls of a program wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// Each call blocks the thread until it is done. No call waits for time to pass.
    Blocking,
    /// Each call blocks the thread. A runtime of one thread drives no timers while that thread is blocked:
    /// absolute sleeps and polls of two subscriptions hang in it. So a module that polls gets a second
    /// thread, and only it.
    Polling,
    /// The tasks of a component wait for one another, in an event loop that the runtime drives. It has
    /// neither a thread nor a descriptor, so that it goes on in forked children.
    Concurrent,
    /// As `Concurrent`; and it waits for the standard input of whoever runs wpool.
    ConcurrentInput,
}

/// How long a runtime's thread may take to end: it has nothing left to do.
const SHUTDOWN: Duration = Duration::from_secs(5);

thread_local! {
    /// What drives the event loops of components in this thread.
    static DRIVER: Cell<Option<&'static Runtime>> = const { Cell::new(None) };
}

impl Waiting {
    /// Whether a process can fork that has entered such a runtime, and the child can use it.
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
/// The system refuses what a runtime needs: the worker cannot go on.
pub(crate) fn enter(waiting: Waiting) {
    if waiting.is_concurrent() && DRIVER.get().is_some() {
        return;
    }
    // Leaked with what it hands out: a worker has one runtime, as long as it lives.
    let runtime: &'static Runtime = Box::leak(Box::new(waiting.runtime()));
    std::mem::forget(runtime.enter());
    if waiting.is_concurrent() {
        DRIVER.set(Some(runtime));
    }
}

/// Does something inside such a runtime, after which this process can fork again. What waits on in a
/// component goes on waiting in the children; of any other module nothing is left.
///
/// # Panics
/// As [`enter`].
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
/// This thread has entered no concurrent runtime.
pub(crate) fn block_on<F: Future>(event_loop: F) -> F::Output {
    DRIVER.get().expect("a worker of concurrent components has a runtime").block_on(event_loop)
}
