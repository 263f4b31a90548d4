import { ContainerInfo, WaitPath } from "../container-info.ts";
import { EventList, EventsQuery, StreamQuery, WaitQuery } from "../event.ts";
import type { RouteTable } from "../route.ts";

const tag = "events";

/** Events of tasks and engines. */
export const eventRoutes = {
  "events.recent": {
    method: "GET",
    path: "/api/v1/event",
    tag,
    summary: "The latest events",
    verb: "event:read",
    audited: false,
    query: EventsQuery,
    response: EventList,
  },
  "events.wait": {
    method: "GET",
    path: "/api/v1/event/wait/:type/:id/:state",
    tag,
    summary: "Wait until a container is in a state; answers it as it is then, or when the time is over",
    withoutHead: true,
    verb: "container:get",
    audited: false,
    params: WaitPath,
    query: WaitQuery,
    response: ContainerInfo,
  },
  "events.stream": {
    method: "GET",
    path: "/api/v1/event/stream",
    tag,
    summary: "Server-sent events: `id` is the event's number, `data` its JSON; `progress` and `reset` have no id",
    withoutHead: true,
    sameSiteOnly: true,
    verb: "event:read",
    audited: false,
    query: StreamQuery,
    file: { type: "text/event-stream", description: "A stream" },
  },
} satisfies RouteTable;
