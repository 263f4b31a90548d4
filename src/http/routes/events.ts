import type { FastifyRequest } from "fastify";
import { Type } from "typebox";
import { invalid } from "../../errors.ts";
import type { EventService } from "../../services/services.ts";
import type { App } from "../app.ts";
import { acting } from "../cross-site.ts";
import type { Log } from "../errors.ts";
import { writeEventStream, type StreamLimits } from "../event-stream.ts";
import { callerOf } from "../session-cookie.ts";

const StreamQuery = Type.Object(
  {
    after: Type.Optional(
      Type.String({ maxLength: 15, description: "Only events after this one; Last-Event-ID counts before it" }),
    ),
    sid: Type.Optional(Type.String({ description: "The session's id" })),
  },
  { additionalProperties: false },
);

export interface EventRouteDeps {
  events: EventService;
  limits: StreamLimits;
  /** Aborts when the server stops. */
  stopping: AbortSignal;
  log: Log;
}

export function eventRoutes(app: App, { events, limits, stopping, log }: EventRouteDeps): void {
  const schema = {
    tags: ["events"],
    summary: "Server-sent events: `id` is the event's number, `data` its JSON; `progress` and `reset` have no id",
    querystring: StreamQuery,
    response: { 200: { description: "A stream", content: { "text/event-stream": { schema: Type.String() } } } },
  };
  app.get("/api/v1/event/stream", { schema, exposeHeadRoute: false, config: acting }, async (request, reply) => {
    const gone = new AbortController();
    const signal = AbortSignal.any([gone.signal, stopping]);
    reply.raw.once("close", () => gone.abort());
    const items = await events.stream(callerOf(request), startOf(request, request.query.after), signal);
    reply.hijack();
    await writeEventStream(reply.raw, items, limits).catch((error: unknown) =>
      log("An event stream failed", { error }),
    );
  });
}

/** A browser that reconnects sends the header, and then the address's `after` is old. */
function startOf(request: FastifyRequest, after: string | undefined): number | undefined {
  const header = request.raw.headers["last-event-id"];
  const text = header === undefined || header === "" ? after : String(header);
  if (text === undefined) return undefined;
  if (!/^[0-9]{1,15}$/.test(text))
    throw invalid(text === after ? "after" : "Last-Event-ID", "must be the number of an event");
  return Number(text);
}
