//! `wpool.process_*`: the process that runs the guest, and the last dead owner.

use super::{Host, MODULE};
use wasmtime::{Caller, Linker};

/// Adds the functions to a linker.
pub(super) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "process_id", process_id)?;
    linker.func_wrap(MODULE, "process_slot", process_slot)?;
    linker.func_wrap(MODULE, "culprit", culprit)?;
    Ok(())
}

fn process_id() -> i32 {
    std::process::id() as i32
}

fn process_slot(mut caller: Caller<'_, Host>) -> wasmtime::Result<i32> {
    Ok(caller.data_mut().objects("process_slot")?.slot().into())
}

fn culprit(mut caller: Caller<'_, Host>) -> wasmtime::Result<i32> {
    let culprit = caller.data_mut().objects("culprit")?.culprit();
    Ok(culprit.map_or(-1, |owner| owner.slot.into()))
}
