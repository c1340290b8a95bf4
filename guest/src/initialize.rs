//! Makes a module of tasks a *reactor*: one that is initialised once and then called many times.
//!
//! A linker that finds no `_initialize` takes every export for a program of its own, and runs the C
//! library's constructors and destructors around each call. (A command that uses this crate exports
//! `_initialize` too; there only `_start` is called.)

#![cfg(target_family = "wasm")]
#![expect(unsafe_code, reason = "an export and the linker's own function")]

unsafe extern "C" {
    /// Written by the linker; runs the C library's constructors.
    fn __wasm_call_ctors();
}

/// wpool calls this once in every new instance, before any task.
#[unsafe(no_mangle)]
extern "C" fn _initialize() {
    // SAFETY: the function takes nothing and may run once, which is what the host promises.
    unsafe { __wasm_call_ctors() }
}
