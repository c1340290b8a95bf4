//! Components: of an example cargo makes a core module that describes the component which it is to be.

use std::fs;
use std::path::Path;

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_component::ComponentEncoder;

use crate::Result;

/// Whether an example is a component: the folders' names end so.
pub fn is_component(example: &str) -> bool {
    example.ends_with("-component")
}

/// Makes a component of a core module. Where that calls WASI's first version, an adapter calls the second.
pub fn encode(module: &Path, component: &Path) -> Result {
    let module = fs::read(module).map_err(|error| format!("{}: {error}", module.display()))?;
    let encoded = ComponentEncoder::default()
        .validate(true)
        .module(&module)?
        .adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER)?
        .encode()?;
    Ok(fs::write(component, encoded)?)
}
