//! Linking: the imports of modules, provided by WASI and by wpool.

use super::paths;
use crate::imports::{self, Host, foreign};
use crate::module::description::{Description, Import};
use crate::module::{ModuleError, name_list};
use wasmtime::component::{self, Component};
use wasmtime::{Engine, ExternType, FuncType, InstancePre, Linker, Module};
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::{I32Exit, p0, p1, p2, p3};

/// The import module of WASI's first version.
const WASI: &str = "wasi_snapshot_preview1";

/// The import module of the version before the first.
const WASI_UNSTABLE: &str = "wasi_unstable";

/// The version of WASI's interfaces that components are linked with: the one of wasmtime-wasi.
const WASI_VERSION: &str = "0.2.12";

/// The version of WASI's interfaces for concurrent components.
const WASI_CONCURRENT_VERSION: &str = "0.3.0";

/// Links a core module. If `stub` is true, functions that nobody provides trap when they are
/// called.
///
/// # Errors
/// Returns an error if the module imports something that nobody provides, or not with this type.
pub(super) fn core(
    module: &Module,
    description: &Description,
    stub: bool,
) -> Result<InstancePre<Host>, ModuleError> {
    let mut linker =
        core_linker(module.engine(), description).map_err(|error| ModuleError::load(&error))?;
    foreign::link(&mut linker, module).map_err(|error| ModuleError::load(&error))?;
    if stub {
        linker
            .define_unknown_imports_as_traps(module)
            .map_err(|error| ModuleError::load(&error))?;
    }
    linker.instantiate_pre(module).map_err(|error| {
        // Imports other than functions cannot be replaced by stubs.
        let others = module.imports().filter(|import| !matches!(import.ty(), ExternType::Func(_)));
        let others = others.map(|import| format!("{}.{}", import.module(), import.name()));
        match name_list(others) {
            // They are there, and of another type.
            names if names.is_empty() => ModuleError::ImportType(format!("{error:#}")),
            names => ModuleError::Imports { names, made_for: description.toolchain },
        }
    })
}

/// Returns a linker with the provided parts of the modules that a core module imports from.
fn core_linker(engine: &Engine, description: &Description) -> wasmtime::Result<Linker<Host>> {
    let imports_from = |name: &str| description.imports.iter().any(|import| import.module == name);
    let maps_regions = description.imports.iter().any(|import| {
        (import.module.as_str(), import.name.as_str()) == (imports::MODULE, "region_map")
    });
    let mut linker = Linker::new(engine);
    if imports_from(WASI) {
        p1::add_to_linker_sync(&mut linker, context)?;
        link_exit(&mut linker, WASI)?;
        if maps_regions {
            paths::link(&mut linker, WASI)?;
        }
    }
    if imports_from(WASI_UNSTABLE) && maps_regions {
        wasmtime::bail!(
            "a module that imports {WASI_UNSTABLE} cannot map regions; build it for {WASI}"
        );
    }
    if imports_from(WASI_UNSTABLE) {
        p0::add_to_linker_sync(&mut linker, context)?;
        link_exit(&mut linker, WASI_UNSTABLE)?;
    }
    if imports_from(imports::MODULE) {
        imports::link(&mut linker)?;
    }
    Ok(linker)
}

pub(super) fn context(host: &mut Host) -> &mut WasiP1Ctx {
    host.wasi.as_mut().expect("a module that imports WASI is given it")
}

/// Replaces wasmtime's own exit function, which refuses codes above 125.
fn link_exit(linker: &mut Linker<Host>, module: &str) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    linker.func_wrap(module, "proc_exit", |code: i32| -> wasmtime::Result<()> {
        Err(I32Exit(code).into())
    })?;
    linker.allow_shadowing(false);
    Ok(())
}

/// Links a component. If `stub` is true, functions that nobody provides trap when they are called.
///
/// # Errors
/// Returns an error if the component imports something that nobody provides, or not with this type.
pub(super) fn component(
    component: &Component,
    description: &Description,
    stub: bool,
) -> Result<component::InstancePre<Host>, ModuleError> {
    let linker = component_linker(component.engine(), description.is_concurrent());
    let mut linker = linker.map_err(|error| ModuleError::load(&error))?;
    if stub {
        linker
            .define_unknown_imports_as_traps(component)
            .map_err(|error| ModuleError::load(&error))?;
    }
    linker.instantiate_pre(component).map_err(|error| ModuleError::ImportType(format!("{error:#}")))
}

fn component_linker(
    engine: &Engine,
    concurrent: bool,
) -> wasmtime::Result<component::Linker<Host>> {
    let mut linker = component::Linker::new(engine);
    match concurrent {
        false => p2::add_to_linker_sync(&mut linker)?,
        true => {
            p2::add_to_linker_async(&mut linker)?;
            p3::add_to_linker(&mut linker)?;
        }
    }
    imports::component::link(&mut linker)?;
    Ok(linker)
}

/// Returns the names of the imports that nobody provides. Needs no machine code.
///
/// # Errors
/// Returns an error if there can be no engine.
pub(crate) fn missing(description: &Description) -> wasmtime::Result<Vec<String>> {
    let engine = Engine::default();
    match description.component {
        true => {
            let linker = component_linker(&engine, description.is_concurrent())?;
            missing_interfaces(linker, &description.imports)
        }
        false => {
            let ty = FuncType::new(&engine, [], []);
            let linker = core_linker(&engine, description)?;
            Ok(missing_functions(linker, &ty, &description.imports))
        }
    }
}

/// Returns the names of the imports that the linker does not have: a second definition is an error.
fn missing_functions(mut linker: Linker<Host>, ty: &FuncType, imports: &[Import]) -> Vec<String> {
    let missing = imports.iter().filter(|Import { module, name }| {
        !foreign::offers(module, name)
            && linker.func_new(module, name, ty.clone(), |_, _, _| Ok(())).is_ok()
    });
    missing.map(|import| format!("{}.{}", import.module, import.name)).collect()
}

/// Returns the interfaces that the linker does not have, and the missing functions of others.
fn missing_interfaces(
    mut linker: component::Linker<Host>,
    imports: &[Import],
) -> wasmtime::Result<Vec<String>> {
    let mut missing = Vec::new();
    for imports in imports.chunk_by(|one, next| one.module == next.module) {
        let interface = imports[0].module.as_str();
        let mut lacking = Vec::new();
        for Import { name, .. } in imports {
            let mut place = linker.root();
            if !interface.is_empty() {
                place = place.into_instance(&provided_version(interface))?;
            }
            if place.func_new(name, |_, _, _, _| Ok(())).is_ok() {
                lacking.push(name.as_str());
            }
        }
        match interface {
            "" => missing.extend(lacking.into_iter().map(str::to_owned)),
            _ if lacking.len() == imports.len() => missing.push(interface.to_owned()),
            _ => missing.extend(lacking.iter().map(|name| format!("{interface}#{name}"))),
        }
    }
    Ok(missing)
}

/// Returns the name of an interface in the provided version, if that version will do.
fn provided_version(interface: &str) -> String {
    match interface.split_once('@') {
        Some((name, version)) if name.starts_with("wasi:") && version.starts_with("0.2.") => {
            format!("{name}@{WASI_VERSION}")
        }
        // A candidate for a version is not that version.
        Some((name, version))
            if name.starts_with("wasi:")
                && version.starts_with("0.3.")
                && !version.contains('-') =>
        {
            format!("{name}@{WASI_CONCURRENT_VERSION}")
        }
        _ => interface.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::module::compile::describe;

    fn missing_of(text: &str) -> Vec<String> {
        missing(&describe(text.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn what_a_core_module_lacks_is_known_without_its_machine_code() {
        let names = missing_of(
            r#"(module
                (import "env" "abort" (func (param i32 i32 i32 i32)))
                (import "env" "f" (func)) (import "env" "f" (func)) (import "env" "m" (memory 1))
                (import "bench" "start" (func)) (import "wpool" "job_size" (func (result i32)))
                (import "wasi_unstable" "fd_seek" (func)) (import "wasi_unstable" "x" (func))
                (import "wasi_snapshot_preview1" "sock_send" (func))
                (import "wasi_snapshot_preview1" "sock_open" (func)))"#,
        );
        assert_eq!(
            names,
            ["env.f", "env.m", "wasi_unstable.x", "wasi_snapshot_preview1.sock_open"]
        );
    }

    #[test]
    fn what_a_component_lacks_is_known_by_interface_and_function_whatever_its_version_of_wasi() {
        let names = missing_of(&format!(
            r#"(component
                (import "wasi:random/random@0.2.0"
                    (instance (export "get-random-u64" (func (result u64)))))
                (import "wasi:random/insecure@{WASI_VERSION}" (instance
                    (export "get-insecure-random-u64" (func (result u64)))
                    (export "get-more" (func (result u64)))))
                (import "wasi:http/nothing@0.2.0" (instance (export "f" (func))))
                (import "g" (func)))"#
        ));
        assert_eq!(
            names,
            [
                format!("wasi:random/insecure@{WASI_VERSION}#get-more"),
                "wasi:http/nothing@0.2.0".into(),
                "g".into()
            ]
        );
    }
}
