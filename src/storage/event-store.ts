import type { Async } from "./async.ts";

export interface EventRow {
  /** Number of the event; later events have larger numbers. */
  seq: number;
  /** Epoch seconds. */
  ts: number;
  /** What the event is about, such as `background` for tasks. */
  kind: string;
  /** Name of the user who caused it, or `system`. */
  user: string;
  /** JSON; its shape depends on the kind. */
  data: string;
}

export interface EventVerbs {
  /**
   * Returns the events after number `after`, oldest first, and the numbers of the first and the last stored event. Without
   * events `first` is 1 and `last` is 0.
   */
  read(range: { after: number; limit: number }): { events: EventRow[]; first: number; last: number };
  /** Adds an event and returns its number. */
  add(event: { ts: number; kind: string; user: string; data: string }): number;
}

export type EventStore = Async<EventVerbs>;
