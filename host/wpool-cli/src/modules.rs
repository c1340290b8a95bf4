//! Module files.

use super::report::Report;
use std::path::Path;
use wpool::module;
use wpool::pool::error::PoolError;

/// Reads a module file whole.
///
/// # Errors
/// Fails if the file cannot be read, or is too large.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Report> {
    module::read(path).map_err(|error| Report::of_module(path, PoolError::Module(error)))
}

/// Returns the file's name without its folder, which is a command's `argv[0]`, as under `wasmtime run`.
pub(crate) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// Returns the file's name without its folder and extension, which names a command's process.
pub(crate) fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::exit::Exit;

    #[test]
    fn a_missing_module_is_named() {
        let report = read(Path::new("/nowhere/m.wasm")).expect_err("missing");
        assert_eq!(report.exit, Exit::Module);
        assert!(report.error.starts_with("/nowhere/m.wasm: cannot read the module: "));
    }

    #[test]
    fn the_stem_has_neither_folder_nor_extension() {
        assert_eq!(stem(Path::new("/a/sha256.wasm")), "sha256");
    }
}
