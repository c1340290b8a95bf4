"""Queues of messages, bounded, for any number of producers and consumers."""

from __future__ import annotations

import json
from typing import Any, Self

from componentize_py_types import Err
from wit_world.imports import queue
from wit_world.imports.types import Error as Answer

from .errors import Empty, Full
from .shared import SharedObject, nanoseconds


class Queue(SharedObject):
    """A queue of JSON values, or of bytes by `put_bytes` and `get_bytes`.

    A message that was put is delivered once. If the process that got the message dies before its
    job is done, or before it uses the queue again, another process gets the message, and
    `redelivered` is true there.
    """

    _binding = queue.Queue
    _kind = "queue"
    _joinable = False

    def __init__(self, handle: Any, name: str) -> None:
        super().__init__(handle, name)
        self.redelivered = False
        """True if the message last got was delivered before, to a process that died."""

    @classmethod
    def create(cls, name: str, maxsize: int = 1000, maxbytes: int = 1 << 20) -> Self:
        """Makes a queue. Raises `Exists` if the name is taken.

        The queue holds `maxsize` messages, 1 to 65,536, and `maxbytes` bytes of messages longer
        than 96 bytes.
        """
        return cls(cls._opened(cls._binding.create, name, maxsize, maxbytes, cls._joinable), name)

    def put(self, value: Any, block: bool = True, timeout: float | None = None) -> None:
        """Puts a value that JSON can hold at the end. Raises `Full` if there is no room in time."""
        message = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        self.put_bytes(message.encode(), block, timeout)

    def put_nowait(self, value: Any) -> None:
        """Puts a value if there is room now, or raises `Full`."""
        self.put(value, block=False)

    def put_bytes(self, message: bytes, block: bool = True, timeout: float | None = None) -> None:
        """Puts bytes at the end. Raises `Full` if there is no room in time."""
        try:
            self._handle.put(message, nanoseconds(block, timeout))
        except Err as err:
            if err.value == Answer.TIMED_OUT:
                raise Full from None
            self._fail(err)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Gets the first value. Raises `Empty` if there is none in time."""
        return json.loads(self.get_bytes(block, timeout))

    def get_nowait(self) -> Any:
        """Gets the first value if there is one now, or raises `Empty`."""
        return self.get(block=False)

    def get_bytes(self, block: bool = True, timeout: float | None = None) -> bytes:
        """Gets the bytes of the first message. Raises `Empty` if there is none in time."""
        try:
            message = self._handle.get(nanoseconds(block, timeout))
        except Err as err:
            if err.value == Answer.TIMED_OUT:
                raise Empty from None
            self._fail(err)
        self.redelivered = message.redelivered
        return message.bytes

    def acknowledge(self) -> None:
        """Acknowledges the message last got, before the next is got or the job ends."""
        try:
            self._handle.acknowledge()
        except Err as err:
            self._fail(err)

    def qsize(self) -> int:
        """Returns how many messages are in the queue at this moment."""
        return self._handle.len()

    def empty(self) -> bool:
        """Returns whether no message is in the queue at this moment."""
        return self.qsize() == 0

    def end(self) -> None:
        """Closes the queue for puts of all processes. The messages in it can still be got."""
        try:
            self._handle.close()
        except Err as err:
            self._fail(err)

    @property
    def ended(self) -> bool:
        """True if the queue is closed for puts."""
        return self._handle.is_closed()


class JoinableQueue(Queue):
    """A queue that counts the tasks that are not done yet."""

    _joinable = True

    def task_done(self) -> None:
        """Marks a task whose message was got as done. Raises `TooMany` if all are done."""
        try:
            self._handle.task_done()
        except Err as err:
            self._fail(err)

    def join(self, timeout: float | None = None) -> int:
        """Waits until all tasks are done.

        Returns how many were lost with processes that died, which is reported once.
        Raises `TimedOut`.
        """
        try:
            return self._handle.join(nanoseconds(True, timeout))
        except Err as err:
            return self._fail(err)
