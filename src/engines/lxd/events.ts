import { on, once } from "node:events";
import { WebSocket } from "ws";

import type { EngineEvent } from "../engine.ts";
import { connectionFailure } from "./failures.ts";
import type { LxdHttp } from "./client/http.ts";

/** As LXD sends it, of type lifecycle. */
interface Lifecycle {
  metadata?: { action?: string; source?: string; context?: { old_name?: string } | null };
}

/** The events of one LXD. */
export interface LxdEvents {
  /** As `Engine.events`. */
  subscribe(signal: AbortSignal): AsyncIterable<EngineEvent>;
  /** Resolves when LXD sends events to all that have subscribed, or does not answer. It replays nothing. */
  listening(): Promise<void>;
}

/** LXD's words that have one of the station's. */
const actions: Readonly<Record<string, string>> = {
  "instance-created": "create",
  "instance-started": "start",
  "instance-stopped": "die",
  "instance-shutdown": "die",
  "instance-deleted": "destroy",
  "instance-renamed": "rename",
  "image-created": "pull",
  "image-deleted": "delete",
};

/** Returns the events of one LXD, by its stream of type lifecycle; see "Events" in LXD's documentation. */
export function createLxdEvents(http: LxdHttp): LxdEvents {
  const opening = new Set<Promise<unknown>>();

  function subscribe(signal: AbortSignal): AsyncIterable<EngineEvent> {
    const socket = new WebSocket(`ws+unix:${http.socket}:/1.0/events?type=lifecycle`, {
      perMessageDeflate: false,
      handshakeTimeout: 2000,
    });
    // The reader is told by the iterator; an error without a listener would end the process.
    socket.on("error", () => undefined);
    const messages = on(socket, "message", { close: ["close"], signal }) as AsyncIterable<[Buffer]>;
    signal.addEventListener("abort", () => socket.terminate(), { once: true });
    if (signal.aborted) socket.terminate();
    const opened = once(socket, "open", { signal })
      // LXD adds the listener a moment after its answer: not before a second question is answered.
      .then(() => http.get("/1.0", signal))
      .catch(() => undefined)
      .finally(() => opening.delete(opened));
    opening.add(opened);
    return read(socket, messages, signal);
  }

  async function* read(
    socket: WebSocket,
    messages: AsyncIterable<[Buffer]>,
    signal: AbortSignal,
  ): AsyncGenerator<EngineEvent, void, undefined> {
    try {
      for await (const [message] of messages) yield* toEvents(JSON.parse(message.toString()) as Lifecycle);
      if (!signal.aborted) throw new Error("the stream of events ended");
    } catch (error) {
      if (!signal.aborted) throw connectionFailure(error, http.socket);
    } finally {
      socket.terminate();
    }
  }

  return { subscribe, listening: async () => void (await Promise.all(opening)) };
}

/** Yields an event of LXD's as the station's. A container's id is its name, so a new name is another container. */
function* toEvents({ metadata = {} }: Lifecycle): Generator<EngineEvent> {
  const parts = /^\/1\.0\/(instances|images)\/([^/?]+)/.exec(metadata.source ?? "");
  if (!parts?.[2] || metadata.action === undefined) return;
  const resource = parts[1] === "images" ? "image" : "container";
  const action = actions[metadata.action] ?? metadata.action.replace(/^(?:instance|image)-/, "");
  const before = metadata.context?.old_name;
  if (action === "rename" && before !== undefined) yield { resource, action: "destroy", id: before };
  yield { resource, action, id: decodeURIComponent(parts[2]) };
}
