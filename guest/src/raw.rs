//! The imports from the module `wpool`, as they are. `c/wpool.h` says what each of them does.
//!
//! Outside WebAssembly the same functions exist with nobody behind them, so a task's source
//! compiles and is tested natively: no object is found there and none can be created. Only with the
//! feature `native` there are jobs and results: see `native.rs`.

#![expect(unsafe_code, reason = "imported functions, and pointers to what they read and write")]

/// Declares imports, and what they answer natively.
macro_rules! imports {
    (natively $native:expr;
     $($safety:tt fn $name:ident($($arg:ident: $ty:ty),*) $(-> $answer:ty)?;)+) => {
        #[cfg(target_family = "wasm")]
        #[link(wasm_import_module = "wpool")]
        unsafe extern "C" {
            $(pub(crate) $safety fn $name($($arg: $ty),*) $(-> $answer)?;)+
        }

        $(imports!(@$safety $name($($ty),*) ($($answer)?) $native);)+
    };
    (@safe $name:ident($($ty:ty),*) ($($answer:ty)?) $native:expr) => {
        #[cfg(not(target_family = "wasm"))]
        pub(crate) extern "C" fn $name($(_: $ty),*) $(-> $answer)? {
            $native
        }
    };
    (@unsafe $name:ident($($ty:ty),*) ($($answer:ty)?) $native:expr) => {
        /// Touches no pointer; `unsafe` because the import is.
        #[cfg(not(target_family = "wasm"))]
        pub(crate) unsafe extern "C" fn $name($(_: $ty),*) $(-> $answer)? {
            $native
        }
    };
}

/// Declares imports that begin with a name, as functions that take it as a `&str`.
macro_rules! imports_with_name {
    (natively $native:expr; $(fn $name:ident($($arg:ident: $ty:ty),*);)+) => {$(
        #[cfg(target_family = "wasm")]
        pub(crate) fn $name(name: &str, $($arg: $ty),*) -> i32 {
            #[link(wasm_import_module = "wpool")]
            unsafe extern "C" {
                fn $name(name: *const u8, name_len: usize, $($arg: $ty),*) -> i32;
            }
            // SAFETY: the host reads `name_len` bytes from the pointer on, which are the name's.
            unsafe { $name(name.as_ptr(), name.len(), $($arg),*) }
        }

        #[cfg(not(target_family = "wasm"))]
        pub(crate) fn $name(_: &str, $(_: $ty),*) -> i32 {
            $native
        }
    )+};
}

/// Natively nobody has a handle to call with.
#[cfg(not(target_family = "wasm"))]
fn nobody() -> ! {
    unreachable!("natively there are no shared objects")
}

#[cfg(all(feature = "native", not(target_family = "wasm")))]
pub(crate) use crate::native::{job_read, job_size, result_write};

#[cfg(any(not(feature = "native"), target_family = "wasm"))]
imports! {
    natively 0;
    safe fn job_size() -> usize;
    unsafe fn job_read(dst: *mut u8, offset: usize, len: usize) -> usize;
}

#[cfg(any(not(feature = "native"), target_family = "wasm"))]
imports! {
    natively ();
    unsafe fn result_write(src: *const u8, len: usize);
}

imports! {
    natively 0;
    safe fn process_slot() -> i32;
}

imports! {
    natively std::process::id();
    safe fn process_id() -> u32;
}

imports_with_name! {
    natively crate::error::NOT_FOUND;
    fn lock_open();
    fn semaphore_open();
    fn condition_open();
    fn event_open();
    fn barrier_open();
    fn queue_open();
    fn value_open();
    fn array_open();
    fn region_open();
}

imports_with_name! {
    natively crate::error::NO_SPACE;
    fn lock_create(recursive: i32);
    fn semaphore_create(initial: u32, flags: i32);
    fn condition_create(lock: i32);
    fn event_create();
    fn barrier_create(parties: u32);
    fn queue_create(messages: u32, bytes: u64, joinable: i32);
    fn value_create(kind: i32, initial: i64);
    fn array_create(kind: i32, length: usize);
    fn region_create(bytes: u64);
}

imports! {
    natively nobody();

    safe fn object_close(handle: i32) -> i32;
    safe fn object_delete(handle: i32) -> i32;
    safe fn culprit() -> i32;

    safe fn lock_acquire(handle: i32, timeout_ns: i64) -> i32;
    safe fn lock_release(handle: i32) -> i32;
    safe fn lock_mark_consistent(handle: i32) -> i32;

    safe fn semaphore_acquire(handle: i32, timeout_ns: i64) -> i32;
    safe fn semaphore_release(handle: i32) -> i32;
    safe fn semaphore_count(handle: i32) -> i32;

    safe fn condition_acquire(handle: i32, timeout_ns: i64) -> i32;
    safe fn condition_release(handle: i32) -> i32;
    safe fn condition_mark_consistent(handle: i32) -> i32;
    safe fn condition_wait(handle: i32, timeout_ns: i64) -> i32;
    safe fn condition_notify(handle: i32, count: i32) -> i32;
    safe fn condition_notify_all(handle: i32) -> i32;

    safe fn event_set(handle: i32) -> i32;
    safe fn event_clear(handle: i32) -> i32;
    safe fn event_is_set(handle: i32) -> i32;
    safe fn event_wait(handle: i32, timeout_ns: i64) -> i32;

    safe fn barrier_wait(handle: i32, timeout_ns: i64) -> i32;
    safe fn barrier_abort(handle: i32) -> i32;
    safe fn barrier_reset(handle: i32) -> i32;
    safe fn barrier_parties(handle: i32) -> i32;
    safe fn barrier_waiting(handle: i32) -> i32;
    safe fn barrier_is_broken(handle: i32) -> i32;

    unsafe fn queue_put(handle: i32, src: *const u8, len: usize, timeout_ns: i64) -> i32;
    unsafe fn queue_get(handle: i32, dst: *mut u8, capacity: usize, timeout_ns: i64) -> i64;
    unsafe fn queue_read(handle: i32, dst: *mut u8, offset: usize, len: usize) -> i32;
    safe fn queue_acknowledge(handle: i32) -> i32;
    safe fn queue_task_done(handle: i32) -> i32;
    safe fn queue_join(handle: i32, timeout_ns: i64) -> i32;
    safe fn queue_close(handle: i32) -> i32;
    safe fn queue_is_closed(handle: i32) -> i32;
    safe fn queue_len(handle: i32) -> i32;

    safe fn value_type(handle: i32) -> i32;
    safe fn value_get(handle: i32) -> i64;
    safe fn value_set(handle: i32, bits: i64);
    safe fn value_swap(handle: i32, bits: i64) -> i64;
    safe fn value_add(handle: i32, bits: i64) -> i64;
    safe fn value_compare_exchange(handle: i32, expected: i64, new: i64) -> i64;

    safe fn array_type(handle: i32) -> i32;
    safe fn array_len(handle: i32) -> usize;
    safe fn array_get(handle: i32, index: usize) -> i64;
    safe fn array_set(handle: i32, index: usize, bits: i64);
    safe fn array_swap(handle: i32, index: usize, bits: i64) -> i64;
    safe fn array_add(handle: i32, index: usize, bits: i64) -> i64;
    safe fn array_compare_exchange(handle: i32, index: usize, expected: i64, new: i64) -> i64;
    unsafe fn array_read(handle: i32, first: usize, dst: *mut u8, count: usize);
    unsafe fn array_write(handle: i32, first: usize, src: *const u8, count: usize);

    safe fn region_size(handle: i32) -> i64;
    safe fn region_is_read_only(handle: i32) -> i32;
    safe fn region_map(handle: i32) -> i64;
    safe fn region_unmap(handle: i32) -> i32;
    unsafe fn region_read(handle: i32, offset: u64, dst: *mut u8, len: usize) -> i32;
    unsafe fn region_write(handle: i32, offset: u64, src: *const u8, len: usize) -> i32;
}
