//! Outcomes: the only translation from wasmtime's errors to failures of jobs.

use super::log::Panic;
use crate::imports::job::OutputTooLarge;
use crate::imports::limits::Refused;
use crate::module::one_line;
use crate::wire::failure::{
    FRAME_BYTES_MAX, FRAMES_MAX, Failure, FailureDetail, FailureKind, MESSAGE_BYTES_MAX, cut,
};
use crate::wire::settings::Settings;
use std::fmt::{self, Write};
use std::num::NonZeroU64;
use wasmtime::component::Val;
use wasmtime::{FrameInfo, ThrownException, Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

/// The beginning of wasmtime's error for a component's result that was larger than its store may
/// take over. The type of that error is private to wasmtime.
const LIFTED_TOO_MUCH: &str = "too much data is being copied between the host and the guest";

/// Returns the greatest number of bytes of values that are taken over from a component at once. As
/// JSON each value has at least two bytes (a digit and a comma), so a result above this bound is
/// above the limit of results as well.
pub(crate) fn lift_bytes_max(settings: &Settings) -> usize {
    let values = usize::try_from(settings.limits.output_bytes_max / 2).unwrap_or(usize::MAX);
    values.saturating_mul(size_of::<Val>())
}

/// The facts about a job that ended early, beside the error.
#[derive(Default)]
pub(crate) struct Circumstances {
    /// The memory that the instance wanted in vain.
    pub(crate) refused: Option<Refused>,
    /// The message of its last panic.
    pub(crate) panic: Option<Panic>,
    /// The description of memory that the guest wrote to but may not write, if that ended it.
    pub(crate) guarded: Option<String>,
}

/// Returns the failure of a job whose call ended with this error, or `None` if it exited with code
/// 0.
pub(crate) fn failure(
    error: &wasmtime::Error,
    settings: &Settings,
    circumstances: Circumstances,
) -> Option<Failure> {
    if let Some(I32Exit(code)) = error.downcast_ref() {
        return exit(*code);
    }
    if error.is::<OutputTooLarge>() || error.to_string().starts_with(LIFTED_TOO_MUCH) {
        return Some(output_too_large(settings.limits.output_bytes_max));
    }
    let trap = error.downcast_ref::<Trap>().copied();
    let mut failure = match (trap, circumstances) {
        (Some(Trap::OutOfFuel), _) => {
            let fuel = settings.limits.fuel.unwrap_or_default();
            Failure::new(FailureKind::Fuel, format!("more than {fuel} instructions"))
        }
        (Some(_), Circumstances { guarded: Some(what), .. }) => {
            Failure::new(FailureKind::Trap, format!("write to {what}"))
        }
        // A runtime that gets no memory aborts: the trap is the consequence of that.
        (_, Circumstances { refused: Some(refused), .. }) => out_of_memory(settings, refused),
        (Some(Trap::UnreachableCodeReached), Circumstances { panic: Some(panic), .. }) => {
            let failure = Failure::new(FailureKind::Trap, bounded(panic.message));
            if panic.exception {
                return Some(failure);
            }
            failure
        }
        (Some(trap), _) => Failure {
            detail: (trap == Trap::StackOverflow).then_some(FailureDetail::Stack),
            ..Failure::new(FailureKind::Trap, trap_name(trap))
        },
        (None, _) if error.is::<ThrownException>() => {
            Failure::new(FailureKind::Trap, "uncaught exception")
        }
        (None, _) => {
            Failure::new(FailureKind::Trap, bounded(one_line(&error.root_cause().to_string())))
        }
    };
    failure.backtrace = error.downcast_ref().map(backtrace).unwrap_or_default();
    Some(failure)
}

/// Returns the failure of a job whose guest exited with this code, if it is not 0.
fn exit(code: i32) -> Option<Failure> {
    (code != 0).then(|| exited(code))
}

/// Returns the failure of a job whose guest exited with a code that is not a success.
pub(crate) fn exited(code: i32) -> Failure {
    let message = format!("with code {code}");
    Failure { code: Some(code), ..Failure::new(FailureKind::Exit, message) }
}

/// Returns whether a command has exited with a code that is a success.
pub(crate) fn is_ok_exit(failure: &Failure, settings: &Settings) -> bool {
    failure.kind == FailureKind::Exit
        && failure.code.is_some_and(|code| settings.task.ok_exit.contains(&code))
}

/// Checks that a result holds no NUL byte where one ends each result.
///
/// # Errors
/// Returns a failure if the result would be taken for two.
#[inline]
pub(crate) fn check_nul(settings: &Settings, result: &[u8]) -> Result<(), Failure> {
    match settings.task.nul_ends && memchr::memchr(0, result).is_some() {
        true => Err(guest_error(b"its result has a NUL byte in it, which would end it")),
        false => Ok(()),
    }
}

/// Returns the failure of a task that exits instead of returning: it has no result, whatever its
/// code.
pub(crate) fn exited_early() -> Failure {
    Failure {
        code: Some(0),
        ..Failure::new(FailureKind::Exit, "with code 0, before there was a result")
    }
}

/// Returns the failure of a result that is larger than allowed.
pub(crate) fn output_too_large(limit: u64) -> Failure {
    Failure::new(FailureKind::OutputTooLarge, format!("more than {}", size(limit)))
}

/// Returns the failure of a task with the message that the task gave.
pub(crate) fn guest_error(message: &[u8]) -> Failure {
    let message = &message[..message.len().min(MESSAGE_BYTES_MAX)];
    Failure::new(FailureKind::GuestError, one_line(&String::from_utf8_lossy(message)))
}

fn out_of_memory(settings: &Settings, refused: Refused) -> Failure {
    let wanted = size(refused.wanted);
    let message = match refused.why {
        None => {
            let limit = size(settings.limits.memory_bytes_max);
            format!("needed more than {limit} (asked for {wanted})")
        }
        Some(why) => format!("its memory cannot grow to {wanted}: {}", bounded(one_line(&why))),
    };
    Failure {
        asked: NonZeroU64::new(refused.wanted),
        ..Failure::new(FailureKind::OutOfMemory, message)
    }
}

/// Returns a size as text, in the largest unit of which there is at least one.
pub(crate) fn size(bytes: u64) -> String {
    let (unit, name) = match bytes {
        0..1024 => return format!("{bytes} bytes"),
        1024..0x10_0000 => (10, "KiB"),
        0x10_0000..0x4000_0000 => (20, "MiB"),
        _ => (30, "GiB"),
    };
    let whole = bytes >> unit;
    // The size is rounded up, so that a requested size never looks like the limit that it exceeds.
    let tenths = ((bytes - (whole << unit)) * 10).div_ceil(1 << unit);
    match tenths {
        0 => format!("{whole} {name}"),
        10 => format!("{} {name}", whole + 1),
        _ => format!("{whole}.{tenths} {name}"),
    }
}

fn trap_name(trap: Trap) -> String {
    match trap {
        Trap::UnreachableCodeReached => "unreachable".into(),
        Trap::MemoryOutOfBounds => "out of bounds memory access".into(),
        Trap::StackOverflow => "call stack exhausted".into(),
        trap => {
            let text = trap.to_string();
            text.trim_start_matches("wasm trap: ").to_owned()
        }
    }
}

/// Returns the functions of a backtrace, innermost first.
fn backtrace(backtrace: &WasmBacktrace) -> Vec<String> {
    let name = |frame: &FrameInfo| match frame.func_name() {
        Some(name) => function(name),
        None => format!("<wasm function {}>", frame.func_index()),
    };
    backtrace.frames().iter().take(FRAMES_MAX).map(name).collect()
}

/// Returns a function's name from the name section in readable form. The module chose the name, so
/// the time and the memory that this takes are bounded. Linkers write C++ names demangled, and a
/// mangled one can stand for gigabytes: it is left as it is.
fn function(name: &str) -> String {
    let mut shown = Bounded(String::new());
    match rustc_demangle::try_demangle(name) {
        // An error means that there is no more room.
        Ok(demangled) => drop(write!(shown, "{demangled:#}")),
        Err(_) => drop(shown.write_str(name)),
    }
    let mut escaped = without_hashes(&shown.0).escape_debug().to_string();
    cut(&mut escaped, FRAME_BYTES_MAX);
    escaped
}

/// A text with no more bytes than a function's name may have.
struct Bounded(String);

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = text.floor_char_boundary(FRAME_BYTES_MAX - self.0.len());
        self.0.push_str(&text[..room]);
        if room < text.len() { Err(fmt::Error) } else { Ok(()) }
    }
}

/// Returns a demangled name of Rust without the compiler's hashes: the last segment
/// `::h0123456789abcdef`, and `[3c1c0]` behind a crate's name.
fn without_hashes(name: &str) -> String {
    let is_hash = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit());
    let name = match name.rsplit_once("::h") {
        Some((path, hash)) if hash.len() == 16 && is_hash(hash) => path,
        _ => name,
    };
    let mut pieces = name.split('[');
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        match piece.split_once(']') {
            Some((hash, rest)) if is_hash(hash) && plain.ends_with(char::is_alphanumeric) => {
                plain += rest;
            }
            _ => {
                plain.push('[');
                plain += piece;
            }
        }
    }
    plain
}

fn bounded(mut message: String) -> String {
    cut(&mut message, MESSAGE_BYTES_MAX);
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_in_the_largest_unit_and_rounded_up() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (1023, "1023 bytes"),
            (1024, "1 KiB"),
            (64 << 20, "64 MiB"),
            ((64 << 20) + 1, "64.1 MiB"),
            ((1 << 30) - 1, "1024 MiB"),
            (3 << 29, "1.5 GiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn names_lose_their_hashes_and_nothing_else() {
        for (name, plain) in [
            ("demo[3c1c0]::inner", "demo::inner"),
            ("demo::inner::h0123456789abcdef", "demo::inner"),
            ("<[u8] as core[1f]::fmt::Debug>::fmt", "<[u8] as core::fmt::Debug>::fmt"),
            ("operator[](int)", "operator[](int)"),
            ("a[", "a["),
        ] {
            assert_eq!(without_hashes(name), plain);
        }
    }

    #[test]
    fn names_are_demangled_within_bounds() {
        assert_eq!(function("_RNvCs1234_7mycrate3foo"), "mycrate::foo");
        assert_eq!(function("_ZN4demo5inner17h0123456789abcdefE"), "demo::inner");
        // A name of C++ that expands to itself many times over.
        let bomb = format!("_Z1f1pI{}iiE", "S_I".repeat(1 << 20));
        assert_eq!(function(&bomb), bomb[..FRAME_BYTES_MAX]);
        // The same in Rust's mangling: a tuple of tuples, each of which is twice the one before.
        let mut bomb = String::from("_RIC1fTmmE");
        for at in [5, 10, 15, 20, 25, 30, 35, 40] {
            bomb += &format!("TB{:x}_B{:x}_E", at % 10, at % 10);
        }
        assert!(function(&bomb).len() <= FRAME_BYTES_MAX);
        assert_eq!(function(&"\u{1}".repeat(1 << 20)).len(), FRAME_BYTES_MAX);
    }

    #[test]
    fn a_guest_s_message_is_one_bounded_line_of_text() {
        assert_eq!(guest_error(b"no\nsuch\xffthing\x1b[31m").message, "no such\u{fffd}thing [31m");
        assert_eq!(guest_error(&vec![b'x'; 1 << 20]).message.len(), MESSAGE_BYTES_MAX);
    }
}
