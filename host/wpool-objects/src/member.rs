//! Members: threads of the host that take part in shared state, each with a slot.

use super::Shared;
use super::error::Error;
use super::registry::Side;
use super::slots::{Caller, Owner};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

/// The slot of a thread of the host, which is given back when this is dropped: what it owns then is
/// freed as if the thread had died.
#[derive(Debug)]
pub struct Member {
    shared: Arc<Shared>,
    owner: Owner,
    /// The process that took the slot: a child that is forked from it has a copy of this, and no slot.
    process: u32,
    stop: AtomicU32,
}

impl Member {
    /// Takes a slot.
    ///
    /// # Errors
    /// `NoSpace` if all slots of the host are taken.
    pub fn join(shared: &Arc<Shared>) -> Result<Member, Error> {
        let owner = shared.attach(Side::Host)?;
        let process = std::process::id();
        Ok(Member { shared: Arc::clone(shared), owner, process, stop: AtomicU32::new(0) })
    }

    /// Where it takes part.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// In whose name it acts. Its waits are not interrupted.
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
            // Whoever else could do it may be gone; what is left is done by whoever comes next.
            let _ = self.shared.sweep_again(&self.caller());
        }
        self.shared.leave(&self.caller());
    }
}
