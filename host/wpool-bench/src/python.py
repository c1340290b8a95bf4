"""Runs a function of a file over jobs, as `wpool bench` tells it.

Arguments: the file, the function's name, and, for a pool, how many workers. Standard input: a job on each line, as
JSON. Standard output: a line {"seconds": S}, then a result on each line.
"""
import importlib.util
import inspect
import json
import multiprocessing
import os
import sys
import time


def load(path, name):
    spec = importlib.util.spec_from_file_location("wpool_bench_function", path)
    module = importlib.util.module_from_spec(spec)
    # Where a worker finds it by name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return getattr(module, name)


def main(answers, path, name, workers=None):
    function = load(path, name)
    jobs = [json.loads(line) for line in sys.stdin.buffer.read().splitlines()]
    parameters = len(inspect.signature(function).parameters)
    if parameters == 0:
        jobs = [()] * len(jobs)
    start = time.perf_counter()
    if workers is None:
        call = function if parameters == 1 else lambda job: function(*job)
        results = list(map(call, jobs))
    else:
        with multiprocessing.get_context("fork").Pool(int(workers)) as pool:
            results = (pool.map if parameters == 1 else pool.starmap)(function, jobs)
    seconds = time.perf_counter() - start
    lines = [json.dumps(result, separators=(",", ":")) for result in results]
    print(json.dumps({"seconds": seconds}), *lines, sep="\n", file=answers)


if __name__ == "__main__":
    # What the function prints is no answer. It goes where the lines of other modes go: nowhere.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    try:
        main(answers, *sys.argv[1:])
    except Exception as error:
        print(json.dumps({"seconds": 0, "error": f"{type(error).__name__}: {error}"}), file=answers)
    answers.flush()
