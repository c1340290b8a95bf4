"""P2: squares by multiprocessing, one job a message. Prints the seconds that `map` took.

The pool's start is not counted, in favour of this side.
"""

import sys
import time
from multiprocessing import Pool


def sq(n):
    return n * n


if __name__ == "__main__":
    with Pool(2) as pool:
        start = time.perf_counter()
        pool.map(sq, range(int(sys.argv[1])), chunksize=1)
        print(time.perf_counter() - start)
