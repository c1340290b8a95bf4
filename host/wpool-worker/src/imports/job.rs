//! `wpool.job_size`, `wpool.job_read` and `wpool.result_write`: how a byte task gets its job and
//! gives its result.

use super::{Host, MODULE, bytes, room};
use std::fmt;
use wasmtime::{Caller, Linker};

/// Capacity that is kept from job to job: 1 MiB. Beyond it, a large job's memory is given back.
const KEPT_BYTES_MAX: usize = 1 << 20;

/// The job of an instance, and its result.
#[derive(Default)]
pub(crate) struct Job {
    /// The job's bytes.
    pub(crate) input: Vec<u8>,
    /// What the task has written.
    pub(crate) output: Vec<u8>,
    /// Most bytes of output.
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

/// The result grew above `--max-output`: ends the job.
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

/// `job_size() -> i32`: how many bytes the job has.
///
/// Arguments: none. Answers: the size, unsigned; 0 outside of a job. Traps: never. Blocks: never.
fn job_size(caller: Caller<'_, Host>) -> u32 {
    u32::try_from(caller.data().job.input.len()).expect("a job is below 4 GiB")
}

/// `job_read(dst: i32, offset: i32, len: i32) -> i32`: copies a piece of the job into the memory.
///
/// Arguments: `dst`, where it goes; `offset`, where in the job it begins; `len`, most bytes of it.
/// Answers: how many bytes were copied, fewer than `len` at the job's end.
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

/// `result_write(src: i32, len: i32)`: appends to the result.
///
/// Arguments: `src` and `len`, where the bytes are. Answers: nothing.
/// Traps: `len` bytes at `src` are not inside the memory. A result above `--max-output` ends the
/// job. Blocks: never.
fn result_write(mut caller: Caller<'_, Host>, src: u32, len: u32) -> wasmtime::Result<()> {
    let (src, host) = bytes(&mut caller, "result_write", src, len.into())?;
    if (host.job.output.len() + src.len()) as u64 > host.job.output_bytes_max {
        return Err(OutputTooLarge.into());
    }
    host.job.output.extend_from_slice(&src);
    Ok(())
}
