import type { Reading } from "./container-meter.ts";

/** How much a container uses now. */
export interface Numbers {
  /** Busy cores: 1 = one core is fully busy. */
  cpu: number;
  /** Bytes of memory, without reclaimable cache. */
  memory: number;
  /** Received bytes per second. */
  rx: number;
  /** Sent bytes per second. */
  tx: number;
}

/** Milliseconds between two readings, below which the clock's error would dominate the rate. */
const minimumTime = 200;

/** Turns counters into rates. */
export interface Rates {
  /** Adds a reading that was made at `at`, in milliseconds of a monotonic clock. */
  add(reading: Reading, at: number): void;
  /** Returns the rates between the last two readings, and the memory of the last one. */
  numbers(): Numbers;
}

/** Starts with a first reading. All rates are 0 until the second one. */
export function createRates(first: Reading, at: number): Rates {
  let last = { reading: first, at };
  let numbers: Numbers = { cpu: 0, memory: first.memory, rx: 0, tx: 0 };

  return {
    add(reading, at) {
      numbers = { ...numbers, memory: reading.memory };
      const time = at - last.at;
      if (time < minimumTime) return;
      const { cpu, rx, tx } = last.reading;
      const used = { cpu: reading.cpu - cpu, rx: reading.rx - rx, tx: reading.tx - tx };
      last = { reading, at };
      // A counter that went backwards was reset: this reading is only the base of the next rate.
      if (used.cpu >= 0) numbers.cpu = used.cpu / 1e6 / time;
      if (used.rx >= 0) numbers.rx = Math.round((1000 * used.rx) / time);
      if (used.tx >= 0) numbers.tx = Math.round((1000 * used.tx) / time);
    },
    numbers: () => numbers,
  };
}
