"""Locks, recursive or not, between processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Self

from componentize_py_types import Err
from wit_world.imports import lock
from wit_world.imports.types import Acquired
from wit_world.imports.types import Error as Answer

from .errors import OwnerDied
from .shared import SharedObject, nanoseconds


class Lock(SharedObject):
    """A lock that belongs to the process that acquires it.

    When that process dies, or its job fails by an exception, the lock is free again, and the next
    owner gets `OwnerDied`. It holds the lock, but the data that the lock protects may be half
    changed.
    """

    _binding: ClassVar[Any] = lock.Lock
    _kind = "lock"
    _recursive = False

    @classmethod
    def create(cls, name: str) -> Self:
        """Makes a lock. Raises `Exists` if the name is taken."""
        return cls(cls._opened(cls._binding.create, name, cls._recursive), name)

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        """Takes the lock, waiting at most `timeout` seconds. Returns whether the lock was taken.

        Raises `OwnerDied`, with the lock held, until an owner has called `mark_consistent()`.
        """
        try:
            acquired = self._handle.acquire(nanoseconds(block, timeout))
        except Err as err:
            if err.value == Answer.TIMED_OUT:
                return False
            self._fail(err)
        if acquired == Acquired.OWNER_DIED:
            message = "its last owner died: repair what it protects, then mark_consistent()"
            raise OwnerDied(f"{self._kind} `{self._name}`: {message}")
        return True

    def release(self) -> None:
        """Gives the lock back, or one level of an `RLock`. Raises `NotOwner` if it is not held."""
        try:
            self._handle.release()
        except Err as err:
            self._fail(err)

    def mark_consistent(self) -> None:
        """Marks the data that the lock protects as whole again, after `OwnerDied`."""
        try:
            self._handle.mark_consistent()
        except Err as err:
            self._fail(err)

    def held(self, repair: Callable[[], object]) -> _Held:
        """Holds the lock for a `with` block. If its last owner died, `repair()` is called first."""
        return _Held(self, repair)

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class _Held:
    """A lock, held for a `with` block."""

    def __init__(self, lock: Lock, repair: Callable[[], object]) -> None:
        self._lock = lock
        self._repair = repair

    def __enter__(self) -> None:
        try:
            self._lock.acquire()
        except OwnerDied:
            self._repair()
            self._lock.mark_consistent()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


class RLock(Lock):
    """A lock that its owner may acquire again, and has to release as often."""

    _kind = "rlock"
    _recursive = True
