import { hasCode } from "../../errors.ts";
import type { EngineEvent } from "../engine.ts";
import { connectionFailure } from "./failures.ts";
import type { DockerHttp } from "./client/http.ts";

interface DockerEvent {
  Type?: string;
  Action?: string;
  Actor?: { ID?: string; Attributes?: Record<string, string> };
}

/**
 * Returns Docker's events of containers and images, as `Engine.events`. `since` is taken when the caller asks, not when
 * the connection stands: what happens in between is replayed by Docker (it keeps the last 256), so a list made after
 * this call misses nothing.
 */
export function dockerEvents(http: DockerHttp, signal: AbortSignal): AsyncIterable<EngineEvent> {
  const now = Date.now();
  const since = `${Math.floor(now / 1000)}.${String(now % 1000).padStart(3, "0")}000000`;
  const filters = JSON.stringify({ type: ["container", "image"] });
  return stream(http, { since, filters }, signal);
}

async function* stream(
  http: DockerHttp,
  query: Record<string, string>,
  signal: AbortSignal,
): AsyncGenerator<EngineEvent, void, undefined> {
  if (signal.aborted) return;
  try {
    for await (const line of http.lines({ path: "/events", query, signal })) {
      const event = line as DockerEvent;
      const resource = event.Type;
      if ((resource === "container" || resource === "image") && event.Action !== undefined) {
        const name = resource === "container" ? event.Actor?.Attributes?.["name"] : undefined;
        yield { resource, action: event.Action, id: event.Actor?.ID ?? "", ...(name !== undefined && { name }) };
      }
    }
  } catch (error) {
    if (hasCode(error, "cancelled")) return;
    throw error;
  }
  if (!signal.aborted) throw connectionFailure(new Error("the stream of events ended"), http.address);
}
