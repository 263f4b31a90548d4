import type { FastifyReply, FastifyRequest } from "fastify";
import type { Caller } from "../../services/contract/services.ts";

const name = "CS_SESS_ID";
const start = `${name}=`;

/** Returns what a request says about its sender. Services decide whether it is true. */
export function callerOf(request: FastifyRequest): Caller {
  const token = tokenOf(request);
  const address = request.raw.socket.remoteAddress ?? "";
  return { sid: sessionIdOf(request), address, ...(token !== undefined && { token }) };
}

/** Returns the API token of a request. It may be in the Authorization header only. */
function tokenOf({ raw }: FastifyRequest): string | undefined {
  const { authorization } = raw.headers;
  return authorization === undefined ? undefined : /^bearer +(gantry_\S+) *$/i.exec(authorization)?.[1];
}

/**
 * Returns the session id of a request. The header and the query count before the cookie, which a browser adds by
 * itself.
 */
function sessionIdOf(request: FastifyRequest): string | undefined {
  const { authorization, cookie } = request.raw.headers;
  if (authorization !== undefined) {
    const bearer = /^bearer +(\S+) *$/i.exec(authorization)?.[1];
    if (bearer !== undefined) return bearer;
  }
  const sid = (request.query as { sid?: unknown }).sid;
  if (typeof sid === "string" && sid !== "") return sid;
  return cookie === undefined ? undefined : sessionIdOfCookie(cookie);
}

/** Returns the value of the first session cookie in a Cookie header, without quotes. */
export function sessionIdOfCookie(cookie: string): string | undefined {
  let at = cookie.indexOf(start);
  // Skips the end of another name, as in `NOT_CS_SESS_ID=`.
  while (at > 0 && cookie[at - 1] !== " " && cookie[at - 1] !== ";") at = cookie.indexOf(start, at + 1);
  if (at === -1) return undefined;
  const end = cookie.indexOf(";", at);
  const value = cookie.slice(at + start.length, end === -1 ? undefined : end).trim();
  const quoted = value.length > 1 && value.startsWith('"') && value.endsWith('"');
  return (quoted ? value.slice(1, -1) : value) || undefined;
}

/** Makes the client keep a session id as a cookie. */
export function setSessionCookie(reply: FastifyReply, sid: string): void {
  reply.header("set-cookie", `${start}${sid}; Path=/; HttpOnly; SameSite=Lax${secure(reply)}`);
}

/** Makes the client delete its session cookie. */
export function clearSessionCookie(reply: FastifyReply): void {
  reply.header("set-cookie", `${start}; Path=/; HttpOnly; SameSite=Lax; Max-Age=0${secure(reply)}`);
}

/** Returns the attribute that keeps a cookie on TLS, if the request came by TLS. */
function secure(reply: FastifyReply): string {
  return reply.request.protocol === "https" ? "; Secure" : "";
}
