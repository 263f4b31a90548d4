import type { ServerResponse } from "node:http";
import { AppError } from "../../errors.ts";
import type { StreamItem } from "../../services/contract/services.ts";
import { safeHeaders } from "./json.ts";

export interface StreamLimits {
  /** Bytes that may wait for a client. Above that the station reads no further events for it. */
  buffer: number;
  /** Milliseconds between two comments that keep proxies from closing a quiet stream. */
  heartbeat: number;
}

const head = {
  "content-type": "text/event-stream; charset=utf-8",
  ...safeHeaders,
  "x-accel-buffering": "no",
};

/**
 * Writes items as server-sent events until they end, the client disconnects or it stops reading. Rejects only for
 * faults of the station.
 */
export async function writeEventStream(
  response: ServerResponse,
  items: AsyncIterable<StreamItem>,
  limits: StreamLimits,
): Promise<void> {
  response.on("error", () => response.destroy());
  response.writeHead(200, head);
  response.write(":\n\n");
  const heartbeat = setInterval(() => sendHeartbeat(response, limits), limits.heartbeat);
  try {
    for await (const item of items) {
      if (response.destroyed) return;
      response.write(frame(item));
      if (response.writableLength > limits.buffer) await drainedOrClosed(response);
    }
    response.end();
  } catch (error) {
    // The session has ended. The client learns that from the response to its next request.
    if (error instanceof AppError) return void response.end();
    response.destroy();
    throw error;
  } finally {
    clearInterval(heartbeat);
  }
}

/** Sends a comment, unless the client has stopped reading: heartbeats must not pile up for it. */
function sendHeartbeat(response: ServerResponse, limits: StreamLimits): void {
  if (response.writableLength < limits.buffer) response.write(":\n\n");
}

/** Waits until the client has read, or the response is closed. The server cuts off a client that reads nothing. */
function drainedOrClosed(response: ServerResponse): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  response.once("drain", resolve).once("close", resolve);
  return promise.finally(() => response.off("drain", resolve).off("close", resolve));
}

function frame(item: StreamItem): string {
  if (item.type === "progress") return `event: progress\ndata: ${JSON.stringify(item.task)}\n\n`;
  if (item.type === "reset") return `event: reset\ndata: ${JSON.stringify({ seq: item.seq })}\n\n`;
  const { event } = item;
  return `id: ${event.seq}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`;
}
