"""What lists, dicts and sets have in common."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from componentize_py_types import Err
from wit_world.imports.types import Error as Answer

from .coding import told
from .shared import SharedObject, nanoseconds


class Collection(SharedObject):
    """A list, dict or set. Each call is one step: whoever dies in it, all of it has happened or nothing."""

    _nested_kind: ClassVar[Any]
    """What the object is to the host where it is inside another."""

    @classmethod
    def create(cls, name: str, maxsize: int = 0, maxbytes: int = 0) -> Self:
        """Makes one, empty. Raises `Exists` if the name is taken.

        It holds so many elements, entries or members, in so many bytes; 0 for as many as there is space
        for.
        """
        return cls(cls._opened(cls._binding.create, name, maxsize, maxbytes), name)

    def __len__(self) -> int:
        with told(self):
            return self._handle.len()

    @property
    def version(self) -> int:
        """Its version, which moves with each change."""
        with told(self):
            return self._handle.version()

    def wait_changed(self, since: int, timeout: float | None = None) -> int:
        """Waits until the version is not `since`; the version then. Raises `TimedOut`."""
        with told(self):
            return self._handle.wait_changed(since, nanoseconds(True, timeout))

    def clear(self) -> None:
        """Takes everything out."""
        with told(self):
            self._handle.clear()

    def _opened_inside(self, inner: Any, place: Any) -> Collection:
        """The object inside this one that the host has opened."""
        for cls in Collection.__subclasses__():
            if isinstance(inner.value, cls._binding):
                return cls(inner.value, f"{self._name}[{place!r}]")
        raise TypeError(f"{inner!r} is no list, dict or set")

    def _getvalue(self) -> Any:
        """A plain copy, of one moment."""
        return self.copy()  # type: ignore[attr-defined]

    def __str__(self) -> str:
        return str(self._getvalue())

    def __deepcopy__(self, _: Any) -> Any:
        return self._getvalue()

    def __bool__(self) -> bool:
        return len(self) > 0


def plain(value: Any) -> Any:
    """A value, or a plain copy of an object that is inside another."""
    return value._getvalue() if isinstance(value, Collection) else value


def is_nested(err: Err) -> bool:
    """Whether the host says that an object is there, not bytes."""
    return err.value == Answer.WRONG_KIND
