//! Functions of other hosts that modules expect, and that cost nothing to provide: AssemblyScript's
//! `env.abort`, Emscripten's notice that the memory has grown, and Sightglass's `bench.start` and
//! `bench.end`.

use super::{Host, bytes};
use wasmtime::{Caller, ExternType, Linker, Module, Val};

/// The greatest number of UTF-16 code units of a string in a message.
const STRING_UNITS_MAX: u32 = 4096;

/// The function that Emscripten's standalone modules call when their memory has grown.
const GROWN: &str = "emscripten_notify_memory_growth";

/// Returns whether a function is one of these, judged by its name.
pub(crate) fn offers(module: &str, name: &str) -> bool {
    let names = [("env", "abort"), ("env", GROWN), ("bench", "start"), ("bench", "end")];
    names.contains(&(module, name))
}

/// Adds the functions that a module imports to a linker.
///
/// # Errors
/// Returns an error if one of them is there already.
pub(crate) fn link(linker: &mut Linker<Host>, module: &Module) -> wasmtime::Result<()> {
    for name in ["start", "end"] {
        // A benchmark measures the code between the two calls; here the job is measured.
        linker.func_wrap("bench", name, || {})?;
    }
    linker.func_wrap("env", GROWN, |_memory: u32| {})?;
    let abort =
        module.imports().find(|import| (import.module(), import.name()) == ("env", "abort"));
    // The function has another type in other languages.
    if let Some(ExternType::Func(ty)) = abort.map(|import| import.ty()) {
        linker
            .func_new("env", "abort", ty, |caller, arguments, _| abort_with(caller, arguments))?;
    }
    Ok(())
}

/// Ends the job with a message: `abort(message: i32, file: i32, line: i32, column: i32)`. Strings
/// are in AssemblyScript's encoding.
fn abort_with(mut caller: Caller<'_, Host>, arguments: &[Val]) -> wasmtime::Result<()> {
    let [Val::I32(message), Val::I32(file), Val::I32(line), Val::I32(column)] = *arguments else {
        wasmtime::bail!("abort");
    };
    let message = string(&mut caller, message as u32).unwrap_or_default();
    match string(&mut caller, file as u32) {
        Some(file) => wasmtime::bail!("abort: {message} in {file}:{line}:{column}"),
        None => wasmtime::bail!("abort: {message}"),
    }
}

/// Returns the string at a pointer: UTF-16, with its size in bytes before it. Returns `None` if
/// there is none.
fn string(caller: &mut Caller<'_, Host>, pointer: u32) -> Option<String> {
    let (size, _) = bytes(caller, "abort", pointer.checked_sub(4)?, 4).ok()?;
    let size = u32::from_le_bytes(size.as_ref().try_into().ok()?);
    let most = size.min(2 * STRING_UNITS_MAX);
    let (text, _) = bytes(caller, "abort", pointer, most.into()).ok()?;
    let units = text.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
    Some(String::from_utf16_lossy(&units.collect::<Vec<_>>()))
}
