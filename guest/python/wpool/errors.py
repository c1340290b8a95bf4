"""What an operation on a shared object raises when it was not done.

Each is also the exception that Python's own libraries raise in that case, so that programs written
for `multiprocessing` catch what they expect.
"""

import queue
import threading
from typing import NoReturn

from componentize_py_types import Err
from wit_world.imports import process
from wit_world.imports.types import Error as Answer

Empty = queue.Empty
Full = queue.Full


class Error(Exception):
    """Why an operation on a shared object was not done."""


class TimedOut(Error, TimeoutError):
    """The time given was over first, where no other answer says so."""


class Interrupted(Error):
    """The run is ending, and nothing is waited for any more."""


class Broken(Error):
    """A death has damaged the object beyond repair."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.culprit: int | None = process.culprit()
        """The slot of the process that died, if it is known."""


class BrokenBarrierError(Broken, threading.BrokenBarrierError):
    """The barrier is broken, or breaks while this process waits."""


class OwnerDied(Error):
    """The lock is held now, but its last owner died holding it.

    What the lock protects may be half done: repair it and say `mark_consistent()`. Where nobody
    catches this, the job fails, and the next owner is told as well.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.culprit: int | None = process.culprit()
        """The slot of the process that died, if it is known."""


class NotOwner(Error, ValueError):
    """Only the process that holds it may do this."""


class AlreadyOwner(Error, RuntimeError):
    """This process holds the lock already, and would wait for itself for ever."""


class TooMany(Error, ValueError):
    """Released more often than acquired, done more often than got, or nested too deeply."""


class Closed(Error, ValueError):
    """The queue is closed. Whoever gets has got all that was left."""


class TooLarge(Error, ValueError):
    """The message can never fit the queue."""


class NoSpace(Error, MemoryError):
    """No object, storage or quota is left."""


class Exists(Error, FileExistsError):
    """There is an object of this name already."""


class NotFound(Error, FileNotFoundError):
    """There is no object of this name."""


class WrongKind(Error, TypeError):
    """The object of this name is of another kind, or cannot do this."""


class WrongType(Error, TypeError):
    """The value or array holds numbers of another type."""


class OutOfRange(Error, ValueError):
    """The name is no name, or a size or a count is outside its limits."""


class ReadOnly(Error, PermissionError):
    """The region may only be read."""


_EXCEPTIONS: dict[Answer, tuple[type[Error], str]] = {
    Answer.TIMED_OUT: (TimedOut, "{}: not in the time given"),
    Answer.INTERRUPTED: (Interrupted, "{}: the run is ending, and nothing is waited for any more"),
    Answer.BROKEN: (Broken, "{}: damaged by a death: delete it and create it anew"),
    Answer.NOT_OWNER: (NotOwner, "{}: this process does not hold it: acquire it first"),
    Answer.ALREADY_OWNER: (
        AlreadyOwner,
        "{}: this process holds it already: release it first, or create it as a recursive lock",
    ),
    Answer.TOO_MANY: (
        TooMany,
        "{}: released more often than acquired, done more often than got, or nested too deeply",
    ),
    Answer.CLOSED: (Closed, "{}: closed: put no more, and stop getting"),
    Answer.TOO_LARGE: (
        TooLarge,
        "{}: the message can never fit: split it, or create the queue for more bytes",
    ),
    Answer.NO_SPACE: (
        NoSpace,
        "{}: no space left: delete objects that are not needed, or give wpool more space for them",
    ),
    Answer.EXISTS: (Exists, "{}: the name is taken: open it instead"),
    Answer.NOT_FOUND: (NotFound, "there is no {}: create it first, or have wpool create it"),
    Answer.WRONG_KIND: (WrongKind, "{}: the object is of another kind, or cannot do this"),
    Answer.WRONG_TYPE: (WrongType, "{}: it holds numbers of another type"),
    Answer.OUT_OF_RANGE: (
        OutOfRange,
        "{}: a name is 1 to 128 bytes without NUL, or a number is outside its limits",
    ),
    Answer.READ_ONLY: (ReadOnly, "{}: it may only be read"),
}


def fail(err: Err[Answer], what: str) -> NoReturn:
    """Raises what an answer of the host means for an object, such as "queue `evens`"."""
    exception, message = _EXCEPTIONS[err.value]
    raise exception(message.format(what)) from None
