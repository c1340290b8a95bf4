//! `wpool:host/semaphore`: counts of permits.

use super::wit::semaphore::{self, Options, Semaphore};
use super::{Object, Undone, ask, close, create, delete, limit, look, open};
use crate::imports::Host;
use crate::shared::Permit;
use crate::shared::{self, Spec};
use wasmtime::component::Resource;

impl Object for Semaphore {
    type Noun = shared::Semaphore<'static>;
}

impl semaphore::Host for Host {}

impl semaphore::HostSemaphore for Host {
    fn create(
        &mut self,
        name: String,
        initial: u32,
        options: Options,
    ) -> Result<Resource<Semaphore>, Undone> {
        let (owned, bounded) =
            (options.contains(Options::OWNED), options.contains(Options::BOUNDED));
        create(self, "semaphore.create", &name, &Spec::Semaphore { initial, owned, bounded })
    }

    fn open(&mut self, name: String) -> Result<Resource<Semaphore>, Undone> {
        open(self, "semaphore.open", &name)
    }

    fn acquire(
        &mut self,
        semaphore: Resource<Semaphore>,
        timeout: Option<u64>,
    ) -> Result<u32, Undone> {
        let permit = ask(self, "semaphore.acquire", &semaphore, |semaphore, me| {
            semaphore.acquire(me, limit(timeout))
        })?;
        Ok(match permit {
            Permit::Clean => 0,
            Permit::Restored { permits, .. } => permits,
        })
    }

    fn release(&mut self, semaphore: Resource<Semaphore>) -> Result<(), Undone> {
        ask(self, "semaphore.release", &semaphore, |semaphore, me| semaphore.release(me))
    }

    fn count(&mut self, semaphore: Resource<Semaphore>) -> wasmtime::Result<u32> {
        look(self, "semaphore.count", &semaphore, |semaphore| semaphore.count() as u32)
    }

    fn delete(&mut self, semaphore: Resource<Semaphore>) -> Result<(), Undone> {
        delete(self, "semaphore.delete", &semaphore)
    }

    fn drop(&mut self, semaphore: Resource<Semaphore>) -> wasmtime::Result<()> {
        close(self, "semaphore.drop", &semaphore)
    }
}
