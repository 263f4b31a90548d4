import type { Logs } from "../../api/lifecycle.ts";
import type { insideRoutes } from "../../api/routes/container.ts";
import type { LogEnd } from "../../services/contract/services.ts";
import { disconnectSignal } from "../connections/disconnect.ts";
import { numberOf } from "../requests/text-values.ts";
import { jsonType, prettyJson } from "../responses/json.ts";
import { callerOf } from "../security/session-cookie.ts";
import type { CalledServices, Handlers } from "./handler.ts";

type Called = CalledServices<typeof insideRoutes>;

export function insideHandlers({ inside }: Called): Handlers<typeof insideRoutes> {
  return {
    "inside.inspect": (request) => inside.inspect(callerOf(request), request.params),
    async "inside.logs"(request, reply) {
      const end = await inside.logs(callerOf(request), request.params, { tail: numberOf(request.query.tail) });
      if (end.truncated) reply.header("x-truncated", "true");
      // A text is an answer in JSON too.
      return reply.type(jsonType).serializer(prettyJson).send(shownLogs(request.params.type, end));
    },
    "inside.exec": (request, reply) =>
      inside.exec(callerOf(request), request.params, request.body, disconnectSignal(reply)),
  };
}

/** As documented: of docker an object, of the others only the text, which leaves the header to say that it was cut. */
function shownLogs(type: string, { logs, tail, truncated }: LogEnd): Logs {
  if (type !== "docker") return logs;
  return { logs, tail, ...(truncated && { truncated: true as const }) };
}
