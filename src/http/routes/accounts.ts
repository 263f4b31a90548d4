import type { accountRoutes } from "../../api/routes/accounts.ts";
import { callerOf } from "../security/session-cookie.ts";
import type { CalledServices, Handlers } from "./handler.ts";

type Called = CalledServices<typeof accountRoutes>;

/** Returns the handlers of the routes for users, tokens and the second step. */
export function accountHandlers({ users, tokens, secondStep }: Called): Handlers<typeof accountRoutes> {
  return {
    "users.list": (request) => users.list(callerOf(request)),
    "users.create": (request) => users.create(callerOf(request), request.body),
    "users.change": (request) => users.change(callerOf(request), request.params.username, request.body),
    "users.remove": (request) => users.remove(callerOf(request), request.params.username),
    "users.changePassword": (request) => users.changePassword(callerOf(request), request.body),
    "tokens.list": (request) => tokens.list(callerOf(request)),
    "tokens.create": (request) => tokens.create(callerOf(request), request.body),
    "tokens.remove": (request) => tokens.remove(callerOf(request), Number(request.params.id)),
    "secondStep.get": (request) => secondStep.get(callerOf(request)),
    "secondStep.begin": (request) => secondStep.begin(callerOf(request), request.body),
    "secondStep.finish": (request) => secondStep.finish(callerOf(request), request.body),
    "secondStep.end": (request) => secondStep.end(callerOf(request), request.body),
  };
}
