import type { FastifyReply, FastifyRequest } from "fastify";
import { Type } from "typebox";
import { ContainerInfo, WaitPath } from "../../api/container-info.ts";
import { EventList } from "../../api/event.ts";
import { invalid } from "../../errors.ts";
import type { EventService } from "../../services/contract/services.ts";
import type { App } from "../app.ts";
import { acting } from "../cross-site.ts";
import type { Log } from "../../util/log.ts";
import { writeEventStream, type StreamLimits } from "../event-stream.ts";
import { callerOf } from "../session-cookie.ts";

const StreamQuery = Type.Object({
  after: Type.Optional(
    Type.String({ maxLength: 15, description: "Only events after this one; Last-Event-ID counts before it" }),
  ),
});

/** A whole number as text, as a query has it. */
const whole = (description: string) => Type.Optional(Type.String({ pattern: "^[0-9]{1,15}$", description }));
const EventsQuery = Type.Object({
  index: whole("Only events after this one; without it the latest 20"),
  offset: whole("None after this one"),
});
const WaitQuery = Type.Object({ duration: whole("Seconds, 60 without it, 3600 at most") });
const longest = 3600;

export interface EventRouteDeps {
  events: EventService;
  limits: StreamLimits;
  /** Aborts when the server stops. */
  stopping: AbortSignal;
  log: Log;
}

export function eventRoutes(app: App, deps: EventRouteDeps): void {
  const { events, stopping } = deps;
  const tags = ["events"];
  const list = { tags, summary: "The latest events", querystring: EventsQuery, response: { 200: EventList } };
  app.get("/api/v1/event", { schema: list }, (request) => {
    const { index, offset } = request.query;
    return events.recent(callerOf(request), { index: numberOf(index), offset: numberOf(offset) });
  });

  const wait = {
    tags,
    summary: "Wait until a container is in a state; answers it as it is then, or when the time is over",
    params: WaitPath,
    querystring: WaitQuery,
    response: { 200: ContainerInfo },
  };
  app.get("/api/v1/event/wait/:type/:id/:state", { schema: wait, exposeHeadRoute: false }, (request, reply) => {
    const duration = numberOf(request.query.duration) ?? 60;
    if (duration > longest) throw invalid("duration", `must be ${longest} seconds at most`);
    return events.wait(callerOf(request), { ...request.params, duration }, leaving(reply, stopping));
  });

  streamRoute(app, deps);
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

/** Aborts when the client is gone, or the server stops. */
function leaving(reply: FastifyReply, stopping: AbortSignal): AbortSignal {
  const gone = new AbortController();
  reply.raw.once("close", () => gone.abort());
  return AbortSignal.any([gone.signal, stopping]);
}

function streamRoute(app: App, { events, limits, stopping, log }: EventRouteDeps): void {
  const schema = {
    tags: ["events"],
    summary: "Server-sent events: `id` is the event's number, `data` its JSON; `progress` and `reset` have no id",
    querystring: StreamQuery,
    response: { 200: { description: "A stream", content: { "text/event-stream": { schema: Type.String() } } } },
  };
  const options = { schema, exposeHeadRoute: false, config: acting };
  app.get("/api/v1/event/stream", options, async (request, reply) => {
    const signal = leaving(reply, stopping);
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
