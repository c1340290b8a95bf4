//! The compiler: a short-lived child of the zygote that turns untrusted bytes into machine code.
//!
//! The compiler is bounded in memory and time. Whatever happens to it is an error message, not the
//! end of anything else.

use super::Uncompiled;
use super::fork::{self, ChildProcess, Plan};
use super::role::{Held, Role};
use crate::jail::limits::Memory;
use crate::jail::{Cell, Needs};
use crate::module::description::{DESCRIPTION_BYTES_MAX, Description};
use crate::module::{ModuleError, compile};
use crate::wire::control::{ExitStatus, ToZygote};
use crate::wire::jail::Jail;
use crate::wire::packet::{Attachment, Attachments};
use crate::worker::threads::Threads;
use crate::worker::{fault, link};
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

/// The greatest size of a compiler's error, which the compiler has cut, in bytes.
const ERROR_BYTES_MAX: u64 = 60 << 10;

/// The exit code of a compiler that has written why the module is not valid.
const INVALID: i32 = 1;

/// The exit code of a compiler that got no more memory, and could still report that.
const OUT_OF_MEMORY: i32 = 2;

/// The exit code of a compiler that could not even report that.
const CRASHED: i32 = 101;

/// Describes a module, and compiles it if there is a place for the code: see [`ToZygote::Compile`].
/// `watch` is the control socket: when it closes, the dispatcher is gone and the work has no
/// purpose any more.
///
/// # Errors
/// Returns the reason why there is no machine code, in words for the user.
pub(super) fn run(
    request: &ToZygote,
    mut files: Attachments,
    threads: &Threads,
    held: &Held,
    watch: BorrowedFd<'_>,
) -> Result<(), Uncompiled> {
    let lost = |what: String| Uncompiled::Refused(ModuleError::Compiler(what));
    let &ToZygote::Compile { bytes_max, timeout_ms, jail, .. } = request else {
        return Err(lost("not a request to compile".into()));
    };
    let mut take = |name| files.take(name).map_err(|error| lost(error.to_string()));
    let module = File::from(take(Attachment::Module)?);
    let mut description = File::from(take(Attachment::Description)?);
    let code = files.find(Attachment::Code).map(File::from);
    let begun = files.find(Attachment::Begun).map(File::from);
    let told_in = description.as_raw_fd();
    let plan = Plan {
        threads,
        held,
        // The bound is not on addresses: rayon's and malloc's arenas reserve much more than they
        // use.
        memory: Memory::Total(bytes_max),
        prepare: || {
            fault::tell_refused_in(told_in);
            Ok(((), cell(jail).map_err(|_| CRASHED)?))
        },
        serve: |()| child(request, module, code.map(|code| (code, begun)), &mut description),
    };
    let child = fork::spawn(Role::Compiler, plan)
        .map_err(|error| lost(format!("cannot fork the compiler: {error}")))?;
    let timeout = Duration::from_millis(timeout_ms);
    match wait(&child, watch, timeout) {
        Some(ExitStatus::Code(0)) => Ok(()),
        Some(ExitStatus::Code(INVALID)) => Err(Uncompiled::Refused(read_error(description))),
        // A signal ends the process when Rust's allocator is refused memory.
        Some(ExitStatus::Code(OUT_OF_MEMORY) | ExitStatus::Signal(6)) => Err(Uncompiled::Memory),
        Some(status) => Err(lost(crashed(status))),
        None => Err(Uncompiled::Time),
    }
}

/// Returns the jail of a compiler: threads, and code that nobody runs.
fn cell(jail: Jail) -> io::Result<Cell> {
    Cell::new(jail, Needs { threads: true, code: true, ..Needs::default() }, Vec::new())
}

/// Runs the compiler process. Returns its exit code.
fn child(
    request: &ToZygote,
    mut module: File,
    code: Option<(File, Option<File>)>,
    description: &mut File,
) -> i32 {
    let compiled = (|| -> Result<(), ModuleError> {
        let mut bytes = Vec::new();
        module.read_to_end(&mut bytes)?;
        let described = work(request, &bytes, code)?;
        let described = serde_json::to_vec(&described).map_err(io::Error::from)?;
        match described.len() > DESCRIPTION_BYTES_MAX {
            true => Err(ModuleError::Described),
            false => Ok((&*description).write_all(&described)?),
        }
    })();
    match compiled {
        Ok(()) => 0,
        Err(ModuleError::Memory) => OUT_OF_MEMORY,
        Err(error) => match serde_json::to_writer(description, &error.cut()) {
            Ok(()) => INVALID,
            Err(_) => CRASHED,
        },
    }
}

/// Describes a module, and compiles it if there is a file for the machine code; the other file is
/// a pipe, which is written when compiling begins.
fn work(
    request: &ToZygote,
    bytes: &[u8],
    code: Option<(File, Option<File>)>,
) -> Result<Description, ModuleError> {
    let &ToZygote::Compile { fuel, inline, stub_imports, .. } = request else {
        unreachable!("the request was looked at before the fork");
    };
    let look = |described: &mut Description| -> Result<(), ModuleError> {
        described.missing =
            link::missing(described).map_err(|error| ModuleError::Compile(error.to_string()))?;
        Ok(())
    };
    let Some((mut code, begun)) = code else {
        let mut described = compile::describe(bytes)?;
        look(&mut described)?;
        return Ok(described);
    };
    let checked = compile::check(bytes, fuel, inline, |described| {
        look(described)?;
        // Machine code that cannot be used is not worth waiting for.
        if stub_imports { Ok(()) } else { described.check_imports() }
    })?;
    if let Some(mut begun) = begun {
        // If the other end is closed, the dispatcher no longer waits for it.
        let _ = begun.write_all(b"!");
    }
    let (machine_code, described) = checked.compile()?;
    code.write_all(&machine_code)?;
    Ok(described)
}

/// Waits for the compiler to end. Returns `None` if it was killed for being too slow.
fn wait(child: &ChildProcess, watch: BorrowedFd<'_>, timeout: Duration) -> Option<ExitStatus> {
    let deadline = Instant::now().checked_add(timeout);
    loop {
        let left =
            deadline.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
        match super::server::poll_readable(&[child.pidfd.as_fd(), watch], Some(left)) {
            Ok(ready) if ready[0] => return super::server::reap(child.pid).ok(),
            Ok(ready) if !ready[1] && !left.is_zero() => {}
            // The compiler is too slow, or the dispatcher is gone or talks out of turn.
            _ => {
                let _ = nix::sys::signal::kill(child.pid, nix::sys::signal::Signal::SIGKILL);
                let _ = super::server::reap(child.pid);
                return None;
            }
        }
    }
}

/// Reads the reason why a module is refused, as its compiler has written it. The file is untrusted.
fn read_error(mut file: File) -> ModuleError {
    let mut json = Vec::new();
    let read = file.rewind().and_then(|()| file.take(ERROR_BYTES_MAX).read_to_end(&mut json));
    let error = read.and_then(|_| serde_json::from_slice(&json).map_err(io::Error::from));
    error.map_or_else(
        |error| ModuleError::Compiler(format!("the compiler's message cannot be read: {error}")),
        ModuleError::cut,
    )
}

fn crashed(status: ExitStatus) -> String {
    match status {
        ExitStatus::Signal(signal) => format!("the compiler was killed by signal {signal}"),
        ExitStatus::Code(code) => format!("the compiler crashed (exit code {code})"),
    }
}
