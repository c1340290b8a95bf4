"""Tasks in Python: the world's exports, each a function of the same name.

Run one by `wpool map python.wasm --task square --range 0..12`.
"""

import datetime
import json
import linecache
import math
import random
import re
import statistics
import sys
import threading
import time

import functions
import wpool
from functions import (
    calc_cubes,
    calc_cubes_sum,
    calc_product,
    calc_square,
    calc_square_root,
    compute_squares,
)
from wpool import Dict, List, Lock, Queue, Set, Value

IMPORTABLE = [datetime, json, math, random, re, statistics, sys, threading, time, wpool]
"""What `run_source` can import: modules are there at run time if they were loaded at build time."""


def square(n: int) -> int:
    """The square of `n`."""
    return n * n


def square_root(n: float) -> float:
    """The square root of `n`, rounded to two digits."""
    return round(math.sqrt(n), 2)


def product(a: int, b: int, c: int) -> int:
    """The product of three numbers."""
    return a * b * c


def cubes(n: int) -> list[int]:
    """The cubes of 0 to 999, whatever `n` is."""
    return [i * i * i for i in range(1000)]


def cubes_sum(n: int) -> int:
    """The sum of the cubes of 0 to 999, whatever `n` is."""
    return sum(i * i * i for i in range(1000))


def evens(numbers: list[int]) -> list[int]:
    """The even ones among `numbers`."""
    return [n for n in numbers if n % 2 == 0]


def get_even(nums: list[int]) -> None:
    """Needs the queue: `--queue evens`."""
    functions.get_even(nums, Queue.open("evens"))


def add() -> None:
    """Needs the value: `--value balance=i32:1`."""
    functions.add(Value.open("balance"))


def subtract() -> None:
    """Needs the value, too."""
    functions.subtract(Value.open("balance"))


def add_locked() -> None:
    """Needs the value and the lock: `--value balance=i32:1 --lock guard`."""
    functions.add_locked(Value.open("balance"), Lock.open("guard"))


def subtract_locked() -> None:
    """Needs the value and the lock, too."""
    functions.subtract_locked(Value.open("balance"), Lock.open("guard"))


def take_a_nap(seconds: float) -> float:
    """Sleeps; `time` works as anywhere."""
    start = time.monotonic()
    time.sleep(seconds)
    return time.monotonic() - start


def throw_dice(count: int) -> list[int]:
    """Random numbers, which differ from process to process and from run to run."""
    return [random.randint(1, 6) for _ in range(count)]


def greet(name: str) -> None:
    """What tasks print is shown by wpool."""
    print(f"Hello, {name}!")
    print(f"{name} was greeted.", file=sys.stderr)


def reciprocal(n: float) -> float:
    """Raises `ZeroDivisionError`, which fails the job."""
    return 1 / n


def reciprocals(numbers: list[float]) -> list[float]:
    """Raises `ZeroDivisionError`, which ends the job."""
    return [reciprocal(n) for n in numbers]


is_prime_at: list[bool] = []
"""For each number below 200,000 whether it is a prime, once that is known."""


def prepare() -> None:
    """Sieves. With `--init prepare` that is done once, and every process begins with the result."""
    limit = 200_000
    is_prime_at[:] = [False, False] + [True] * (limit - 2)
    for n in range(2, math.isqrt(limit) + 1):
        if is_prime_at[n]:
            for multiple in range(n * n, limit, n):
                is_prime_at[multiple] = False
    print(f"{sum(is_prime_at)} primes below {limit}")


def is_prime(n: int) -> bool:
    """Whether `n` is a prime."""
    if not is_prime_at:
        prepare()
    return is_prime_at[n]


def run_source(source: str) -> str:
    """Runs a program in this sandbox."""
    # So that a traceback shows the program's lines.
    linecache.cache["job"] = (len(source), None, source.splitlines(True), "job")
    variables = {"__name__": "__main__"}
    exec(compile(source, "job", "exec"), variables)
    return repr(variables.get("result"))


def update_string(word: str, words: str) -> None:
    """Puts a word into the list of this name."""
    List.open(words).append(word)


def collect(name: str) -> str:
    """Puts lists, dicts and sets into the dict of this name, and into each other; what is in it then."""
    shared = Dict.open(name)
    shared.nest("list", List).append(1)
    shared["list"].append([2])
    shared["list"].nest(Dict)["three"] = 3
    shared["list"][2]["three"] += 1
    shared["list"][2].nest("set", Set).add("x")
    shared.nest("gone", List).append(1)
    del shared["gone"]
    shared.nest("popped", Set).update("ab")
    popped = sorted(shared.pop("popped"))
    try:
        shared["proxy"] = shared["list"]
    except TypeError:
        popped.append("no proxy")
    return json.dumps([popped, shared["list"][0], shared["list"].pop(), len(shared), sorted(shared)], default=list)


WitWorld = wpool.world(globals())
