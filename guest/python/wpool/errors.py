"""The exceptions that an operation on a shared object raises when it was not done.

Each of them is also the exception that Python's own libraries raise in that case, so that programs
written for `multiprocessing` catch what they expect.
"""

import queue
import threading
from typing import NoReturn

from componentize_py_types import Err
from wit_world.imports import process
from wit_world.imports.types import Error as Answer

__all__ = [
    "BrokenBarrierError",
    "Empty",
    "Error",
    "Full",
    "OwnerDied",
    # codegen: names
    "AlreadyOwner",
    "Broken",
    "Changing",
    "Closed",
    "Exists",
    "Interrupted",
    "NoSpace",
    "NotFound",
    "NotOwner",
    "OutOfRange",
    "ReadOnly",
    "TimedOut",
    "TooLarge",
    "TooMany",
    "WrongKind",
    "WrongType",
    # codegen: end
]

Empty = queue.Empty
Full = queue.Full


class Error(Exception):
    """The reason why an operation on a shared object was not done."""


class Death(Error):
    """The error of an object that a death has left in disorder."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.culprit: int | None = process.culprit()
        """The slot of the dead process, if it is known."""


# codegen: classes
class TimedOut(Error, TimeoutError):
    """The operation could not be done in the given time.

    With a time of 0, it cannot be done now.
    """


class Interrupted(Error):
    """The run is ending, and nothing is waited for any more."""


class Broken(Death):
    """The barrier is broken, or a death has damaged the object beyond repair."""


class NotOwner(Error, ValueError):
    """The caller is not the owner, and only the owner may do this."""


class AlreadyOwner(Error, RuntimeError):
    """The caller holds the lock already, and would wait for itself for ever."""


class TooMany(Error, ValueError):
    """An object was released more often than acquired, a task was done more often than got, or a
    lock is nested too deeply.
    """


class Closed(Error, ValueError):
    """The queue is closed: nothing can be put.

    If this is the answer to get, no message is left either.
    """


class TooLarge(Error, ValueError):
    """The message could never fit into the queue."""


class NoSpace(Error, MemoryError):
    """No object, no storage, no handle or no address space is left."""


class Exists(Error, FileExistsError):
    """An object with this name exists."""


class NotFound(Error, FileNotFoundError):
    """There is no object with this name."""


class WrongKind(Error, TypeError):
    """The object with this name is of another kind, or the queue does not count tasks."""


class WrongType(Error, TypeError):
    """The number is not of the value's or the array's type."""


class OutOfRange(Error, ValueError):
    """A name is empty, longer than 128 bytes, or has a NUL; or a size or a count is outside its
    limits.
    """


class ReadOnly(Error, PermissionError):
    """The region may only be read."""


class Changing(Error, RuntimeError):
    """The object changed during each attempt to read all of it."""
# codegen: end


class BrokenBarrierError(Broken, threading.BrokenBarrierError):
    """The barrier is broken, or breaks while this process waits."""


class OwnerDied(Death):
    """The lock is held now, but its last owner died holding it.

    The data that the lock protects may be half changed: repair it and call `mark_consistent()`. If
    nobody catches the exception, the job fails, and the next owner is told as well.
    """


_EXCEPTIONS: dict[Answer, tuple[type[Error], str]] = {
    # codegen: table
    Answer.TIMED_OUT: (
        TimedOut,
        "{}: timed out: it could not be done in the time given",
    ),
    Answer.INTERRUPTED: (
        Interrupted,
        "{}: interrupted: the run is ending, and nothing is waited for any more",
    ),
    Answer.BROKEN: (
        Broken,
        "{}: broken: reset the barrier, or delete the object and create it anew",
    ),
    Answer.NOT_OWNER: (
        NotOwner,
        "{}: this process does not hold it: acquire it first",
    ),
    Answer.ALREADY_OWNER: (
        AlreadyOwner,
        "{}: this process holds the lock already, and would wait for itself for ever: release it "
        "first, or create it as a recursive one",
    ),
    Answer.TOO_MANY: (
        TooMany,
        "{}: too many: released more often than acquired, done more often than got, or acquired "
        "too many times at once",
    ),
    Answer.CLOSED: (
        Closed,
        "{}: the queue is closed: put no more, and stop getting",
    ),
    Answer.TOO_LARGE: (
        TooLarge,
        "{}: the message can never fit the queue: split it, or create the queue for more bytes",
    ),
    Answer.NO_SPACE: (
        NoSpace,
        "{}: there is no space left for it: delete other objects, make it smaller, or give wpool "
        "more space for them",
    ),
    Answer.EXISTS: (
        Exists,
        "{} cannot be created, for there is an object of this name: open it instead, or choose "
        "another name",
    ),
    Answer.NOT_FOUND: (
        NotFound,
        "there is no {}: create it first, or have wpool create it",
    ),
    Answer.WRONG_KIND: (
        WrongKind,
        "{} is an object of another kind, or counts no tasks: use it as what it is",
    ),
    Answer.WRONG_TYPE: (
        WrongType,
        "{} holds numbers of another type: open it with its own type",
    ),
    Answer.OUT_OF_RANGE: (
        OutOfRange,
        "{}: a name has 1 to 128 bytes without NUL, and sizes and counts have limits",
    ),
    Answer.READ_ONLY: (
        ReadOnly,
        "{}: the region may only be read: write to another one",
    ),
    Answer.CHANGING: (
        Changing,
        "{} keeps changing while it is read: use a lock, or read less of it at once",
    ),
    # codegen: end
}


def fail(err: Err[Answer], what: str) -> NoReturn:
    """Raises the exception for an answer of the host about an object, such as "queue `evens`"."""
    exception, message = _EXCEPTIONS[err.value]
    raise exception(message.format(what)) from None
