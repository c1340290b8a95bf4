"""The process that a task runs in."""

from __future__ import annotations

import os
from dataclasses import dataclass

from wit_world.imports import process


@dataclass(frozen=True)
class Process:
    """A process of a pool."""

    pid: int
    """Its id."""

    slot: int
    """Who it is in shared state. No other process has the same slot at the same time."""


def current_process() -> Process:
    """The process that this task runs in."""
    return Process(process.id(), process.slot())


def getpid() -> int:
    """The id of the process that this task runs in."""
    return process.id()


# WebAssembly has no processes, so Python's own answer is the same number everywhere.
os.getpid = getpid
