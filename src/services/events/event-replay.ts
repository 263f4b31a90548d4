import type { EventRow, EventStore } from "../../storage/event-store.ts";
import type { StationEvent, StreamItem } from "../contract/services.ts";
import type { Subscriber } from "./subscriber.ts";

/** Events read from the store at once. */
export const batch = 500;

/** Reads stored events after `after`, until the subscriber has all that were there when the last read began. */
export async function* replayEvents(
  events: EventStore,
  subscriber: Subscriber,
  after: number,
): AsyncGenerator<StreamItem, void, undefined> {
  let seen = after;
  for (;;) {
    subscriber.behind = false;
    const { events: rows, first } = await events.read({ after: seen, limit: batch });
    if (seen < first - 1) {
      seen = first - 1;
      yield { type: "reset", seq: seen };
      continue;
    }
    for (const row of rows) yield { type: "event", event: eventOf(row) };
    seen = rows.at(-1)?.seq ?? seen;
    if (rows.length < batch && !subscriber.behind) return;
  }
}

/** Returns a stored event as the stream has it. */
export function eventOf({ seq, ts, kind, user, data }: EventRow): StationEvent {
  return { seq, ts, kind, user, data: JSON.parse(data) as unknown };
}
