//! `wpool.lock_*`: locks, recursive or not.

use super::answers::{Answer, flag, limit};
use super::objects::Noun;
use super::{Host, MODULE};
use crate::shared::{Acquired, Error, Kind, Lock, ObjectId, Owner, Shared, Spec};
use wasmtime::{Caller, Linker};

/// Adds the functions to a linker.
pub(super) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "lock_create", create)?;
    linker.func_wrap(MODULE, Lock::OPEN, Lock::open)?;
    linker.func_wrap(MODULE, "lock_acquire", acquire)?;
    linker.func_wrap(MODULE, "lock_release", release)?;
    linker.func_wrap(MODULE, "lock_mark_consistent", mark_consistent)?;
    Ok(())
}

impl Noun for Lock<'_> {
    const KIND: Kind = Kind::Lock;
    const OPEN: &'static str = "lock_open";
    type Of<'a> = Lock<'a>;

    #[inline]
    fn find(shared: &Shared, id: ObjectId) -> Result<Lock<'_>, Error> {
        shared.lock(id)
    }
}

/// A number that is 1 if an owner died.
impl Answer for Acquired {
    #[inline]
    fn number(&self) -> i32 {
        matches!(self, Acquired::OwnerDied { .. }).into()
    }

    #[inline]
    fn note(&self, culprit: &mut Option<Owner>) {
        if let Acquired::OwnerDied { culprit: dead } = self {
            *culprit = *dead;
        }
    }
}

fn create(
    mut caller: Caller<'_, Host>,
    name: u32,
    name_len: u32,
    recursive: i32,
) -> wasmtime::Result<i32> {
    let recursive = flag("lock_create", "recursive", recursive)?;
    Lock::create(&mut caller, "lock_create", (name, name_len), &Spec::Lock { recursive })
}

fn acquire(mut caller: Caller<'_, Host>, handle: i32, timeout_ns: i64) -> wasmtime::Result<i32> {
    Lock::on(caller.data_mut(), "lock_acquire", handle, |lock, me| {
        lock.acquire(me, limit(timeout_ns))
    })
}

fn release(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    Lock::on(caller.data_mut(), "lock_release", handle, |lock, me| lock.release(me))
}

fn mark_consistent(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    Lock::on(caller.data_mut(), "lock_mark_consistent", handle, |lock, me| lock.mark_consistent(me))
}
