"""Values as bytes: JSON where that is the value again, so that other languages read it, else a pickle."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from componentize_py_types import Err

from .errors import Changing
from .shared import SharedObject

READS = 100
"""How often pages are read anew because something has changed."""

ITEMS_MAX = 4096
BYTES_MAX = 64 << 10
"""Most items, and bytes of them, that one call takes."""


def _is_json(value: Any) -> bool:
    kind = type(value)
    if kind is float:
        return math.isfinite(value)
    if kind is list:
        return all(map(_is_json, value))
    if kind is dict:
        return all(type(key) is str and _is_json(of_key) for key, of_key in value.items())
    return kind in (str, int, bool, type(None))


def encode(value: Any) -> bytes:
    """The bytes of a value. No JSON begins as a pickle does."""
    if isinstance(value, SharedObject):
        raise TypeError(f"{value!r} cannot be stored in another object: make an object there with nest()")
    if _is_json(value):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)


def decode(data: bytes) -> Any:
    """The value of bytes. What other guests of the pool have pickled is run in this sandbox only."""
    if data[:1] == b"\x80":
        return pickle.loads(data)
    return json.loads(data.decode("utf-8", "surrogatepass"))


def whole(page: Callable[[int, int], Any], what: str) -> list[bytes]:
    """The items of all pages, of one moment. `page` is told the cursor and version of the one before."""
    for _ in range(READS):
        items: list[bytes] = []
        cursor, version = 0, None
        while True:
            found = page(cursor, version or 0)
            if version is not None and found.version != version:
                break
            items += found.items
            cursor, version = found.cursor, found.version
            if cursor == 0:
                return items
    raise Changing(f"{what} changes all the time while it is looked through")


def batches(items: Iterable[Any], size_of: Callable[[Any], int] = len) -> Iterator[list]:
    """The items in lists that one call takes."""
    batch: list = []
    size = 0
    for item in items:
        if batch and (len(batch) == ITEMS_MAX or size + size_of(item) > BYTES_MAX):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += size_of(item)
    if batch:
        yield batch


class told:
    """Raises what an answer of the host means for an object: `with told(self): …`."""

    def __init__(self, whom: Any) -> None:
        self._whom = whom

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: Any, error: BaseException | None, __: Any) -> None:
        if isinstance(error, Err):
            self._whom._fail(error)
