import type { FastifyReply, FastifyRequest } from "fastify";
import { SessionEntry, TwoStepLogin } from "../../api/account.ts";
import { LoginRequest, LogoutAnswer, SessionInfo } from "../../api/session.ts";
import { Type } from "typebox";
import type { SessionService } from "../../services/contract/services.ts";
import type { App } from "../app.ts";
import { callerOf, clearSessionCookie, setSessionCookie } from "../session-cookie.ts";

const tags = ["session"];
/** Bytes. Whoever has no session yet gets little of the station's memory. */
const loginBody = 16 << 10;

type Login = Parameters<SessionService["login"]>[1];

export function sessionRoutes(app: App, sessions: SessionService): void {
  const response = { 200: SessionInfo };
  const begin = async (request: FastifyRequest<{ Body: Login }>, reply: FastifyReply): Promise<SessionInfo> => {
    const { sid, session } = await sessions.login(callerOf(request), request.body);
    setSessionCookie(reply, sid);
    return session;
  };

  const login = { tags, summary: "Log in by name and password, or by a sid", body: LoginRequest, response };
  app.post("/api/v1/login", { schema: login, bodyLimit: loginBody }, begin);

  const twoStep = { tags, summary: "Log in with a code of the second step", body: TwoStepLogin, response };
  app.post("/api/v1/login/two-step", { schema: twoStep, bodyLimit: loginBody }, begin);

  const refresh = { tags, summary: "Keep the session alive", response: { 200: SessionInfo } };
  app.get("/api/v1/login_refresh", { schema: refresh }, (request) => sessions.refresh(callerOf(request)));

  const logout = { tags, summary: "End the session", response: { 200: LogoutAnswer } };
  app.put("/api/v1/logout", { schema: logout }, async (request, reply) => {
    const answer = await sessions.logout(callerOf(request));
    clearSessionCookie(reply);
    return answer;
  });

  sessionListRoutes(app, sessions);
}

function sessionListRoutes(app: App, sessions: SessionService): void {
  const Ids = Type.Array(Type.String(), { description: "Ids of the sessions that ended" });
  const list = { tags, summary: "List sessions", response: { 200: Type.Array(SessionEntry) } };
  app.get("/api/v1/sessions", { schema: list }, (request) => sessions.list(callerOf(request)));

  const others = { tags, summary: "End all other sessions of one's own", response: { 200: Ids } };
  app.delete("/api/v1/sessions", { schema: others }, (request) => sessions.remove(callerOf(request), undefined));

  const one = { tags, summary: "End a session", params: Type.Object({ id: Type.String() }), response: { 200: Ids } };
  app.delete("/api/v1/sessions/:id", { schema: one }, (request) =>
    sessions.remove(callerOf(request), request.params.id),
  );
}
