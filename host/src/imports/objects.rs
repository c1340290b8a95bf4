//! What all shared objects have in common for a guest: names, handles, answers. And the functions
//! that are the same for every kind: `object_close`, `object_delete`, `culprit`, `process_slot`.

use super::{Host, MODULE, bytes};
use crate::shared::{self, Acquired, Error, Kind, ObjectId, Owner, Shared, Spec};
use crate::wire::control::Membership;
use crate::wire::jobmem::JobMem;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use wasmtime::{Caller, Linker};

/// Most handles of one instance.
const HANDLES_MAX: usize = 1 << 16;

/// Shared state as one process sees it: where it is, and in whose name the process acts there.
#[derive(Clone, Debug)]
pub(crate) struct Attached {
    shared: Arc<Shared>,
    owner: Owner,
    /// Has the word that ends waits.
    memory: Arc<JobMem>,
}

impl Attached {
    /// The state, for the process that was given this slot.
    pub(crate) fn new(shared: Arc<Shared>, slot: Membership, memory: Arc<JobMem>) -> Attached {
        Attached { shared, owner: Owner { slot: slot.slot, epoch: slot.epoch }, memory }
    }

    /// In whose name things are done.
    #[inline]
    pub(super) fn caller(&self) -> shared::Caller<'_> {
        shared::Caller { owner: self.owner, stop: self.memory.stop_word() }
    }

    /// Gives back all that was done in the name of this process: its guest is gone.
    pub(crate) fn discard(&self) {
        // What is stuck belongs to a live process, which lets go of it by itself.
        self.shared.discard(&self.caller());
    }
}

/// The objects that an instance has open.
#[derive(Debug)]
pub(crate) struct Objects {
    attached: Attached,
    /// By handle less one.
    open: Vec<Option<Open>>,
    /// Whom the last answer was about that spoke of a death.
    culprit: Option<Owner>,
    /// The job that runs, from 1: objects count against the quota of the job that made them.
    pub(super) job: u64,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    id: ObjectId,
    kind: Kind,
}

impl Objects {
    /// None open yet.
    pub(crate) fn new(attached: Attached) -> Objects {
        Objects { attached, open: Vec::new(), culprit: None, job: 0 }
    }

    /// A new job begins.
    #[inline]
    pub(crate) fn begin_job(&mut self, number: u64) {
        self.job = number.saturating_add(1);
    }

    /// Closes everything, for an instance that is thrown away: what it held is free, its line of
    /// waiting is left, and those whom it concerns are told.
    pub(crate) fn discard(&mut self) {
        if !self.open.is_empty() {
            self.open.clear();
            self.attached.discard();
        }
    }

    fn insert(&mut self, id: ObjectId, kind: Kind) -> Result<i32, Error> {
        let free = self.open.iter().position(Option::is_none).unwrap_or(self.open.len());
        if free == self.open.len() {
            if free >= HANDLES_MAX {
                return Err(Error::NoSpace);
            }
            self.open.push(None);
        }
        self.open[free] = Some(Open { id, kind });
        Ok(free as i32 + 1)
    }

    /// Closes an object for this process, unless there is a handle of it.
    fn close(&self, id: ObjectId) {
        if !self.open.iter().flatten().any(|open| open.id == id) {
            // One that is gone already need not be closed.
            let _ = self.attached.shared.close(&self.attached.caller(), id);
        }
    }

    #[inline]
    fn get(&self, handle: i32) -> Option<Open> {
        *self.open.get(usize::try_from(handle).ok()?.checked_sub(1)?)?
    }

    /// The code of an answer, and the number that goes with success.
    #[inline]
    pub(super) fn answer(&mut self, result: Result<i32, Error>) -> i32 {
        match result {
            Ok(number) => number,
            Err(error) => self.refuse(error),
        }
    }

    /// The code of an answer that is not what was asked for.
    #[cold]
    pub(super) fn refuse(&mut self, error: Error) -> i32 {
        if let Error::Broken { culprit } = error {
            self.culprit = culprit;
        }
        code(error)
    }

    /// 1 if an owner died, which is noted.
    #[inline]
    pub(super) fn acquired(&mut self, acquired: Acquired) -> i32 {
        match acquired {
            Acquired::Clean => 0,
            Acquired::OwnerDied { culprit } => {
                self.culprit = culprit;
                1
            }
        }
    }
}

/// An object that a call is about: what is known of it, and what the call is done with.
pub(super) struct Target<'a> {
    pub(super) id: ObjectId,
    pub(super) objects: &'a mut Objects,
}

impl Target<'_> {
    /// Does something with shared state, in the name of this process.
    #[inline]
    pub(super) fn with<T>(
        &self,
        operation: impl FnOnce(&Shared, &shared::Caller<'_>, ObjectId) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let attached = &self.objects.attached;
        operation(&attached.shared, &attached.caller(), self.id)
    }
}

/// The numbers of answers, as `wit/types.wit` and `guest/c/wpool.h` have them.
fn code(error: Error) -> i32 {
    match error {
        Error::TimedOut => -1,
        Error::Interrupted => -2,
        Error::Broken { .. } => -3,
        Error::NotOwner => -4,
        Error::AlreadyOwner => -5,
        Error::TooMany => -6,
        Error::Closed => -7,
        Error::TooLarge => -8,
        Error::NoSpace => -9,
        Error::Exists { .. } => -10,
        Error::NotFound => -11,
        Error::WrongKind { .. } => -12,
        Error::WrongType => -13,
        Error::OutOfRange => -14,
        Error::ReadOnly => -15,
    }
}

/// A guest's bug in a call about a shared object: a trap.
#[derive(Debug)]
struct Misuse {
    call: &'static str,
    what: String,
}

/// The trap of a call that is a bug of the guest.
#[cold]
pub(super) fn misuse(call: &'static str, what: impl Into<String>) -> wasmtime::Error {
    Misuse { call, what: what.into() }.into()
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.call, self.what)
    }
}

impl std::error::Error for Misuse {}

/// How long to wait at most: for ever if negative.
#[inline]
pub(super) fn limit(timeout_ns: i64) -> Option<Duration> {
    u64::try_from(timeout_ns).ok().map(Duration::from_nanos)
}

#[inline]
pub(super) fn objects<'a>(
    caller: &'a mut Caller<'_, Host>,
    call: &'static str,
) -> wasmtime::Result<&'a mut Objects> {
    let objects = caller.data_mut().objects.as_mut();
    objects.ok_or_else(|| misuse(call, "there is no shared state here"))
}

/// The object of a handle.
#[inline]
pub(super) fn target<'a>(
    caller: &'a mut Caller<'_, Host>,
    call: &'static str,
    kind: Kind,
    handle: i32,
) -> wasmtime::Result<Target<'a>> {
    let objects = objects(caller, call)?;
    match objects.get(handle) {
        Some(open) if open.kind == kind => Ok(Target { id: open.id, objects }),
        Some(open) => {
            let kind_there = open.kind;
            Err(misuse(call, format!("{handle} is the handle of a {kind_there}, not of a {kind}")))
        }
        None => Err(misuse(call, format!("{handle} is not a handle"))),
    }
}

fn name<'a>(
    caller: &'a mut Caller<'_, Host>,
    call: &'static str,
    pointer: u32,
    length: u32,
) -> wasmtime::Result<(Result<&'a str, Error>, &'a mut Objects)> {
    // Longer than any name; need not be looked at.
    let too_long = length as usize > shared::NAME_BYTES;
    let (name, host) = bytes(caller, call, pointer, length)?;
    let name = std::str::from_utf8(name);
    let name = name.map_err(|_| misuse(call, "the name is not UTF-8"))?;
    let objects = host.objects.as_mut();
    let objects = objects.ok_or_else(|| misuse(call, "there is no shared state here"))?;
    Ok((if too_long { Err(Error::OutOfRange) } else { Ok(name) }, objects))
}

/// `KIND_create`: makes an object, and opens it.
pub(super) fn create(
    caller: &mut Caller<'_, Host>,
    call: &'static str,
    (pointer, length): (u32, u32),
    kind: Kind,
    spec: &Spec,
) -> wasmtime::Result<i32> {
    let (name, objects) = name(caller, call, pointer, length)?;
    let Attached { shared, .. } = &objects.attached;
    let created = name
        .and_then(|name| shared.create(&objects.attached.caller(), name, spec, objects.job))
        .and_then(|id| objects.insert(id, kind));
    Ok(objects.answer(created))
}

/// `KIND_open`: opens an object that is there.
pub(super) fn open(
    caller: &mut Caller<'_, Host>,
    call: &'static str,
    (pointer, length): (u32, u32),
    kind: Kind,
) -> wasmtime::Result<i32> {
    let (name, objects) = name(caller, call, pointer, length)?;
    let attached = &objects.attached;
    let opened = name.and_then(|name| attached.shared.open(&attached.caller(), name));
    let opened = opened.and_then(|(id, there)| match there == kind {
        true => objects.insert(id, kind),
        false => {
            objects.close(id);
            Err(Error::WrongKind { kind: there })
        }
    });
    Ok(objects.answer(opened))
}

/// Adds the functions to a linker.
pub(super) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "object_close", object_close)?;
    linker.func_wrap(MODULE, "object_delete", object_delete)?;
    linker.func_wrap(MODULE, "culprit", culprit)?;
    linker.func_wrap(MODULE, "process_slot", process_slot)?;
    Ok(())
}

/// `object_close(handle: i32) -> i32`: gives a handle back. The object is closed for this process when
/// it has no other handle of it.
///
/// Arguments: the handle of any object. Answers: 0. Traps: it is not a handle. Blocks: never.
fn object_close(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    let objects = objects(&mut caller, "object_close")?;
    let Some(open) = objects.get(handle) else {
        return Err(misuse("object_close", format!("{handle} is not a handle")));
    };
    objects.open[handle as usize - 1] = None;
    objects.close(open.id);
    Ok(0)
}

/// `object_delete(handle: i32) -> i32`: deletes an object. Its name is free at once, its storage when no
/// process has it open any more. The handle stays valid until it is closed.
///
/// Arguments: the handle of any object. Answers: 0; `not-found` if it was deleted before.
/// Traps: it is not a handle. Blocks: never.
fn object_delete(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    let objects = objects(&mut caller, "object_delete")?;
    let Some(open) = objects.get(handle) else {
        return Err(misuse("object_delete", format!("{handle} is not a handle")));
    };
    let attached = &objects.attached;
    let deleted = attached.shared.delete(&attached.caller(), open.id);
    Ok(objects.answer(deleted.map(|()| 0)))
}

/// `culprit() -> i32`: whom the last answer of this instance was about that spoke of a death.
///
/// Arguments: none. Answers: the slot of a process (see `process_slot`), or -1 if it is not known.
/// Traps: never. Blocks: never.
fn culprit(mut caller: Caller<'_, Host>) -> wasmtime::Result<i32> {
    let culprit = objects(&mut caller, "culprit")?.culprit;
    Ok(culprit.map_or(-1, |owner| i32::from(owner.slot)))
}

/// `process_slot() -> i32`: who this process is in shared state.
///
/// Arguments: none. Answers: its slot, which no other process has at the same time.
/// Traps: never. Blocks: never.
fn process_slot(mut caller: Caller<'_, Host>) -> wasmtime::Result<i32> {
    Ok(i32::from(objects(&mut caller, "process_slot")?.attached.owner.slot))
}
