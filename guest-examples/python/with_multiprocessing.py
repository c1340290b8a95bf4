"""The functions of `functions.py`, run by Python's own `multiprocessing`.

What wpool does with the same functions is to be compared with what this prints:
`python3 with_multiprocessing.py`.
"""

from multiprocessing import Lock, Pool, Process, Queue, Value

import functions


def run(*processes: Process) -> None:
    """Runs processes at the same time, to their end."""
    for process in processes:
        process.start()
    for process in processes:
        process.join()


if __name__ == "__main__":
    number_set = list(range(1, 11))
    run(
        Process(target=functions.calc_square, args=(number_set,)),
        Process(target=functions.calc_square_root, args=(number_set,)),
    )

    with Pool(4) as p:
        print(f"Result is: {p.map(functions.compute_squares, range(12))}")

    with Pool(2) as p:
        print(f"Result is: {p.starmap(functions.calc_product, [(1, 2, 3), (3, 4, 5)])}")

    q = Queue()
    run(Process(target=functions.get_even, args=(range(100), q)))
    print(f"Queue: {q.get()}")

    val = Value("i", 1)
    run(
        Process(target=functions.add, args=(val,)),
        Process(target=functions.subtract, args=(val,)),
    )
    print(f"Value is {val.value}")

    val, lock = Value("i", 1), Lock()
    run(
        Process(target=functions.add_locked, args=(val, lock)),
        Process(target=functions.subtract_locked, args=(val, lock)),
    )
    print(f"Value is {val.value}")
