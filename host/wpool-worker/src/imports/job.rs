//! `wpool.job_size`, `wpool.job_read` and `wpool.result_write`: the functions by which a byte task
//! gets its job and gives its result.

use super::{Host, MODULE, bytes, room};
use std::fmt;
use wasmtime::{Caller, Linker};

/// The capacity that is kept from job to job: 1 MiB. The memory of a larger job is given back.
const KEPT_BYTES_MAX: usize = 1 << 20;

/// The job of an instance, with its result.
#[derive(Default)]
pub(crate) struct Job {
    /// The bytes of the job.
    pub(crate) input: Vec<u8>,
    /// The bytes that the task has written.
    pub(crate) output: Vec<u8>,
    /// The greatest size of the output in bytes.
    pub(crate) output_bytes_max: u64,
}

impl Job {
    /// Forgets the last job.
    pub(crate) fn begin(&mut self) {
        for bytes in [&mut self.input, &mut self.output] {
            bytes.clear();
            bytes.shrink_to(KEPT_BYTES_MAX);
        }
    }
}

/// The error of a result that grew above its limit, which ends the job.
#[derive(Debug)]
pub(crate) struct OutputTooLarge;

impl fmt::Display for OutputTooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("output too large")
    }
}

impl std::error::Error for OutputTooLarge {}

/// Adds the functions to a linker.
pub(super) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "job_size", job_size)?;
    linker.func_wrap(MODULE, "job_read", job_read)?;
    linker.func_wrap(MODULE, "result_write", result_write)?;
    Ok(())
}

/// Returns the size of the job in bytes: `job_size() -> i32`.
///
/// Arguments: none. Answers: the size, unsigned; 0 outside of a job. Traps: never. Blocks: never.
fn job_size(caller: Caller<'_, Host>) -> u32 {
    u32::try_from(caller.data().job.input.len()).expect("a job is below 4 GiB")
}

/// Copies a piece of the job into the memory: `job_read(dst: i32, offset: i32, len: i32) -> i32`.
///
/// Arguments: `dst`, the place to copy to; `offset`, the first byte in the job; `len`, the greatest
/// number of bytes. Answers: the number of copied bytes, fewer than `len` at the job's end.
/// Traps: `len` bytes at `dst` are not inside the memory, or may only be read. Blocks: never.
fn job_read(
    mut caller: Caller<'_, Host>,
    dst: u32,
    offset: u32,
    len: u32,
) -> wasmtime::Result<u32> {
    let (mut dst, host) = room(&mut caller, "job_read", dst, len.into())?;
    let rest = host.job.input.get(offset as usize..).unwrap_or_default();
    Ok(u32::try_from(dst.put(rest)).expect("at most `len`"))
}

/// Appends bytes to the result: `result_write(src: i32, len: i32)`.
///
/// Arguments: `src` and `len`, the bytes. Answers: nothing.
/// Traps: `len` bytes at `src` are not inside the memory. A result above its limit ends the
/// job. Blocks: never.
fn result_write(mut caller: Caller<'_, Host>, src: u32, len: u32) -> wasmtime::Result<()> {
    let (src, host) = bytes(&mut caller, "result_write", src, len.into())?;
    if (host.job.output.len() + src.len()) as u64 > host.job.output_bytes_max {
        return Err(OutputTooLarge.into());
    }
    host.job.output.extend_from_slice(&src);
    Ok(())
}
