import type { registryRoutes } from "../../api/routes/registry.ts";
import { callerOf } from "../security/session-cookie.ts";
import type { CalledServices, Handlers } from "./handler.ts";

type Called = CalledServices<typeof registryRoutes>;

/** Returns the handlers of the routes for private registries. */
export function registryHandlers({ registries }: Called): Handlers<typeof registryRoutes> {
  return {
    "registries.list": (request) => registries.list(callerOf(request)),
    "registries.save": (request) => registries.save(callerOf(request), request.body),
    "registries.remove": (request) => registries.remove(callerOf(request), request.params.name),
    "registries.remove:by-body": (request) => registries.remove(callerOf(request), request.body.name),
  };
}
