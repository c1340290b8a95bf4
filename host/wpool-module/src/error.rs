//! The reasons why a module cannot be used.

use super::description::DESCRIPTION_BYTES_MAX;
use super::toolchain::Toolchain;
use super::wire::control::cut_text;
use super::{MODULE_BYTES_MAX, one_line};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io;

/// The reason why a module cannot be used.
///
/// An error crosses processes as it is: its variant is the code, and what can be done about the error depends on
/// that alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ModuleError {
    /// The file cannot be read.
    #[error("cannot read the module: {0}")]
    Read(String),
    /// The file is larger than [`MODULE_BYTES_MAX`].
    #[error("the module is larger than {} MiB", MODULE_BYTES_MAX >> 20)]
    TooLarge,
    /// The bytes are neither WebAssembly nor its text form.
    #[error("not a WebAssembly module: {0}")]
    NotWasm(String),
    /// The bytes begin as WebAssembly and go on as something else.
    #[error("invalid WebAssembly module: {0}")]
    Damaged(String),
    /// The custom section `wpool:tasks` is malformed, or contradicts the exports.
    #[error("invalid section wpool:tasks: {0}")]
    Section(String),
    /// The module expects to be run by several threads.
    #[error(
        "the module has a shared memory, and threads inside a guest are not supported: build it \
         without them, and share by wpool's regions"
    )]
    SharedMemory,
    /// The description of the module would be too large.
    #[error("its exports and imports take more than {} MiB to describe", DESCRIPTION_BYTES_MAX >> 20)]
    Described,
    /// The module imports something that the host does not provide.
    #[error("the module imports what wpool does not provide: {names}{}", Made(*.made_for))]
    Imports {
        /// The names, not all of very many.
        names: String,
        /// The toolchain of the module, if it is known.
        made_for: Option<Toolchain>,
    },
    /// The module uses an addition to WebAssembly that is not supported, or not ready.
    #[error("the module uses a proposal that wpool does not have: {0}")]
    Proposal(String),
    /// The module breaks a rule of WebAssembly.
    #[error("cannot compile the module: it is not valid: {0}")]
    Invalid(String),
    /// The compiler refuses a valid module.
    #[error("cannot compile the module: {0}")]
    Compile(String),
    /// The compiler needed more memory than it may have.
    #[error("compiling it needs more memory than it may have")]
    Memory,
    /// There is no compiler, or it ended without an answer.
    #[error("{0}")]
    Compiler(String),
    /// There is no such task, or none to choose.
    #[error("{0}")]
    Task(String),
    /// There is something to give to the task that initialises, or nothing that it could be called before.
    #[error(
        "{0} cannot initialise: it would have to be a task without parameters, and the jobs no command's"
    )]
    Initialiser(String),
    /// The jobs' form does not suit the task.
    #[error("{0} does not take raw text: its only parameter would have to be a string")]
    RawText(String),
    /// The module's memory is above the limit from the start. Sizes are in words.
    #[error("the module needs {needed} of memory to start, more than the limit of {limit}")]
    StartMemory {
        /// The size that the module needs.
        needed: String,
        /// The largest size that it may have.
        limit: String,
    },
    /// The system does not allow the stack that a guest is to have.
    #[error("{0}")]
    Stack(String),
    /// A table is above the limit from the start.
    #[error(
        "a table of the module needs {needed} elements to start, more than the {limit} that all may have"
    )]
    Table {
        /// The number of elements that the table needs.
        needed: u64,
        /// The largest number that all tables may have together.
        limit: u64,
    },
    /// An import of the module is provided with another type.
    #[error("cannot load the module: {0}")]
    ImportType(String),
    /// The shared library cannot be used.
    #[error("cannot use the native library {library}: {why}")]
    Native {
        /// The file of the library.
        library: String,
        /// The reason.
        why: String,
    },
    /// The machine code cannot be used.
    #[error("cannot load the module: {0}")]
    Load(String),
    /// The process that was to load it lacks something else.
    #[error("{0}")]
    Loader(String),
}

impl ModuleError {
    /// Returns the error of machine code that cannot be used.
    pub fn load(error: &wasmtime::Error) -> ModuleError {
        ModuleError::Load(format!("{error:#}"))
    }

    /// Cuts the texts of the error, which a module can make long, so that it fits a message between processes.
    pub fn cut(mut self) -> ModuleError {
        if let Some(text) = self.text() {
            *text = cut_text(std::mem::take(text));
        }
        self
    }

    /// Returns the text whose length a module decides, if there is one.
    fn text(&mut self) -> Option<&mut String> {
        match self {
            ModuleError::Read(text)
            | ModuleError::NotWasm(text)
            | ModuleError::Damaged(text)
            | ModuleError::Section(text)
            | ModuleError::Imports { names: text, .. }
            | ModuleError::Proposal(text)
            | ModuleError::Invalid(text)
            | ModuleError::Compile(text)
            | ModuleError::Compiler(text)
            | ModuleError::Task(text)
            | ModuleError::Initialiser(text)
            | ModuleError::RawText(text)
            | ModuleError::Stack(text)
            | ModuleError::ImportType(text)
            | ModuleError::Native { why: text, .. }
            | ModuleError::Load(text)
            | ModuleError::Loader(text) => Some(text),
            ModuleError::TooLarge
            | ModuleError::SharedMemory
            | ModuleError::Described
            | ModuleError::Memory
            | ModuleError::StartMemory { .. }
            | ModuleError::Table { .. } => None,
        }
    }

    /// Returns the error of bytes that cannot be parsed.
    pub(super) fn damaged(error: impl fmt::Display) -> ModuleError {
        ModuleError::Damaged(one_line(&error.to_string()))
    }
}

impl From<io::Error> for ModuleError {
    fn from(error: io::Error) -> ModuleError {
        match error.kind() {
            io::ErrorKind::OutOfMemory => ModuleError::Memory,
            _ => ModuleError::Read(error.to_string()),
        }
    }
}

/// The toolchain of a module, in parentheses.
struct Made(Option<Toolchain>);

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(made) => write!(f, " (it is {})", made.name()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_the_same_behind_a_process_border() {
        for error in [
            ModuleError::TooLarge,
            ModuleError::Imports { names: "env.f".into(), made_for: Some(Toolchain::Emscripten) },
            ModuleError::Table { needed: 2, limit: 1 },
        ] {
            let json = serde_json::to_string(&error).unwrap();
            assert_eq!(serde_json::from_str::<ModuleError>(&json).unwrap(), error, "{json}");
        }
    }

    #[test]
    fn an_error_fits_a_message_however_long_the_names_of_a_module_are() {
        let names = "\u{1}".repeat(1 << 20);
        let error = ModuleError::Imports { names, made_for: None }.cut();
        assert!(serde_json::to_vec(&error).unwrap().len() < 60 << 10);
        assert_eq!(ModuleError::TooLarge.cut(), ModuleError::TooLarge);
    }

    #[test]
    fn what_a_module_was_made_for_is_told_with_what_it_lacks() {
        let made_for = Some(Toolchain::Emscripten);
        let error = ModuleError::Imports { names: "env.f".into(), made_for };
        assert_eq!(
            error.to_string(),
            "the module imports what wpool does not provide: env.f (it is made by Emscripten for \
             JavaScript)"
        );
    }
}
