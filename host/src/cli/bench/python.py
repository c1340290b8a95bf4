"""Runs a function of a file over jobs, as `wpool bench` tells it.

Arguments: the file, the function's name, how many workers. Standard input: a job on each line, as
`wpool map` takes them. Standard output: a line {"seconds": S}, then a result on each line.
"""
import importlib.util
import inspect
import json
import multiprocessing
import sys
import time


def load(path, name):
    spec = importlib.util.spec_from_file_location("wpool_bench_function", path)
    module = importlib.util.module_from_spec(spec)
    # Where a worker finds it by name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return getattr(module, name)


def job(line):
    try:
        return json.loads(line)
    except ValueError:
        return line


def main(path, name, workers):
    function = load(path, name)
    jobs = [job(line) for line in sys.stdin.read().splitlines()]
    parameters = len(inspect.signature(function).parameters)
    fork = multiprocessing.get_context("fork")
    start = time.perf_counter()
    with fork.Pool(workers) as pool:
        if parameters == 1:
            results = pool.map(function, jobs)
        else:
            results = pool.starmap(function, jobs if parameters else [()] * len(jobs))
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds}))
    for result in results:
        print(json.dumps(result, separators=(",", ":"), ensure_ascii=False))


if __name__ == "__main__":
    try:
        main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    except Exception as error:
        print(json.dumps({"seconds": 0, "error": f"{type(error).__name__}: {error}"}))
