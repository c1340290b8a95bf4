/**
 * Tasks in AssemblyScript.
 *
 * A function of numbers is a task as it is. Any other task, `task_NAME`, reads its job as text of
 * JSON and writes its result; here these are lists of whole numbers.
 */

import { Lock, Value, print, processId, readJob, writeResult } from "./wpool";

/** The square of a number. */
export function square(n: i64): i64 {
  return n * n;
}

/** The square root of a number, rounded to two digits. */
export function square_root(n: f64): f64 {
  return Math.round(Math.sqrt(n) * 100) / 100;
}

/** The product of three numbers. */
export function product(a: i64, b: i64, c: i64): i64 {
  return a * b * c;
}

/** The sum of the cubes of 0 to 999, whatever the job is. */
export function cubes_sum(_n: i64): i64 {
  let sum: i64 = 0;
  for (let i: i64 = 0; i < 1000; i++) sum += i * i * i;
  return sum;
}

/** The square of a number; prints the id of the process that calculates it. */
export function compute_squares(n: i64): i64 {
  print(`Process ${processId()} calculating square of ${n}`);
  return square(n);
}

/** The even ones among the numbers. */
export function task_evens(): i32 {
  const job = readJob().trim();
  if (!job.startsWith("[") || !job.endsWith("]")) return notAList();
  const inside = job.slice(1, -1).trim();
  const texts: string[] = inside.length == 0 ? [] : inside.split(",");
  const evens: string[] = [];
  for (let i = 0; i < texts.length; i++) {
    const text = texts[i].trim();
    const number = I64.parseInt(text);
    // What is not the same when it is written again was no whole number of 64 bits.
    if (number.toString() != text) return notAList();
    if (number % 2 == 0) evens.push(text);
  }
  writeResult("[" + evens.join(",") + "]");
  return 0;
}

function notAList(): i32 {
  writeResult("the job is not a list of whole numbers");
  return 1;
}

/** The cubes of 0 to 999, whatever the job is. */
export function task_cubes(): i32 {
  const cubes: string[] = [];
  for (let i: i64 = 0; i < 1000; i++) cubes.push((i * i * i).toString());
  writeResult("[" + cubes.join(",") + "]");
  return 0;
}

/** Adds 1 to the value `balance`, so often, holding the lock `guard` each time. */
export function add_locked(times: i32): void {
  changeLocked(times, 1);
}

/** Subtracts as `add_locked` adds. */
export function subtract_locked(times: i32): void {
  changeLocked(times, -1);
}

function changeLocked(times: i32, step: i64): void {
  const balance = Value.open("balance");
  const guard = Lock.open("guard");
  for (let i = 0; i < times; i++) {
    guard.acquire();
    balance.value += step;
    guard.release();
  }
  guard.close();
  balance.close();
}
