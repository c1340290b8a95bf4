//! Commands under test. As a component, each command is encoded with the adapter that calls WASI's
//! second version where the module calls the first.

use super::COMPONENT;
use crate::common::guest;
use crate::common::run::{Wpool, file, wpool};
use std::fs;
use std::path::PathBuf;
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
};
use wit_component::ComponentEncoder;

/// The name that a command of these tests finds as its own: that of its file.
pub(crate) const ARGV0: &str = if COMPONENT { "module.wasm" } else { "module.wat" };

/// Returns a run of `wpool map` for an example that is a command.
pub(crate) fn map_command(name: &str) -> Wpool {
    wpool(["map"]).arg(example(name))
}

/// Returns a run of `wpool map` for a command in text form.
pub(crate) fn map_command_text(text: &str) -> Wpool {
    wpool(["map"]).arg(from_text(text))
}

/// Returns a run of `wpool run` for an example that is a command.
pub(crate) fn run_command(name: &str) -> Wpool {
    wpool(["run"]).arg(example(name))
}

/// Returns a run of `wpool run` for a command in text form.
pub(crate) fn run_command_text(text: &str) -> Wpool {
    wpool(["run"]).arg(from_text(text))
}

/// Returns the exit code that arrives: the adapter calls `exit`, which only distinguishes success
/// from failure.
pub(crate) fn passed_on(code: i32) -> i32 {
    if COMPONENT { code.min(1) } else { code }
}

fn example(name: &str) -> PathBuf {
    if !COMPONENT {
        return guest(name);
    }
    let module = fs::read(guest(name)).expect("it is there");
    file(&format!("{name}.wasm"), component(&module))
}

fn from_text(text: &str) -> PathBuf {
    if !COMPONENT {
        return file("module.wat", text);
    }
    file("module.wasm", component(&wat::parse_str(text).expect("the text is a module")))
}

/// Returns the component that does what a command does.
pub(crate) fn component(module: &[u8]) -> Vec<u8> {
    let encoder = ComponentEncoder::default().validate(true).module(module);
    let adapted = encoder.and_then(|encoder| {
        encoder.adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER)
    });
    adapted.and_then(|mut encoder| encoder.encode()).expect("a command has a component")
}
