//! What the host offers: the only imports from the module `wpool`.
//!
//! Outside WebAssembly the same functions exist with nobody behind them, so a task's source
//! compiles and is tested natively.

#![expect(unsafe_code, reason = "imported functions take raw pointers")]

/// The bytes of the job that is running, as wpool sent them. Natively there are none.
///
/// A [`macro@crate::task`] gets its parameters from here; call it only to read a job that is
/// not JSON.
pub fn job() -> Vec<u8> {
    let size = raw::job_size();
    let mut bytes = vec![0; size as usize];
    // SAFETY: the host writes at most `size` bytes from the pointer on, and `bytes` has that many.
    let copied = unsafe { raw::job_read(bytes.as_mut_ptr(), 0, size) };
    bytes.truncate(copied as usize);
    bytes
}

/// Appends raw bytes to the result of the job that is running. Natively they are dropped.
///
/// The result of a [`macro@crate::task`] is written after the function has returned; call it only
/// to answer with something that is not JSON.
pub fn result_write(bytes: &[u8]) {
    // No slice is longer: a linear memory ends at 4 GiB.
    let len = bytes.len() as u32;
    // SAFETY: the host reads `len` bytes from the pointer on, which are those of `bytes`.
    unsafe { raw::result_write(bytes.as_ptr(), len) }
}

/// The id of the process that runs this job: its worker's, as Python's `os.getpid()`.
///
/// ```
/// println!("Process {} at work", wpool_guest::process_id());
/// ```
pub fn process_id() -> u32 {
    raw::process_id()
}

#[cfg(target_family = "wasm")]
mod raw {
    #[link(wasm_import_module = "wpool")]
    unsafe extern "C" {
        pub(super) safe fn job_size() -> u32;
        pub(super) fn job_read(dst: *mut u8, offset: u32, len: u32) -> u32;
        pub(super) fn result_write(src: *const u8, len: u32);
        pub(super) safe fn process_id() -> u32;
    }
}

#[cfg(not(target_family = "wasm"))]
mod raw {
    pub(super) fn job_size() -> u32 {
        0
    }

    /// Copies nothing; `unsafe` because the import is.
    pub(super) unsafe fn job_read(_dst: *mut u8, _offset: u32, _len: u32) -> u32 {
        0
    }

    /// Reads nothing; `unsafe` because the import is.
    pub(super) unsafe fn result_write(_src: *const u8, _len: u32) {}

    pub(super) fn process_id() -> u32 {
        std::process::id()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn natively_there_is_a_process_but_no_job() {
        assert_eq!(process_id(), std::process::id());
        assert!(job().is_empty());
        result_write(b"dropped");
    }
}
