//! Encodes components. Of an example, cargo makes a core module that describes the component it is
//! to become.

use std::fs;
use std::path::Path;

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
    WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_component::ComponentEncoder;

use crate::Result;

/// The adapter that calls WASI's second version where a core module calls the first.
pub enum Adapter {
    /// The adapter for a program, which has a `main`.
    Command,
    /// The adapter for every other module.
    Reactor,
}

/// Returns whether an example is a component, by the end of its folder's name.
pub fn is_component(example: &str) -> bool {
    example.ends_with("-component")
}

/// Encodes a core module as a component.
pub fn encode(module: &Path, component: &Path, adapter: Adapter) -> Result {
    let adapter = match adapter {
        Adapter::Command => WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
        Adapter::Reactor => WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
    };
    let module = fs::read(module).map_err(|error| format!("{}: {error}", module.display()))?;
    let encoded = ComponentEncoder::default()
        .validate(true)
        .module(&module)?
        .adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, adapter)?
        .encode()?;
    Ok(fs::write(component, encoded)?)
}
