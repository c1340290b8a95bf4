"""Conditions: waiting for a notification, with a lock given back meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Self, TypeVar

from componentize_py_types import Err
from wit_world.imports import condition

from .errors import OwnerDied
from .lock import Lock
from .shared import nanoseconds

T = TypeVar("T")


class Condition(Lock):
    """A condition. It is acquired, released and held like the lock that it uses."""

    _binding = condition.Condition
    _kind = "condition"

    @classmethod
    def create(cls, name: str, lock: Lock | None = None) -> Self:  # type: ignore[override]
        """Makes a condition with this lock, or with a recursive lock of its own."""
        handle = None if lock is None else lock._handle
        return cls(cls._opened(cls._binding.create, name, handle), name)

    def wait(self, timeout: float | None = None) -> bool:
        """Gives the lock back, waits for a notification, and takes the lock again.

        Returns whether a notification came in time. Raises `NotOwner` if the lock is not held,
        and `OwnerDied`, with the lock held, as `acquire` does.
        """
        try:
            waited = self._handle.wait(nanoseconds(True, timeout))
        except Err as err:
            self._fail(err)
        if waited.owner_died:
            message = "an owner died meanwhile: repair what it protects, then mark_consistent()"
            raise OwnerDied(f"condition `{self._name}`: {message}")
        return not waited.timed_out

    def wait_for(self, predicate: Callable[[], T], timeout: float | None = None) -> T:
        """Waits until `predicate()` is true, at most `timeout` seconds. Returns its last result."""
        end = None if timeout is None else time.monotonic() + timeout
        result = predicate()
        while not result:
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                break
            self.wait(left)
            result = predicate()
        return result

    def notify(self, n: int = 1) -> int:
        """Notifies up to `n` processes, the longest waiting first. Returns how many."""
        try:
            return self._handle.notify(n)
        except Err as err:
            return self._fail(err)

    def notify_all(self) -> int:
        """Notifies all waiting processes. Returns how many."""
        try:
            return self._handle.notify_all()
        except Err as err:
            return self._fail(err)
