import { Type } from "typebox";
import { SessionEntry, TwoStepLogin } from "../account.ts";
import type { RouteTable } from "../route.ts";
import { LoginPage, LoginRequest, LogoutAnswer, SessionInfo } from "../session.ts";

const path = "/api/v1/sessions";
const tag = "session";
/** Bytes. A client that is not logged in gets little of the station's memory. */
const bodyLimit = 16 << 10;
const EndedIds = Type.Array(Type.String(), { description: "Ids of the sessions that ended" });
const xml = { type: "text/xml", description: "Whether the login succeeded, and the session's id" };

/** The path of the NAS's own login page. Clients that are made for a NAS log in there. */
export const loginPagePath = "/cgi-bin/authLogin.cgi";

/** Login, logout, and the list of sessions. */
export const sessionRoutes = {
  "sessions.login": {
    method: "POST",
    path: "/api/v1/login",
    tag,
    summary: "Log in by name and password, or by a sid",
    verb: "open",
    audited: true,
    body: LoginRequest,
    bodyLimit,
    response: SessionInfo,
  },
  "sessions.login:two-step": {
    method: "POST",
    path: "/api/v1/login/two-step",
    tag,
    summary: "Log in with a code of the second step",
    verb: "open",
    audited: true,
    body: TwoStepLogin,
    bodyLimit,
    response: SessionInfo,
  },
  "sessions.refresh": {
    method: "GET",
    path: "/api/v1/login_refresh",
    tag,
    summary: "Keep the session alive",
    verb: "session:refresh",
    audited: false,
    response: SessionInfo,
  },
  "sessions.logout": {
    method: "PUT",
    path: "/api/v1/logout",
    tag,
    summary: "End the session",
    verb: "session:end",
    audited: true,
    response: LogoutAnswer,
  },
  "sessions.list": {
    method: "GET",
    path,
    tag,
    summary: "List sessions",
    verb: "session:list",
    audited: false,
    response: Type.Array(SessionEntry),
  },
  "sessions.remove:others": {
    method: "DELETE",
    path,
    tag,
    summary: "End all other sessions of one's own",
    verb: "session:remove",
    audited: true,
    response: EndedIds,
  },
  "sessions.remove": {
    method: "DELETE",
    path: `${path}/:id`,
    tag,
    summary: "End a session",
    verb: "session:remove",
    audited: true,
    params: Type.Object({ id: Type.String() }),
    response: EndedIds,
  },
  "sessions.login:page-get": {
    method: "GET",
    path: loginPagePath,
    tag,
    summary: "Log in as on a NAS; answers XML with the session's id",
    verb: "open",
    audited: true,
    withoutHead: true,
    sameSiteOnly: true,
    query: LoginPage,
    file: xml,
  },
  "sessions.login:page": {
    method: "POST",
    path: loginPagePath,
    tag,
    summary: "Log in as on a NAS; answers XML with the session's id",
    verb: "open",
    audited: true,
    query: LoginPage,
    body: LoginPage,
    fieldsInQuery: true,
    bodyLimit,
    file: xml,
  },
} satisfies RouteTable;
