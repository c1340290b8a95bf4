//! The compiler: a short-lived child of the zygote that turns untrusted bytes into machine code.
//!
//! It is bounded in memory and time, and whatever happens to it is an error message, not the end of
//! anything else.

use super::fork::{self, ChildProcess};
use crate::module::compile;
use crate::wire::control::{ExitStatus, ToZygote, cut_text};
use crate::worker::jail;
use nix::sys::resource::{Resource, setrlimit};
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

/// Exit code of a compiler that has written why the module is not valid.
const INVALID: i32 = 1;

/// Exit code of a compiler that could not even write that.
const CRASHED: i32 = 101;

/// Compiles the module in `files[0]` into `files[1]`, its description into `files[2]`. `watch` is
/// the control socket: when it closes, the dispatcher is gone and so is the reason to go on.
///
/// # Errors
/// Why there is no machine code, in words for the user.
pub(super) fn run(
    request: &ToZygote,
    files: Vec<OwnedFd>,
    watch: BorrowedFd<'_>,
) -> Result<(), String> {
    let &ToZygote::Compile { fuel, bytes_max, timeout_ms } = request else {
        return Err("not a request to compile".into());
    };
    let Ok([module, code, description]) = <[OwnedFd; 3]>::try_from(files) else {
        return Err("a request to compile has three descriptors".into());
    };
    let [module, code, mut description] = [module, code, description].map(File::from);
    let child = fork::spawn(|| child(module, code, &mut description, fuel, bytes_max))
        .map_err(|error| format!("cannot fork the compiler: {error}"))?;
    let timeout = Duration::from_millis(timeout_ms);
    match wait(&child, watch, timeout) {
        Some(ExitStatus::Code(0)) => Ok(()),
        Some(ExitStatus::Code(INVALID)) => Err(read_message(description)),
        Some(status) => Err(crashed(status, bytes_max)),
        None => Err(format!("compiling it took longer than {} s", timeout.as_secs_f64())),
    }
}

/// The life of the compiler process.
fn child(
    mut module: File,
    mut code: File,
    description: &mut File,
    fuel: bool,
    bytes_max: u64,
) -> i32 {
    let compiled = (|| {
        jail::name(c"wpool-compiler").map_err(|error| error.to_string())?;
        // Not RLIMIT_AS: rayon's and malloc's arenas reserve much more than they use.
        setrlimit(Resource::RLIMIT_DATA, bytes_max, bytes_max).map_err(|e| e.to_string())?;
        let mut bytes = Vec::new();
        module.read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        let (machine_code, described) =
            compile::compile(&bytes, fuel).map_err(|error| error.to_string())?;
        code.write_all(&machine_code).map_err(|error| error.to_string())?;
        serde_json::to_writer(&mut *description, &described).map_err(|error| error.to_string())
    })();
    match compiled {
        Ok(()) => 0,
        Err(message) => match description.write_all(cut_text(message).as_bytes()) {
            Ok(()) => INVALID,
            Err(_) => CRASHED,
        },
    }
}

/// Waits for the compiler to end; `None` if it was killed for being too slow.
fn wait(child: &ChildProcess, watch: BorrowedFd<'_>, timeout: Duration) -> Option<ExitStatus> {
    let deadline = Instant::now() + timeout;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match super::server::poll_readable(&[child.pidfd.as_fd(), watch], Some(left)) {
            Ok(ready) if ready[0] => return super::server::reap(child.pid).ok(),
            Ok(ready) if !ready[1] && !left.is_zero() => {}
            // Too slow, or the dispatcher is gone or talks out of turn.
            _ => {
                let _ = nix::sys::signal::kill(child.pid, nix::sys::signal::Signal::SIGKILL);
                let _ = super::server::reap(child.pid);
                return None;
            }
        }
    }
}

fn read_message(mut file: File) -> String {
    let mut message = String::new();
    let read: io::Result<usize> = file.rewind().and_then(|()| file.read_to_string(&mut message));
    match read {
        Ok(_) => message,
        Err(error) => format!("the compiler's message cannot be read: {error}"),
    }
}

fn crashed(status: ExitStatus, bytes_max: u64) -> String {
    let limit = bytes_max >> 20;
    match status {
        // What Rust's allocator does when it is refused memory.
        ExitStatus::Signal(6) => format!("compiling it needed more than {limit} MiB of memory"),
        ExitStatus::Signal(signal) => format!("the compiler was killed by signal {signal}"),
        ExitStatus::Code(code) => format!("the compiler crashed (exit code {code})"),
    }
}
