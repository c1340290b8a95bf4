//! `wpool.event_*`: flags that many processes can wait for.

use super::answers::limit;
use super::objects::Noun;
use super::{Host, MODULE};
use crate::shared::{Error, Event, Kind, ObjectId, Shared, Spec};
use wasmtime::{Caller, Linker};

/// Adds the functions to a linker.
pub(super) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "event_create", create)?;
    linker.func_wrap(MODULE, Event::OPEN, Event::open)?;
    linker.func_wrap(MODULE, "event_set", set)?;
    linker.func_wrap(MODULE, "event_clear", clear)?;
    linker.func_wrap(MODULE, "event_is_set", is_set)?;
    linker.func_wrap(MODULE, "event_wait", wait)?;
    Ok(())
}

impl Noun for Event<'_> {
    const KIND: Kind = Kind::Event;
    const OPEN: &'static str = "event_open";
    type Of<'a> = Event<'a>;

    #[inline]
    fn find(shared: &Shared, id: ObjectId) -> Result<Event<'_>, Error> {
        shared.event(id)
    }
}

fn create(mut caller: Caller<'_, Host>, name: u32, name_len: u32) -> wasmtime::Result<i32> {
    Event::create(&mut caller, "event_create", (name, name_len), &Spec::Event)
}

fn set(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    Event::on(caller.data_mut(), "event_set", handle, |event, me| event.set(me))
}

fn clear(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    Event::on(caller.data_mut(), "event_clear", handle, |event, me| event.clear(me))
}

fn is_set(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    Event::on(caller.data_mut(), "event_is_set", handle, |event, _| Ok(event.is_set()))
}

fn wait(mut caller: Caller<'_, Host>, handle: i32, timeout_ns: i64) -> wasmtime::Result<i32> {
    Event::on(caller.data_mut(), "event_wait", handle, |event, me| {
        event.wait(me, limit(timeout_ns))
    })
}
