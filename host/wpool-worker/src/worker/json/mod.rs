//! JSON of jobs and results, read and written without an intermediate tree: the types say what
//! comes where.

mod cursor;
mod write;

pub(crate) use cursor::{Cursor, ParseError, short_integer};
pub(crate) use write::{write_scalar, write_string};
