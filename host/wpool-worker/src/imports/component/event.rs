//! `wpool:host/event`: flags that many processes can wait for.

use super::wit::event::{self, Event};
use super::{Object, Undone, ask, close, create, delete, limit, look, open};
use crate::imports::Host;
use crate::shared::{self, Spec};
use wasmtime::component::Resource;

impl Object for Event {
    type Noun = shared::Event<'static>;
}

impl event::Host for Host {}

impl event::HostEvent for Host {
    fn create(&mut self, name: String) -> Result<Resource<Event>, Undone> {
        create(self, "event.create", &name, &Spec::Event)
    }

    fn open(&mut self, name: String) -> Result<Resource<Event>, Undone> {
        open(self, "event.open", &name)
    }

    fn set(&mut self, event: Resource<Event>) -> Result<(), Undone> {
        ask(self, "event.set", &event, |event, me| event.set(me))
    }

    fn clear(&mut self, event: Resource<Event>) -> Result<(), Undone> {
        ask(self, "event.clear", &event, |event, me| event.clear(me))
    }

    fn is_set(&mut self, event: Resource<Event>) -> wasmtime::Result<bool> {
        look(self, "event.is-set", &event, |event| event.is_set())
    }

    fn wait(&mut self, event: Resource<Event>, timeout: Option<u64>) -> Result<(), Undone> {
        ask(self, "event.wait", &event, |event, me| event.wait(me, limit(timeout)))
    }

    fn delete(&mut self, event: Resource<Event>) -> Result<(), Undone> {
        delete(self, "event.delete", &event)
    }

    fn drop(&mut self, event: Resource<Event>) -> wasmtime::Result<()> {
        close(self, "event.drop", &event)
    }
}
