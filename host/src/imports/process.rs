//! `wpool.process_id`: who runs the guest.

use super::{Host, MODULE};
use wasmtime::Linker;

/// Adds the function to a linker.
pub(super) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "process_id", process_id)?;
    Ok(())
}

/// `process_id() -> i32`: the id of the worker's process, as Python's `os.getpid()`.
///
/// Arguments: none. Answers: the id, above 0. Traps: never. Blocks: never.
fn process_id() -> i32 {
    std::process::id() as i32
}
