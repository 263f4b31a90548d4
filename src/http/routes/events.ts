import type { FastifyReply, FastifyRequest } from "fastify";
import type { eventRoutes } from "../../api/routes/events.ts";
import { invalid } from "../../errors.ts";
import type { Log } from "../../util/log.ts";
import { disconnectSignal } from "../connections/disconnect.ts";
import { numberOf } from "../requests/text-values.ts";
import { writeEventStream, type StreamLimits } from "../responses/event-stream.ts";
import { callerOf } from "../security/session-cookie.ts";
import type { CalledServices, Handlers } from "./handler.ts";

/** Seconds that a client may wait for a state. */
const longestWait = 3600;

export interface EventOptions {
  /** Limits of each stream. */
  streamLimits: StreamLimits;
  /** Aborts when the server stops. */
  stopping: AbortSignal;
  /** Is told of streams that failed by a fault of the station. */
  log: Log;
}

type Called = CalledServices<typeof eventRoutes>;

/** Returns the handlers of the routes for events. */
export function eventHandlers({ events }: Called, options: EventOptions): Handlers<typeof eventRoutes> {
  const { streamLimits, stopping, log } = options;
  /** Aborts when the client disconnects or the server stops. */
  const endSignal = (reply: FastifyReply) => AbortSignal.any([disconnectSignal(reply), stopping]);
  return {
    "events.recent"(request) {
      const { index, offset } = request.query;
      return events.recent(callerOf(request), { index: numberOf(index), offset: numberOf(offset) });
    },
    "events.wait"(request, reply) {
      const duration = numberOf(request.query.duration) ?? 60;
      if (duration > longestWait) throw invalid("duration", `must be ${longestWait} seconds at most`);
      return events.wait(callerOf(request), { ...request.params, duration }, endSignal(reply));
    },
    async "events.stream"(request, reply) {
      const items = await events.stream(callerOf(request), startOf(request, request.query.after), endSignal(reply));
      reply.hijack();
      await writeEventStream(reply.raw, items, streamLimits).catch((error: unknown) =>
        log.error("An event stream failed", { error }),
      );
      return reply;
    },
  };
}

/**
 * Returns the event that a stream starts after. The header counts first: a browser that reconnects sends it with an old
 * `after`.
 */
function startOf(request: Pick<FastifyRequest, "raw">, after: string | undefined): number | undefined {
  const header = request.raw.headers["last-event-id"];
  const text = header === undefined || header === "" ? after : String(header);
  if (text === undefined) return undefined;
  if (!/^[0-9]{1,15}$/.test(text))
    throw invalid(text === after ? "after" : "Last-Event-ID", "must be the number of an event");
  return Number(text);
}
