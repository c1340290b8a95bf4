//! Linking: imports of modules, met by WASI and by what wpool offers.

use super::program::ProgramError;
use crate::imports::{self, Host};
use crate::module::description::Description;
use wasmtime::component::{self, Component};
use wasmtime::{FuncType, InstancePre, Linker, Module};
use wasmtime_wasi::{I32Exit, p1, p2};

/// Most names that a message lists.
const LISTED_MAX: usize = 20;

/// The import module of WASI's first version.
pub(super) const WASI: &str = "wasi_snapshot_preview1";

/// Packages of WASI's second version that are there.
const PROVIDED: [&str; 6] =
    ["wasi:cli/", "wasi:clocks/", "wasi:filesystem/", "wasi:io/", "wasi:random/", "wasi:sockets/"];

/// Links a core module.
///
/// # Errors
/// It imports what nobody provides.
pub(super) fn core(
    module: &Module,
    wasi: bool,
    wpool: bool,
) -> Result<InstancePre<Host>, ProgramError> {
    let mut linker = Linker::new(module.engine());
    if wasi {
        link_wasi(&mut linker).map_err(ProgramError::Load)?;
    }
    if wpool {
        imports::link(&mut linker).map_err(ProgramError::Load)?;
    }
    linker.instantiate_pre(module).map_err(|error| {
        let missing = missing(module, &linker);
        if missing.is_empty() { ProgramError::Load(error) } else { ProgramError::Imports(missing) }
    })
}

fn link_wasi(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    p1::add_to_linker_sync(linker, |host: &mut Host| {
        host.wasi.as_mut().expect("a module that imports WASI is given it")
    })?;
    // Wasmtime's own refuses codes above 125.
    linker.allow_shadowing(true);
    linker.func_wrap(WASI, "proc_exit", |code: i32| -> wasmtime::Result<()> {
        Err(I32Exit(code).into())
    })?;
    linker.allow_shadowing(false);
    Ok(())
}

/// The names of the imports that the linker does not have: a second definition is an error.
fn missing(module: &Module, linker: &Linker<Host>) -> String {
    let mut probe = linker.clone();
    let missing = module.imports().filter(|import| {
        let ty = FuncType::new(module.engine(), [], []);
        probe.func_new(import.module(), import.name(), ty, |_, _, _| Ok(())).is_ok()
    });
    list(missing.map(|import| format!("{}.{}", import.module(), import.name())))
}

/// Links a component.
///
/// # Errors
/// It imports what nobody provides.
pub(super) fn component(
    component: &Component,
    description: &Description,
) -> Result<component::InstancePre<Host>, ProgramError> {
    let mut linker = component::Linker::new(component.engine());
    p2::add_to_linker_sync(&mut linker).map_err(ProgramError::Load)?;
    imports::component::link(&mut linker).map_err(ProgramError::Load)?;
    linker.instantiate_pre(component).map_err(|error| {
        let missing = missing_interfaces(description);
        if missing.is_empty() { ProgramError::Load(error) } else { ProgramError::Imports(missing) }
    })
}

/// The interfaces and functions that a component imports and nobody has.
fn missing_interfaces(description: &Description) -> String {
    let known = |module: &str| {
        PROVIDED.iter().any(|package| module.starts_with(package))
            || module.starts_with("wpool:host/")
    };
    let mut names: Vec<String> = description
        .imports
        .iter()
        .filter(|import| !known(&import.module))
        .map(|import| if import.module.is_empty() { &import.name } else { &import.module }.clone())
        .collect();
    names.dedup();
    list(names.into_iter())
}

/// Names in a message, escaped, and not all of very many.
fn list(names: impl Iterator<Item = String>) -> String {
    let mut names: Vec<String> = names.map(|name| name.escape_debug().to_string()).collect();
    let more = names.len().saturating_sub(LISTED_MAX);
    if more > 0 {
        names.truncate(LISTED_MAX);
        names.push(format!("and {more} more"));
    }
    names.join(", ")
}
