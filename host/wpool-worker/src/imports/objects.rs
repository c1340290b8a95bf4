//! The parts that all shared objects have in common for a guest: names, handles, and the functions
//! that are the same for every kind: `KIND_open`, `object_close`, `object_delete`.

use super::answered::Answered;
use super::answers::{Answer, fault, misuse};
use super::attached::Attached;
use super::queue::Received;
use super::{Host, MODULE, bytes};
use crate::shared::{self, Error, Inner, Kind, NAME_BYTES, OBJECTS, ObjectId, Owner, Shared, Spec};
use std::sync::Arc;
use wasmtime::{Caller, Linker};

/// The greatest number of handles of one instance: four for each object that can exist.
const HANDLES_MAX: usize = 4 * OBJECTS;

/// The objects that an instance has open.
#[derive(Debug)]
pub(crate) struct Objects {
    attached: Attached,
    /// The open objects, by handle minus one.
    open: Vec<Option<Open>>,
    /// The dead owner that the last such answer reported.
    culprit: Option<Owner>,
    /// The last message from a queue.
    pub(super) received: Received,
    /// The last answer of a list, dict or set that has bytes.
    pub(super) answered: Answered,
    /// The queues from which the running job got messages, the last of which may still be on lease.
    got_from: Vec<ObjectId>,
    /// The running job, from 1: objects count against the quota of the job that made them.
    job: u64,
    /// True while a job runs, or if the last job has failed: an instance that ends then does not
    /// end in good order.
    unfinished: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    pub(super) id: ObjectId,
    kind: Kind,
    /// The place inside the object, of a list, dict or set that is nested.
    pub(super) inner: Option<Inner>,
}

impl Objects {
    /// Makes the objects of an instance, none of them open yet.
    pub(crate) fn new(attached: Attached) -> Objects {
        Objects {
            attached,
            open: Vec::new(),
            culprit: None,
            received: Received::default(),
            answered: Answered::default(),
            got_from: Vec::new(),
            // The number is not 0, which is the host.
            job: 1,
            unfinished: false,
        }
    }

    /// Begins a new job.
    #[inline]
    pub(crate) fn begin_job(&mut self, number: u64) {
        self.job = number.saturating_add(1);
        self.unfinished = true;
        // Messages that a failed job has got do not count as dealt with because another job
        // succeeds.
        self.got_from.clear();
    }

    /// Notes that the job has succeeded: the messages that it got from queues are dealt with.
    #[inline]
    pub(crate) fn end_job(&mut self) {
        self.unfinished = false;
        for id in self.got_from.drain(..) {
            let shared = self.attached.shared();
            // The message may be dealt with already, or the queue may be gone.
            let _ = shared.queue(id).and_then(|queue| queue.acknowledge(&self.attached.caller()));
        }
    }

    /// Notes that the job got a message from this queue.
    pub(super) fn got_from(&mut self, id: ObjectId) {
        if !self.got_from.contains(&id) {
            self.got_from.push(id);
        }
    }

    /// Closes everything, for an instance that is thrown away: what it held is freed, its place in
    /// a line is left, and those concerned are told. An instance that ends in good order leaves its
    /// barriers as if it had closed them; any other breaks them.
    pub(crate) fn discard(&mut self) {
        // An object may still be held although its handle was closed.
        if self.open.is_empty() {
            return;
        }
        let open = std::mem::take(&mut self.open);
        if !self.unfinished {
            open.iter().flatten().for_each(|open| self.close(open.id));
        }
        self.attached.discard();
    }

    /// Returns the shared state.
    pub(super) fn shared(&self) -> Arc<Shared> {
        Arc::clone(self.attached.shared())
    }

    /// Returns the slot of this process.
    pub(super) fn slot(&self) -> u16 {
        self.attached.owner().slot
    }

    /// Returns the dead owner that the last such answer reported.
    pub(super) fn culprit(&self) -> Option<Owner> {
        self.culprit
    }

    /// Notes the dead owner that an answer reports to the guest, if it reports one.
    #[inline]
    pub(super) fn note(&mut self, said: &impl Answer) {
        said.note(&mut self.culprit);
    }

    /// Returns the number that a guest gets as an answer.
    #[inline]
    pub(super) fn answer(&mut self, said: impl Answer) -> i32 {
        self.note(&said);
        said.number()
    }

    /// Returns a free handle, minus one.
    pub(super) fn vacancy(&self) -> Result<usize, Error> {
        let free = self.open.iter().position(Option::is_none).unwrap_or(self.open.len());
        if free < HANDLES_MAX { Ok(free) } else { Err(Error::NoSpace) }
    }

    fn insert(&mut self, free: usize, id: ObjectId, kind: Kind) -> u64 {
        self.put(free, Open { id, kind, inner: None })
    }

    fn put(&mut self, free: usize, open: Open) -> u64 {
        if free == self.open.len() {
            self.open.push(None);
        }
        self.open[free] = Some(open);
        free as u64 + 1
    }

    /// Opens an object inside another that is open, as a handle that is free.
    pub(super) fn insert_inner(&mut self, free: usize, inner: Inner) -> u64 {
        self.put(free, Open { id: inner.id(), kind: inner.kind(), inner: Some(inner) })
    }

    /// Makes an object, and opens it.
    pub(super) fn create(&mut self, name: &str, kind: Kind, spec: &Spec) -> Result<u64, Error> {
        check_name(name)?;
        let free = self.vacancy()?;
        let shared = self.attached.shared();
        let id = shared.create(&self.attached.caller(), name, spec, self.job)?;
        Ok(self.insert(free, id, kind))
    }

    /// Opens an object, which has to be of this kind.
    pub(super) fn open(&mut self, name: &str, kind: Kind) -> Result<u64, Error> {
        check_name(name)?;
        let free = self.vacancy()?;
        let (id, there) = self.attached.shared().open(&self.attached.caller(), name)?;
        if there != kind {
            self.close(id);
            return Err(Error::WrongKind { kind: there });
        }
        Ok(self.insert(free, id, kind))
    }

    /// Closes an object for this process, unless there is a handle to it.
    fn close(&self, id: ObjectId) {
        if !self.open.iter().flatten().any(|open| open.id == id) {
            // An object that is gone already need not be closed.
            let _ = self.attached.shared().close(&self.attached.caller(), id);
        }
    }

    #[inline]
    fn get(&self, call: &'static str, handle: i32) -> wasmtime::Result<Open> {
        let index = usize::try_from(handle).unwrap_or(0).wrapping_sub(1);
        match self.open.get(index) {
            Some(Some(open)) => Ok(*open),
            _ => Err(misuse(call, format!("{handle} is not a handle"))),
        }
    }

    /// Checks that a number is a handle.
    pub(super) fn check(&self, call: &'static str, handle: i32) -> wasmtime::Result<()> {
        self.get(call, handle).map(|_| ())
    }

    /// Returns the object of a handle, which has to be of this kind.
    #[inline]
    pub(super) fn find(
        &self,
        call: &'static str,
        kind: Kind,
        handle: i32,
    ) -> wasmtime::Result<ObjectId> {
        self.find_open(call, kind, handle).map(|open| open.id)
    }

    /// Does the same, and returns the place inside the object as well.
    #[inline]
    fn find_open(&self, call: &'static str, kind: Kind, handle: i32) -> wasmtime::Result<Open> {
        let open = self.get(call, handle)?;
        if open.kind == kind { Ok(open) } else { Err(wrong_kind(call, handle, open.kind, kind)) }
    }
}

fn check_name(name: &str) -> Result<(), Error> {
    let is_name = (1..=NAME_BYTES).contains(&name.len()) && !name.contains('\0');
    if is_name { Ok(()) } else { Err(Error::OutOfRange) }
}

#[cold]
fn wrong_kind(call: &'static str, handle: i32, is: Kind, wanted: Kind) -> wasmtime::Error {
    misuse(call, format!("{handle} is the handle of a {is}, not of a {wanted}"))
}

impl Host {
    /// Returns the objects of the calling instance.
    #[inline]
    pub(super) fn objects(&mut self, call: &'static str) -> wasmtime::Result<&mut Objects> {
        self.objects.as_mut().ok_or_else(|| misuse(call, "there is no shared state here"))
    }

    /// Gives a handle back.
    pub(super) fn close(&mut self, call: &'static str, handle: i32) -> wasmtime::Result<()> {
        let open = self.objects(call)?.get(call, handle)?;
        if open.kind == Kind::Region {
            // The region is unmapped first, so that nobody is given its storage while it is mapped
            // here.
            self.mappings.unmap(open.id, handle);
        }
        let objects = self.objects(call)?;
        objects.open[handle as usize - 1] = None;
        objects.received.forget(handle);
        objects.answered.forget(handle);
        objects.close(open.id);
        Ok(())
    }

    /// Deletes the object of a handle.
    pub(super) fn delete(
        &mut self,
        call: &'static str,
        handle: i32,
    ) -> wasmtime::Result<Result<(), Error>> {
        let objects = self.objects(call)?;
        let open = objects.get(call, handle)?;
        let deleted = match open.inner {
            // It belongs to the place where it was made.
            Some(_) => Err(Error::NotOwner),
            None => objects.attached.shared().delete(&objects.attached.caller(), open.id),
        };
        objects.note(&deleted);
        Ok(deleted)
    }
}

/// A kind of shared objects, as guests reach it.
pub(super) trait Noun {
    /// The kind.
    const KIND: Kind;
    /// The name of the function that opens an object of the kind.
    const OPEN: &'static str;
    /// The type of an object.
    type Of<'a>;

    /// Returns the object with this id.
    fn find(shared: &Shared, id: ObjectId) -> Result<Self::Of<'_>, Error>;

    /// Returns the object that is open.
    #[inline]
    fn find_open(shared: &Shared, open: Open) -> Result<Self::Of<'_>, Error> {
        Self::find(shared, open.id)
    }

    /// Does an operation with the object of a handle, in the name of this process.
    #[inline]
    fn with<T>(
        objects: &Objects,
        call: &'static str,
        handle: i32,
        operation: impl FnOnce(Self::Of<'_>, &shared::Caller<'_>) -> Result<T, Error>,
    ) -> wasmtime::Result<Result<T, Error>> {
        let open = objects.find_open(call, Self::KIND, handle)?;
        let attached = &objects.attached;
        let found = Self::find_open(attached.shared(), open);
        Ok(found.and_then(|object| attached.act(Self::KIND, open.id, |me| operation(object, me))))
    }

    /// Does the same, and notes the dead owner that the result reports.
    #[inline]
    fn ask<T: Answer>(
        host: &mut Host,
        call: &'static str,
        handle: i32,
        operation: impl FnOnce(Self::Of<'_>, &shared::Caller<'_>) -> Result<T, Error>,
    ) -> wasmtime::Result<Result<T, Error>> {
        let objects = host.objects(call)?;
        let said = Self::with(objects, call, handle, operation)?;
        objects.note(&said);
        Ok(said)
    }

    /// Does the same, and returns the number of the result.
    #[inline]
    fn on<T: Answer>(
        host: &mut Host,
        call: &'static str,
        handle: i32,
        operation: impl FnOnce(Self::Of<'_>, &shared::Caller<'_>) -> Result<T, Error>,
    ) -> wasmtime::Result<i32> {
        Ok(Self::ask(host, call, handle, operation)?.number())
    }

    /// Does an operation that cannot return an error to the guest: an error traps.
    #[inline]
    fn look<T>(
        host: &mut Host,
        call: &'static str,
        handle: i32,
        operation: impl FnOnce(Self::Of<'_>) -> Result<T, Error>,
    ) -> wasmtime::Result<T> {
        let looked = Self::with(host.objects(call)?, call, handle, |object, _| operation(object))?;
        looked.map_err(|error| fault(call, error))
    }

    /// Makes an object, and opens it.
    fn create(
        caller: &mut Caller<'_, Host>,
        call: &'static str,
        name: (u32, u32),
        spec: &Spec,
    ) -> wasmtime::Result<i32> {
        by_name(caller, call, name, |objects, name| objects.create(name, Self::KIND, spec))
    }

    /// Opens an object by the name at a pointer.
    fn open(mut caller: Caller<'_, Host>, name: u32, name_len: u32) -> wasmtime::Result<i32> {
        by_name(&mut caller, Self::OPEN, (name, name_len), |objects, name| {
            objects.open(name, Self::KIND)
        })
    }
}

/// Finds or makes an object by the name at a pointer, and returns its handle.
fn by_name(
    caller: &mut Caller<'_, Host>,
    call: &'static str,
    (pointer, length): (u32, u32),
    find: impl FnOnce(&mut Objects, &str) -> Result<u64, Error>,
) -> wasmtime::Result<i32> {
    let (name, host) = bytes(caller, call, pointer, length.into())?;
    if name.len() > NAME_BYTES {
        return Ok(host.objects(call)?.answer(Err::<(), _>(Error::OutOfRange)));
    }
    let name = str::from_utf8(&name).map_err(|_| misuse(call, "the name is not UTF-8"))?;
    let objects = host.objects(call)?;
    let handle = find(objects, name);
    Ok(objects.answer(handle))
}

/// Adds the functions to a linker.
pub(super) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "object_close", object_close)?;
    linker.func_wrap(MODULE, "object_delete", object_delete)?;
    Ok(())
}

/// Gives a handle back. A region that the handle has mapped is unmapped.
fn object_close(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    caller.data_mut().close("object_close", handle).map(|()| 0)
}

fn object_delete(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    Ok(caller.data_mut().delete("object_delete", handle)?.number())
}
