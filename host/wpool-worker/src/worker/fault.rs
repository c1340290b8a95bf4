//! Faults: writes to memory that a guest may only read, and allocations that the system refuses.
//!
//! If the guest's own code writes, wasmtime makes a trap of the fault; the address tells what was
//! hit ([`take_address`]). If the host writes on its behalf (`memory.fill`, a WASI call), the fault
//! is in host code, which cannot go on. The handler then leaves a fatal message in job memory and ends
//! the process: the job fails as by a trap, and another worker takes this one's place.
//!
//! If the system refuses an allocation, Rust's allocator aborts, and the handler ends the process
//! with an exit code that says so.
#![expect(unsafe_code, reason = "signal handlers")]

use crate::imports::{Host, mapping};
use crate::wire::jobmem::{EXIT_OUT_OF_MEMORY, EXIT_WITH_MESSAGE, JobMem};
use nix::libc::{_exit, SIGSEGV, SYS_tgkill, c_int, c_void, siginfo_t};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, raise, sigaction};
use nix::unistd::getpid;
use std::cell::Cell;
use std::os::fd::RawFd;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicPtr, Ordering};
use wasmtime::Store;
use wasmtime::unix::StoreExt;

/// The message of a process whose jail refused a call.
const REFUSED: &[u8] = b"the jail refused the system call ";

/// The file in which this process tells of a call that its jail refuses, or -1.
static TOLD_IN: AtomicI32 = AtomicI32::new(-1);

/// The bytes around the text there: `ModuleError::Compiler` as JSON.
const TOLD_AS: [&[u8]; 2] = [br#"{"compiler":""#, br#""}"#];

/// The job memory in which this process leaves its fatal message.
static FATAL_MESSAGE: AtomicPtr<JobMem> = AtomicPtr::new(ptr::null_mut());

thread_local! {
    /// The last address at which this thread's guest faulted.
    static ADDRESS: Cell<usize> = const { Cell::new(0) };
}

/// Installs the handler for faults in host code. It must be installed before the first engine is
/// made; otherwise wasmtime's own handler would not pass on faults that are no traps.
///
/// # Errors
/// Returns the error of `sigaction`.
pub(crate) fn install() -> nix::Result<()> {
    let flags = SaFlags::SA_SIGINFO | SaFlags::SA_ONSTACK | SaFlags::SA_NODEFER;
    let action = SigAction::new(SigHandler::SigAction(on_fault), flags, SigSet::empty());
    // SAFETY: the handler does what a signal handler may do: it reads memory, writes to memory that
    // is mapped for ever, and makes the system calls `_exit` and `sigaction`.
    unsafe { sigaction(Signal::SIGSEGV, &action) }?;
    Ok(())
}

/// Makes an abort of this process report that it was refused memory, from now on: nothing else in
/// the process aborts. Without a handler the system's own message would be lost, as standard error
/// is /dev/null.
///
/// # Errors
/// Returns the error of `sigaction`.
pub(crate) fn install_abort() -> nix::Result<()> {
    let flags = SaFlags::SA_ONSTACK | SaFlags::SA_SIGINFO;
    let action = SigAction::new(SigHandler::SigAction(on_abort), flags, SigSet::empty());
    // SAFETY: the handler makes system calls and does nothing else.
    unsafe { sigaction(Signal::SIGABRT, &action) }?;
    Ok(())
}

/// From now on a call that the jail refuses ends this process, which says which call it was.
///
/// # Errors
/// Returns the error of sigaction.
pub(crate) fn install_refused() -> nix::Result<()> {
    let flags = SaFlags::SA_ONSTACK | SaFlags::SA_SIGINFO;
    let action = SigAction::new(SigHandler::SigAction(on_refused), flags, SigSet::empty());
    // SAFETY: the handler does what a signal handler may do, as `on_fault` does.
    unsafe { sigaction(Signal::SIGSYS, &action) }?;
    Ok(())
}

/// From now on, and for the rest of this process, a call that its jail refuses is told of in this file, which stays
/// open, and the process ends with the exit code 1.
pub(crate) fn tell_refused_in(file: RawFd) {
    TOLD_IN.store(file, Ordering::Release);
}

/// Sets the memory for a fatal message, for the rest of this process.
pub(super) fn report_to(memory: &Arc<JobMem>) {
    // The memory is never freed, because the handler may look at any time.
    let memory = Arc::into_raw(Arc::clone(memory)).cast_mut();
    FATAL_MESSAGE.store(memory, Ordering::Release);
}

/// Notes the addresses at which the guest of this store faults.
pub(super) fn watch(store: &mut Store<Host>) {
    let note = |signal: c_int, info: *const siginfo_t, _: *const c_void| {
        if signal == SIGSEGV {
            ADDRESS.set(address(info));
        }
        // Wasmtime goes on as it would have without this handler.
        false
    };
    // SAFETY: the handler only reads what the system says about the signal, and writes a word of
    // this thread.
    unsafe { store.set_signal_handler(note) }
}

/// Takes the last address at which this thread's guest faulted; 0 if it did not.
pub(super) fn take_address() -> usize {
    ADDRESS.take()
}

fn address(info: *const siginfo_t) -> usize {
    // SAFETY: only handlers call this, with what the system gives them; there is an address for
    // SIGSEGV. If another process has sent the signal, the address is any number.
    unsafe { (*info).si_addr() as usize }
}

extern "C" fn on_abort(_: c_int, info: *mut siginfo_t, _: *mut c_void) {
    // SAFETY: the system passes a whole `siginfo_t`, which names the sender of SIGABRT.
    let sender = unsafe { (*info).si_pid() };
    if sender == getpid().as_raw() {
        // SAFETY: _exit has no preconditions.
        unsafe { _exit(EXIT_OUT_OF_MEMORY) }
    }
    // The abort of another process ends this one as it would end any other.
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: the default action runs no code.
    let _ = unsafe { sigaction(Signal::SIGABRT, &default) };
    let _ = raise(Signal::SIGABRT);
}

/// The place at which the system gives the number of a refused call.
const CALL_AT: usize = 24;

extern "C" fn on_refused(_: c_int, info: *mut siginfo_t, _: *mut c_void) {
    // SAFETY: the system passes a whole `siginfo_t` of 128 bytes. Where somebody has sent the signal, this is any
    // number.
    let call = unsafe { info.cast::<u8>().add(CALL_AT).cast::<c_int>().read() };
    let call = i64::from(call);
    if call == SYS_tgkill {
        // An abort, of a process that has inherited its parent's jail.
        // SAFETY: _exit has no preconditions.
        unsafe { _exit(EXIT_OUT_OF_MEMORY) }
    }
    let mut number = itoa::Buffer::new();
    let name = crate::jail::name(call).unwrap_or("unknown");
    let words = [REFUSED, name.as_bytes(), b" (", number.format(call).as_bytes(), b")"];
    let file = TOLD_IN.load(Ordering::Acquire);
    if file >= 0 {
        let [begin, end] = TOLD_AS;
        for word in [begin].into_iter().chain(words).chain([end]) {
            // SAFETY: the bytes are there. What is not told is seen by the exit code.
            unsafe { nix::libc::write(file, word.as_ptr().cast(), word.len()) };
        }
        // SAFETY: _exit has no preconditions.
        unsafe { _exit(1) }
    }
    // SAFETY: null, or never freed (see `report_to`).
    if let Some(memory) = unsafe { FATAL_MESSAGE.load(Ordering::Acquire).as_ref() } {
        memory.set_fatal_message(&words);
        // SAFETY: _exit has no preconditions.
        unsafe { _exit(EXIT_WITH_MESSAGE) }
    }
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: the default action runs no code.
    let _ = unsafe { sigaction(Signal::SIGSYS, &default) };
    let _ = raise(Signal::SIGSYS);
}

extern "C" fn on_fault(_: c_int, info: *mut siginfo_t, _: *mut c_void) {
    mapping::tell_guarded(address(info), |what| {
        // SAFETY: the pointer is null, or its memory is never freed (see `report_to`).
        if let Some(memory) = unsafe { FATAL_MESSAGE.load(Ordering::Acquire).as_ref() } {
            memory.set_fatal_message(&[b"write to ", what.as_bytes()]);
            // SAFETY: _exit has no preconditions.
            unsafe { _exit(EXIT_WITH_MESSAGE) }
        }
    });
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: the default action runs no code. The instruction is tried again and ends the process.
    let _ = unsafe { sigaction(Signal::SIGSEGV, &default) };
}
