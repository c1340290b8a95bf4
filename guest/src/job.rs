//! The job that is running, as the bytes that wpool sent.

#![expect(unsafe_code, reason = "imported functions take raw pointers")]

use crate::raw;

/// The bytes of the job that is running, as wpool sent them. Natively there are none.
///
/// A [`macro@crate::task`] gets its parameters from here; call it only to read a job that is
/// not JSON.
pub fn job() -> Vec<u8> {
    let size = raw::job_size();
    let mut bytes = vec![0; size];
    // SAFETY: the host writes at most `size` bytes from the pointer on, and `bytes` has that many.
    let copied = unsafe { raw::job_read(bytes.as_mut_ptr(), 0, size) };
    bytes.truncate(copied);
    bytes
}

/// Appends raw bytes to the result of the job that is running. Natively they are dropped.
///
/// The result of a [`macro@crate::task`] is written after the function has returned; call it only
/// to answer with something that is not JSON.
pub fn result_write(bytes: &[u8]) {
    // SAFETY: the host reads so many bytes from the pointer on, which are those of `bytes`.
    unsafe { raw::result_write(bytes.as_ptr(), bytes.len()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn natively_there_is_no_job() {
        assert!(job().is_empty());
        result_write(b"dropped");
    }
}
