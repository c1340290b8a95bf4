//! Compilation: from the user's bytes to machine code, in the compiler process only.

use super::description::Description;
use super::{ModuleError, classify, component, concurrency, one_line, outline};
use crate::wire::failure::FRAMES_MAX;
use rustix::io::Errno;
use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::thread;
use wasmparser::{Parser, Validator, WasmFeatures};
use wasmtime::component::Component;
use wasmtime::{Collector, Config, Engine, Inlining, Module, WasmBacktraceDetails};
use wast::Wat;
use wast::parser::{self, ParseBuffer};

/// The largest number of frames in a backtrace.
const BACKTRACE_FRAMES: NonZeroUsize = NonZeroUsize::new(FRAMES_MAX).expect("not 0");

/// The number of addresses that are reserved for each memory of a module that has a 64-bit memory:
/// 64 GiB, to which such a memory can grow. A 32-bit memory gets 4 GiB, which is its largest size.
pub const WIDE_BYTES: u64 = 64 << 30;

/// The variant of compilation, which follows from a module's bytes and from the limits of its jobs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Variant {
    /// True if jobs have a limit of fuel.
    pub fuel: bool,
    /// True if memories may grow above 4 GiB.
    wide: bool,
    /// True if functions are inlined across the modules of a component.
    inlined: bool,
    /// True if tasks of a component can wait for one another.
    concurrent: bool,
}

impl Variant {
    /// Returns the variant of a module.
    pub fn of(description: &Description, fuel: bool) -> Variant {
        Variant {
            fuel,
            wide: description.parts.wide,
            inlined: description.inlined,
            concurrent: description.is_concurrent(),
        }
    }
}

/// Returns the settings on which the compiler and the engines that load its code must agree.
///
/// A setting that changes code generation belongs here, and nowhere else: the loader refuses code
/// made with other settings.
pub fn engine_config(variant: Variant) -> Config {
    let mut config = Config::new();
    config
        .wasm_gc(true)
        .wasm_function_references(true)
        .wasm_exceptions(true)
        // The copying collector frees cycles.
        .collector(Collector::Copying)
        .relaxed_simd_deterministic(true)
        .consume_fuel(variant.fuel)
        .memory_may_move(false)
        // Support for concurrency costs time at each call of any component.
        .concurrency_support(variant.concurrent)
        // Function names come from the name section; DWARF would be parsed at every trap.
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .wasm_backtrace_max_frames(Some(BACKTRACE_FRAMES))
        // Unwind information is for debuggers and profilers only: wasmtime unwinds by frame
        // pointers.
        .native_unwind_info(false);
    if variant.wide {
        config.memory_reservation(WIDE_BYTES);
    }
    if variant.inlined {
        // The modules of a component call one another often: an interpreter calls its C library.
        // Inlining takes an eighth off the time of a Python task that returns a list, and takes ten
        // times the memory to compile.
        config.compiler_inlining(Inlining::InterModuleAndIntraGc);
    }
    config
}

/// Returns a digest of everything that decides whether compiled code can be loaded: settings,
/// processor, version.
pub fn compatibility(fuel: bool) -> u64 {
    // The rest of a variant follows from a module's bytes, in the same way for all modules of a
    // version.
    let variant = Variant { fuel, ..Variant::default() };
    let engine = Engine::new(&engine_config(variant)).expect("the fixed settings are valid");
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    WIDE_BYTES.hash(&mut hasher);
    hasher.finish()
}

/// Returns the module in binary form. Text is translated; anything else is refused.
///
/// # Errors
/// Returns an error if the bytes are neither WebAssembly nor its text form.
pub fn binary(bytes: &[u8]) -> Result<Cow<'_, [u8]>, ModuleError> {
    if bytes.starts_with(b"\0asm") {
        return Ok(Cow::Borrowed(bytes));
    }
    let not_wasm = |what: &str| Err(ModuleError::NotWasm(what.to_owned()));
    if bytes.is_empty() {
        return not_wasm("the file is empty");
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return not_wasm("it begins with neither `\\0asm` nor text");
    };
    let text = text.trim_start_matches('\u{feff}');
    if !text.trim_start().starts_with(['(', ';']) {
        return not_wasm("it is text, but not WebAssembly's");
    }
    let parsed = ParseBuffer::new(text)
        .and_then(|buffer| parser::parse::<Wat>(&buffer).and_then(|mut module| module.encode()));
    parsed.map(Cow::Owned).map_err(|error| {
        let (line, column) = error.span().linecol_in(text);
        let (line, column) = (line + 1, column + 1);
        ModuleError::NotWasm(format!("line {line}, column {column}: {}", error.message()))
    })
}

/// Compiles a module in binary or text form.
///
/// # Errors
/// Returns the same errors as [`check`] and [`Checked::compile`].
pub fn compile(
    bytes: &[u8],
    fuel: bool,
    inline: bool,
) -> Result<(Vec<u8>, Description), ModuleError> {
    check(bytes, fuel, inline, |_| Ok(()))?.compile()
}

/// A module that can be compiled, as far as is known without doing it.
pub struct Checked<'a> {
    binary: Cow<'a, [u8]>,
    description: Description,
    engine: Engine,
}

/// Describes a module given in binary or text form, and checks it; `look` may add to the description, and
/// refuse the module. With `inline`, functions are inlined across the modules of a component.
///
/// The compiler process calls this function on untrusted bytes.
///
/// # Errors
/// Returns an error if the bytes are not a module, or a module of a kind that cannot be run, and
/// returns the error of `look`.
pub fn check(
    bytes: &[u8],
    fuel: bool,
    inline: bool,
    look: impl FnOnce(&mut Description) -> Result<(), ModuleError>,
) -> Result<Checked<'_>, ModuleError> {
    let binary = binary(bytes)?;
    let mut description = describe_binary(&binary)?;
    look(&mut description)?;
    description.inlined = inline && description.component;
    if !description.component && classify::has_shared_memory(&binary)? {
        return Err(ModuleError::SharedMemory);
    }
    let engine = engine(Variant::of(&description, fuel))?;
    validate(&engine, &binary, description.component)?;
    Ok(Checked { binary, description, engine })
}

impl Checked<'_> {
    /// Makes machine code of the module; uses several threads.
    ///
    /// # Errors
    /// The compiler refuses it, or gets no memory.
    pub fn compile(self) -> Result<(Vec<u8>, Description), ModuleError> {
        let Checked { binary, description, engine } = self;
        let cwasm = match description.component {
            true => engine.precompile_component(&binary),
            false => engine.precompile_module(&binary),
        };
        Ok((cwasm.map_err(refused)?, description))
    }
}

/// Describes a module given in binary or text form. The compiler process calls this function too.
///
/// # Errors
/// Returns an error if the bytes are not a module.
pub fn describe(bytes: &[u8]) -> Result<Description, ModuleError> {
    let binary = binary(bytes)?;
    let description = describe_binary(&binary)?;
    let engine = engine(Variant::of(&description, false))?;
    validate(&engine, &binary, description.component)?;
    Ok(description)
}

/// Checks that a module follows the rules of WebAssembly with the proposals that the engine has.
///
/// # Errors
/// Returns the first fault: [`ModuleError::Proposal`] if it goes away with all proposals, whatever
/// is wrong behind it, and [`ModuleError::Invalid`] if it stays.
fn validate(engine: &Engine, binary: &[u8], component: bool) -> Result<(), ModuleError> {
    let valid = |features| Validator::new_with_features(features).validate_all(binary).map(drop);
    // Functions of a core module are validated by several threads.
    if !component && Module::validate(engine, binary).is_ok() {
        return Ok(());
    }
    let Err(error) = valid(engine.get_wasm_features()) else { return Ok(()) };
    let message = one_line(&error.to_string());
    let stays = valid(WasmFeatures::all())
        .is_err_and(|other| (other.offset(), other.message()) == (error.offset(), error.message()));
    Err(if stays { ModuleError::Invalid(message) } else { ModuleError::Proposal(message) })
}

fn describe_binary(binary: &[u8]) -> Result<Description, ModuleError> {
    if !Parser::is_component(binary) {
        return classify::describe(binary);
    }
    // The engine reports only the types of what it has compiled, so a copy without code is
    // compiled.
    let outline = outline::without_code(binary)?;
    let concurrent = concurrency::is_needed(&outline);
    let engine = engine(Variant { concurrent, ..Variant::default() })?;
    let component = match Component::new(&engine, outline) {
        Ok(component) => component,
        Err(error) => {
            validate(&engine, binary, true)?;
            return Err(refused(error));
        }
    };
    Ok(component::describe(&component, binary, concurrent))
}

fn engine(variant: Variant) -> Result<Engine, ModuleError> {
    let mut config = engine_config(variant);
    config.parallel_compilation(has_threads());
    Engine::new(&config).map_err(refused)
}

/// Returns whether the system allows one thread per CPU. If it does not, a single thread must do,
/// because wasmtime panics if it cannot start its threads.
fn has_threads() -> bool {
    let wanted = thread::available_parallelism().map_or(1, usize::from);
    let gate = Mutex::new(());
    thread::scope(|scope| {
        // The threads must all exist at the same time.
        let _closed = gate.lock();
        let spawn = |_| thread::Builder::new().spawn_scoped(scope, || drop(gate.lock()));
        (0..wanted).map(spawn).collect::<Result<Vec<_>, _>>().is_ok()
    })
}

fn refused(error: wasmtime::Error) -> ModuleError {
    if error.chain().any(|cause| cause.downcast_ref() == Some(&Errno::NOMEM)) {
        return ModuleError::Memory;
    }
    let causes: Vec<String> = error.chain().map(|cause| one_line(&cause.to_string())).collect();
    ModuleError::Compile(causes.join(": "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_accepted_wherever_wasm_is() {
        let text = "(module (func (export \"f\") (result i32) i32.const 1))";
        let (cwasm, description) = compile(text.as_bytes(), false, false).unwrap();
        assert!(!cwasm.is_empty());
        assert_eq!(description.tasks[0].name, "f");
        assert!(compile(&wat::parse_str(text).unwrap(), true, false).is_ok());
    }

    #[test]
    fn what_is_not_a_module_is_refused_in_one_line_that_says_why() {
        for (bytes, message) in [
            (&b""[..], "not a WebAssembly module: the file is empty"),
            (b"\x7fELF\xff", "not a WebAssembly module: it begins with neither `\\0asm` nor text"),
            (b"#!/bin/sh", "not a WebAssembly module: it is text, but not WebAssembly's"),
            (b"(modul)", "not a WebAssembly module: line 1, column 2: expected valid module field"),
        ] {
            assert_eq!(compile(bytes, false, false).unwrap_err().to_string(), message);
        }
        assert!(matches!(compile(b"\0asm", false, false), Err(ModuleError::Damaged(_))));
        for shared in
            ["(module (memory 1 1 shared))", "(module (import \"\" \"\" (memory 1 1 shared)))"]
        {
            assert!(matches!(
                compile(shared.as_bytes(), false, false),
                Err(ModuleError::SharedMemory)
            ));
        }
    }

    #[test]
    fn a_module_that_does_not_validate_is_refused_with_the_place() {
        let error = compile(b"(module (func (result i32) i64.const 1))", false, false).unwrap_err();
        assert!(matches!(error, ModuleError::Invalid(_)), "{error:?}");
        let message = error.to_string();
        assert!(message.contains("type mismatch"), "{message}");
        assert!(!message.contains('\n'));
    }

    #[test]
    fn a_proposal_that_is_not_there_is_named() {
        for (text, name) in [
            (
                r#"(component
                    (core module $m (func (export "f")))
                    (core instance $i (instantiate $m))
                    (func (export "f") async (canon lift (core func $i "f") async)))"#,
                "component model async stackful feature",
            ),
            // With the proposal it would be the type of the function that is wrong.
            (
                r#"(component
                    (core module $m (func (export "f") (result i32) (i32.const 0)))
                    (core instance $i (instantiate $m))
                    (func (export "f") async (canon lift (core func $i "f") async)))"#,
                "component model async stackful feature",
            ),
            (
                r#"(component (type $s (stream u8)) (core module $m (memory (export "m") 1))
                    (core instance $i (instantiate $m)) (core func
                    (canon stream.read $s (memory $i "m"))))"#,
                "component model more async builtins feature",
            ),
            ("(module (memory 1 (pagesize 1)))", "custom page sizes"),
            ("(module (func try catch_all end))", "legacy_exceptions"),
        ] {
            let error = compile(text.as_bytes(), false, false).unwrap_err();
            assert!(matches!(&error, ModuleError::Proposal(it) if it.contains(name)), "{error:?}");
        }
    }

    #[test]
    fn only_a_component_that_needs_an_event_loop_gets_one() {
        let module = "(module (func (export \"f\")))";
        let component = |within: &str| format!("(component {within})");
        for (text, concurrent) in [
            (module.to_owned(), false),
            (component("(type (func (param \"n\" u32)))"), false),
            (component("(import \"wasi:clocks/types@0.2.6\" (instance))"), false),
            (component("(type (func async (param \"n\" u32)))"), true),
            (component("(type (stream u8))"), true),
            (component("(component (core func (canon waitable-set.new)))"), true),
            (component("(import \"wasi:random/random@0.3.0\" (instance))"), true),
        ] {
            let (_, description) = compile(text.as_bytes(), false, false).unwrap();
            assert_eq!(description.is_concurrent(), concurrent, "{text}");
        }
    }

    #[test]
    fn fuel_makes_other_code() {
        assert_eq!(compatibility(false), compatibility(false));
        assert_ne!(compatibility(false), compatibility(true));
    }
}
