//! Members: threads of the host that take part in shared state, each with a slot.

use super::Shared;
use super::error::Error;
use super::registry::Side;
use super::slots::{Caller, Owner};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

/// A slot of a host thread. Dropping the member gives the slot back: what the slot owns then is
/// freed as if the thread had died.
#[derive(Debug)]
pub struct Member {
    shared: Arc<Shared>,
    owner: Owner,
    /// The process that took the slot. A child forked from that process has a copy of the member,
    /// but no slot.
    process: u32,
    stop: AtomicU32,
}

impl Member {
    /// Takes a slot for the calling thread.
    ///
    /// # Errors
    /// Returns `NoSpace` if all slots of the host are taken.
    pub fn join(shared: &Arc<Shared>) -> Result<Member, Error> {
        let owner = shared.attach(Side::Host)?;
        let process = std::process::id();
        Ok(Member { shared: Arc::clone(shared), owner, process, stop: AtomicU32::new(0) })
    }

    /// Returns the shared state in which the member takes part.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Returns the caller of the member's operations. Its waits are not interrupted.
    pub fn caller(&self) -> Caller<'_> {
        Caller { owner: self.owner, stop: &self.stop }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if self.process != std::process::id() {
            return;
        }
        if !self.shared.is_swept() {
            // No other thread may be left to do these sweeps. A sweep that does not finish here is
            // left to the next sweeper.
            let _ = self.shared.sweep_again(&self.caller());
        }
        self.shared.leave(&self.caller());
    }
}
