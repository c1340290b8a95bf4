//! `wpool.condition_*`: conditions, which wait for a notification with a lock given back meanwhile.

use super::answers::{Answer, limit};
use super::objects::Noun;
use super::{Host, MODULE};
use crate::shared::{Condition, Error, Kind, ObjectId, Owner, Shared, Spec, Waited};
use wasmtime::{Caller, Linker};

/// Adds the functions to a linker.
pub(super) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "condition_create", create)?;
    linker.func_wrap(MODULE, Condition::OPEN, Condition::open)?;
    linker.func_wrap(MODULE, "condition_acquire", acquire)?;
    linker.func_wrap(MODULE, "condition_release", release)?;
    linker.func_wrap(MODULE, "condition_mark_consistent", mark_consistent)?;
    linker.func_wrap(MODULE, "condition_wait", wait)?;
    linker.func_wrap(MODULE, "condition_notify", notify)?;
    linker.func_wrap(MODULE, "condition_notify_all", notify_all)?;
    Ok(())
}

impl Noun for Condition<'_> {
    const KIND: Kind = Kind::Condition;
    const OPEN: &'static str = "condition_open";
    type Of<'a> = Condition<'a>;

    #[inline]
    fn find(shared: &Shared, id: ObjectId) -> Result<Condition<'_>, Error> {
        shared.condition(id)
    }
}

/// A number whose bit 0 says that an owner of the lock died, and bit 1 that the time was over.
impl Answer for Waited {
    fn number(&self) -> i32 {
        self.lock.number() | i32::from(!self.notified) << 1
    }

    fn note(&self, culprit: &mut Option<Owner>) {
        self.lock.note(culprit);
    }
}

fn create(
    mut caller: Caller<'_, Host>,
    name: u32,
    name_len: u32,
    lock: i32,
) -> wasmtime::Result<i32> {
    let lock = match lock {
        0 => None,
        _ => {
            let objects = caller.data_mut().objects("condition_create")?;
            Some(objects.find("condition_create", Kind::Lock, lock)?)
        }
    };
    let spec = Spec::Condition { lock };
    Condition::create(&mut caller, "condition_create", (name, name_len), &spec)
}

fn acquire(mut caller: Caller<'_, Host>, handle: i32, timeout_ns: i64) -> wasmtime::Result<i32> {
    Condition::on(caller.data_mut(), "condition_acquire", handle, |condition, me| {
        condition.lock().acquire(me, limit(timeout_ns))
    })
}

fn release(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    Condition::on(caller.data_mut(), "condition_release", handle, |condition, me| {
        condition.lock().release(me)
    })
}

fn mark_consistent(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    Condition::on(caller.data_mut(), "condition_mark_consistent", handle, |condition, me| {
        condition.lock().mark_consistent(me)
    })
}

fn wait(mut caller: Caller<'_, Host>, handle: i32, timeout_ns: i64) -> wasmtime::Result<i32> {
    Condition::on(caller.data_mut(), "condition_wait", handle, |condition, me| {
        condition.wait(me, limit(timeout_ns))
    })
}

fn notify(mut caller: Caller<'_, Host>, handle: i32, count: u32) -> wasmtime::Result<i32> {
    Condition::on(caller.data_mut(), "condition_notify", handle, |condition, me| {
        condition.notify(me, count)
    })
}

fn notify_all(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    Condition::on(caller.data_mut(), "condition_notify_all", handle, |condition, me| {
        condition.notify_all(me)
    })
}
