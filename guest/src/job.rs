//! The job that is running, as the bytes that wpool sent.

#![expect(unsafe_code, reason = "the host writes the job into memory that is not initialised")]

use crate::raw;

/// The bytes of the job that is running, as wpool sent them. Natively there are none.
///
/// A [`macro@crate::task`] gets its parameters from here; call it only to read a job that is
/// not JSON.
pub fn job() -> Vec<u8> {
    // Both numbers are unsigned.
    let size = raw::job_size() as u32 as usize;
    let mut bytes = Vec::with_capacity(size);
    let copied = raw::job_read(&mut bytes.spare_capacity_mut()[..size], 0) as u32 as usize;
    // SAFETY: the host has written so many bytes, which are no more than there is room for.
    unsafe { bytes.set_len(copied) };
    bytes
}

/// Appends raw bytes to the result of the job that is running. Natively they are dropped.
///
/// The result of a [`macro@crate::task`] is written after the function has returned; call it only
/// to answer with something that is not JSON.
pub fn result_write(bytes: &[u8]) {
    raw::result_write(bytes);
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
