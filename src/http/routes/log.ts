import type { Static } from "typebox";
import type { LogExportQuery } from "../../api/log.ts";
import type { logRoutes } from "../../api/routes/log.ts";
import { numberOf } from "../requests/text-values.ts";
import { sendDownload } from "../responses/download.ts";
import { callerOf } from "../security/session-cookie.ts";
import type { CalledServices, Handlers } from "./handler.ts";

/** Returns the handlers of the routes for the activity log. */
export function logHandlers({ log }: CalledServices<typeof logRoutes>): Handlers<typeof logRoutes> {
  return {
    "log.list"(request) {
      const { limit, offset } = request.query;
      const page = { ...filterOf(request.query), limit: numberOf(limit), offset: numberOf(offset) };
      return log.list(callerOf(request), page);
    },
    "log.export": async (request, reply) =>
      sendDownload(reply, await log.export(callerOf(request), filterOf(request.query))),
    "log.clear": (request) => log.clear(callerOf(request)),
  };
}

function filterOf({ start, end, user, level, category, text }: Static<typeof LogExportQuery>) {
  return { start: numberOf(start), end: numberOf(end), user, level, category, text };
}
