//! The initialisation that makes a module of tasks a *reactor*: a module that is initialised once
//! and then called many times.
//!
//! A linker that finds no `_initialize` takes every export for a program of its own, and runs the C
//! library's constructors and destructors around each call. (A command that uses this crate exports
//! `_initialize` too; wpool then calls only `_start`.)

#![cfg(target_family = "wasm")]
#![expect(unsafe_code, reason = "an export and the linker's own function")]

unsafe extern "C" {
    /// Runs the C library's constructors. The linker writes the function.
    fn __wasm_call_ctors();
}

/// Initialises the module. wpool calls the function once in every new instance, before any task.
#[unsafe(no_mangle)]
extern "C" fn _initialize() {
    // SAFETY: the function takes nothing and may run once, as the host promises.
    unsafe { __wasm_call_ctors() }
}
