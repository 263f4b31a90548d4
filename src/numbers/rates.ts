import type { Reading } from "./meter.ts";

/** A container's live numbers, as they are shown. */
export interface Numbers {
  /** Share of one core: 1 = one core busy. */
  cpu: number;
  /** Bytes. */
  memory: number;
  /** Bytes per second. */
  rx: number;
  tx: number;
}

/** Milliseconds. A shorter time says more of the clock than of the container. */
const shortest = 200;

/** Turns what was counted so far into rates. */
export interface Rates {
  /** `at` is monotonic, in milliseconds. */
  add(reading: Reading, at: number): void;
  numbers(): Numbers;
}

/** Begins with a first reading, of which there are no rates. */
export function createRates(first: Reading, at: number): Rates {
  let last = { reading: first, at };
  let numbers: Numbers = { cpu: 0, memory: first.memory, rx: 0, tx: 0 };

  return {
    add(reading, at) {
      numbers = { ...numbers, memory: reading.memory };
      const time = at - last.at;
      if (time < shortest) return;
      const { cpu, rx, tx } = last.reading;
      const used = { cpu: reading.cpu - cpu, rx: reading.rx - rx, tx: reading.tx - tx };
      last = { reading, at };
      // What counts backwards was begun anew: only the next reading can be compared with this one.
      if (used.cpu >= 0) numbers.cpu = used.cpu / 1e6 / time;
      if (used.rx >= 0) numbers.rx = Math.round((1000 * used.rx) / time);
      if (used.tx >= 0) numbers.tx = Math.round((1000 * used.tx) / time);
    },
    numbers: () => numbers,
  };
}
