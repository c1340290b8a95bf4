//! `wpool:host/lock`: locks, recursive or not.

use super::wit::lock::{self, Acquired, Lock};
use super::{Object, Undone, ask, close, create, delete, limit, open};
use crate::imports::Host;
use crate::shared::{self, Spec};
use wasmtime::component::Resource;

impl Object for Lock {
    type Noun = shared::Lock<'static>;
}

impl lock::Host for Host {}

impl lock::HostLock for Host {
    fn create(&mut self, name: String, recursive: bool) -> Result<Resource<Lock>, Undone> {
        create(self, "lock.create", &name, &Spec::Lock { recursive })
    }

    fn open(&mut self, name: String) -> Result<Resource<Lock>, Undone> {
        open(self, "lock.open", &name)
    }

    fn acquire(&mut self, lock: Resource<Lock>, timeout: Option<u64>) -> Result<Acquired, Undone> {
        let acquired =
            ask(self, "lock.acquire", &lock, |lock, me| lock.acquire(me, limit(timeout)))?;
        Ok(acquired.into())
    }

    fn release(&mut self, lock: Resource<Lock>) -> Result<(), Undone> {
        ask(self, "lock.release", &lock, |lock, me| lock.release(me))
    }

    fn mark_consistent(&mut self, lock: Resource<Lock>) -> Result<(), Undone> {
        ask(self, "lock.mark-consistent", &lock, |lock, me| lock.mark_consistent(me))
    }

    fn delete(&mut self, lock: Resource<Lock>) -> Result<(), Undone> {
        delete(self, "lock.delete", &lock)
    }

    fn drop(&mut self, lock: Resource<Lock>) -> wasmtime::Result<()> {
        close(self, "lock.drop", &lock)
    }
}
