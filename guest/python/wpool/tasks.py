"""Tasks: a world's exports, done by plain functions of Python."""

from __future__ import annotations

import functools
import inspect
import linecache
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Any

import wit_world
from componentize_py_types import Err

from .errors import OwnerDied

_FAILS_WITH_TEXT = "componentize_py_types.Err(wit_world.imports.str)"
"""The text in generated bindings of a function whose WIT type is `result<…, string>`."""


def world(functions: Mapping[str, Any]) -> type:
    """Returns the class that componentize-py looks for: each export of the world is a function.

    Put `WitWorld = wpool.world(globals())` at the end of a module. The export
    `calc-square` is done by the function `calc_square`.

    An exception ends the job, and its traceback is printed. If the export's type
    is `result<…, string>`, the exception is the job's error, and the process goes on with the next
    job.
    """
    methods: dict[str, Any] = {}
    for name, declared in inspect.getmembers(wit_world.WitWorld, inspect.isfunction):
        if name.startswith("_"):
            continue
        function = functions.get(name)
        if not callable(function):
            raise NameError(f"the world exports {name.replace('_', '-')}: def {name}(…) is missing")
        if _FAILS_WITH_TEXT in (declared.__doc__ or ""):
            function = _failing(function)
        methods[name] = staticmethod(function)
    _keep_sources()
    return type("WitWorld", (wit_world.WitWorld,), methods)


def _failing(function: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a function whose exceptions are the errors of its job."""

    @functools.wraps(function)
    def task(*args: Any) -> Any:
        try:
            return function(*args)
        except OwnerDied:
            # The exception has to end the instance: it holds a lock whose next owner must be told,
            # too, that the protected data is not repaired.
            raise
        except Exception as error:
            if isinstance(error, Err) and isinstance(error.value, str):
                raise
            # The first entry is this function, which tells the reader nothing.
            error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
            traceback.print_exception(error)
            raise Err("".join(traceback.format_exception_only(error)).strip()) from None

    return task


def _keep_sources() -> None:
    """Keeps the lines of all modules for tracebacks, as their files are missing when tasks run."""
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file is None or file.startswith("/python/"):
            continue
        lines = linecache.getlines(file)
        # Without a time, `linecache` does not look whether the file has changed.
        linecache.cache[file] = (sum(map(len, lines)), None, lines, file)
