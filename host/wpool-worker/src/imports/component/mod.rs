//! The interfaces of `wit/` for components, with one file each.
//!
//! A component's resource is a handle: its representation is the number that a core module would
//! have, and dropping it closes the handle.

mod array;
mod barrier;
mod condition;
mod dict;
mod event;
mod list;
mod lock;
mod nested;
mod number;
mod process;
mod queue;
mod region;
mod semaphore;
mod set;
#[cfg(test)]
mod tests;
mod types;
mod value;

use super::Host;
use super::answers::Answer;
use super::objects::{Noun, Objects};
use crate::shared::{self, Error, Spec};
use bindings::wpool::host as wit;
use std::time::Duration;
use wasmtime::component::{HasSelf, Linker, Resource};

mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "guest",
        imports: { default: trappable },
        trappable_error_type: { "wpool:host/types.error" => crate::imports::component::Undone },
    });
}

/// The reason why an operation did not do what was asked.
#[derive(Debug)]
pub(crate) enum Undone {
    /// The error is returned to the guest.
    Answer(Error),
    /// The call is a bug of the guest.
    Trap(wasmtime::Error),
}

impl From<Error> for Undone {
    fn from(error: Error) -> Undone {
        Undone::Answer(error)
    }
}

impl From<wasmtime::Error> for Undone {
    fn from(trap: wasmtime::Error) -> Undone {
        Undone::Trap(trap)
    }
}

/// Adds all interfaces to a linker.
///
/// # Errors
/// Returns an error if one of the interfaces is there already.
pub(crate) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    bindings::Guest::add_to_linker::<_, HasSelf<_>>(linker, |host| host)
}

/// A resource for one kind of shared objects.
trait Object: 'static {
    /// The kind of object.
    type Noun: Noun;
}

/// Returns the handle that a resource stands for.
fn handle<R: 'static>(resource: &Resource<R>) -> i32 {
    resource.rep() as i32
}

/// Makes an object, and opens it.
fn create<R: Object>(
    host: &mut Host,
    call: &'static str,
    name: &str,
    spec: &Spec,
) -> Result<Resource<R>, Undone> {
    by_name(host, call, |objects| objects.create(name, R::Noun::KIND, spec))
}

/// Opens an object.
fn open<R: Object>(host: &mut Host, call: &'static str, name: &str) -> Result<Resource<R>, Undone> {
    by_name(host, call, |objects| objects.open(name, R::Noun::KIND))
}

fn by_name<R: Object>(
    host: &mut Host,
    call: &'static str,
    find: impl FnOnce(&mut Objects) -> Result<u64, Error>,
) -> Result<Resource<R>, Undone> {
    let objects = host.objects(call)?;
    let found = find(objects);
    objects.note(&found);
    // Handles are small numbers.
    Ok(Resource::new_own(found? as u32))
}

/// Does an operation with an object, whose result the guest gets.
fn ask<R: Object, T: Answer>(
    host: &mut Host,
    call: &'static str,
    object: &Resource<R>,
    operation: impl FnOnce(<R::Noun as Noun>::Of<'_>, &shared::Caller<'_>) -> Result<T, Error>,
) -> Result<T, Undone> {
    Ok(R::Noun::ask(host, call, handle(object), operation)??)
}

/// Looks at an object.
fn look<R: Object, T>(
    host: &mut Host,
    call: &'static str,
    object: &Resource<R>,
    at: impl FnOnce(<R::Noun as Noun>::Of<'_>) -> T,
) -> wasmtime::Result<T> {
    R::Noun::look(host, call, handle(object), |object| Ok(at(object)))
}

/// Deletes an object.
fn delete<R: Object>(
    host: &mut Host,
    call: &'static str,
    object: &Resource<R>,
) -> Result<(), Undone> {
    Ok(host.delete(call, handle(object))??)
}

/// Closes an object.
fn close<R: Object>(
    host: &mut Host,
    call: &'static str,
    object: &Resource<R>,
) -> wasmtime::Result<()> {
    host.close(call, handle(object))
}

/// Returns the longest time to wait.
fn limit(timeout: wit::types::Timeout) -> Option<Duration> {
    timeout.map(Duration::from_nanos)
}
