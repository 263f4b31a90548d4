import type { FastifyReply, FastifyRequest } from "fastify";
import type { sessionRoutes } from "../../api/routes/session.ts";
import type { SessionInfo } from "../../api/session.ts";
import type { SessionService } from "../../services/contract/services.ts";
import { callerOf, clearSessionCookie, setSessionCookie } from "../security/session-cookie.ts";
import type { CalledServices, Handlers } from "./handler.ts";
import { loginByPage } from "./login-page.ts";

type Login = Parameters<SessionService["login"]>[1];

/** Returns the handlers of the routes for login, logout and sessions. */
export function sessionHandlers({ sessions }: CalledServices<typeof sessionRoutes>): Handlers<typeof sessionRoutes> {
  async function login(request: FastifyRequest<{ Body: Login }>, reply: FastifyReply): Promise<SessionInfo> {
    const { sid, session } = await sessions.login(callerOf(request), request.body);
    setSessionCookie(reply, sid);
    return session;
  }

  return {
    "sessions.login": login,
    "sessions.login:two-step": login,
    "sessions.login:page-get": (request, reply) => loginByPage(sessions, request.query, reply),
    "sessions.login:page": (request, reply) => loginByPage(sessions, request.body, reply),
    "sessions.refresh": (request) => sessions.refresh(callerOf(request)),
    async "sessions.logout"(request, reply) {
      const ended = await sessions.logout(callerOf(request));
      clearSessionCookie(reply);
      return ended;
    },
    "sessions.list": (request) => sessions.list(callerOf(request)),
    "sessions.remove:others": (request) => sessions.remove(callerOf(request), undefined),
    "sessions.remove": (request) => sessions.remove(callerOf(request), request.params.id),
  };
}
