"""Shared arrays of numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Self

from componentize_py_types import Err
from wit_world.imports import array

from . import number
from .shared import SharedObject


class Array(SharedObject):
    """Numbers of one type. Each is always whole; several together are not, and need a lock."""

    _binding = array.Array
    _kind = "array"

    def __init__(self, handle: Any, name: str) -> None:
        super().__init__(handle, name)
        self._type = number.of_host(handle.number_type())
        self._len = handle.len()

    @classmethod
    def create(cls, name: str, typecode: str, initial: int | Sequence[Any]) -> Self:
        """Makes an array of so many zeros, or of these numbers. Types are those of `Value`."""
        type_ = number.of_code(typecode)
        length = initial if isinstance(initial, int) else len(initial)
        made = cls(cls._opened(cls._binding.create, name, type_.host, length), name)
        if not isinstance(initial, int):
            made[:] = initial
        return made

    @property
    def typecode(self) -> str:
        """The type of the numbers."""
        return self._type.code

    def __len__(self) -> int:
        return self._len

    def __getitem__(self, at: int | slice) -> Any:
        if isinstance(at, slice):
            first, count, step = self._range(at)
            return self._handle.read(first, count).value[::step]
        return self._handle.get(self._index(at)).value

    def __setitem__(self, at: int | slice, new: Any) -> None:
        try:
            if isinstance(at, slice):
                first, count, step = self._range(at)
                numbers = self._type.numbers(new)
                if step != 1 or len(numbers.value) != count:
                    raise ValueError("as many numbers as the slice has, which has no step")
                self._handle.write(first, numbers)
            else:
                self._handle.set(self._index(at), self._type.number(new))
        except Err as err:
            self._fail(err)

    def __iter__(self) -> Iterator[Any]:
        return iter(self[:])

    def add(self, index: int, amount: Any) -> Any:
        """Adds to a number, and returns the previous one. Integers wrap."""
        try:
            return self._handle.add(self._index(index), self._type.number(amount)).value
        except Err as err:
            return self._fail(err)

    def swap(self, index: int, new: Any) -> Any:
        """Sets a number, and returns the previous one."""
        try:
            return self._handle.swap(self._index(index), self._type.number(new)).value
        except Err as err:
            return self._fail(err)

    def compare_exchange(self, index: int, expected: Any, new: Any) -> Any:
        """Sets a number if it is the expected one, and returns the previous one."""
        old, new = self._type.number(expected), self._type.number(new)
        try:
            return self._handle.compare_exchange(self._index(index), old, new).value
        except Err as err:
            return self._fail(err)

    def _index(self, at: int) -> int:
        """Returns the index from the start. One beyond the end would end the job in the host."""
        index = at + self._len if at < 0 else at
        if not 0 <= index < self._len:
            raise IndexError(f"array `{self._name}` has {self._len} numbers, not one at {at}")
        return index

    def _range(self, at: slice) -> tuple[int, int, int]:
        first, end, step = at.indices(self._len)
        if step < 1:
            raise ValueError("a slice of a shared array has no negative step")
        return first, max(0, end - first), step
