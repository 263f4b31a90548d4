import type { lifecycleRoutes } from "../../api/routes/container.ts";
import { disconnectSignal } from "../connections/disconnect.ts";
import { addOptions } from "../requests/idempotency.ts";
import { isTrue, numberOf } from "../requests/text-values.ts";
import { callerOf } from "../security/session-cookie.ts";
import type { CalledServices, Handlers } from "./handler.ts";

type Called = CalledServices<typeof lifecycleRoutes>;

/** Returns the handlers of the routes for the verbs of a container. */
export function lifecycleHandlers({ lifecycle }: Called): Handlers<typeof lifecycleRoutes> {
  return {
    "lifecycle.create"(request, reply) {
      const options = { ...addOptions(request), signal: disconnectSignal(reply) };
      return lifecycle.create(callerOf(request), request.body, options);
    },
    "lifecycle.start": (request, reply) => lifecycle.start(callerOf(request), request.params, disconnectSignal(reply)),
    "lifecycle.stop"(request, reply) {
      const how = { grace: numberOf(request.query.timeout) };
      return lifecycle.stop(callerOf(request), request.params, how, disconnectSignal(reply));
    },
    "lifecycle.restart"(request, reply) {
      const how = { grace: numberOf(request.query.timeout) };
      return lifecycle.restart(callerOf(request), request.params, how, disconnectSignal(reply));
    },
    "lifecycle.pause": (request, reply) => lifecycle.pause(callerOf(request), request.params, disconnectSignal(reply)),
    "lifecycle.unpause": (request, reply) =>
      lifecycle.unpause(callerOf(request), request.params, disconnectSignal(reply)),
    "lifecycle.rename": (request, reply) =>
      lifecycle.rename(callerOf(request), request.params, request.body, disconnectSignal(reply)),
    "lifecycle.remove"(request, reply) {
      const { remove_volumes: removeVolumes, force } = request.query;
      const how = { removeVolumes: isTrue(removeVolumes), force: isTrue(force) };
      return lifecycle.remove(callerOf(request), request.params, how, disconnectSignal(reply));
    },
    "lifecycle.commit": (request, reply) =>
      lifecycle.commit(callerOf(request), request.params, request.body, disconnectSignal(reply)),
    "lifecycle.settings": (request) => lifecycle.settings(callerOf(request), request.params),
    "lifecycle.setAutostart"(request, reply) {
      const { type, id, state } = request.params;
      return lifecycle.setAutostart(callerOf(request), { type, id }, { on: state === "on" }, disconnectSignal(reply));
    },
  };
}
