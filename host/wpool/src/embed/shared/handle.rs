//! Handles: the parts that all shared objects of the library have in common.

use super::Shared;
use super::error::SharedError;
use super::state::{State, caller};
use crate::shared::{self as control, Caller, Kind, NAME_BYTES, ObjectId, Owner, Spec};
use std::fmt;
use std::sync::Arc;

/// Declares the kinds of objects again, for users of the library. The enum is non-exhaustive, so
/// that another kind breaks no user.
macro_rules! kinds {
    ($($(#[$about:meta])* $Kind:ident = $number:literal: $name:literal,)+) => {
        /// The kind of an object.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum ObjectKind {
            $($(#[$about])* $Kind,)+
        }

        impl From<Kind> for ObjectKind {
            fn from(kind: Kind) -> ObjectKind {
                match kind {
                    $(Kind::$Kind => ObjectKind::$Kind,)+
                }
            }
        }

        impl ObjectKind {
            fn inner(self) -> Kind {
                match self {
                    $(ObjectKind::$Kind => Kind::$Kind,)+
                }
            }
        }
    };
}

kinds! {
    // codegen: kinds
    /// Locks, recursive or not, between the processes of a pool.
    Lock = 1: "lock",
    /// Semaphores: counts of permits between the processes of a pool.
    Semaphore = 2: "semaphore",
    /// Conditions: waiting for a notification, with a lock given back meanwhile.
    Condition = 3: "condition",
    /// Events: flags that many processes can wait for.
    Event = 4: "event",
    /// Barriers: parties that wait for one another and go on together.
    Barrier = 5: "barrier",
    /// Queues of messages, bounded in messages and in bytes, for any number of producers and
    /// consumers.
    Queue = 6: "queue",
    /// Values: one number each, changed by one instruction, and so always whole, whoever dies.
    Value = 7: "value",
    /// Arrays of numbers.
    Array = 8: "array",
    /// Regions: shared memory.
    Region = 9: "region",
    /// Lists of elements by index, like Python's.
    List = 10: "list",
    /// Dicts of values by key, in the order of insertion, like Python's.
    Dict = 11: "dict",
    /// Sets of members, like Python's.
    Set = 12: "set",
    // codegen: end
}

impl fmt::Display for ObjectKind {
    /// Writes the kind's name; with `#`, an article before it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner().fmt(f)
    }
}

/// An open object, which is closed on drop.
pub(super) struct Handle {
    state: Arc<State>,
    id: ObjectId,
    kind: ObjectKind,
    name: Box<str>,
}

impl Handle {
    /// Makes an object and opens it.
    pub(super) fn create(
        shared: &Shared,
        kind: ObjectKind,
        name: &str,
        spec: &Spec,
    ) -> Result<Handle, SharedError> {
        let state = Arc::clone(shared.state());
        let limits = || limits(name, spec);
        match state.create(name, spec) {
            Ok(id) => Ok(Handle { state, id, kind, name: name.into() }),
            Err(error) => Err(SharedError::of(error, || format!("{kind} `{name}`"), limits)),
        }
    }

    /// Opens an object that exists.
    pub(super) fn open(
        shared: &Shared,
        kind: ObjectKind,
        name: &str,
    ) -> Result<Handle, SharedError> {
        let state = Arc::clone(shared.state());
        let object = || format!("{kind} `{name}`");
        let (id, is) =
            state.open(name).map_err(|error| SharedError::of(error, object, String::new))?;
        let handle = Handle { state, id, kind, name: name.into() };
        if is == kind.inner() {
            Ok(handle)
        } else {
            Err(SharedError::WrongKind { object: format!("`{name}`"), kind: is.into() })
        }
    }

    /// Deletes the object.
    pub(super) fn delete(&self) -> Result<(), SharedError> {
        self.state.delete_open(self.id).map_err(|error| self.error(error))
    }

    /// Returns the slot of the calling thread.
    #[inline]
    pub(super) fn owner(&self) -> Result<Owner, SharedError> {
        self.state.owner()
    }

    #[inline]
    pub(super) fn kind(&self) -> ObjectKind {
        self.kind
    }

    /// Returns the id of the object in this state.
    ///
    /// # Errors
    /// Returns [`SharedError::NotFound`] if the object belongs to another state.
    pub(super) fn id_in(&self, shared: &Shared) -> Result<ObjectId, SharedError> {
        match Arc::ptr_eq(&self.state, shared.state()) {
            true => Ok(self.id),
            false => Err(self.error(control::Error::NotFound)),
        }
    }

    /// Does an operation with the object that needs no slot.
    #[inline]
    pub(super) fn look<'a, T>(
        &'a self,
        operation: impl FnOnce(&'a control::Shared, ObjectId) -> Result<T, control::Error>,
    ) -> Result<T, SharedError> {
        operation(self.state.memory(), self.id).map_err(|error| self.error(error))
    }

    /// Does an operation with the object in the name of the calling thread.
    #[inline]
    pub(super) fn act<T>(
        &self,
        operation: impl FnOnce(&control::Shared, &Caller<'_>, ObjectId) -> Result<T, control::Error>,
    ) -> Result<T, SharedError> {
        self.act_as(self.owner()?, operation)
    }

    /// Does an operation with the object in the name of an owner.
    #[inline]
    pub(super) fn act_as<T>(
        &self,
        owner: Owner,
        operation: impl FnOnce(&control::Shared, &Caller<'_>, ObjectId) -> Result<T, control::Error>,
    ) -> Result<T, SharedError> {
        operation(self.state.memory(), &caller(owner), self.id).map_err(|error| self.error(error))
    }

    /// Returns the object's kind and name for messages.
    pub(super) fn object(&self) -> String {
        format!("{} `{}`", self.kind, self.name)
    }

    #[cold]
    pub(super) fn error(&self, error: control::Error) -> SharedError {
        SharedError::of(error, || self.object(), || "that is outside of it".into())
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.state.close(self.id);
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.object())
    }
}

/// Returns the limits of a new object, in words.
fn limits(name: &str, spec: &Spec) -> String {
    if name.is_empty() || name.len() > NAME_BYTES || name.contains('\0') {
        return format!("a name has 1 to {NAME_BYTES} bytes, none of them NUL");
    }
    spec.limits()
}

/// Writes the functions by which an object is opened, created and deleted.
macro_rules! object {
    (
        $Kind:ident $noun:literal;
        $(
            $(#[$doc:meta])*
            $create:ident, $open_or_create:ident($($arg:ident: $Arg:ty),*): $spec:expr;
        )+
    ) => {
        #[doc = concat!("Opens the ", $noun, " of this name.")]
        ///
        /// # Errors
        /// Returns [`NotFound`](crate::SharedError::NotFound),
        /// [`WrongKind`](crate::SharedError::WrongKind) or
        /// [`WrongType`](crate::SharedError::WrongType).
        pub fn open(shared: &crate::Shared, name: &str) -> Result<Self, crate::SharedError> {
            let kind = crate::ObjectKind::$Kind;
            Self::opened(crate::embed::shared::handle::Handle::open(shared, kind, name)?)
        }

        $(
            $(#[$doc])*
            ///
            /// # Errors
            /// Returns [`Exists`](crate::SharedError::Exists),
            /// [`OutOfRange`](crate::SharedError::OutOfRange) for a name or a size, or
            /// [`NoSpace`](crate::SharedError::NoSpace).
            pub fn $create(
                shared: &crate::Shared,
                name: &str
                $(, $arg: $Arg)*
            ) -> Result<Self, crate::SharedError> {
                let kind = crate::ObjectKind::$Kind;
                let spec = $spec;
                Self::opened(
                    crate::embed::shared::handle::Handle::create(shared, kind, name, &spec)?,
                )
            }

            #[doc = concat!("Opens the ", $noun, " of this name, or else creates it as [`",
                stringify!($create), "`](Self::", stringify!($create), ") does.")]
            ///
            /// An object that exists already stays as it is, whatever is asked for here.
            ///
            /// # Errors
            #[doc = concat!("Those of [`open`](Self::open) and [`", stringify!($create),
                "`](Self::", stringify!($create), ").")]
            pub fn $open_or_create(
                shared: &crate::Shared,
                name: &str
                $(, $arg: $Arg)*
            ) -> Result<Self, crate::SharedError> {
                match Self::open(shared, name) {
                    Err(crate::SharedError::NotFound { .. }) => {}
                    opened => return opened,
                }
                match Self::$create(shared, name $(, $arg)*) {
                    // A worker has created it meanwhile.
                    Err(crate::SharedError::Exists { .. }) => Self::open(shared, name),
                    created => created,
                }
            }
        )+

        /// Deletes the object: its name is free at once, its storage when no handle to the object
        /// is left.
        ///
        /// # Errors
        /// Returns [`NotFound`](crate::SharedError::NotFound) if the object was deleted before.
        pub fn delete(&self) -> Result<(), crate::SharedError> {
            self.handle.delete()
        }
    };
}

pub(super) use object;
