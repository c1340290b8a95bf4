//! `wpool:host/barrier`: barriers, whose parties wait for one another and go on together.

use super::wit::barrier::{self, Barrier};
use super::{Object, Undone, ask, close, create, delete, limit, look, open};
use crate::imports::Host;
use crate::shared::{self, Spec};
use wasmtime::component::Resource;

impl Object for Barrier {
    type Noun = shared::Barrier<'static>;
}

impl barrier::Host for Host {}

impl barrier::HostBarrier for Host {
    fn create(&mut self, name: String, parties: u32) -> Result<Resource<Barrier>, Undone> {
        create(self, "barrier.create", &name, &Spec::Barrier { parties })
    }

    fn open(&mut self, name: String) -> Result<Resource<Barrier>, Undone> {
        open(self, "barrier.open", &name)
    }

    fn wait(&mut self, barrier: Resource<Barrier>, timeout: Option<u64>) -> Result<u32, Undone> {
        ask(self, "barrier.wait", &barrier, |barrier, me| barrier.wait(me, limit(timeout)))
    }

    fn abort(&mut self, barrier: Resource<Barrier>) -> Result<(), Undone> {
        ask(self, "barrier.abort", &barrier, |barrier, me| barrier.abort(me))
    }

    fn reset(&mut self, barrier: Resource<Barrier>) -> Result<(), Undone> {
        ask(self, "barrier.reset", &barrier, |barrier, me| barrier.reset(me))
    }

    fn parties(&mut self, barrier: Resource<Barrier>) -> wasmtime::Result<u32> {
        look(self, "barrier.parties", &barrier, |barrier| barrier.parties())
    }

    fn waiting(&mut self, barrier: Resource<Barrier>) -> wasmtime::Result<u32> {
        look(self, "barrier.waiting", &barrier, |barrier| barrier.waiting())
    }

    fn is_broken(&mut self, barrier: Resource<Barrier>) -> wasmtime::Result<bool> {
        look(self, "barrier.is-broken", &barrier, |barrier| barrier.is_broken())
    }

    fn delete(&mut self, barrier: Resource<Barrier>) -> Result<(), Undone> {
        delete(self, "barrier.delete", &barrier)
    }

    fn drop(&mut self, barrier: Resource<Barrier>) -> wasmtime::Result<()> {
        close(self, "barrier.drop", &barrier)
    }
}
