import type { Async } from "./async.ts";

/** What the host's clocks said when the station last looked. */
export interface ClockMark {
  /** Epoch milliseconds. */
  time: number;
  /** The kernel's id of that boot, a UUID. */
  boot: string;
  /** Milliseconds since that boot. */
  uptime: number;
}

/** Keeps the last reading of the host's clocks. */
export interface ClockVerbs {
  /** Returns the last mark, or undefined if there is none. */
  read(): ClockMark | undefined;
  /** Replaces the mark. */
  write(mark: ClockMark): void;
}

export type ClockStore = Async<ClockVerbs>;
