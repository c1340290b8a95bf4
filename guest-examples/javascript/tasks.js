/**
 * Tasks in JavaScript: the world's exports, each a function of the same name in camel case.
 *
 * An `s64` is a `BigInt`.
 */

import { Lock } from "wpool:host/lock@0.1.0";
import { id } from "wpool:host/process@0.1.0";
import { Value } from "wpool:host/value@0.1.0";

/** The square of `n`. */
export function square(n) {
  return n * n;
}

/** The square root of `n`, rounded to two digits. */
export function squareRoot(n) {
  return Math.round(Math.sqrt(n) * 100) / 100;
}

/** The product of three numbers. */
export function product(a, b, c) {
  return a * b * c;
}

/** The cubes of 0 to 999, whatever `n` is. */
export function cubes(n) {
  return Array.from({ length: 1000 }, (_, i) => BigInt(i) ** 3n);
}

/** The sum of the cubes of 0 to 999, whatever `n` is. */
export function cubesSum(n) {
  let sum = 0;
  for (let i = 0; i < 1000; i++) sum += i * i * i;
  return BigInt(sum);
}

/** The even ones among `numbers`. */
export function evens(numbers) {
  // A list of numbers of 64 bits is a `BigInt64Array`.
  return numbers.filter((n) => n % 2n === 0n);
}

/** The square of `n`; prints the id of the process that calculates it. */
export function computeSquares(n) {
  console.log(`Process ${id()} calculating square of ${n}`);
  return square(n);
}

/** Adds 1 to the value `balance`, so often, holding the lock `guard` each time. */
export function addLocked(times) {
  changeLocked(times, 1);
}

/** Subtracts as `addLocked` adds. */
export function subtractLocked(times) {
  changeLocked(times, -1);
}

function changeLocked(times, step) {
  const balance = Value.open("balance");
  const guard = Lock.open("guard");
  for (let i = 0; i < times; i++) {
    guard.acquire(undefined);
    const { tag, val } = balance.get();
    balance.set({ tag, val: val + step });
    guard.release();
  }
}

/** Throws, which fails the job with this message. */
export function reciprocal(n) {
  if (n === 0) throw "zero has no reciprocal";
  return 1 / n;
}

/** Throws, which ends the job. */
export function reciprocals(numbers) {
  return Array.from(numbers, (n) => {
    if (n === 0) throw new Error("zero has no reciprocal");
    return 1 / n;
  });
}
