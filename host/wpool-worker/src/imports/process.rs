//! `wpool.process_*`: who runs the guest, and who ended badly.

use super::{Host, MODULE};
use wasmtime::{Caller, Linker};

/// Adds the functions to a linker.
pub(super) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "process_id", process_id)?;
    linker.func_wrap(MODULE, "process_slot", process_slot)?;
    linker.func_wrap(MODULE, "culprit", culprit)?;
    Ok(())
}

/// `process_id() -> i32`: the id of the worker's process, as Python's `os.getpid()`.
///
/// Arguments: none. Answers: the id, above 0. Traps: never. Blocks: never.
fn process_id() -> i32 {
    std::process::id() as i32
}

/// `process_slot() -> i32`: who this process is in shared state.
///
/// Arguments: none. Answers: its slot, which no other process has at the same time.
/// Traps: never. Blocks: never.
fn process_slot(mut caller: Caller<'_, Host>) -> wasmtime::Result<i32> {
    Ok(caller.data_mut().objects("process_slot")?.slot().into())
}

/// `culprit() -> i32`: whom the last answer of this instance was about that spoke of a death: one of
/// `owner-died`, `broken`, or permits that were restored.
///
/// Arguments: none. Answers: the slot of a process (see `process_slot`), or -1 if it is not known.
/// Traps: never. Blocks: never.
fn culprit(mut caller: Caller<'_, Host>) -> wasmtime::Result<i32> {
    let culprit = caller.data_mut().objects("culprit")?.culprit();
    Ok(culprit.map_or(-1, |owner| owner.slot.into()))
}
