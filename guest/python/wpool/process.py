"""The process in which a task runs."""

from __future__ import annotations

import os
from dataclasses import dataclass

from wit_world.imports import process


@dataclass(frozen=True)
class Process:
    """A process of a pool."""

    pid: int
    """The id of the process."""

    slot: int
    """The slot in shared state. No other process has the same slot at the same time."""


def current_process() -> Process:
    """Returns the process in which this task runs."""
    return Process(process.id(), process.slot())


def getpid() -> int:
    """Returns the id of the process in which this task runs."""
    return process.id()


# WebAssembly has no processes, so Python's own `getpid` returns the same number everywhere.
os.getpid = getpid
