//! The job that is running, as the bytes that wpool sent.

#![expect(unsafe_code, reason = "the host writes the job into memory that is not initialised")]

use crate::raw;

/// Returns the bytes of the job that is running, as wpool sent them. Natively there are none.
///
/// A [`macro@crate::task`] gets its parameters from these bytes; call the function only to read a
/// job that is not JSON.
pub fn job() -> Vec<u8> {
    // The host's numbers are unsigned.
    let size = raw::job_size() as u32 as usize;
    let mut bytes = Vec::with_capacity(size);
    let copied = raw::job_read(&mut bytes.spare_capacity_mut()[..size], 0) as u32 as usize;
    // SAFETY: the host has written `copied` bytes, and there was room for them.
    unsafe { bytes.set_len(copied) };
    bytes
}

/// Appends raw bytes to the result of the job that is running. Natively the bytes are dropped.
///
/// The result of a [`macro@crate::task`] is written after the function has returned; call the
/// function only to write a result that is not JSON.
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
