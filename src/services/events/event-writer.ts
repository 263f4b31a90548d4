import type { EventStore } from "../../storage/event-store.ts";
import type { Log } from "../../util/log.ts";

/** Categories of events that are not written with a task's change of state. */
export type EventKind = "container" | "image";

/** Writes an event. It does not wait and never throws. */
export type WriteEvent = (kind: EventKind, user: string, data: Readonly<Record<string, unknown>>) => void;

/** Makes the function that writes events. Events of one moment go to the disk in one commit. */
export function createEventWriter(events: EventStore, log: Log): WriteEvent {
  return (kind, user, data) => {
    const ts = Math.floor(Date.now() / 1000);
    events
      .add({ ts, kind, user, data: JSON.stringify(data) })
      .catch((error: unknown) => log.error("an event was not written", { kind, error }));
  };
}
