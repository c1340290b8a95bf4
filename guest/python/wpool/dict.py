"""Dicts: values by key, as those of `multiprocessing.Manager().dict()`; and namespaces, which are dicts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

from componentize_py_types import Err
from wit_world.imports import dict as wit
from wit_world.imports import nested

from .coding import batches, decode, encode, told, whole
from .collection import Collection, is_nested, plain

_NOTHING = object()


class Dict(Collection):
    """A dict that processes share by its name, in the order in which the keys came.

    A value that is read is a copy: `d["a"].append(1)` changes the copy. Only a list, dict or set that was made
    in its place by `nest` is changed there. Keys are the same if their JSON or their pickle is: 1, 1.0 and
    True are three keys.
    """

    _binding = wit.Dict
    _kind = "dict"
    _nested_kind = nested.Kind.DICT

    __class_getitem__ = classmethod(lambda cls, _: cls)

    def _part(self, part: wit.Part) -> list[bytes]:
        with told(self):
            page = lambda cursor, version: self._handle.page(part, cursor, version)
            return whole(page, f"{self._kind} `{self._name}`")

    def keys(self) -> list:
        """The keys, of one moment."""
        return [decode(key) for key in self._part(wit.Part.KEYS)]

    def values(self) -> list:
        """The values, of one moment."""
        return [value for _, value in self.items()]

    def items(self) -> list:
        """Keys and values, of one moment."""
        items = iter(self._part(wit.Part.ITEMS))
        # What is nested has no bytes.
        value_of = lambda key, value: decode(value) if value else self._inside(key)
        return [(decode(key), value_of(key, value)) for key, value in zip(items, items)]

    def copy(self) -> dict:
        """A plain dict of the entries, with plain copies of what is nested."""
        return {key: plain(value) for key, value in self.items()}

    def nest(self, key: Any, kind: type[Collection], keep: bool = False) -> Any:
        """Makes the value of a key a `List`, `Dict` or `Set`, empty. With `keep` one that is there stays."""
        with told(self):
            made = nested.create_in_dict(self._handle, encode(key), kind._nested_kind, keep)
        return self._opened_inside(made, key)

    def _inside(self, key: bytes) -> Collection:
        with told(self):
            return self._opened_inside(nested.open_in_dict(self._handle, key), decode(key))

    def get(self, key: Any, default: Any = None) -> Any:
        """The value of a key, or the default."""
        try:
            found = self._handle.get(encode(key))
        except Err as err:
            return self._inside(encode(key)) if is_nested(err) else self._fail(err)
        return default if found is None else decode(found.bytes)

    def __getitem__(self, key: Any) -> Any:
        value = self.get(key, _NOTHING)
        if value is _NOTHING:
            raise KeyError(key)
        return value

    def __setitem__(self, key: Any, value: Any) -> None:
        with told(self):
            self._handle.set(encode(key), encode(value))

    def __delitem__(self, key: Any) -> None:
        with told(self):
            if not self._handle.remove(encode(key)):
                raise KeyError(key)

    def __contains__(self, key: Any) -> bool:
        with told(self):
            return self._handle.contains(encode(key))

    def setdefault(self, key: Any, default: Any = None) -> Any:
        """The value of a key, which is set first if there is no such key."""
        try:
            value, _ = self._handle.get_or_insert(encode(key), encode(default))
            return decode(value)
        except Err as err:
            return self._inside(encode(key)) if is_nested(err) else self._fail(err)

    def pop(self, key: Any, default: Any = _NOTHING) -> Any:
        """Takes a key out, and answers with its value: a plain copy of what was nested."""
        try:
            value = self._handle.pop(encode(key))
        except Err as err:
            if not is_nested(err):
                self._fail(err)
            copy = self._inside(encode(key))._getvalue()
            del self[key]
            return copy
        if value is not None:
            return decode(value)
        if default is _NOTHING:
            raise KeyError(key)
        return default

    def popitem(self) -> tuple:
        """Takes the entry out whose key came last."""
        try:
            entry = self._handle.pop_item()
        except Err as err:
            if not is_nested(err):
                self._fail(err)
            key = self.keys()[-1]
            return key, self.pop(key)
        if entry is None:
            raise KeyError("popitem(): dictionary is empty")
        return decode(entry[0]), decode(entry[1])

    def update(self, other: Mapping | Iterable[tuple] = (), /, **more: Any) -> None:
        """Sets several values: in one step up to 4,096 and 64 KiB, in several beyond."""
        entries = [(encode(key), encode(value)) for key, value in dict(other, **more).items()]
        with told(self):
            for batch in batches(entries, lambda entry: len(entry[0]) + len(entry[1])):
                self._handle.set_many(batch)

    def add(self, key: Any, number: int) -> int:
        """Adds to the whole number that is the value of a key, 0 if there is no such key; the sum."""
        with told(self):
            return self._handle.add(encode(key), number)

    @classmethod
    def fromkeys(cls, keys: Iterable[Any], value: Any = None) -> dict:
        """A plain dict, as Python's proxy answers with."""
        return dict.fromkeys(keys, value)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.keys())

    def __reversed__(self) -> Iterator[Any]:
        return reversed(self.keys())

    def __or__(self, other: Mapping) -> dict:
        return self.copy() | dict(other)

    def __ror__(self, other: Mapping) -> dict:
        return dict(other) | self.copy()

    def __ior__(self, other: Mapping | Iterable[tuple]) -> Self:
        self.update(other)
        return self


class Namespace:
    """Attributes that processes share: a dict of this name. Names that begin with `_` are its own."""

    def __init__(self, entries: Dict) -> None:
        self._dict = entries

    @classmethod
    def open(cls, name: str) -> Self:
        """Opens the namespace of this name: wpool has made it by `--dict`, or another process."""
        return cls(Dict.open(name))

    @classmethod
    def create(cls, name: str) -> Self:
        """Makes a namespace, empty. Raises `Exists` if the name is taken."""
        return cls(Dict.create(name))

    @classmethod
    def open_or_create(cls, name: str) -> Self:
        """Opens the namespace of this name, or creates it."""
        return cls(Dict.open_or_create(name))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        value = self._dict.get(name, _NOTHING)
        if value is _NOTHING:
            raise AttributeError(name)
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            object.__setattr__(self, name, value)
        else:
            self._dict[name] = value

    def __delattr__(self, name: str) -> None:
        if name.startswith("_"):
            object.__delattr__(self, name)
        elif self._dict.pop(name, _NOTHING) is _NOTHING:
            raise AttributeError(name)

    def __repr__(self) -> str:
        entries = ", ".join(f"{name}={value!r}" for name, value in self._dict.items())
        return f"Namespace({entries})"
