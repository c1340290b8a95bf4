//! `wpool.semaphore_*`: counts of permits.

use super::answers::{Answer, limit, misuse};
use super::objects::Noun;
use super::{Host, MODULE};
use crate::shared::{Error, Kind, ObjectId, Owner, Permit, Semaphore, Shared, Spec};
use wasmtime::{Caller, Linker};

/// Bits of `flags`.
const OWNED: i32 = 1;
const BOUNDED: i32 = 2;

/// Adds the functions to a linker.
pub(super) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "semaphore_create", create)?;
    linker.func_wrap(MODULE, Semaphore::OPEN, Semaphore::open)?;
    linker.func_wrap(MODULE, "semaphore_acquire", acquire)?;
    linker.func_wrap(MODULE, "semaphore_release", release)?;
    linker.func_wrap(MODULE, "semaphore_count", count)?;
    Ok(())
}

impl Noun for Semaphore<'_> {
    const KIND: Kind = Kind::Semaphore;
    const OPEN: &'static str = "semaphore_open";
    type Of<'a> = Semaphore<'a>;

    #[inline]
    fn find(shared: &Shared, id: ObjectId) -> Result<Semaphore<'_>, Error> {
        shared.semaphore(id)
    }
}

/// How many permits of the dead were restored.
impl Answer for Permit {
    #[inline]
    fn number(&self) -> i32 {
        match self {
            Permit::Clean => 0,
            Permit::Restored { permits, .. } => permits.number(),
        }
    }

    #[inline]
    fn note(&self, culprit: &mut Option<Owner>) {
        if let Permit::Restored { culprit: dead, .. } = self {
            *culprit = *dead;
        }
    }
}

/// `semaphore_create(name: i32, name_len: i32, initial: i32, flags: i32) -> i32`: makes a semaphore and
/// opens it.
///
/// Arguments: its name; how many permits it has; the sum of 1 if permits belong to who acquired them
/// and are restored at its death, and 2 if there are never more than at the start.
/// Answers: a handle; `exists`, `no-space`, `out-of-range` (the name; a negative count).
/// Traps: the name is outside the memory or not UTF-8; unknown flags. Blocks: never.
fn create(
    mut caller: Caller<'_, Host>,
    name: u32,
    name_len: u32,
    initial: u32,
    flags: i32,
) -> wasmtime::Result<i32> {
    let unknown = flags & !(OWNED | BOUNDED);
    if unknown != 0 {
        return Err(misuse("semaphore_create", format!("unknown flags {unknown:#x}")));
    }
    let (owned, bounded) = (flags & OWNED != 0, flags & BOUNDED != 0);
    let spec = Spec::Semaphore { initial, owned, bounded };
    Semaphore::create(&mut caller, "semaphore_create", (name, name_len), &spec)
}

/// `semaphore_acquire(handle: i32, timeout_ns: i64) -> i32`: takes a permit.
///
/// Arguments: the semaphore; how long to wait at most: for ever if negative, not at all if 0.
/// Answers: from 0: a permit; above 0: so many permits of the dead were restored, which is told once.
/// `timed-out`, `interrupted`, `broken`. Traps: not a semaphore's handle. Blocks: until one is free.
fn acquire(mut caller: Caller<'_, Host>, handle: i32, timeout_ns: i64) -> wasmtime::Result<i32> {
    Semaphore::on(caller.data_mut(), "semaphore_acquire", handle, |semaphore, me| {
        semaphore.acquire(me, limit(timeout_ns))
    })
}

/// `semaphore_release(handle: i32) -> i32`: gives a permit back, or makes one if the caller has none.
///
/// Arguments: the semaphore. Answers: 0; `too-many` (a bounded one, or beyond 2³¹−1), `broken`.
/// Traps: not a semaphore's handle. Blocks: never.
fn release(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    Semaphore::on(caller.data_mut(), "semaphore_release", handle, |semaphore, me| {
        semaphore.release(me)
    })
}

/// `semaphore_count(handle: i32) -> i32`: how many permits are free at this moment.
///
/// Arguments: the semaphore. Answers: the count. Traps: not a semaphore's handle. Blocks: never.
fn count(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    Semaphore::on(
        caller.data_mut(),
        "semaphore_count",
        handle,
        |semaphore, _| Ok(semaphore.count()),
    )
}
