//! Handles: what every shared object is held by.

use std::marker::PhantomData;
use std::time::Duration;

use crate::error::{Error, done};
use crate::raw;

/// Timeouts in nanoseconds: for ever, and not at all.
pub(crate) const FOREVER: i64 = -1;
pub(crate) const NOW: i64 = 0;

/// A timeout, at most 292 years.
#[inline]
pub(crate) fn nanoseconds(timeout: Duration) -> i64 {
    i64::try_from(timeout.as_nanos()).unwrap_or(i64::MAX)
}

/// An open object, closed on drop. `T` is what is in it, where that has a type.
pub(crate) struct Handle<T: ?Sized = ()> {
    id: i32,
    content: PhantomData<fn(&T)>,
}

impl<T: ?Sized> Handle<T> {
    /// The handle in the host's answer to opening or creating the object.
    #[inline]
    pub(crate) fn answered(answer: i32, kind: &str, name: &str) -> Result<Handle<T>, Error> {
        if answer < 0 {
            return Err(Error::of_object(answer, format!("{kind} `{name}`")));
        }
        Ok(Handle { id: answer, content: PhantomData })
    }

    /// What the imports take.
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
        /// [`NotFound`](crate::Error::NotFound), also natively, where there are no objects;
        /// [`WrongKind`](crate::Error::WrongKind), [`WrongType`](crate::Error::WrongType),
        /// [`OutOfRange`](crate::Error::OutOfRange).
        pub fn open(name: &str) -> Result<Self, crate::Error> {
            let handle = crate::handle::Handle::answered($open(name), $kind, name)?;
            Ok(Self { handle })
        }

        $(
            $(#[$doc])*
            ///
            /// # Errors
            /// [`Exists`](crate::Error::Exists), [`OutOfRange`](crate::Error::OutOfRange) for a
            /// name or a size, [`NoSpace`](crate::Error::NoSpace), also natively.
            pub fn $create(name: &str $(, $arg: $Arg)*) -> Result<Self, crate::Error> {
                let handle = crate::handle::Handle::answered($call(name), $kind, name)?;
                Ok(Self { handle })
            }

            #[doc = concat!("Opens the ", $kind, " of this name, or else creates it as [`",
                stringify!($create), "`](Self::", stringify!($create), ") does.")]
            ///
            /// One that is there already stays as it is, whatever is asked for here.
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
                    // Another process was faster.
                    Err(crate::Error::Exists { .. }) => Self::open(name),
                    created => created,
                }
            }
        )+

        /// Deletes it: its name goes at once, its storage when no process has it open any more.
        ///
        /// # Errors
        /// [`NotFound`](crate::Error::NotFound) if it was deleted before, [`NotOwner`](crate::Error::NotOwner)
        /// if the command line or the host's program has made it.
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
