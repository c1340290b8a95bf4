//! `wpool.barrier_*`: parties that go on together.

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

/// `barrier_create(name: i32, name_len: i32, parties: i32) -> i32`: makes a barrier and opens it.
///
/// Arguments: its name; how many go on together, 1 to 1024.
/// Answers: a handle; `exists`, `no-space`, `out-of-range` (the name, the parties).
/// Traps: the name is outside the memory or not UTF-8. Blocks: never.
fn create(
    mut caller: Caller<'_, Host>,
    name: u32,
    name_len: u32,
    parties: u32,
) -> wasmtime::Result<i32> {
    Barrier::create(&mut caller, "barrier_create", (name, name_len), &Spec::Barrier { parties })
}

/// `barrier_wait(handle: i32, timeout_ns: i64) -> i32`: waits until all parties wait.
///
/// Arguments: the barrier; how long to wait at most: for ever if negative, not at all if 0.
/// Answers: which party this was, from 0 in the order of arrival; `broken` if the barrier is, or breaks
/// meanwhile; `timed-out`, `interrupted`: it is broken now, for all. Traps: not a barrier's handle.
/// Blocks: until the last party waits.
fn wait(mut caller: Caller<'_, Host>, handle: i32, timeout_ns: i64) -> wasmtime::Result<i32> {
    Barrier::on(caller.data_mut(), "barrier_wait", handle, |barrier, me| {
        barrier.wait(me, limit(timeout_ns))
    })
}

/// `barrier_abort(handle: i32) -> i32`: breaks the barrier for all that wait, and will wait.
///
/// Arguments: the barrier. Answers: 0; `broken` (damaged). Traps: not a barrier's handle. Blocks: never.
fn abort(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    Barrier::on(caller.data_mut(), "barrier_abort", handle, |barrier, me| barrier.abort(me))
}

/// `barrier_reset(handle: i32) -> i32`: makes the barrier new. Those that wait are told that it broke.
///
/// Arguments: the barrier. Answers: 0; `broken` (damaged). Traps: not a barrier's handle. Blocks: never.
fn reset(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    Barrier::on(caller.data_mut(), "barrier_reset", handle, |barrier, me| barrier.reset(me))
}

/// `barrier_parties(handle: i32) -> i32`: how many parties it takes.
///
/// Arguments: the barrier. Answers: the number. Traps: not a barrier's handle. Blocks: never.
fn parties(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    Barrier::on(caller.data_mut(), "barrier_parties", handle, |barrier, _| Ok(barrier.parties()))
}

/// `barrier_waiting(handle: i32) -> i32`: how many parties wait at this moment.
///
/// Arguments: the barrier. Answers: the number. Traps: not a barrier's handle. Blocks: never.
fn waiting(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    Barrier::on(caller.data_mut(), "barrier_waiting", handle, |barrier, _| Ok(barrier.waiting()))
}

/// `barrier_is_broken(handle: i32) -> i32`: whether the barrier is broken.
///
/// Arguments: the barrier. Answers: 1 if it is, else 0. Traps: not a barrier's handle. Blocks: never.
fn is_broken(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    Barrier::on(
        caller.data_mut(),
        "barrier_is_broken",
        handle,
        |barrier, _| Ok(barrier.is_broken()),
    )
}
