"""Functions written for Python's `multiprocessing`, which know nothing of wpool.

`with_multiprocessing.py` runs them as they were meant to be run, `tasks.py` as tasks of wpool.
"""

import math
import os


def calc_square(numbers):
    """Calculate the squares of the input set of numbers"""
    squares = [i*i for i in numbers]
    print("Squares: {0}".format(squares))


def calc_square_root(numbers):
    """Calculate the square roots of the input set of numbers"""
    square_roots = [round(math.sqrt(i), 2) for i in numbers]
    print("Square Roots: {0}".format(square_roots))


def compute_squares(num):
    print(f"Process {os.getpid()} calculating square of {num}")
    return num*num


def calc_product(num1, num2, num3):
    print(f"Process {os.getpid()} calculating product of {num1, num2, num3}")
    return num1*num2*num3


def calc_cubes(_):
    """Calculate the cube of numbers ranging till 1000"""
    return list(map(lambda n: n*n*n, range(1000)))


def calc_cubes_sum(_):
    """Calculate the sum of these cubes"""
    return sum(map(lambda n: n*n*n, range(1000)))


def get_even(nums, q):
    """Obtain the even numbers from a set of input numbers

    Multiprocessing Queue is passed as an additional argument
    Queue will consist of all even numbers
    """
    q.put([n for n in nums if n%2 == 0])


def add(val):
    for i in range(10000):
        val.value += 1


def subtract(val):
    for i in range(10000):
        val.value -= 1


def add_locked(val, lock):
    for i in range(10000):
        lock.acquire() # Acquire Lock
        val.value += 1
        lock.release() # Release the lock


def subtract_locked(val, lock):
    for i in range(10000):
        with lock:     # Alternate method to create a lock
            val.value -= 1
