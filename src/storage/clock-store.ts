import type { Async } from "./async.ts";

/** How late it was when the station looked last, and since when the host was up then. Milliseconds. */
export interface ClockMark {
  time: number;
  /** The kernel's id of that boot. */
  boot: string;
  uptime: number;
}

export interface ClockVerbs {
  read(): ClockMark | undefined;
  write(mark: ClockMark): void;
}

export type ClockStore = Async<ClockVerbs>;
