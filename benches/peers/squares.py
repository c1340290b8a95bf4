"""P1: squares by multiprocessing, start-up included. The number of jobs is the argument."""

import sys
from multiprocessing import Pool


def sq(n):
    return n * n


if __name__ == "__main__":
    with Pool(2) as pool:
        pool.map(sq, range(int(sys.argv[1])))
