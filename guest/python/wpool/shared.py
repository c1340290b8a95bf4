"""The base of all shared objects: a name by which processes open them."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from componentize_py_types import Err
from wit_world.imports.types import Error as Answer

from .errors import Exists, NotFound, fail


class SharedObject:
    """A shared object that this process has open, until it is closed or nobody refers to it."""

    _binding: ClassVar[Any]
    """The host's class for the object."""

    _kind: ClassVar[str]
    """The name of the kind in messages."""

    def __init__(self, handle: Any, name: str) -> None:
        self._handle = handle
        self._name = name

    @classmethod
    def open(cls, name: str) -> Self:
        """Opens the object with this name, which wpool or another process has created."""
        return cls(cls._opened(cls._binding.open, name), name)

    @classmethod
    def open_or_create(cls, name: str, *args: Any, **kwargs: Any) -> Self:
        """Opens the object with this name, or creates it with the arguments of `create`."""
        while True:
            try:
                return cls.open(name)
            except NotFound:
                pass
            try:
                return cls.create(name, *args, **kwargs)  # type: ignore[attr-defined]
            except Exists:
                # Another process was faster, and may delete the object before this one opens it.
                pass

    @property
    def name(self) -> str:
        """The name of the object."""
        return self._name

    def delete(self) -> None:
        """Frees the name at once. Processes that have the object open can go on using it."""
        try:
            self._handle.delete()
        except Err as err:
            self._fail(err)

    def close(self) -> None:
        """Closes the object for this process, which cannot use it any more."""
        if not isinstance(self._handle, _Closed):
            self._handle.__exit__(None, None, None)
            self._handle = _Closed(f"{self._kind} `{self._name}`")

    def __repr__(self) -> str:
        return f"<wpool.{type(self).__name__} {self._name!r}>"

    @classmethod
    def _opened(cls, opened: Any, name: str, *args: Any) -> Any:
        """Returns the handle that the host opens or creates."""
        try:
            return opened(name, *args)
        except Err as err:
            fail(err, f"{cls._kind} `{name}`")

    def _fail(self, err: Err[Answer]) -> Any:
        """Raises the exception for an answer of the host about this object."""
        fail(err, f"{self._kind} `{self._name}`")


class _Closed:
    """A stand-in for the handle of a closed object, which the host would end the job for using."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __getattr__(self, _: str) -> Any:
        raise ValueError(f"{self._what} is closed: open it again")


def nanoseconds(block: bool, timeout: float | None) -> int | None:
    """Returns the longest time to wait: `None` is for ever, as in Python's own libraries."""
    if not block:
        return 0
    return None if timeout is None else max(0, round(timeout * 1e9))
