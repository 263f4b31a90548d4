import type { systemRoutes } from "../../api/routes/system.ts";
import { invalid } from "../../errors.ts";
import { sendDownload } from "../responses/download.ts";
import { callerOf } from "../security/session-cookie.ts";
import type { CalledServices, Handlers } from "./handler.ts";

type Called = CalledServices<typeof systemRoutes>;

/** Returns the handlers of the routes for the station and its host. `describe` returns the OpenAPI document. */
export function systemHandlers(
  { health, sessions, system }: Called,
  describe: () => Promise<Record<string, unknown>>,
): Handlers<typeof systemRoutes> {
  let document: Promise<Record<string, unknown>> | undefined;
  return {
    "health.get": () => health.get(),
    async "sessions.check:openapi"(request) {
      await sessions.check(callerOf(request));
      return (document ??= describe());
    },
    "system.get": (request) => system.get(callerOf(request)),
    "system.resource": (request) => system.resource(callerOf(request)),
    "system.report": async (request, reply) => sendDownload(reply, await system.report(callerOf(request))),
    "system.port": (request) => system.port(callerOf(request), request.params.protocol, portOf(request.params.port)),
    "system.bridges": (request) => system.bridges(callerOf(request)),
  };
}

function portOf(text: string): number {
  const port = Number(text);
  if (port >= 1 && port <= 65_535) return port;
  throw invalid("port", "must be a number from 1 to 65535");
}
