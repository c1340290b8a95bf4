"""What lists, dicts and sets have in common."""

from __future__ import annotations

from typing import Any, Self

from .coding import told
from .shared import SharedObject, nanoseconds


class Collection(SharedObject):
    """A list, dict or set. Each call is one step: whoever dies in it, all of it has happened or nothing."""

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

    def _getvalue(self) -> Any:
        """A plain copy, of one moment."""
        return self.copy()  # type: ignore[attr-defined]

    def __str__(self) -> str:
        return str(self._getvalue())

    def __deepcopy__(self, _: Any) -> Any:
        return self._getvalue()

    def __bool__(self) -> bool:
        return len(self) > 0
