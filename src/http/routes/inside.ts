import type { ContainerType } from "../../api/create.ts";
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

/** Engines whose log QNAP's documents show as an object. For the others it is the text alone. */
const logIsObject: Readonly<Record<ContainerType, boolean>> = { docker: true, lxc: false, lxd: false };

/** Returns the log as documented. Of a log that is the text alone only the header says that it was cut. */
function shownLogs(type: ContainerType, { logs, tail, truncated }: LogEnd): Logs {
  if (!logIsObject[type]) return logs;
  return { logs, tail, ...(truncated && { truncated: true as const }) };
}
