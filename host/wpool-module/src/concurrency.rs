//! Concurrency: whether a component needs the event loop of the asynchronous component model.
//!
//! An engine with an event loop does more work at each call of any component, so only components
//! that need the event loop get it.

use wasmparser::{Parser, Validator, WasmFeatures};

/// The interfaces of WASI that are made for concurrent components.
const WASI_0_3: (&str, &str) = ("wasi:", "@0.3.");

/// Returns whether a component has functions, types or built-ins of the asynchronous component
/// model, or talks to WASI 0.3. The answer for an invalid component is arbitrary.
pub(super) fn is_needed(component: &[u8]) -> bool {
    let asynchronous = WasmFeatures::CM_ASYNC
        | WasmFeatures::CM_ASYNC_STACKFUL
        | WasmFeatures::CM_MORE_ASYNC_BUILTINS
        | WasmFeatures::CM_THREADING
        | WasmFeatures::CM_ERROR_CONTEXT;
    let mut validator = Validator::new_with_features(WasmFeatures::all() & !asynchronous);
    for payload in Parser::new(0).parse_all(component) {
        let Ok(payload) = payload else { return false };
        if let wasmparser::Payload::ComponentImportSection(imports) = &payload {
            let mut imports = imports.clone().into_iter().flatten();
            if imports.any(|import| is_wasi_0_3(import.name.name)) {
                return true;
            }
        }
        // The bodies of functions are not examined.
        if validator.payload(&payload).is_err() {
            return true;
        }
    }
    false
}

fn is_wasi_0_3(interface: &str) -> bool {
    let (namespace, version) = WASI_0_3;
    interface.starts_with(namespace) && interface.contains(version)
}
