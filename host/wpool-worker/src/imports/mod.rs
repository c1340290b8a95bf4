//! The functions that a guest may call, with one file per interface: the import module `wpool` of
//! core modules here, the interfaces of components in `component/`.
//!
//! These files check arguments and delegate, no more. An invalid pointer is the guest's bug and
//! traps; every other error is returned. The arguments, answers and traps of each function are
//! documented in `wit/`, and not repeated here.

mod answered;
mod answers;
mod array;
pub mod attached;
mod barrier;
mod collection;
pub(crate) mod component;
mod condition;
mod dict;
mod event;
#[cfg(test)]
#[path = "../../../../xtask/src/codegen/flat.rs"]
mod flat;
pub(crate) mod foreign;
pub(crate) mod job;
pub(crate) mod limits;
mod list;
mod lock;
pub(crate) mod mapping;
mod nested;
mod number;
pub(crate) mod objects;
mod process;
mod queue;
mod ranges;
mod region;
mod semaphore;
mod set;
mod value;

use job::Job;
use limits::Limiter;
use mapping::Mappings;
use objects::Objects;
use std::borrow::Cow;
use std::fmt;
use wasmtime::{Caller, Linker, Memory};
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::{WasiCtxView, WasiView};

/// The name of the import module.
pub(crate) const MODULE: &str = "wpool";

/// The host's data for one instance, kept in its store.
pub(crate) struct Host {
    /// The running job, and its result so far.
    pub(crate) job: Job,
    /// The limits of the instance, and what it has taken.
    pub(crate) limits: Limiter,
    /// The state of WASI; `None` if the module does not import WASI.
    pub(crate) wasi: Option<WasiP1Ctx>,
    /// The shared objects that the instance has open; `None` without shared state.
    pub(crate) objects: Option<Objects>,
    /// The regions that the instance has mapped.
    pub(crate) mappings: Mappings,
    /// The exported memory, once the instance exists.
    pub(crate) memory: Option<Memory>,
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.wasi.as_mut().expect("a module that imports WASI is given it").ctx()
    }
}

/// The error of a guest's pointer or length that leads out of its memory.
#[derive(Debug)]
struct OutOfBounds {
    call: &'static str,
    pointer: u32,
    length: u64,
}

impl fmt::Display for OutOfBounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let OutOfBounds { call, pointer, length } = self;
        write!(f, "{call}: {length} bytes at {pointer} are not inside the memory")
    }
}

impl std::error::Error for OutOfBounds {}

/// Adds the functions of `wpool` to a linker.
///
/// # Errors
/// Returns an error if one of them is there already.
pub(crate) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    answered::link(linker)?;
    array::link(linker)?;
    barrier::link(linker)?;
    condition::link(linker)?;
    dict::link(linker)?;
    event::link(linker)?;
    job::link(linker)?;
    list::link(linker)?;
    lock::link(linker)?;
    nested::link(linker)?;
    objects::link(linker)?;
    process::link(linker)?;
    queue::link(linker)?;
    region::link(linker)?;
    semaphore::link(linker)?;
    set::link(linker)?;
    value::link(linker)
}

/// Returns `length` bytes of the guest's memory at `pointer`, and the host's data. Bytes that
/// others write at the same time are copied, so that the checked bytes are the used ones.
fn bytes<'a>(
    caller: &'a mut Caller<'_, Host>,
    call: &'static str,
    pointer: u32,
    length: u64,
) -> wasmtime::Result<(Cow<'a, [u8]>, &'a mut Host)> {
    let (bytes, host) = place(caller, call, pointer, length)?;
    match host.mappings.shared(pointer as usize, bytes.len()) {
        false => Ok((Cow::Borrowed(bytes), host)),
        true => Ok((Cow::Owned(mapping::copy_out(bytes)), host)),
    }
}

/// A place in a guest's memory for bytes.
struct Room<'a> {
    bytes: &'a mut [u8],
    /// True if others write there at the same time.
    shared: bool,
}

impl Room<'_> {
    /// Returns how many bytes fit.
    fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Copies bytes to the beginning, as many as fit. Returns how many.
    fn put(&mut self, from: &[u8]) -> usize {
        let copied = from.len().min(self.len());
        let (from, to) = (&from[..copied], &mut self.bytes[..copied]);
        match self.shared {
            false => to.copy_from_slice(from),
            true => mapping::copy_in(from, to),
        }
        copied
    }

    /// Fills the place by `fill`, unless that fails.
    fn fill<E>(&mut self, fill: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<(), E> {
        if !self.shared {
            return fill(self.bytes);
        }
        let mut bytes = vec![0; self.len()];
        fill(&mut bytes)?;
        self.put(&bytes);
        Ok(())
    }
}

/// Returns `length` bytes of the guest's memory at `pointer`, and the host's data.
fn place<'a>(
    caller: &'a mut Caller<'_, Host>,
    call: &'static str,
    pointer: u32,
    length: u64,
) -> wasmtime::Result<(&'a mut [u8], &'a mut Host)> {
    let Some(memory) = caller.data().memory else {
        wasmtime::bail!("{call}: the module exports no memory under the name `memory`");
    };
    let (memory, host) = memory.data_and_store_mut(caller);
    let (start, end) = (u64::from(pointer), u64::from(pointer).saturating_add(length));
    match memory.get_mut(start as usize..end as usize) {
        Some(bytes) => Ok((bytes, host)),
        None => Err(OutOfBounds { call, pointer, length }.into()),
    }
}

/// Returns room for `length` bytes in the guest's memory at `pointer`, and the host's data.
fn room<'a>(
    caller: &'a mut Caller<'_, Host>,
    call: &'static str,
    pointer: u32,
    length: u64,
) -> wasmtime::Result<(Room<'a>, &'a mut Host)> {
    let (bytes, host) = place(caller, call, pointer, length)?;
    let shared = host.mappings.shared(pointer as usize, bytes.len());
    match host.mappings.guarded(pointer as usize, bytes.len()) {
        None => Ok((Room { bytes, shared }, host)),
        Some(what) => Err(answers::misuse(call, format!("write to {what}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flat::Flat;
    use std::collections::BTreeMap;
    use wasmtime::{Engine, Store, ValType};

    /// Returns the types of functions by name, as `wit/` documents them.
    fn documented() -> BTreeMap<String, String> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit");
        let files = std::fs::read_dir(folder).unwrap();
        let texts = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
        let all = texts.flat_map(|text| flat::quoted(&text.replace("///", "")));
        let typed = all.map(|Flat { name, params, result }| {
            let params: Vec<_> = params.into_iter().map(|(_, ty)| ty).collect();
            (name, format!("{} -> {}", params.join(" "), result.unwrap_or_default()))
        });
        typed.collect()
    }

    #[test]
    fn every_function_has_the_type_that_wit_documents() {
        let engine = Engine::default();
        let mut linker = Linker::new(&engine);
        link(&mut linker).unwrap();
        let host = Host {
            job: Job::default(),
            limits: Limiter::new(0, 0),
            wasi: None,
            objects: None,
            mappings: Mappings::default(),
            memory: None,
        };
        let mut store = Store::new(&engine, host);
        let linked: Vec<_> = linker
            .iter(&mut store)
            .map(|(_, name, item)| (name.to_owned(), item.into_func().unwrap()))
            .collect();
        let words = |types: Vec<ValType>| {
            types.iter().map(ValType::to_string).collect::<Vec<_>>().join(" ")
        };
        let typed = linked.into_iter().map(|(name, function)| {
            let ty = function.ty(&store);
            let (params, results) = (ty.params().collect(), ty.results().collect());
            (name, format!("{} -> {}", words(params), words(results)))
        });
        let typed: BTreeMap<_, _> = typed.collect();
        assert!(typed.len() > 60);
        assert_eq!(typed, documented());
    }
}
