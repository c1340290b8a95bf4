"""Shared memory."""

from __future__ import annotations

from typing import Self

from componentize_py_types import Err
from wit_world.imports import region

from .shared import SharedObject


class Region(SharedObject):
    """Bytes that all processes share, copied out and in: `region[0:4] = b"abcd"`.

    Each aligned word of eight or four bytes is always whole; more than that needs a lock.
    """

    _binding = region.Region
    _kind = "region"

    @classmethod
    def create(cls, name: str, size: int) -> Self:
        """Makes a region of `size` zero bytes. Raises `Exists` if the name is taken."""
        return cls(cls._opened(cls._binding.create, name, size), name)

    @property
    def size(self) -> int:
        """The size of the region in bytes."""
        return self._handle.size()

    @property
    def readonly(self) -> bool:
        """True if the region may only be read."""
        return self._handle.is_read_only()

    def read(self, offset: int = 0, size: int | None = None) -> bytes:
        """Copies `size` bytes out, or all bytes from the offset on."""
        size = self.size - offset if size is None else size
        self._check(offset, size)
        try:
            return self._handle.read(offset, size)
        except Err as err:
            return self._fail(err)

    def write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Copies bytes in. Raises `ReadOnly` if the region may only be read."""
        data = bytes(data)
        self._check(offset, len(data))
        try:
            self._handle.write(offset, data)
        except Err as err:
            self._fail(err)

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, at: int | slice) -> int | bytes:
        if isinstance(at, slice):
            return self.read(*self._range(at))
        return self.read(self._index(at), 1)[0]

    def __setitem__(self, at: int | slice, new: int | bytes | bytearray | memoryview) -> None:
        if isinstance(at, slice):
            offset, size = self._range(at)
            data = bytes(new)  # type: ignore[arg-type]
            if len(data) != size:
                raise ValueError(f"a slice of {size} bytes cannot become {len(data)} bytes")
            self.write(offset, data)
        else:
            self.write(self._index(at), bytes([new]))  # type: ignore[list-item]

    def _check(self, offset: int, size: int) -> None:
        """Raises an error for bytes outside the region, for which the host would end the job."""
        if offset < 0 or size < 0 or offset + size > self.size:
            range_ = f"bytes {offset} to {offset + size}"
            raise IndexError(f"region `{self._name}` has {self.size} bytes, not {range_}")

    def _index(self, at: int) -> int:
        return at + self.size if at < 0 else at

    def _range(self, at: slice) -> tuple[int, int]:
        offset, end, step = at.indices(self.size)
        if step != 1:
            raise ValueError("a slice of a region has no step")
        return offset, max(0, end - offset)
