//! Jobs out of JSON, and results into it, without a tree between: the types say what stands where.

mod cursor;
mod write;

pub(crate) use cursor::{Cursor, Wrong, short_integer};
pub(crate) use write::{write_scalar, write_string};
