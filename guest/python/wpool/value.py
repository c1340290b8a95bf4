"""Shared numbers."""

from __future__ import annotations

from typing import Any, Self

from componentize_py_types import Err
from wit_world.imports import value

from . import number
from .shared import SharedObject


class Value(SharedObject):
    """A number. Each method is atomic; `value.value += 1` is two steps: use a lock, or `add(1)`."""

    _binding = value.Value
    _kind = "value"

    def __init__(self, handle: Any, name: str) -> None:
        super().__init__(handle, name)
        self._type = number.of_host(handle.number_type())

    @classmethod
    def create(cls, name: str, typecode: str, initial: Any = 0) -> Self:
        """Makes a number of a type: `i`, `I` (32 bits), `q`, `Q` (64 bits), `f`, `d` or `?`."""
        initial = number.of_code(typecode).number(initial)
        return cls(cls._opened(cls._binding.create, name, initial), name)

    @property
    def typecode(self) -> str:
        """The type of the number."""
        return self._type.code

    @property
    def value(self) -> Any:
        """The number."""
        return self._handle.get().value

    @value.setter
    def value(self, new: Any) -> None:
        try:
            self._handle.set(self._type.number(new))
        except Err as err:
            self._fail(err)

    def add(self, amount: Any) -> Any:
        """Adds to the number, and returns the previous one. Integers wrap."""
        try:
            return self._handle.add(self._type.number(amount)).value
        except Err as err:
            return self._fail(err)

    def swap(self, new: Any) -> Any:
        """Sets the number, and returns the previous one."""
        try:
            return self._handle.swap(self._type.number(new)).value
        except Err as err:
            return self._fail(err)

    def compare_exchange(self, expected: Any, new: Any) -> Any:
        """Sets the number if it is the expected one, and returns the previous one."""
        try:
            old = self._type.number(expected)
            return self._handle.compare_exchange(old, self._type.number(new)).value
        except Err as err:
            return self._fail(err)
