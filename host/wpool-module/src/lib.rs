//! Modules: what they are, how they are compiled, and where the result is kept.

extern crate self as module;

pub mod cache;
pub mod classify;
pub mod compile;
pub mod component;
mod concurrency;
pub mod description;
mod error;
pub mod load;
mod outline;
mod proposals;
pub mod scalar;
mod seal;
mod tasks;
pub mod toolchain;
mod wit;

pub use error::ModuleError;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use wpool_wire as wire;

/// The largest size of a module that is read: 256 MiB. A Python interpreter with its libraries
/// takes a tenth of that.
pub const MODULE_BYTES_MAX: u64 = 256 << 20;

/// The largest number of names that a message lists.
const LISTED_MAX: usize = 20;

/// Reads a module, or its text form, from a file.
///
/// # Errors
/// Returns an error if the file cannot be read, or holds more than [`MODULE_BYTES_MAX`] bytes.
pub fn read(path: &Path) -> Result<Vec<u8>, ModuleError> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    if length > MODULE_BYTES_MAX {
        return Err(ModuleError::TooLarge);
    }
    let mut bytes = Vec::with_capacity(length as usize);
    // A pipe has no length, and a file can grow, so the limit also holds while reading.
    file.take(MODULE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MODULE_BYTES_MAX {
        return Err(ModuleError::TooLarge);
    }
    Ok(bytes)
}

/// Returns names for a message, escaped, and only the first of very many.
pub fn name_list(names: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let mut names = names.into_iter();
    let listed = names.by_ref().take(LISTED_MAX);
    let mut listed: Vec<String> =
        listed.map(|name| name.as_ref().escape_debug().to_string()).collect();
    match names.count() {
        0 => {}
        more => listed.push(format!("and {more} more")),
    }
    listed.join(", ")
}

/// Returns the text on one line: control characters become spaces, and runs of spaces become one.
pub fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_above_the_limit_is_refused_without_being_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(MODULE_BYTES_MAX + 1).unwrap();
        assert!(matches!(read(file.path()), Err(ModuleError::TooLarge)));
    }

    #[test]
    fn an_endless_file_without_a_length_is_refused_at_the_limit() {
        assert!(matches!(read(Path::new("/dev/zero")), Err(ModuleError::TooLarge)));
    }

    #[test]
    fn a_missing_file_is_an_error_that_says_so() {
        let error = read(Path::new("/nowhere/module.wasm")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot read the module: No such file or directory (os error 2)"
        );
    }
}
