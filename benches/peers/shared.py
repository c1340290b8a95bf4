"""P8: shared objects of multiprocessing, many times. Prints the seconds of one time.

What to do and how often are the arguments. The start of processes is not counted, in favour of this
side.
"""

import sys
import time
from multiprocessing import Lock, Process, Queue, Value

MESSAGE = b"x" * 64


def lock_pair(times):
    lock = Lock()
    start = time.perf_counter()
    for _ in range(times):
        lock.acquire()
        lock.release()
    return time.perf_counter() - start


def locked_increment(times):
    lock, value = Lock(), Value("i", 0)
    start = time.perf_counter()
    for _ in range(times):
        with lock:
            value.value += 1
    return time.perf_counter() - start


def queue_pair(times):
    queue = Queue()
    start = time.perf_counter()
    for _ in range(times):
        queue.put(MESSAGE)
        queue.get()
    return time.perf_counter() - start


def produce(queue, times):
    for _ in range(times):
        queue.put(MESSAGE)


def stream(times):
    queue = Queue()
    producer = Process(target=produce, args=(queue, times))
    producer.start()
    queue.get()
    start = time.perf_counter()
    for _ in range(times - 1):
        queue.get()
    seconds = time.perf_counter() - start
    producer.join()
    return seconds


if __name__ == "__main__":
    work = {"lock_pair": lock_pair, "locked_increment": locked_increment}
    work |= {"queue_pair": queue_pair, "stream": stream}
    times = int(sys.argv[2])
    print(work[sys.argv[1]](times) / times)
