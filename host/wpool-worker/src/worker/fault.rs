//! Faults: what becomes of a write to memory that a guest may only read.
//!
//! Where the guest's own code writes, wasmtime makes a trap of it; the address tells what was hit
//! ([`take_address`]). Where the host writes on its behalf (`memory.fill`, a WASI call), the fault is in
//! host code, which cannot go on. The handler then leaves last words in job memory and ends the process:
//! the job fails as by a trap, and another worker takes this one's place.
//!
//! And what becomes of an allocation that the system refuses: Rust's allocator aborts, and the handler ends
//! the process with a code that says so.
#![expect(unsafe_code, reason = "signal handlers")]

use crate::imports::{Host, mapping};
use crate::wire::jobmem::{EXIT_OUT_OF_MEMORY, EXIT_WITH_LAST_WORDS, JobMem};
use nix::libc::{_exit, SIGSEGV, c_int, c_void, siginfo_t};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, raise, sigaction};
use nix::unistd::getpid;
use std::cell::Cell;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, Ordering};
use wasmtime::Store;
use wasmtime::unix::StoreExt;

/// Where the last words of this process go.
static LAST_WORDS: AtomicPtr<JobMem> = AtomicPtr::new(ptr::null_mut());

thread_local! {
    /// Where this thread's guest faulted last.
    static ADDRESS: Cell<usize> = const { Cell::new(0) };
}

/// Installs the handler for faults in host code. Before the first engine is made, or wasmtime's own
/// handler would not pass on to it what is not a trap.
///
/// # Errors
/// That of sigaction.
pub(crate) fn install() -> nix::Result<()> {
    let flags = SaFlags::SA_SIGINFO | SaFlags::SA_ONSTACK | SaFlags::SA_NODEFER;
    let action = SigAction::new(SigHandler::SigAction(on_fault), flags, SigSet::empty());
    // SAFETY: the handler does what a signal handler may do: it reads memory, writes to memory that
    // is mapped for ever, and makes the system calls `_exit` and `sigaction`.
    unsafe { sigaction(Signal::SIGSEGV, &action) }?;
    Ok(())
}

/// From now on an abort of this process says that it was refused memory: nothing else in it aborts. Without
/// a handler the system's own message would be lost, as standard error is /dev/null.
///
/// # Errors
/// Returns the error of sigaction.
pub(crate) fn install_abort() -> nix::Result<()> {
    let flags = SaFlags::SA_ONSTACK | SaFlags::SA_SIGINFO;
    let action = SigAction::new(SigHandler::SigAction(on_abort), flags, SigSet::empty());
    // SAFETY: the handler makes system calls and does nothing else.
    unsafe { sigaction(Signal::SIGABRT, &action) }?;
    Ok(())
}

/// From now on, and for the rest of this process, last words go here.
pub(super) fn report_to(memory: &Arc<JobMem>) {
    // Never freed: the handler may look at any time.
    let memory = Arc::into_raw(Arc::clone(memory)).cast_mut();
    LAST_WORDS.store(memory, Ordering::Release);
}

/// Has the addresses noted at which the guest of this store faults.
pub(super) fn watch(store: &mut Store<Host>) {
    let note = |signal: c_int, info: *const siginfo_t, _: *const c_void| {
        if signal == SIGSEGV {
            ADDRESS.set(address(info));
        }
        // Wasmtime goes on as it would have.
        false
    };
    // SAFETY: it only reads what the system says about the signal, and writes a word of this thread.
    unsafe { store.set_signal_handler(note) }
}

/// Where this thread's guest faulted last, once; 0 if it did not.
pub(super) fn take_address() -> usize {
    ADDRESS.take()
}

fn address(info: *const siginfo_t) -> usize {
    // SAFETY: called by handlers only, which are given what the system says; it has an address for
    // SIGSEGV. Where somebody has sent the signal that is any number.
    unsafe { (*info).si_addr() as usize }
}

extern "C" fn on_abort(_: c_int, info: *mut siginfo_t, _: *mut c_void) {
    // SAFETY: the system passes a whole `siginfo_t`, and its sender is there for SIGABRT.
    let sender = unsafe { (*info).si_pid() };
    if sender == getpid().as_raw() {
        // SAFETY: _exit has no preconditions.
        unsafe { _exit(EXIT_OUT_OF_MEMORY) }
    }
    // Somebody else's: it ends the process as it ends any other.
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: the default action runs no code.
    let _ = unsafe { sigaction(Signal::SIGABRT, &default) };
    let _ = raise(Signal::SIGABRT);
}

extern "C" fn on_fault(_: c_int, info: *mut siginfo_t, _: *mut c_void) {
    mapping::tell_guarded(address(info), |what| {
        // SAFETY: null, or never freed (see `report_to`).
        if let Some(memory) = unsafe { LAST_WORDS.load(Ordering::Acquire).as_ref() } {
            memory.set_last_words(&[b"write to ", what.as_bytes()]);
            // SAFETY: _exit has no preconditions.
            unsafe { _exit(EXIT_WITH_LAST_WORDS) }
        }
    });
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: the default action runs no code. The instruction is tried again and ends the process.
    let _ = unsafe { sigaction(Signal::SIGSEGV, &default) };
}
