//! `wpool:host/types`: the types that the other interfaces have in common.

use super::Undone;
use super::wit::types::{self, Acquired};
use crate::imports::Host;
use crate::shared::{self, Error};

impl types::Host for Host {
    fn convert_error(&mut self, undone: Undone) -> wasmtime::Result<types::Error> {
        match undone {
            Undone::Answer(error) => Ok(error.into()),
            Undone::Trap(trap) => Err(trap),
        }
    }
}

impl From<Error> for types::Error {
    fn from(error: Error) -> types::Error {
        match error {
            // codegen: errors
            Error::TimedOut => types::Error::TimedOut,
            Error::Interrupted => types::Error::Interrupted,
            Error::Broken { .. } => types::Error::Broken,
            Error::NotOwner => types::Error::NotOwner,
            Error::AlreadyOwner => types::Error::AlreadyOwner,
            Error::TooMany => types::Error::TooMany,
            Error::Closed => types::Error::Closed,
            Error::TooLarge => types::Error::TooLarge,
            Error::NoSpace => types::Error::NoSpace,
            Error::Exists { .. } => types::Error::Exists,
            Error::NotFound => types::Error::NotFound,
            Error::WrongKind { .. } => types::Error::WrongKind,
            Error::WrongType => types::Error::WrongType,
            Error::OutOfRange => types::Error::OutOfRange,
            Error::ReadOnly => types::Error::ReadOnly,
            Error::Changing => types::Error::Changing,
            // codegen: end
        }
    }
}

impl From<shared::Acquired> for Acquired {
    fn from(acquired: shared::Acquired) -> Acquired {
        match acquired {
            shared::Acquired::Clean => Acquired::Clean,
            shared::Acquired::OwnerDied { .. } => Acquired::OwnerDied,
        }
    }
}
