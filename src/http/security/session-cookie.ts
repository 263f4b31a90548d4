import type { FastifyReply, FastifyRequest } from "fastify";
import type { Caller } from "../../services/contract/services.ts";

const name = "CS_SESS_ID";
const start = `${name}=`;

/** Who sends this, as far as the request says; services decide what that is worth. */
export function callerOf(request: FastifyRequest): Caller {
  const token = tokenOf(request);
  const address = request.raw.socket.remoteAddress ?? "";
  return { sid: sessionIdOf(request), address, ...(token !== undefined && { token }) };
}

/** A token never stands in an address or a cookie. */
function tokenOf({ raw }: FastifyRequest): string | undefined {
  const { authorization } = raw.headers;
  return authorization === undefined ? undefined : /^bearer +(gantry_\S+) *$/i.exec(authorization)?.[1];
}

/** What is sent on purpose counts before the cookie, which a browser adds by itself. */
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

/** The first cookie of that name, without quotes. */
export function sessionIdOfCookie(cookie: string): string | undefined {
  let at = cookie.indexOf(start);
  // Not the end of another name, as in `NOT_CS_SESS_ID=`.
  while (at > 0 && cookie[at - 1] !== " " && cookie[at - 1] !== ";") at = cookie.indexOf(start, at + 1);
  if (at === -1) return undefined;
  const end = cookie.indexOf(";", at);
  const value = cookie.slice(at + start.length, end === -1 ? undefined : end).trim();
  const quoted = value.length > 1 && value.startsWith('"') && value.endsWith('"');
  return (quoted ? value.slice(1, -1) : value) || undefined;
}

export function setSessionCookie(reply: FastifyReply, sid: string): void {
  reply.header("set-cookie", `${start}${sid}; Path=/; HttpOnly; SameSite=Lax${secure(reply)}`);
}

export function clearSessionCookie(reply: FastifyReply): void {
  reply.header("set-cookie", `${start}; Path=/; HttpOnly; SameSite=Lax; Max-Age=0${secure(reply)}`);
}

/** What came by TLS never goes out without. */
function secure(reply: FastifyReply): string {
  return reply.request.protocol === "https" ? "; Secure" : "";
}
