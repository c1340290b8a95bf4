"""Lists: elements by place, as those of `multiprocessing.Manager().list()`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

from componentize_py_types import Err
from wit_world.imports import list as wit
from wit_world.imports import nested
from wit_world.imports.types import Error as Answer

from .coding import READS, batches, decode, encode, told, whole
from .collection import Collection, is_nested, plain
from .errors import Changing

END = (1 << 63) - 1


class List(Collection):
    """A list that processes share by its name.

    An element that is read is a copy: `words[0].append(1)` changes the copy. Only a list, dict or set that was
    made in its place by `nest` is changed there.
    """

    _binding = wit.List
    _kind = "list"
    _nested_kind = nested.Kind.LIST

    __class_getitem__ = classmethod(lambda cls, _: cls)

    def copy(self) -> list:
        """A plain list of the elements, with plain copies of what is nested."""
        return [plain(item) for item in self._slice(0, END)]

    def nest(self, kind: type[Collection], index: int | None = None) -> Any:
        """Makes a `List`, `Dict` or `Set`, empty, in the place of an element, or at the end."""
        try:
            at_end = index is None
            made = nested.create_in_list(self._handle, END if at_end else index, kind._nested_kind, not at_end)
        except Err as err:
            self._wrong(err, "list assignment index out of range")
        return self._opened_inside(made, index)

    def _slice(self, start: int, end: int) -> list:
        with told(self):
            page = lambda cursor, _: self._handle.slice(cursor or start, end)
            items = whole(page, f"{self._kind} `{self._name}`")
            first = max(0, start + len(self)) if start < 0 else start
            # What is nested has no bytes.
            return [decode(item) if item else self._inside(first + at) for at, item in enumerate(items)]

    def _inside(self, index: int) -> Collection:
        return self._opened_inside(nested.open_in_list(self._handle, index), index)

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            if index.step in (None, 1):
                return self._slice(index.start or 0, END if index.stop is None else index.stop)
            return self._slice(0, END)[index]
        try:
            return decode(self._handle.get(index).bytes)
        except Err as err:
            return self._inside(index) if is_nested(err) else self._wrong(err, "list index out of range")

    def __setitem__(self, index: int | slice, value: Any) -> None:
        if isinstance(index, slice):
            if index.step in (None, 1):
                with told(self):
                    end = END if index.stop is None else index.stop
                    self._handle.splice(index.start or 0, end, [encode(item) for item in value], None)
            else:
                self._change(lambda items: items.__setitem__(index, value))
            return
        try:
            self._handle.set(index, encode(value), None)
        except Err as err:
            self._wrong(err, "list assignment index out of range")

    def __delitem__(self, index: int | slice) -> None:
        if isinstance(index, slice):
            if index.step in (None, 1):
                self[index] = []
            else:
                self._change(lambda items: items.__delitem__(index))
            return
        try:
            self._handle.pop(index)
        except Err as err:
            if not is_nested(err):
                self._wrong(err, "list assignment index out of range")
            self[index : index + 1 or None] = []

    def append(self, value: Any) -> None:
        """Puts an element at the end."""
        with told(self):
            self._handle.append(encode(value))

    def extend(self, values: Iterable[Any]) -> None:
        """Puts elements at the end: in one step up to 4,096 and 64 KiB, in several beyond."""
        # First of all, so that a list can be extended by itself.
        items = [encode(value) for value in values]
        with told(self):
            for batch in batches(items):
                self._handle.splice(END, END, batch, None)

    def insert(self, index: int, value: Any) -> None:
        """Puts an element in before an index."""
        with told(self):
            self._handle.insert(index, encode(value))

    def pop(self, index: int = -1) -> Any:
        """Takes an element out, and answers with it: a plain copy of what was nested."""
        try:
            return decode(self._handle.pop(index))
        except Err as err:
            if not is_nested(err):
                self._wrong(err, "pop index out of range")
            copy = self._inside(index)._getvalue()
            del self[index]
            return copy

    def remove(self, value: Any) -> None:
        """Takes the first element out that is equal."""

        def without(items: list) -> None:
            try:
                items.remove(value)
            except ValueError:
                raise ValueError("list.remove(x): x not in list") from None

        self._change(without)

    def index(self, value: Any, start: int = 0, stop: int = END) -> int:
        """The first index of an element that is equal. Raises `ValueError`."""
        return self.copy().index(value, start, stop)

    def count(self, value: Any) -> int:
        """How many elements are equal."""
        return self.copy().count(value)

    def reverse(self) -> None:
        """Turns the order round."""
        with told(self):
            self._handle.reverse()

    def sort(self, *, key: Callable[[Any], Any] | None = None, reverse: bool = False) -> None:
        """Sorts a copy, and puts it in the list's place if that has not changed meanwhile; else again."""
        self._change(lambda items: items.sort(key=key, reverse=reverse))

    def _change(self, change: Callable[[list], None]) -> None:
        """Changes a copy, and swaps it in if the list is still what was copied; else again."""
        for _ in range(READS):
            version = self.version
            items = self.copy()
            change(items)
            with told(self):
                if self._handle.splice(0, END, [encode(item) for item in items], version):
                    return
        raise Changing(f"{self._kind} `{self._name}` changes all the time")

    def __contains__(self, value: Any) -> bool:
        return value in self.copy()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._slice(0, END))

    def __reversed__(self) -> Iterator[Any]:
        return reversed(self.copy())

    def __add__(self, other: Iterable[Any]) -> list:
        return self.copy() + list(other)

    def __iadd__(self, other: Iterable[Any]) -> Self:
        self.extend(other)
        return self

    def __mul__(self, times: int) -> list:
        return self.copy() * times

    __rmul__ = __mul__

    def __imul__(self, times: int) -> Self:
        self._change(lambda items: items.__imul__(times))
        return self

    def _wrong(self, err: Err, what: str) -> Any:
        if err.value == Answer.OUT_OF_RANGE:
            raise IndexError(what) from None
        self._fail(err)
