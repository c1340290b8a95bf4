//! Workers that run scripts, which are core modules here.

/// True if guests are components.
const COMPONENT: bool = false;

#[allow(dead_code, reason = "most of it is for the tests of the program")]
#[path = "../cli/twins/script.rs"]
pub(crate) mod script;
