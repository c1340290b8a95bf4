"""P11: a pool of multiprocessing that has mapped 1000 jobs, idle until standard input ends."""

import sys
from multiprocessing import Pool


def sq(n):
    return n * n


if __name__ == "__main__":
    with Pool(2) as pool:
        for result in pool.map(sq, range(1000)):
            print(result)
        sys.stdout.flush()
        sys.stdin.read()
