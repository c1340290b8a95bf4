"""P9: dicts and lists of multiprocessing's Manager, many times. Prints the seconds of one time.

What to do, how often, and by how many processes at once are the arguments. The start of processes is
not counted, in favour of this side.
"""

import sys
import time
from multiprocessing import Barrier, Lock, Manager, Process

ENTRIES = 1000


def dict_set(shared, _, times):
    for number in range(times):
        shared[number % ENTRIES] = number


def dict_get(shared, _, times):
    for number in range(times):
        shared[number % ENTRIES]


def list_append(shared, _, times):
    for number in range(times):
        shared.append(number)


def list_pair(shared, _, times):
    for number in range(times):
        shared.append(number)
        shared.pop()


def dict_add(shared, lock, times):
    # There is no step that adds: it takes a lock.
    for _ in range(times):
        with lock:
            shared["n"] += 1


def work(task, shared, lock, barrier, times):
    len(shared)  # The connection is made.
    barrier.wait()
    task(shared, lock, times)
    barrier.wait()


if __name__ == "__main__":
    task = {f.__name__: f for f in (dict_set, dict_get, list_append, list_pair, dict_add)}[sys.argv[1]]
    times, processes = int(sys.argv[2]), int(sys.argv[3])
    with Manager() as manager:
        entries = {"n": 0} | dict.fromkeys(range(ENTRIES), 0)
        shared = manager.list() if task.__name__.startswith("list") else manager.dict(entries)
        barrier = Barrier(processes + 1)
        arguments = (task, shared, Lock(), barrier, times // processes)
        workers = [Process(target=work, args=arguments) for _ in range(processes)]
        for worker in workers:
            worker.start()
        barrier.wait()
        start = time.perf_counter()
        barrier.wait()
        seconds = time.perf_counter() - start
        for worker in workers:
            worker.join()
    print(seconds / (times // processes * processes))
