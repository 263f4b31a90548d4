import type { containerListRoutes } from "../../api/routes/container.ts";
import { createListWriter, jsonType } from "../responses/json.ts";
import { callerOf } from "../security/session-cookie.ts";
import type { CalledServices, Handlers } from "./handler.ts";

type Called = CalledServices<typeof containerListRoutes>;

/** Returns the handlers of the routes for the list of containers. */
export function containerListHandlers({ containerList }: Called): Handlers<typeof containerListRoutes> {
  const write = createListWriter();
  return {
    async "containerList.list"(request, reply) {
      const found = await containerList.list(callerOf(request));
      return reply.type(jsonType).send(write(found));
    },
    "containerList.get": (request) => containerList.get(callerOf(request), request.params.type, request.params.id),
    "containerList.find": (request) => containerList.find(callerOf(request), request.params.name),
    async "containerList.idOf"(request, reply) {
      const id = await containerList.idOf(callerOf(request), request.params.type, request.params.id);
      return reply.type("text/plain; charset=utf-8").send(id);
    },
  };
}
