//! Loading compiled code: the one place where bytes become code that the processor runs.

#![expect(unsafe_code, reason = "compiled code is trusted by wasmtime without a check")]

use std::fs::File;
use std::os::fd::AsRawFd;
use wasmtime::component::Component;
use wasmtime::{Engine, Module};

/// Maps the compiled code of a core module into this process.
///
/// A process that can write the file decides what this process executes, so this function is called
/// by zygotes only, behind the jail. The file is either the memfd that this Pool's own compiler
/// process wrote, or an entry of the [cache](super::cache), which lives in a directory that only
/// the user can write to.
///
/// # Errors
/// Returns an error if the file is torn, or was made by another wasmtime or with other settings.
pub fn load(engine: &Engine, cwasm: File) -> wasmtime::Result<Module> {
    // SAFETY: the file was written by `compile` (see above) and is not changed while it is mapped:
    // cache entries are only ever replaced by renaming, and the memfd has no other writer.
    unsafe { Module::deserialize_open_file(engine, cwasm) }
}

/// Maps the compiled code of a component into this process. The conditions of [`load`] apply.
///
/// # Errors
/// Returns the same errors as [`load`], or an error if /proc is not mounted.
pub fn load_component(engine: &Engine, cwasm: &File) -> wasmtime::Result<Component> {
    // Wasmtime opens components only by their path.
    let path = format!("/proc/self/fd/{}", cwasm.as_raw_fd());
    // SAFETY: as in `load`.
    unsafe { Component::deserialize_file(engine, path) }
}
