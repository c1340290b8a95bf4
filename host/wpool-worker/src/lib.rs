//! The processes of wpool that run guests, and nothing that trusts them.
//!
//! The [`zygote`] forks workers and talks to the dispatcher; a [`worker`] runs jobs one after the
//! other; [`imports`] are the functions that a guest may call; the [`jail`] holds where wasm does not.

pub mod imports;
pub mod jail;
pub mod worker;
pub mod zygote;

use wpool_module as module;
use wpool_objects as shared;
use wpool_wire as wire;
