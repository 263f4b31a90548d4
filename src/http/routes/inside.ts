import type { Logs } from "../../api/lifecycle.ts";
import type { insideRoutes } from "../../api/routes/container.ts";
import type { LogEnd } from "../../services/contract/services.ts";
import { disconnectSignal } from "../connections/disconnect.ts";
import { numberOf } from "../requests/text-values.ts";
import { jsonType, prettyJson } from "../responses/json.ts";
import { callerOf } from "../security/session-cookie.ts";
import type { CalledServices, Handlers } from "./handler.ts";

type Called = CalledServices<typeof insideRoutes>;

/** Returns the handlers of the routes for what is looked at and run in a container. */
export function insideHandlers({ inside }: Called): Handlers<typeof insideRoutes> {
  return {
    "inside.inspect": (request) => inside.inspect(callerOf(request), request.params),
    async "inside.logs"(request, reply) {
      const end = await inside.logs(callerOf(request), request.params, { tail: numberOf(request.query.tail) });
      if (end.truncated) reply.header("x-truncated", "true");
      // A response that is one text is JSON too.
      return reply.type(jsonType).serializer(prettyJson).send(shownLogs(request.params.type, end));
    },
    "inside.exec": (request, reply) =>
      inside.exec(callerOf(request), request.params, request.body, disconnectSignal(reply)),
  };
}

/**
 * Returns the log as documented: an object for docker, and the text alone for the others, where only the header says
 * that it was cut.
 */
function shownLogs(type: string, { logs, tail, truncated }: LogEnd): Logs {
  if (type !== "docker") return logs;
  return { logs, tail, ...(truncated && { truncated: true as const }) };
}
