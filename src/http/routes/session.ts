import { LoginRequest, LogoutAnswer, SessionInfo } from "../../api/session.ts";
import type { SessionService } from "../../services/services.ts";
import type { App } from "../app.ts";
import { callerOf, clearSessionCookie, setSessionCookie } from "../session-cookie.ts";

const tags = ["session"];
/** Bytes. Whoever has no session yet gets little of the station's memory. */
const loginBody = 16 << 10;

export function sessionRoutes(app: App, sessions: SessionService): void {
  const login = {
    tags,
    summary: "Log in by name and password, or by a sid",
    body: LoginRequest,
    response: { 200: SessionInfo },
  };
  app.post("/api/v1/login", { schema: login, bodyLimit: loginBody }, async (request, reply) => {
    const { sid, session } = await sessions.login(callerOf(request), request.body);
    setSessionCookie(reply, sid);
    return session;
  });

  const refresh = { tags, summary: "Keep the session alive", response: { 200: SessionInfo } };
  app.get("/api/v1/login_refresh", { schema: refresh }, (request) => sessions.refresh(callerOf(request)));

  const logout = { tags, summary: "End the session", response: { 200: LogoutAnswer } };
  app.put("/api/v1/logout", { schema: logout }, async (request, reply) => {
    const answer = await sessions.logout(callerOf(request));
    clearSessionCookie(reply);
    return answer;
  });
}
