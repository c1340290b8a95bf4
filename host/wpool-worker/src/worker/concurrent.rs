//! The event loop of a concurrent component, driven as far as a job needs it.

use crate::imports::Host;
use std::cell::Cell;
use std::convert::Infallible;
use std::future::{pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use wasmtime::{Store, Trap};

/// The greatest number of times that tasks which have returned may yield before they are left
/// alone.
const YIELDS_MAX: usize = 1000;

/// Runs the work that tasks have left to do after they have returned, as far as it need not wait:
/// it belongs to the job that they returned to.
///
/// # Errors
/// Returns the trap of such a task.
pub(super) async fn settle(store: &mut Store<Host>) -> wasmtime::Result<()> {
    let mut rounds = pin!(store.run_concurrent(async |_| pending::<Infallible>().await));
    poll_fn(|cx| {
        for _ in 0..YIELDS_MAX {
            match Noticing::poll(rounds.as_mut(), cx) {
                (Poll::Ready(Err(error)), _) => return Poll::Ready(Err(error)),
                (_, true) => {}
                (_, false) => break,
            }
        }
        Poll::Ready(Ok(()))
    })
    .await
}

/// Drives the event loop until `done`, which the loop completes, is ready.
///
/// # Errors
/// Returns the trap of a task, or a deadlock if no task is left that could complete `done`.
pub(super) async fn drive<T>(
    store: &mut Store<Host>,
    done: impl Future<Output = T>,
) -> wasmtime::Result<T> {
    let (looks, mut done) = (Cell::new(0), pin!(done));
    let mut rounds = pin!(store.run_concurrent(async |_| {
        poll_fn(|cx| {
            looks.set(looks.get() + 1);
            done.as_mut().poll(cx)
        })
        .await
    }));
    poll_fn(|cx| {
        for _ in 0..2 {
            looks.set(0);
            let (polled, woken) = Noticing::poll(rounds.as_mut(), cx);
            // The loop looks once where it waits for something outside of it.
            if polled.is_ready() || woken || looks.get() == 1 {
                return polled;
            }
        }
        // Nothing was left to do in the second round, and the loop still looked once more whether
        // it is done: wasmtime does that when it waits for nothing.
        Poll::Ready(Err(Trap::AsyncDeadlock.into()))
    })
    .await
}

/// A waker that notices whether it is called.
struct Noticing {
    waker: Waker,
    woken: AtomicBool,
}

impl Noticing {
    /// Polls the future. Also returns whether it has to be polled again at once.
    fn poll<F: Future>(future: Pin<&mut F>, cx: &mut Context<'_>) -> (Poll<F::Output>, bool) {
        let noticing = Arc::new(Noticing { waker: cx.waker().clone(), woken: false.into() });
        let waker = Waker::from(Arc::clone(&noticing));
        let polled = future.poll(&mut Context::from_waker(&waker));
        (polled, noticing.woken.load(Ordering::Relaxed))
    }
}

impl Wake for Noticing {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::Relaxed);
        self.waker.wake_by_ref();
    }
}
