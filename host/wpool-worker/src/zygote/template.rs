//! The template process: a child of the zygote in which a guest is initialised, and which then
//! forks the workers in the zygote's place. So each worker begins where the guest was.
//!
//! The zygote waits for the template process, and does nothing else any more: whatever the guest
//! does to the process in which it is initialised, the zygote can still report it.

use crate::jail::{Cell, Needs};
use crate::module::ModuleError;
use crate::wire::control::ExitStatus;
use crate::wire::failure::Failure;
use crate::wire::jail::Jail;
use crate::wire::jobmem::NEEDED_TOO_MUCH;
use crate::wire::line::{Line, encode};
use crate::worker::guest::Guest;
use crate::worker::log::{LogSink, Origin};
use crate::worker::program::Program;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Initialises a guest. Returns the guest or its failure, and the printed lines, encoded.
pub(super) fn initialise(program: &'static Program) -> (Result<Guest<'static>, Failure>, Vec<u8>) {
    let printed = Arc::new(Printed::default());
    let guest = Guest::initialised(program, printed.clone());
    let lines = std::mem::take(&mut *printed.lock());
    (guest, encode(&lines))
}

/// Returns the jail of a template process. Its children make scratch folders, and enter jails of their own.
///
/// # Errors
/// Returns the error of `open`.
pub(super) fn cell(program: &Program, jail: Jail) -> io::Result<Cell> {
    let needs =
        Needs { events: true, threads: true, children: true, template: true, ..program.needs() };
    program.cell(jail, needs, &program.folders)
}

/// Returns the error of a template process that has died.
pub(super) fn lost(status: ExitStatus) -> ModuleError {
    ModuleError::Loader(match status {
        // Rust's allocator ends the process with this signal when it is refused memory.
        ExitStatus::Signal(6) => format!("out of memory: {NEEDED_TOO_MUCH}"),
        ExitStatus::Signal(signal) => {
            format!("the process in which it was initialised was killed by signal {signal}")
        }
        ExitStatus::Code(code) => {
            format!("the process in which it was initialised ended (exit code {code})")
        }
    })
}

/// The lines that a guest prints while it is initialised. The log bounds them.
#[derive(Default)]
struct Printed(Mutex<Vec<Line>>);

impl Printed {
    fn lock(&self) -> MutexGuard<'_, Vec<Line>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LogSink for Printed {
    fn line(&self, from: Origin, line: &[u8]) {
        self.lock().push(Line { stream: from.stream, bytes: line.to_vec() });
    }
}
