"""Semaphores: counts of permits between processes."""

from __future__ import annotations

from typing import Any, Self

from componentize_py_types import Err
from wit_world.imports import semaphore
from wit_world.imports.types import Error as Answer

from .shared import SharedObject, nanoseconds


class Semaphore(SharedObject):
    """A count of permits. With `owned=True` a permit is restored when its process dies."""

    _binding = semaphore.Semaphore
    _kind = "semaphore"
    _bounded = False

    def __init__(self, handle: Any, name: str) -> None:
        super().__init__(handle, name)
        self.restored = 0
        """The restored permits of dead processes that the last `acquire` reported, each once."""

    @classmethod
    def create(cls, name: str, value: int = 1, owned: bool = False) -> Self:
        """Makes a semaphore with `value` permits. Raises `Exists` if the name is taken."""
        options = semaphore.Options(0)
        if owned:
            options |= semaphore.Options.OWNED
        if cls._bounded:
            options |= semaphore.Options.BOUNDED
        return cls(cls._opened(cls._binding.create, name, value, options), name)

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        """Takes a permit, waiting at most `timeout` seconds. Returns whether it was taken."""
        try:
            self.restored = self._handle.acquire(nanoseconds(block, timeout))
        except Err as err:
            if err.value == Answer.TIMED_OUT:
                return False
            self._fail(err)
        return True

    def release(self) -> None:
        """Gives a permit back, or makes a new one. Raises `TooMany` at the semaphore's bound."""
        try:
            self._handle.release()
        except Err as err:
            self._fail(err)

    def get_value(self) -> int:
        """Returns how many permits are free at this moment."""
        return self._handle.count()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class BoundedSemaphore(Semaphore):
    """A semaphore that never has more permits than at its start."""

    _bounded = True
