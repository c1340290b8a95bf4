//! Help lines for errors, looked up by the type of the error.

use super::language;
use std::io;
use std::path::Path;
use wpool::module::ModuleError;
use wpool::module::description::{ChooseError, NoChoice};
use wpool::module::toolchain::Toolchain;

/// Returns the help for an error of the system, if there is any.
pub(crate) fn of_system(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        io::ErrorKind::OutOfMemory => {
            Some("`ulimit -v unlimited`: only addresses are reserved; --memory limits what is used")
        }
        io::ErrorKind::NotFound if !Path::new("/proc/self").exists() => {
            Some("mount it: mount -t proc proc /proc")
        }
        io::ErrorKind::NotFound if !Path::new("/dev/null").exists() => {
            Some("make it: mknod -m 666 /dev/null c 1 3")
        }
        io::ErrorKind::FileTooLarge => Some("raise `ulimit -f`: memory that is shared is files"),
        _ => match error.raw_os_error()? {
            nix::libc::EMFILE => Some("raise `ulimit -n`, or have fewer workers: -j"),
            nix::libc::ENFILE => Some("have fewer workers: -j"),
            nix::libc::EAGAIN => Some("raise `ulimit -u`, or have fewer workers: -j"),
            _ => None,
        },
    }
}

/// Returns the help for a choice of a task that failed; `choose` stands before the tasks to choose
/// from.
pub(crate) fn of_choice(error: &ChooseError, choose: &str) -> Option<String> {
    match error.why {
        _ if !error.candidates.is_empty() => {
            Some(format!("{choose}: {}", error.candidates.join(", ")))
        }
        NoChoice::NoTask => Some(
            "export one: in Rust with #[task] of the crate wpool-guest, in C with wpool.h".into(),
        ),
        NoChoice::Command => Some("leave --task out".into()),
        _ => None,
    }
}

/// Returns the help for a module, given as this file, that cannot be used.
pub(crate) fn of_module(path: &Path, error: &ModuleError) -> Option<String> {
    let help = match error {
        ModuleError::Read(_) => "give the path of a module: a .wasm or .wat file",
        ModuleError::NotWasm(_) => match language::way(path) {
            Some(way) => return Some(way),
            None => {
                "build one: in Rust by cargo build --release --target wasm32-wasip1, in C by clang \
                 --target=wasm32-wasi"
            }
        },
        ModuleError::Damaged(_) => {
            "the file seems to be cut off or damaged: build or copy it again"
        }
        ModuleError::Section(_) => "build it again with the wpool-guest of this version",
        ModuleError::TooLarge => {
            "leave debug information out; in Rust: strip = true in [profile.release]"
        }
        ModuleError::SharedMemory => {
            "in Rust: build for wasm32-wasip1, not for wasm32-wasip1-threads"
        }
        ModuleError::Imports { made_for, .. } => made_for.map_or(
            "build it for wasm32-wasip1; with --stub-imports it runs as long as it calls no such function",
            Toolchain::way,
        ),
        ModuleError::StartMemory { .. } => {
            "raise --memory, or build the module with less memory at the start"
        }
        ModuleError::Stack(_) => {
            "lower --stack, or raise the system's limit first: ulimit -s unlimited"
        }
        ModuleError::Table { .. } => {
            "tables hold functions: build it with fewer that are called by pointers"
        }
        ModuleError::RawText(_) => "leave out -R and --files: its jobs are JSON",
        ModuleError::Initialiser(_) => "give --init a task without parameters",
        ModuleError::ImportType(_) => {
            "build it again with the wpool-guest or the wpool.h of this version"
        }
        ModuleError::Load(_) => "try it with --no-cache",
        ModuleError::Proposal(_) => {
            "build it without: wpool has the proposals that wasmtime takes for finished"
        }
        ModuleError::Invalid(_) => {
            "build it again: a tool that made or changed it has done so wrongly"
        }
        ModuleError::Compile(_) | ModuleError::Compiler(_) => {
            "check the module with: wasm-tools validate; if it is valid, is memory or time short?"
        }
        _ => return None,
    };
    Some(help.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(error: &ModuleError) -> Option<String> {
        of_module(Path::new("m.wasm"), error)
    }

    #[test]
    fn an_invalid_module_is_not_taken_for_a_want_of_memory_or_time() {
        let help = of(&ModuleError::Invalid("type mismatch".into())).unwrap();
        assert!(!help.contains("short"), "{help}");
        assert!(of(&ModuleError::Compiler("killed".into())).unwrap().contains("short"));
    }

    #[test]
    fn the_words_of_an_error_do_not_decide_what_helps() {
        let words = "larger than, shared memory, cannot read, compil";
        let help = of(&ModuleError::Damaged(words.into())).unwrap();
        assert!(help.contains("build or copy it again"), "{help}");
        assert_eq!(of(&ModuleError::Loader(words.into())), None);
    }

    #[test]
    fn what_a_module_was_made_for_decides_how_it_is_made_for_here() {
        let imports = |made_for| ModuleError::Imports { names: String::new(), made_for };
        let emscripten = of(&imports(Some(Toolchain::Emscripten)));
        assert_eq!(emscripten.as_deref(), Some(Toolchain::Emscripten.way()));
        assert!(of(&imports(None)).unwrap().contains("--stub-imports"));
    }
}
