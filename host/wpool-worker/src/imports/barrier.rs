//! `wpool.barrier_*`: barriers, whose parties wait for one another and go on together.

use super::answers::limit;
use super::objects::Noun;
use super::{Host, MODULE};
use crate::shared::{Barrier, Error, Kind, ObjectId, Shared, Spec};
use wasmtime::{Caller, Linker};

/// Adds the functions to a linker.
pub(super) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "barrier_create", create)?;
    linker.func_wrap(MODULE, Barrier::OPEN, Barrier::open)?;
    linker.func_wrap(MODULE, "barrier_wait", wait)?;
    linker.func_wrap(MODULE, "barrier_abort", abort)?;
    linker.func_wrap(MODULE, "barrier_reset", reset)?;
    linker.func_wrap(MODULE, "barrier_parties", parties)?;
    linker.func_wrap(MODULE, "barrier_waiting", waiting)?;
    linker.func_wrap(MODULE, "barrier_is_broken", is_broken)?;
    Ok(())
}

impl Noun for Barrier<'_> {
    const KIND: Kind = Kind::Barrier;
    const OPEN: &'static str = "barrier_open";
    type Of<'a> = Barrier<'a>;

    #[inline]
    fn find(shared: &Shared, id: ObjectId) -> Result<Barrier<'_>, Error> {
        shared.barrier(id)
    }
}

fn create(
    mut caller: Caller<'_, Host>,
    name: u32,
    name_len: u32,
    parties: u32,
) -> wasmtime::Result<i32> {
    Barrier::create(&mut caller, "barrier_create", (name, name_len), &Spec::Barrier { parties })
}

fn wait(mut caller: Caller<'_, Host>, handle: i32, timeout_ns: i64) -> wasmtime::Result<i32> {
    Barrier::on(caller.data_mut(), "barrier_wait", handle, |barrier, me| {
        barrier.wait(me, limit(timeout_ns))
    })
}

fn abort(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    Barrier::on(caller.data_mut(), "barrier_abort", handle, |barrier, me| barrier.abort(me))
}

fn reset(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    Barrier::on(caller.data_mut(), "barrier_reset", handle, |barrier, me| barrier.reset(me))
}

fn parties(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    Barrier::on(caller.data_mut(), "barrier_parties", handle, |barrier, _| Ok(barrier.parties()))
}

fn waiting(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    Barrier::on(caller.data_mut(), "barrier_waiting", handle, |barrier, _| Ok(barrier.waiting()))
}

fn is_broken(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    Barrier::on(
        caller.data_mut(),
        "barrier_is_broken",
        handle,
        |barrier, _| Ok(barrier.is_broken()),
    )
}
