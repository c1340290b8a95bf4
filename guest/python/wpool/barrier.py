"""Barriers: parties that wait for one another and go on together."""

from __future__ import annotations

from typing import NoReturn, Self

from componentize_py_types import Err
from wit_world.imports import barrier
from wit_world.imports.types import Error as Answer

from .errors import BrokenBarrierError
from .shared import SharedObject, nanoseconds


class Barrier(SharedObject):
    """A barrier. It breaks when a process that has it open dies, so nobody waits for the dead."""

    _binding = barrier.Barrier
    _kind = "barrier"

    @classmethod
    def create(cls, name: str, parties: int) -> Self:
        """Makes a barrier for this many parties. Raises `Exists` if the name is taken."""
        return cls(cls._opened(cls._binding.create, name, parties), name)

    def wait(self, timeout: float | None = None) -> int:
        """Waits until all parties wait. Returns the place in the order of arrival, from 0.

        Raises `BrokenBarrierError` if the barrier breaks, as it does for all when the time is over.
        """
        try:
            return self._handle.wait(nanoseconds(True, timeout))
        except Err as err:
            if err.value in (Answer.BROKEN, Answer.TIMED_OUT):
                self._broke(err.value)
            return self._fail(err)

    def abort(self) -> None:
        """Breaks the barrier for all parties that wait now or later."""
        try:
            self._handle.abort()
        except Err as err:
            self._fail(err)

    def reset(self) -> None:
        """Resets the barrier. Waiting parties are told that it broke."""
        try:
            self._handle.reset()
        except Err as err:
            self._fail(err)

    @property
    def parties(self) -> int:
        """The number of parties."""
        return self._handle.parties()

    @property
    def n_waiting(self) -> int:
        """The number of parties that wait at this moment."""
        return self._handle.waiting()

    @property
    def broken(self) -> bool:
        """True if the barrier is broken."""
        return self._handle.is_broken()

    def _broke(self, answer: Answer) -> NoReturn:
        why = "broken" if answer == Answer.BROKEN else "nobody came in the time given"
        raise BrokenBarrierError(f"barrier `{self._name}`: {why}: reset it") from None
