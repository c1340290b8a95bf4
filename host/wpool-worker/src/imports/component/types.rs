//! `wpool:host/types`: what the other interfaces have in common.

use super::Undone;
use super::wit::types::{self, Acquired, Error};
use crate::imports::Host;
use crate::shared;

impl types::Host for Host {
    fn convert_error(&mut self, undone: Undone) -> wasmtime::Result<Error> {
        match undone {
            Undone::Answer(error) => Ok(error.into()),
            Undone::Trap(trap) => Err(trap),
        }
    }
}

impl From<shared::Error> for Error {
    fn from(error: shared::Error) -> Error {
        match error {
            shared::Error::TimedOut => Error::TimedOut,
            shared::Error::Interrupted => Error::Interrupted,
            shared::Error::Broken { .. } => Error::Broken,
            shared::Error::NotOwner => Error::NotOwner,
            shared::Error::AlreadyOwner => Error::AlreadyOwner,
            shared::Error::TooMany => Error::TooMany,
            shared::Error::Closed => Error::Closed,
            shared::Error::TooLarge => Error::TooLarge,
            shared::Error::NoSpace => Error::NoSpace,
            shared::Error::Exists { .. } => Error::Exists,
            shared::Error::NotFound => Error::NotFound,
            shared::Error::WrongKind { .. } => Error::WrongKind,
            shared::Error::WrongType => Error::WrongType,
            shared::Error::OutOfRange => Error::OutOfRange,
            shared::Error::ReadOnly => Error::ReadOnly,
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
