//! Loading compiled code: the one place where bytes become code that the processor runs.

#![expect(unsafe_code, reason = "compiled code is trusted by wasmtime without a check")]

use std::fs::File;
use wasmtime::{Engine, Module};

/// Maps compiled code into this process.
///
/// Whoever can write the file decides what this process executes, so this is called by zygotes
/// only, behind the jail. The file is either the memfd that this Pool's own compiler process wrote,
/// or an entry of the [cache](super::cache), which lives in a directory that nobody else can write.
///
/// # Errors
/// The file is torn, or was made by another wasmtime or with other settings.
pub(crate) fn load(engine: &Engine, cwasm: File) -> wasmtime::Result<Module> {
    // SAFETY: the file was written by `compile` (see above) and is not changed while it is mapped:
    // cache entries are only ever replaced by renaming, and the memfd has no other writer.
    unsafe { Module::deserialize_open_file(engine, cwasm) }
}
