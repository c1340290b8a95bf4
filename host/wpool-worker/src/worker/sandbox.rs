//! Sandboxes: the store of one instance, with the steps that have to come before it is dropped.

use super::fault;
use crate::imports::Host;
use crate::imports::attached::Attached;
use crate::imports::objects::Objects;
use std::ops::{Deref, DerefMut};
use wasmtime::Store;

/// The store of one instance. When it is dropped, its hold on the world outside ends first: regions
/// are unmapped, and shared objects are closed.
pub(super) struct Sandbox(Store<Host>);

impl Sandbox {
    /// Wraps a store.
    pub(super) fn new(store: Store<Host>) -> Sandbox {
        Sandbox(store)
    }

    /// Lets the instance take part in shared state from now on.
    pub(super) fn join(&mut self, attached: &Attached) {
        self.data_mut().objects = Some(Objects::new(attached.clone()));
        fault::watch(&mut self.0);
    }

    /// Begins a new job.
    #[inline]
    pub(super) fn begin_job(&mut self, number: u64) {
        let host = self.data_mut();
        host.limits.begin_job();
        if let Some(objects) = &mut host.objects {
            objects.begin_job(number);
        }
    }

    /// Notes that the job has succeeded.
    #[inline]
    pub(super) fn end_job(&mut self) {
        if let Some(objects) = &mut self.data_mut().objects {
            objects.end_job();
        }
    }
}

impl Deref for Sandbox {
    type Target = Store<Host>;

    fn deref(&self) -> &Store<Host> {
        &self.0
    }
}

impl DerefMut for Sandbox {
    fn deref_mut(&mut self) -> &mut Store<Host> {
        &mut self.0
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let host = self.data_mut();
        // Regions are unmapped before their storage can be another region's, and before the memory
        // is given back.
        host.mappings.restore();
        if let Some(objects) = &mut host.objects {
            objects.discard();
        }
    }
}
