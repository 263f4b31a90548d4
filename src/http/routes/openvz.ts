import type { openvzRoutes } from "../../api/routes/openvz.ts";
import { disconnectSignal } from "../connections/disconnect.ts";
import { callerOf } from "../security/session-cookie.ts";
import type { CalledServices, Handlers } from "./handler.ts";

/** Returns the handlers of the routes for the containers-and-jobs API. */
export function openvzHandlers({ openvz }: CalledServices<typeof openvzRoutes>): Handlers<typeof openvzRoutes> {
  return {
    "openvz.create": (request) => openvz.create(callerOf(request), request.body),
    "openvz.list": (request) => openvz.list(callerOf(request)),
    "openvz.get": (request) => openvz.get(callerOf(request), request.params.id),
    "openvz.update": (request, reply) =>
      openvz.update(callerOf(request), request.params.id, request.body, disconnectSignal(reply)),
    "openvz.remove": (request) => openvz.remove(callerOf(request), request.params.id),
    "openvz.start": (request) => openvz.start(callerOf(request), request.params.id),
    "openvz.stop": (request) => openvz.stop(callerOf(request), request.params.id),
    "openvz.restart": (request) => openvz.restart(callerOf(request), request.params.id),
    "openvz.getJob": (request) => openvz.getJob(callerOf(request), request.params.id),
    "openvz.listJobs": (request) => openvz.listJobs(callerOf(request)),
  };
}
