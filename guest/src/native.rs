//! Tasks in a shared library: the same source without WebAssembly.
//!
//! With the feature `native`, a crate of type `cdylib` built for Linux itself exports its tasks as
//! a module does, and a program calls them after `dlopen`. The feature serves for measurements:
//! there is no sandbox.
//!
//! - A task of numbers and `bool` alone is exported under its name, with the C ABI of its signature
//!   in WebAssembly: `i32` for all integers of up to 32 bits and `bool`, `i64`, `f32` and `f64`. A
//!   program that calls by the number of arguments rather than by type may expect up to 6 integers
//!   and 8 floats, which all travel in registers.
//! - Every other task is exported as `task_NAME() -> i32`. The task reads its job by `job_size` and
//!   `job_read`. It returns 0 after it has written its result by `result_write`, and 1 after it has
//!   written a message.
//! - [`wpool_native`] sets the functions behind these three. It is called once, before any task;
//!   without it jobs are empty and results are dropped.
//! - Tasks may be called by several threads at the same time, if the functions of the
//!   [`NativeHost`] may: each thread has a job of its own.
//! - A panic ends the process. There are no shared objects: `open` returns `NotFound`.

#![expect(unsafe_code, reason = "an exported symbol, and functions of another program")]

use std::mem::MaybeUninit;
use std::sync::OnceLock;

/// The version of [`NativeHost`] that this library knows.
pub const VERSION: u32 = 1;

/// The functions that a program offers to the tasks of a library that it loads.
#[derive(Debug)]
#[repr(C)]
pub struct NativeHost {
    /// The [`VERSION`] of the table: another version has other functions below.
    pub version: u32,
    /// Returns the size of the calling thread's job in bytes.
    pub job_size: extern "C" fn() -> usize,
    /// Copies up to `len` bytes of the calling thread's job, from an offset on, to a pointer.
    /// Returns how many bytes were copied.
    pub job_read: unsafe extern "C" fn(*mut u8, offset: usize, len: usize) -> usize,
    /// Appends bytes, given by a pointer and a length, to the calling thread's result.
    pub result_write: unsafe extern "C" fn(*const u8, usize),
}

static HOST: OnceLock<&NativeHost> = OnceLock::new();

/// Sets the host of the tasks. Only the first call counts.
///
/// # Safety
///
/// 1. `host` points to a [`NativeHost`] that is never changed or freed.
/// 2. Its functions do what their documentation says, in whichever thread they are called.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wpool_native(host: *const NativeHost) {
    // SAFETY: the caller's first duty. The version is the first field of every version.
    let version = unsafe { host.cast::<u32>().read() };
    assert_eq!(version, VERSION, "the version of the host that loads this library");
    // SAFETY: the caller's first duty; the version was checked above.
    HOST.get_or_init(|| unsafe { &*host });
}

/// Does what the import with this name does.
pub(crate) fn job_size() -> i32 {
    HOST.get().map_or(0, |host| (host.job_size)()) as i32
}

/// Does what the import with this name does.
pub(crate) fn job_read(dst: &mut [MaybeUninit<u8>], offset: usize) -> i32 {
    let (start, len) = (dst.as_mut_ptr().cast(), dst.len());
    // SAFETY: there is room for `len` bytes.
    HOST.get().map_or(0, |host| unsafe { (host.job_read)(start, offset, len) }) as i32
}

/// Does what the import with this name does.
pub(crate) fn result_write(src: &[u8]) {
    if let Some(host) = HOST.get() {
        // SAFETY: `src.len()` bytes can be read there.
        unsafe { (host.result_write)(src.as_ptr(), src.len()) }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::task;

    thread_local! {
        static JOB: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
        static RESULT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }

    static THREADS_HOST: NativeHost =
        NativeHost { version: VERSION, job_size, job_read, result_write };

    extern "C" fn job_size() -> usize {
        JOB.with_borrow(Vec::len)
    }

    unsafe extern "C" fn job_read(dst: *mut u8, offset: usize, len: usize) -> usize {
        JOB.with_borrow(|job| {
            let rest = &job[offset.min(job.len())..];
            let part = &rest[..len.min(rest.len())];
            // SAFETY: `dst` has room for `len` bytes, and `part` is no longer.
            unsafe { dst.copy_from_nonoverlapping(part.as_ptr(), part.len()) };
            part.len()
        })
    }

    unsafe extern "C" fn result_write(src: *const u8, len: usize) {
        // SAFETY: the caller has `len` bytes there.
        let bytes = unsafe { std::slice::from_raw_parts(src, len) };
        RESULT.with_borrow_mut(|result| result.extend_from_slice(bytes));
    }

    #[task]
    fn native_sum(a: i8, b: u64) -> f64 {
        f64::from(a) + b as f64
    }

    #[task]
    fn native_quotients(numbers: &[i64], divisor: i64) -> Result<Vec<i64>, String> {
        numbers.iter().map(|n| n.checked_div(divisor).ok_or("division by zero".into())).collect()
    }

    /// The exports as a program that loads a library sees them.
    mod exports {
        unsafe extern "C" {
            #[link_name = "native_sum"]
            pub(super) safe fn sum(a: i32, b: i64) -> f64;
            #[link_name = "task_native_quotients"]
            pub(super) safe fn quotients() -> i32;
        }
    }

    fn check_quotients(job: &str, code: i32, expect: &str) {
        JOB.set(job.into());
        RESULT.take();
        assert_eq!(exports::quotients(), code, "job {job}");
        assert_eq!(RESULT.take(), expect.as_bytes(), "job {job}");
    }

    #[test]
    fn tasks_of_numbers_are_exported_with_their_c_abi() {
        assert_eq!(exports::sum(-3, 5), 2.0);
    }

    #[test]
    fn other_tasks_read_and_write_through_the_host_in_every_thread() {
        // SAFETY: the table is a static, and its functions are written for threads.
        unsafe { wpool_native(&raw const THREADS_HOST) };
        std::thread::scope(|threads| {
            for _ in 0..2 {
                threads.spawn(|| {
                    check_quotients("[[6,9],3]", 0, "[2,3]");
                    check_quotients("[[6,9],0]", 1, "division by zero");
                });
            }
        });
    }
}
