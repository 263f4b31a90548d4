import type { EventRow } from "../../storage/event-store.ts";

/** An event as `GET /event` shows it: `category:user:timestamp:JSON`. */
export function messageOfEvent({ kind, user, ts, data }: EventRow): string {
  return `${kind}:${user}:${ts}:${spaced(JSON.parse(data) as unknown)}`;
}

/** JSON with a space after each comma and colon, as QNAP's documents have it. */
function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, entry]) => `${JSON.stringify(key)}: ${spaced(entry)}`)
    .join(", ")}}`;
}
