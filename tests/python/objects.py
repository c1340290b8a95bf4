"""Every method of every shared object, in one process: a job of the example's `run_source`."""

import threading
import time

import wpool
from wpool import Array, Barrier, BoundedSemaphore, Condition, Event, JoinableQueue, Lock, Queue
from wpool import Region, RLock, Semaphore, Value


def raises(exceptions, function, *args, **kwargs):
    """Claims that a call raises all of these at once: wpool's exception, and Python's own."""
    try:
        function(*args, **kwargs)
    except Exception as error:
        exceptions = exceptions if isinstance(exceptions, tuple) else (exceptions,)
        for exception in exceptions:
            assert isinstance(error, exception), (exception, error)
        return str(error)
    raise AssertionError(f"{exceptions} was not raised")


def locks():
    lock = Lock.create("lock")
    assert lock.acquire()
    assert not lock.acquire(block=False)
    assert not lock.acquire(timeout=0.001)
    raises((wpool.AlreadyOwner, RuntimeError), lock.acquire)
    lock.release()
    raises((wpool.NotOwner, ValueError), lock.release)
    raises(wpool.NotOwner, lock.mark_consistent)
    with Lock.open("lock") as acquired:
        assert acquired is True
    with lock.held(repair=lambda: 1 / 0):
        assert not Lock.open("lock").acquire(block=False)
    recursive = RLock.create("recursive")
    with recursive, recursive:
        pass
    raises(wpool.NotOwner, recursive.release)


def names():
    assert repr(Lock.open("lock")) == "<wpool.Lock 'lock'>"
    message = raises((wpool.NotFound, FileNotFoundError), Lock.open, "missing")
    assert "there is no lock `missing`" in message
    raises((wpool.Exists, FileExistsError), Lock.create, "lock")
    raises((wpool.WrongKind, TypeError), Queue.open, "lock")
    raises((wpool.OutOfRange, ValueError), Lock.create, "")
    assert Event.open_or_create("either").name == "either"
    either = Event.open_or_create("either")
    either.delete()
    raises(wpool.NotFound, either.delete)
    raises(wpool.NotFound, Event.open, "either")
    either.close()
    either.close()
    raises(ValueError, either.set)


def semaphores():
    semaphore = Semaphore.create("semaphore", 2, owned=True)
    with semaphore:
        assert semaphore.get_value() == 1
        assert semaphore.acquire() and not semaphore.acquire(block=False)
        assert semaphore.restored == 0
        semaphore.release()
    signal = Semaphore.create("signal", 0)
    signal.release()
    assert signal.get_value() == 1
    bounded = BoundedSemaphore.create("bounded", 1)
    raises((wpool.TooMany, ValueError), bounded.release)


def conditions():
    lock = Lock.create("of condition")
    condition = Condition.create("condition", lock)
    raises(wpool.NotOwner, condition.wait)
    with condition:
        assert not lock.acquire(block=False)
        assert not condition.wait(timeout=0.001)
        assert condition.notify() == 0 and condition.notify(5) == 0 and condition.notify_all() == 0
        assert condition.wait_for(lambda: "true") == "true"
        assert not condition.wait_for(lambda: False, timeout=0.001)
    own = Condition.create("with a lock of its own")
    with own, own:
        pass


def events():
    event = Event.create("event")
    assert not event.is_set() and not event.wait(timeout=0.001)
    event.set()
    assert event.is_set() and event.wait()
    event.clear()
    assert not event.is_set()


def barriers():
    alone = Barrier.create("alone", 1)
    assert (alone.wait(), alone.parties, alone.n_waiting, alone.broken) == (0, 1, 0, False)
    barrier = Barrier.create("barrier", 2)
    raises((wpool.BrokenBarrierError, threading.BrokenBarrierError), barrier.wait, timeout=0.001)
    assert barrier.broken
    barrier.reset()
    assert not barrier.broken
    barrier.abort()
    raises(wpool.BrokenBarrierError, barrier.wait)
    raises(wpool.OutOfRange, Barrier.create, "nobody", 0)


def queues():
    queue = Queue.create("queue", 2)
    queue.put([1, {"ä": None}])
    queue.put_bytes(b"\xff")
    raises(wpool.Full, queue.put, 3, block=False)
    raises(wpool.Full, queue.put, 3, timeout=0.001)
    raises(wpool.Full, queue.put_nowait, 3)
    assert queue.qsize() == 2 and not queue.empty()
    assert queue.get() == [1, {"ä": None}] and not queue.redelivered
    queue.acknowledge()
    assert queue.get_bytes() == b"\xff"
    raises(wpool.Empty, queue.get, timeout=0.001)
    raises(wpool.Empty, queue.get_nowait)
    raises(wpool.NotOwner, queue.acknowledge)
    raises(TypeError, queue.put, object())
    raises((wpool.TooLarge, ValueError), queue.put_bytes, bytes(2 << 20))
    queue.end()
    assert queue.ended
    raises((wpool.Closed, ValueError), queue.put, 1)
    raises(wpool.Closed, queue.get)
    joinable = JoinableQueue.create("joinable")
    joinable.put(1)
    joinable.get()
    raises((wpool.TimedOut, TimeoutError), joinable.join, timeout=0.001)
    joinable.task_done()
    assert joinable.join() == 0
    raises(wpool.TooMany, joinable.task_done)


def values():
    value = Value.create("value", "i", 5)
    value.value += 1
    assert (value.value, value.typecode) == (6, "i")
    assert value.add(2) == 6 and value.swap(3) == 8
    assert value.compare_exchange(3, 4) == 3 and value.compare_exchange(3, 5) == 4
    assert Value.open("value").value == 4
    extremes = [("i", -1 << 31), ("q", -1 << 63), ("I", (1 << 32) - 1), ("Q", (1 << 64) - 1)]
    extremes += [("l", (1 << 63) - 1), ("L", (1 << 64) - 1), ("f", 0.5), ("d", 0.1), ("?", True)]
    for typecode, number in extremes:
        assert Value.create(f"value of {typecode}", typecode, number).value == number, typecode
    raises(OverflowError, setattr, value, "value", 1 << 31)
    raises(OverflowError, Value.create, "negative", "I", -1)
    raises(TypeError, setattr, value, "value", 1.5)
    assert "'u'" in raises(ValueError, Value.create, "text", "u")


def arrays():
    array = Array.create("array", "d", [1, 2, 3, 4])
    assert (len(array), array.typecode) == (4, "d")
    assert array[:] == list(array) == [1.0, 2.0, 3.0, 4.0]
    assert (array[-1], array[1:3], array[::2], array[3:1]) == (4, [2, 3], [1, 3], [])
    array[0] = 9
    array[1:3] = [7, 8]
    assert Array.open("array")[:] == [9, 7, 8, 4]
    assert array.add(0, 1) == 9 and array.swap(0, 1) == 10
    assert array.compare_exchange(-4, 1, 2) == 1 and array[0] == 2
    assert Array.create("zeros", "q", 3)[:] == [0, 0, 0]
    raises(IndexError, array.__getitem__, 4)
    raises(IndexError, array.__setitem__, -5, 0)
    raises(ValueError, array.__setitem__, slice(0, 2), [1])
    raises(OverflowError, Array.create, "too large", "i", [1 << 31])


def regions():
    region = Region.create("region", 16)
    assert region.size == len(region) == 16 and not region.readonly
    region[0:4] = b"abcd"
    region[-1] = 7
    region.write(4, bytearray(b"x"))
    assert (region[0:4], region[1], region.read(15)) == (b"abcd", ord("b"), b"\x07")
    assert Region.open("region").read(0, 6) == b"abcdx\0"
    raises(IndexError, region.__getitem__, 16)
    raises(IndexError, region.read, 10, 7)
    raises(IndexError, region.write, 10, bytes(7))
    raises(ValueError, region.__setitem__, slice(0, 4), b"abc")
    readonly = Region.open("readonly")
    assert readonly.readonly and readonly[:] == b"read me"
    raises((wpool.ReadOnly, PermissionError), readonly.write, 0, b"x")


def processes():
    process = wpool.current_process()
    assert process.pid == wpool.getpid() > 1 and process.slot >= 0
    assert time.monotonic() > 0


for test in [locks, names, semaphores, conditions, events, barriers, queues, values, arrays]:
    test()
for test in [regions, processes]:
    test()
result = "every object"
