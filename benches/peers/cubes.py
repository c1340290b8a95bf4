"""P3 and P3b: the cubes of 0 to 999 by multiprocessing, whatever the job is, or their sum.

The function to call and the number of jobs are the arguments.
"""

import sys
from multiprocessing import Pool


def cubes(n):
    return list(map(lambda i: i * i * i, range(1000)))


def cubes_sum(n):
    return sum(map(lambda i: i * i * i, range(1000)))


if __name__ == "__main__":
    task = {"cubes": cubes, "cubes_sum": cubes_sum}[sys.argv[1]]
    with Pool(2) as pool:
        pool.map(task, range(int(sys.argv[2])))
