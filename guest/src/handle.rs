//! Handles: the parts that all shared objects have in common.

use std::marker::PhantomData;
use std::time::Duration;

use crate::error::{Error, done};
use crate::raw;

/// The timeouts in nanoseconds for waiting for ever, and for not waiting.
pub(crate) const FOREVER: i64 = -1;
pub(crate) const NOW: i64 = 0;

/// Returns a timeout in nanoseconds, at most 292 years.
#[inline]
pub(crate) fn nanoseconds(timeout: Duration) -> i64 {
    i64::try_from(timeout.as_nanos()).unwrap_or(i64::MAX)
}

/// An open object, which is closed on drop. `T` is the type of its contents, if it has one.
pub(crate) struct Handle<T: ?Sized = ()> {
    id: i32,
    content: PhantomData<fn(&T)>,
}

impl<T: ?Sized> Handle<T> {
    /// Makes a handle from the host's answer to opening or creating the object.
    #[inline]
    pub(crate) fn answered(answer: i32, kind: &str, name: &str) -> Result<Handle<T>, Error> {
        if answer < 0 {
            return Err(Error::of_object(answer, format!("{kind} `{name}`")));
        }
        Ok(Handle { id: answer, content: PhantomData })
    }

    /// Makes the handle of an object that is open.
    #[inline]
    pub(crate) fn opened(id: i32) -> Handle<T> {
        Handle { id, content: PhantomData }
    }

    /// Returns the handle as the imports take it.
    #[inline]
    pub(crate) fn id(&self) -> i32 {
        self.id
    }

    /// Deletes the object.
    pub(crate) fn delete(&self) -> Result<(), Error> {
        done(raw::object_delete(self.id))
    }
}

impl<T: ?Sized> Drop for Handle<T> {
    fn drop(&mut self) {
        raw::object_close(self.id);
    }
}

impl<T: ?Sized> std::fmt::Debug for Handle<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Handle({})", self.id)
    }
}

/// Writes the functions by which an object is opened, created and deleted.
macro_rules! object {
    (
        $kind:literal, open: $open:expr;
        $(
            $(#[$doc:meta])*
            $create:ident, $open_or_create:ident($($arg:ident: $Arg:ty),*): $call:expr;
        )+
    ) => {
        #[doc = concat!("Opens the ", $kind, " of this name.")]
        ///
        /// # Errors
        /// Returns [`NotFound`](crate::Error::NotFound), also natively, where there are no objects;
        /// [`WrongKind`](crate::Error::WrongKind), [`WrongType`](crate::Error::WrongType) or
        /// [`OutOfRange`](crate::Error::OutOfRange).
        pub fn open(name: &str) -> Result<Self, crate::Error> {
            let handle = crate::handle::Handle::answered($open(name), $kind, name)?;
            Ok(Self { handle })
        }

        $(
            $(#[$doc])*
            ///
            /// # Errors
            /// Returns [`Exists`](crate::Error::Exists), [`OutOfRange`](crate::Error::OutOfRange)
            /// for a name or a size, or [`NoSpace`](crate::Error::NoSpace), also natively.
            pub fn $create(name: &str $(, $arg: $Arg)*) -> Result<Self, crate::Error> {
                let handle = crate::handle::Handle::answered($call(name), $kind, name)?;
                Ok(Self { handle })
            }

            #[doc = concat!("Opens the ", $kind, " of this name, or else creates it as [`",
                stringify!($create), "`](Self::", stringify!($create), ") does.")]
            ///
            /// An object that exists already stays as it is, whatever is asked for here.
            ///
            /// # Errors
            #[doc = concat!("Those of [`open`](Self::open) and [`", stringify!($create),
                "`](Self::", stringify!($create), ").")]
            pub fn $open_or_create(name: &str $(, $arg: $Arg)*) -> Result<Self, crate::Error> {
                match Self::open(name) {
                    Err(crate::Error::NotFound { .. }) => {}
                    opened => return opened,
                }
                match Self::$create(name $(, $arg)*) {
                    // Another process has created it meanwhile.
                    Err(crate::Error::Exists { .. }) => Self::open(name),
                    created => created,
                }
            }
        )+

        /// Deletes the object: its name is free at once, its storage when no process has the object
        /// open any more.
        ///
        /// # Errors
        /// Returns [`NotFound`](crate::Error::NotFound) if the object was deleted before,
        /// [`NotOwner`](crate::Error::NotOwner) if the command line or the host's program has made
        /// it.
        pub fn delete(&self) -> Result<(), crate::Error> {
            self.handle.delete()
        }
    };
}

pub(crate) use object;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_nanoseconds_and_never_negative() {
        assert_eq!(nanoseconds(Duration::ZERO), NOW);
        assert_eq!(nanoseconds(Duration::from_millis(3)), 3_000_000);
        assert_eq!(nanoseconds(Duration::MAX), i64::MAX);
    }
}
