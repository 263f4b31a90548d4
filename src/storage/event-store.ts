import type { Async } from "./async.ts";

/** `ts` is epoch seconds; `data` is JSON. */
export interface EventRow {
  seq: number;
  ts: number;
  kind: string;
  user: string;
  data: string;
}

export interface EventVerbs {
  /** Events after `after`, oldest first, and the span that is kept: `first` - 1 and `last` are 0 while there is none. */
  read(range: { after: number; limit: number }): { events: EventRow[]; first: number; last: number };
  add(event: { ts: number; kind: string; user: string; data: string }): number;
}

export type EventStore = Async<EventVerbs>;
