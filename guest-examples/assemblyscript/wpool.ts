/**
 * wpool for tasks in AssemblyScript: what the examples need. All there is to import, and what the answers
 * mean, is in `guest/assemblyscript/imports.ts`.
 */

import {
  job_read,
  job_size,
  lock_acquire,
  lock_open,
  lock_release,
  object_close,
  process_id,
  result_write,
  value_get,
  value_open,
  value_set,
} from "../../guest/assemblyscript/imports";

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_write")
declare function fd_write(fd: i32, pieces: usize, count: i32, written: usize): i32;

const WAIT_FOR_EVER: i64 = -1;

/** The id of this process. */
export function processId(): i32 {
  return process_id();
}

/** The job of a task `task_NAME`, as text. */
export function readJob(): string {
  const bytes = new ArrayBuffer(job_size());
  job_read(changetype<usize>(bytes), 0, bytes.byteLength);
  return String.UTF8.decode(bytes);
}

/** Appends to the result, or to the message of a failure. */
export function writeResult(text: string): void {
  const bytes = String.UTF8.encode(text);
  result_write(changetype<usize>(bytes), bytes.byteLength);
}

/** Prints a line. */
export function print(line: string): void {
  write(1, line + "\n");
}

function write(fd: i32, text: string): void {
  const bytes = String.UTF8.encode(text);
  const piece = new StaticArray<u32>(2);
  const written = new StaticArray<u32>(1);
  piece[0] = changetype<u32>(changetype<usize>(bytes));
  piece[1] = bytes.byteLength;
  fd_write(fd, changetype<usize>(piece), 1, changetype<usize>(written));
}

/** A lock that the process has open. */
export class Lock {
  private constructor(private handle: i32) {}

  /** Opens the lock of this name. */
  static open(name: string): Lock {
    const bytes = String.UTF8.encode(name);
    const handle = lock_open(changetype<usize>(bytes), bytes.byteLength);
    assert(handle > 0, "there is no lock `" + name + "`");
    return new Lock(handle);
  }

  /** Takes the lock, and waits until it is free. */
  acquire(): void {
    assert(lock_acquire(this.handle, WAIT_FOR_EVER) == 0, "the lock was not acquired as it should be");
  }

  /** Gives the lock back. */
  release(): void {
    assert(lock_release(this.handle) == 0, "the lock is not held");
  }

  /** Closes the lock for this process. */
  close(): void {
    object_close(this.handle);
  }
}

/** A number that the process has open, of type `i32` or `i64`. */
export class Value {
  private constructor(private handle: i32) {}

  /** Opens the value of this name. */
  static open(name: string): Value {
    const bytes = String.UTF8.encode(name);
    const handle = value_open(changetype<usize>(bytes), bytes.byteLength);
    assert(handle > 0, "there is no value `" + name + "`");
    return new Value(handle);
  }

  /** The number. */
  get value(): i64 {
    return value_get(this.handle);
  }

  set value(number: i64) {
    value_set(this.handle, number);
  }

  /** Closes the value for this process. */
  close(): void {
    object_close(this.handle);
  }
}

/** What AssemblyScript calls when an assertion fails: says so, and ends the job. */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  const where = (file ? file : "?") + ":" + line.toString() + ":" + column.toString();
  write(2, (message ? message : "aborted") + ", at " + where + "\n");
  unreachable();
}
