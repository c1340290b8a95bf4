"""Sets: members, once each, as those of `multiprocessing.Manager().set()`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Self

from wit_world.imports import nested
from wit_world.imports import set as wit

from .coding import batches, decode, encode, told, whole
from .collection import Collection


class Set(Collection):
    """A set that processes share by its name. Members are the same if their JSON or their pickle is."""

    _binding = wit.Set
    _kind = "set"
    _nested_kind = nested.Kind.SET

    def copy(self) -> set:
        """A plain set of the members, of one moment."""
        with told(self):
            page = lambda cursor, version: self._handle.page(cursor, version)
            return {decode(item) for item in whole(page, f"{self._kind} `{self._name}`")}

    def add(self, member: Any) -> None:
        """Puts a member in."""
        with told(self):
            self._handle.add(encode(member))

    def discard(self, member: Any) -> None:
        """Takes a member out, if it is there."""
        with told(self):
            self._handle.discard(encode(member))

    def remove(self, member: Any) -> None:
        """Takes a member out. Raises `KeyError`."""
        with told(self):
            removed = self._handle.discard(encode(member))
        if not removed:
            raise KeyError(member)

    def pop(self) -> Any:
        """Takes any member out. Raises `KeyError`."""
        with told(self):
            member = self._handle.pop()
        if member is None:
            raise KeyError("pop from an empty set")
        return decode(member)

    def __contains__(self, member: Any) -> bool:
        with told(self):
            return self._handle.contains(encode(member))

    def __iter__(self) -> Iterator[Any]:
        return iter(self.copy())

    def _update(self, how: wit.Update, members: Iterable[Any]) -> None:
        # First of all, so that a set can be updated by itself.
        items = [encode(member) for member in members]
        with told(self):
            if how == wit.Update.INTERSECTION:
                self._handle.update(how, items)
                return
            for batch in batches(items):
                self._handle.update(how, batch)

    def update(self, *others: Iterable[Any]) -> None:
        """Puts the members of others in."""
        self._update(wit.Update.UNION, [member for other in others for member in other])

    def intersection_update(self, *others: Iterable[Any]) -> None:
        """Takes out what is not in all others, in one step."""
        if others:
            kept = set(others[0]).intersection(*others[1:])
            self._update(wit.Update.INTERSECTION, kept)

    def difference_update(self, *others: Iterable[Any]) -> None:
        """Takes the members of others out."""
        self._update(wit.Update.DIFFERENCE, [member for other in others for member in other])

    def symmetric_difference_update(self, other: Iterable[Any]) -> None:
        """Puts in what of the other was not there, and takes out what was."""
        self._update(wit.Update.SYMMETRIC_DIFFERENCE, set(other))

    def __ior__(self, other: Iterable[Any]) -> Self:
        self.update(other)
        return self

    def __iand__(self, other: Iterable[Any]) -> Self:
        self.intersection_update(other)
        return self

    def __isub__(self, other: Iterable[Any]) -> Self:
        self.difference_update(other)
        return self

    def __ixor__(self, other: Iterable[Any]) -> Self:
        self.symmetric_difference_update(other)
        return self


def _on_a_copy(name: str) -> Any:
    def method(self: Set, *others: Any) -> Any:
        plain = [other.copy() if isinstance(other, Set) else other for other in others]
        return getattr(self.copy(), name)(*plain)

    method.__name__ = name
    return method


for _name in (
    "__and__ __or__ __sub__ __xor__ __rand__ __ror__ __rsub__ __rxor__ __ge__ __gt__ __le__ __lt__ "
    "difference intersection isdisjoint issubset issuperset symmetric_difference union"
).split():
    setattr(Set, _name, _on_a_copy(_name))
