"""wpool for tasks in Python: shared objects with the names and meanings of `multiprocessing`.

wpool starts the processes. A task opens an object that all processes share by its name, and uses
the object like one of `multiprocessing`:

    from wpool import Lock, Value, world

    def deposit(amount):
        balance = Value.open("balance")
        with Lock.open("guard"):
            balance.value += amount
        return balance.value

    WitWorld = world(globals())
"""

from . import errors
from .array import Array
from .barrier import Barrier
from .condition import Condition
from .dict import Dict, Namespace
from .errors import *  # The names that errors.__all__ lists.
from .event import Event
from .list import List
from .lock import Lock, RLock
from .process import Process, current_process, getpid
from .queue import JoinableQueue, Queue
from .region import Region
from .semaphore import BoundedSemaphore, Semaphore
from .set import Set
from .tasks import world
from .value import Value

__all__ = [
    "Array",
    "Barrier",
    "BoundedSemaphore",
    "Condition",
    "Dict",
    "Event",
    "JoinableQueue",
    "List",
    "Lock",
    "Namespace",
    "Process",
    "Queue",
    "RLock",
    "Region",
    "Semaphore",
    "Set",
    "Value",
    "current_process",
    "getpid",
    "world",
    *errors.__all__,
]
