//! `wpool.lock_*`: locks, recursive or not.

use super::objects::{self, Target, limit, misuse};
use super::{Host, MODULE};
use crate::shared::{Kind, Spec};
use wasmtime::{Caller, Linker};

/// Adds the functions to a linker.
pub(super) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "lock_create", create)?;
    linker.func_wrap(MODULE, "lock_open", open)?;
    linker.func_wrap(MODULE, "lock_acquire", acquire)?;
    linker.func_wrap(MODULE, "lock_release", release)?;
    linker.func_wrap(MODULE, "lock_mark_consistent", mark_consistent)?;
    Ok(())
}

#[inline]
fn target<'a>(
    caller: &'a mut Caller<'_, Host>,
    call: &'static str,
    handle: i32,
) -> wasmtime::Result<Target<'a>> {
    objects::target(caller, call, Kind::Lock, handle)
}

/// `lock_create(name: i32, name_len: i32, recursive: i32) -> i32`: makes a lock and opens it.
///
/// Arguments: its name; 1 if its owner may take it again, else 0.
/// Answers: a handle; `exists`, `no-space`, `out-of-range` (the name).
/// Traps: the name is outside the memory or not UTF-8; `recursive` is neither 0 nor 1. Blocks: never.
fn create(
    mut caller: Caller<'_, Host>,
    name: u32,
    name_len: u32,
    recursive: i32,
) -> wasmtime::Result<i32> {
    let recursive = match recursive {
        0 => false,
        1 => true,
        _ => {
            return Err(misuse("lock_create", format!("recursive is {recursive}, not 0 or 1")));
        }
    };
    let spec = Spec::Lock { recursive };
    objects::create(&mut caller, "lock_create", (name, name_len), Kind::Lock, &spec)
}

/// `lock_open(name: i32, name_len: i32) -> i32`: opens a lock.
///
/// Arguments: its name. Answers: a handle; `not-found`, `wrong-kind`, `no-space`.
/// Traps: the name is outside the memory or not UTF-8. Blocks: never.
fn open(mut caller: Caller<'_, Host>, name: u32, name_len: u32) -> wasmtime::Result<i32> {
    objects::open(&mut caller, "lock_open", (name, name_len), Kind::Lock)
}

/// `lock_acquire(handle: i32, timeout_ns: i64) -> i32`: takes the lock.
///
/// Arguments: the lock; how long to wait at most: for ever if negative, not at all if 0.
/// Answers: 0, or 1 (`owner-died`) if its owner died and what it protects may be half done: the lock
/// is held in both cases; `timed-out`, `interrupted`, `broken`, `already-owner` (without a limit, it
/// would wait for itself), `too-many` (levels). Traps: not a lock's handle. Blocks: until it is free.
fn acquire(mut caller: Caller<'_, Host>, handle: i32, timeout_ns: i64) -> wasmtime::Result<i32> {
    let target = target(&mut caller, "lock_acquire", handle)?;
    let acquired = target.with(|shared, me, id| shared.lock(id)?.acquire(me, limit(timeout_ns)));
    Ok(match acquired {
        Ok(acquired) => target.objects.acquired(acquired),
        Err(error) => target.objects.refuse(error),
    })
}

/// `lock_release(handle: i32) -> i32`: gives the lock back, or one level of it.
///
/// Arguments: the lock. Answers: 0; `not-owner`, `broken`. Traps: not a lock's handle. Blocks: never.
fn release(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    let target = target(&mut caller, "lock_release", handle)?;
    let released = target.with(|shared, me, id| shared.lock(id)?.release(me));
    Ok(target.objects.answer(released.map(|()| 0)))
}

/// `lock_mark_consistent(handle: i32) -> i32`: says that what the lock protects is whole again. Until
/// then, if this owner dies too, the next one is told `owner-died` again.
///
/// Arguments: the lock. Answers: 0; `not-owner`, `broken`. Traps: not a lock's handle. Blocks: never.
fn mark_consistent(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    let target = target(&mut caller, "lock_mark_consistent", handle)?;
    let marked = target.with(|shared, me, id| shared.lock(id)?.mark_consistent(me));
    Ok(target.objects.answer(marked.map(|()| 0)))
}
