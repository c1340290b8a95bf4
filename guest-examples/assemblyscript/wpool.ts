/**
 * wpool for tasks in AssemblyScript: the few imports that the examples need.
 *
 * What else there is, and what the answers mean, is in `wit/` and in `guest/c/wpool.h`: every function
 * there can be declared here in the same way.
 */

// @ts-ignore: decorator
@external("wpool", "job_size")
declare function job_size(): i32;
// @ts-ignore: decorator
@external("wpool", "job_read")
declare function job_read(dst: usize, offset: i32, len: i32): i32;
// @ts-ignore: decorator
@external("wpool", "result_write")
declare function result_write(src: usize, len: i32): void;
// @ts-ignore: decorator
@external("wpool", "lock_open")
declare function lock_open(name: usize, len: i32): i32;
// @ts-ignore: decorator
@external("wpool", "lock_acquire")
declare function lock_acquire(handle: i32, timeout_ns: i64): i32;
// @ts-ignore: decorator
@external("wpool", "lock_release")
declare function lock_release(handle: i32): i32;
// @ts-ignore: decorator
@external("wpool", "value_open")
declare function value_open(name: usize, len: i32): i32;
// @ts-ignore: decorator
@external("wpool", "value_get")
declare function value_get(handle: i32): i64;
// @ts-ignore: decorator
@external("wpool", "value_set")
declare function value_set(handle: i32, bits: i64): void;
// @ts-ignore: decorator
@external("wpool", "object_close")
declare function object_close(handle: i32): i32;
// @ts-ignore: decorator
@external("wpool", "process_id")
export declare function processId(): i32;

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_write")
declare function fd_write(fd: i32, pieces: usize, count: i32, written: usize): i32;

const WAIT_FOR_EVER: i64 = -1;

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
