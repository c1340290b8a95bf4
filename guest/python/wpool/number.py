"""The types of numbers, with the type codes of `multiprocessing` and the types of the host."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any

from wit_world.imports import types
from wit_world.imports.types import NumberType


@dataclass(frozen=True)
class Type:
    """A type of numbers."""

    code: str
    """The type code, as in `array` and `ctypes`."""

    host: NumberType
    one: type
    """The host's class for a number."""
    many: type
    """The host's class for a list of numbers."""
    low: int = 0
    high: int = 0

    def check(self, value: Any) -> Any:
        """Returns the number in this type. The host would end the job for one that does not fit."""
        if self.code == "?":
            return bool(value)
        if self.code in "fd":
            return float(value)
        number = operator.index(value)
        if not self.low <= number <= self.high:
            raise OverflowError(f"{number} is not in {self.low}..{self.high}")
        return number

    def number(self, value: Any) -> Any:
        """Returns a number for the host."""
        return self.one(self.check(value))

    def numbers(self, values: Any) -> Any:
        """Returns a list of numbers for the host."""
        return self.many([self.check(value) for value in values])


def _signed(code: str, bits: int, host: NumberType, one: type, many: type) -> Type:
    return Type(code, host, one, many, -(1 << (bits - 1)), (1 << (bits - 1)) - 1)


def _unsigned(code: str, bits: int, host: NumberType, one: type, many: type) -> Type:
    return Type(code, host, one, many, 0, (1 << bits) - 1)


_TYPES = [
    _signed("i", 32, NumberType.I32, types.Number_I32, types.Numbers_I32),
    _signed("q", 64, NumberType.I64, types.Number_I64, types.Numbers_I64),
    _unsigned("I", 32, NumberType.U32, types.Number_U32, types.Numbers_U32),
    _unsigned("Q", 64, NumberType.U64, types.Number_U64, types.Numbers_U64),
    Type("f", NumberType.F32, types.Number_F32, types.Numbers_F32),
    Type("d", NumberType.F64, types.Number_F64, types.Numbers_F64),
    Type("?", NumberType.BOOL, types.Number_Bool, types.Numbers_Bool),
]

_OF_CODE = {known.code: known for known in _TYPES}
# A C `long` of Python on Linux has 64 bits.
_OF_CODE |= {"l": _OF_CODE["q"], "L": _OF_CODE["Q"]}
_OF_HOST = {known.host: known for known in _TYPES}


def of_code(code: str) -> Type:
    """Returns the type with this type code."""
    known = _OF_CODE.get(code)
    if known is None:
        raise ValueError(f"bad typecode {code!r}: shared numbers have one of {', '.join(_OF_CODE)}")
    return known


def of_host(host: NumberType) -> Type:
    """Returns the type for a type of the host."""
    return _OF_HOST[host]
