"""P9: the same of a Redis server on a Unix socket, by `redis-benchmark`. Prints the seconds of one time.

What to do, how often, and by how many clients at once are the arguments.
"""

import csv
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMANDS = {
    "dict_set": [["HSET", "d", "__rand_int__", "1"]],
    "dict_get": [["HGET", "d", "__rand_int__"]],
    "list_append": [["RPUSH", "l", "1"]],
    "list_pair": [["RPUSH", "l", "1"], ["RPOP", "l"]],
    "dict_add": [["HINCRBY", "d", "n", "1"]],
}


def seconds(socket, command, times, clients):
    """The seconds of one command, by so many clients."""
    options = ["-s", socket, "-n", times, "-c", clients, "-r", "1000", "--csv"]
    told = subprocess.run(["redis-benchmark", *options, *command], stdout=subprocess.PIPE, text=True, check=True)
    return 1 / float(next(csv.DictReader(told.stdout.splitlines()))["rps"])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        socket = f"{folder}/socket"
        options = ["--port", "0", "--unixsocket", socket, "--dir", folder, "--save", ""]
        with subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL) as server:
            try:
                while not Path(socket).exists() and server.poll() is None:
                    time.sleep(0.01)
                if sys.argv[1] == "dict_get":
                    seconds(socket, COMMANDS["dict_set"][0], "10000", "1")  # There is something to get.
                print(sum(seconds(socket, command, *sys.argv[2:4]) for command in COMMANDS[sys.argv[1]]))
            finally:
                server.terminate()
