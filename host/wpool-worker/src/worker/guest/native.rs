//! Jobs of a shared library's tasks.

use super::{Failure, Guest, outcome, text};
use crate::worker::native::NativeTask;

impl Guest<'_> {
    /// Runs a job without a sandbox.
    #[inline]
    pub(super) fn run_native(
        &mut self,
        task: &NativeTask,
        job: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let settings = &self.program.settings;
        match task {
            NativeTask::Numbers { signature, function } => {
                signature.read(job, &mut self.numbers)?;
                function.call(signature, &mut self.numbers);
                signature.write(&self.numbers, out);
                Ok(())
            }
            NativeTask::Bytes { takes, function } => {
                let input = text::job(settings.task.input, *takes, job)?;
                let limit = settings.limits.output_bytes_max;
                let answer = function.call(limit, |bytes| input.put(bytes));
                match answer.code {
                    _ if answer.too_large => Err(outcome::output_too_large(limit)),
                    0 => text::result(settings.task.output, &answer.bytes, out),
                    _ => Err(outcome::guest_error(&answer.bytes)),
                }
            }
        }
    }
}
