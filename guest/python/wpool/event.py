"""Events: flags that many processes can wait for."""

from __future__ import annotations

from typing import Self

from componentize_py_types import Err
from wit_world.imports import event
from wit_world.imports.types import Error as Answer

from .shared import SharedObject, nanoseconds


class Event(SharedObject):
    """A flag that is set or not."""

    _binding = event.Event
    _kind = "event"

    @classmethod
    def create(cls, name: str) -> Self:
        """Makes an event that is not set. Raises `Exists` if the name is taken."""
        return cls(cls._opened(cls._binding.create, name), name)

    def is_set(self) -> bool:
        """Returns whether the flag is set."""
        return self._handle.is_set()

    def set(self) -> None:
        """Sets the flag. All waiting processes go on."""
        try:
            self._handle.set()
        except Err as err:
            self._fail(err)

    def clear(self) -> None:
        """Clears the flag."""
        try:
            self._handle.clear()
        except Err as err:
            self._fail(err)

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until the flag is set, at most `timeout` seconds. Returns whether it was set."""
        try:
            self._handle.wait(nanoseconds(True, timeout))
        except Err as err:
            if err.value == Answer.TIMED_OUT:
                return False
            self._fail(err)
        return True
