//! The toolchains that make modules for other hosts than this one, recognised by a module's imports
//! and sections.

use super::description::Import;
use serde::{Deserialize, Serialize};

/// A host or runtime that a module was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Toolchain {
    /// A library that is linked while its program runs.
    SideModule,
    /// A core module from the inside of a component.
    ComponentCore,
    /// Emscripten, for JavaScript.
    Emscripten,
    /// Rust with wasm-bindgen, for JavaScript.
    WasmBindgen,
    /// Go or TinyGo, for JavaScript.
    Go,
    /// AssemblyScript, for JavaScript.
    AssemblyScript,
    /// Kotlin, for JavaScript.
    Kotlin,
    /// Ruby's interpreter, for JavaScript.
    Ruby,
    /// A plug-in of a proxy.
    ProxyWasm,
    /// A plug-in of Extism.
    Extism,
    /// The extension of WASI by Wasmer.
    Wasix,
    /// WASI with threads.
    Threads,
    /// The sockets of WasmEdge.
    Sockets,
    /// The HTTP interfaces of WASI.
    Http,
}

impl Toolchain {
    /// Returns the toolchain of a module with these imports and custom sections, if it is known.
    pub(super) fn of(imports: &[Import], sections: &[&str]) -> Option<Toolchain> {
        let has = |prefix: &str| sections.iter().any(|section| section.starts_with(prefix));
        // A program that loads side modules has the section, too: but it has places of its own.
        if has("dylink") && imports.iter().any(is_place) {
            return Some(Toolchain::SideModule);
        }
        let of_import = imports.iter().find_map(|Import { module, name }| of_import(module, name));
        of_import.or_else(|| {
            let interfaces = imports.iter().any(|import| import.module.contains(':'));
            (interfaces && has("component-type")).then_some(Toolchain::ComponentCore)
        })
    }

    /// Returns the name of the toolchain for messages.
    pub fn name(self) -> &'static str {
        match self {
            Toolchain::SideModule => "a side module (dylink)",
            Toolchain::ComponentCore => "the core module of a component",
            Toolchain::Emscripten => "made by Emscripten for JavaScript",
            Toolchain::WasmBindgen => "made by wasm-bindgen for JavaScript",
            Toolchain::Go => "made by Go for JavaScript",
            Toolchain::AssemblyScript => "made by AssemblyScript for JavaScript",
            Toolchain::Kotlin => "made by Kotlin for JavaScript",
            Toolchain::Ruby => "made by ruby.wasm for JavaScript",
            Toolchain::ProxyWasm => "a plug-in of a proxy (proxy-wasm)",
            Toolchain::Extism => "a plug-in of Extism",
            Toolchain::Wasix => "made for WASIX",
            Toolchain::Threads => "made for WASI with threads",
            Toolchain::Sockets => "made for WasmEdge's sockets",
            Toolchain::Http => "made for wasi:http",
        }
    }

    /// Returns advice on how to get a module that runs here.
    pub fn way(self) -> &'static str {
        match self {
            Toolchain::SideModule => {
                "link it into a program: build without -sSIDE_MODULE and -shared"
            }
            Toolchain::ComponentCore => {
                "make the component: wasm-tools component new MODULE -o COMPONENT, or in Rust build \
                 for wasm32-wasip2"
            }
            Toolchain::Emscripten => {
                "build it with emcc -sSTANDALONE_WASM, or with wasi-sdk: clang --target=wasm32-wasip1"
            }
            Toolchain::WasmBindgen => {
                "build it without wasm-bindgen: cargo build --release --target wasm32-wasip1"
            }
            Toolchain::Go => {
                "build it with GOOS=wasip1 GOARCH=wasm go build, or tinygo -target=wasip1"
            }
            Toolchain::AssemblyScript => {
                "build it for WASI: asc --config node_modules/@assemblyscript/wasi-shim/asconfig.json"
            }
            Toolchain::Kotlin => "build it for Kotlin's target wasmWasi",
            Toolchain::Ruby => {
                "take the interpreter that ruby.wasm releases for wasm32-wasip1: a command"
            }
            Toolchain::ProxyWasm => {
                "it runs in Envoy and its like only; its code may be built as tasks"
            }
            Toolchain::Extism => "it runs in Extism only; its code may be built as tasks",
            Toolchain::Wasix => "build it for wasm32-wasip1, without what only Wasmer has",
            Toolchain::Threads => {
                "build it for wasm32-wasip1: a guest has one thread, a pool many guests"
            }
            Toolchain::Sockets => "guests have no network: build it without its sockets",
            Toolchain::Http => "guests have no network: give it what it needs as jobs",
        }
    }
}

/// Returns whether an import is the place that whoever loads a side module gives it.
fn is_place(import: &Import) -> bool {
    match import.module.as_str() {
        "env" => matches!(import.name.as_str(), "__memory_base" | "__table_base"),
        module => matches!(module, "GOT.mem" | "GOT.func"),
    }
}

fn of_import(module: &str, name: &str) -> Option<Toolchain> {
    const WASMEDGE: [&str; 9] = [
        "sock_open",
        "sock_bind",
        "sock_listen",
        "sock_connect",
        "sock_getaddrinfo",
        "sock_getlocaladdr",
        "sock_getpeeraddr",
        "sock_setsockopt",
        "sock_getsockopt",
    ];
    match module {
        "env" => of_env(name),
        // Emscripten shortens the names of its imports.
        "a" if name.len() <= 2 => Some(Toolchain::Emscripten),
        "gojs" | "go" => Some(Toolchain::Go),
        "wbg" => Some(Toolchain::WasmBindgen),
        "js_code" => Some(Toolchain::Kotlin),
        "rb-js-abi-host" => Some(Toolchain::Ruby),
        "wasi" if name == "thread-spawn" => Some(Toolchain::Threads),
        "wasi_snapshot_preview1" if WASMEDGE.contains(&name) => Some(Toolchain::Sockets),
        _ if module.starts_with("__wbindgen") || name.starts_with("__wb") => {
            Some(Toolchain::WasmBindgen)
        }
        _ if module.starts_with("wasix_") => Some(Toolchain::Wasix),
        _ if module.starts_with("extism:") => Some(Toolchain::Extism),
        _ if module.starts_with("wasi:http/") => Some(Toolchain::Http),
        _ => None,
    }
}

fn of_env(name: &str) -> Option<Toolchain> {
    const EMSCRIPTEN: [&str; 8] = [
        "emscripten_",
        "_emscripten_",
        "invoke_",
        "__syscall_",
        "__cxa_",
        "_embind",
        "_emval",
        "em_",
    ];
    match name {
        "seed" | "trace" | "console.log" | "Date.now" => Some(Toolchain::AssemblyScript),
        "_abort_js" | "_tzset_js" | "_mmap_js" | "_munmap_js" | "__assert_fail" => {
            Some(Toolchain::Emscripten)
        }
        _ if name.starts_with("proxy_") => Some(Toolchain::ProxyWasm),
        _ if EMSCRIPTEN.iter().any(|prefix| name.starts_with(prefix)) => {
            Some(Toolchain::Emscripten)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_toolchain_is_known_by_what_it_imports_and_by_its_sections() {
        let of = |module: &str, name: &str, sections: &[&str]| {
            let import = Import { module: module.into(), name: name.into() };
            Toolchain::of(&[import], sections)
        };
        for (module, name, toolchain) in [
            ("env", "invoke_vi", Some(Toolchain::Emscripten)),
            ("a", "b", Some(Toolchain::Emscripten)),
            ("./x_bg.js", "__wbg_log_1", Some(Toolchain::WasmBindgen)),
            ("__wbindgen_placeholder__", "f", Some(Toolchain::WasmBindgen)),
            ("gojs", "runtime.ticks", Some(Toolchain::Go)),
            ("env", "proxy_log", Some(Toolchain::ProxyWasm)),
            ("env", "seed", Some(Toolchain::AssemblyScript)),
            ("wasi_snapshot_preview1", "sock_open", Some(Toolchain::Sockets)),
            ("wasi_snapshot_preview1", "sock_send", None),
            ("wasi:http/types@0.2.0", "f", Some(Toolchain::Http)),
            ("env", "abort", None),
            ("env", "f", None),
        ] {
            assert_eq!(of(module, name, &[]), toolchain, "{module} {name}");
        }
        for (module, name, toolchain) in [
            ("env", "__memory_base", Some(Toolchain::SideModule)),
            ("env", "__table_base", Some(Toolchain::SideModule)),
            ("GOT.func", "f", Some(Toolchain::SideModule)),
            // A program that loads side modules.
            ("env", "emscripten_resize_heap", Some(Toolchain::Emscripten)),
            ("env", "memory", None),
        ] {
            assert_eq!(of(module, name, &["dylink.0"]), toolchain, "{module} {name}");
        }
        let interface = ("wasi:cli/environment@0.2.0", "get-environment");
        let sections = ["component-type:wit-bindgen:0.1:x"];
        assert_eq!(of(interface.0, interface.1, &sections), Some(Toolchain::ComponentCore));
        assert_eq!(of(interface.0, interface.1, &[]), None);
    }
}
