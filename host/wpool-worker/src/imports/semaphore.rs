//! `wpool.semaphore_*`: counts of permits.

use super::answers::{Answer, limit, misuse};
use super::objects::Noun;
use super::{Host, MODULE};
use crate::shared::{Error, Kind, ObjectId, Owner, Permit, Semaphore, Shared, Spec};
use wasmtime::{Caller, Linker};

/// The bits of `flags`.
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

/// The number of restored permits of dead processes.
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

fn acquire(mut caller: Caller<'_, Host>, handle: i32, timeout_ns: i64) -> wasmtime::Result<i32> {
    Semaphore::on(caller.data_mut(), "semaphore_acquire", handle, |semaphore, me| {
        semaphore.acquire(me, limit(timeout_ns))
    })
}

fn release(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    Semaphore::on(caller.data_mut(), "semaphore_release", handle, |semaphore, me| {
        semaphore.release(me)
    })
}

fn count(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    Semaphore::on(
        caller.data_mut(),
        "semaphore_count",
        handle,
        |semaphore, _| Ok(semaphore.count()),
    )
}
