import { isUtf8 } from "node:buffer";
import type { FastifyReply } from "fastify";
import type { LoginPage } from "../../api/session.ts";
import { hasCode, invalid } from "../../errors.ts";
import type { SessionService } from "../../services/contract/services.ts";
import { loginPageXml as xml, xmlType } from "../responses/login-page.ts";
import { callerOf } from "../security/session-cookie.ts";

/**
 * Logs in by the NAS's login page, for clients that bring the session's id from there. The response is XML with status
 * 200, also for a refusal, as those clients expect. Too many tries are 429, and a request that is wrong is 4xx.
 */
export async function loginByPage(
  sessions: Pick<SessionService, "login">,
  page: LoginPage,
  reply: FastifyReply,
): Promise<FastifyReply> {
  // Here the sid in the address is an argument of the login, and not the caller's session.
  const caller = { ...callerOf(reply.request), sid: undefined };
  reply.type(xmlType).serializer(String);
  try {
    const { sid, session } = await sessions.login(caller, loginOf(page));
    return reply.send(
      xml({ authPassed: "1", authSid: sid, username: session.username, isAdmin: session.isAdmin ? "1" : "0" }),
    );
  } catch (error) {
    const needsCode = hasCode(error, "forbidden") && error.details?.["second_step"] === true;
    if (needsCode) return reply.send(xml({ authPassed: "0", need_2sv: "1" }));
    if (hasCode(error, "unauthenticated")) return reply.send(xml({ authPassed: "0", errorValue: "-1" }));
    if (!hasCode(error, "too_many")) throw error;
    const wait = error.details?.["retryAfter"];
    if (typeof wait === "number") reply.header("retry-after", Math.ceil(wait));
    return reply.code(429).send(xml({ authPassed: "0", errorValue: "-2" }));
  }
}

function loginOf({ user, pwd, plain_pwd: plain, security_code: code, sid }: LoginPage) {
  if (sid !== undefined && user === undefined) return { sid };
  if (user === undefined || user === "") throw invalid("user", "is missing");
  const password = plain ?? (pwd === undefined ? undefined : decoded(pwd));
  if (password === undefined || password === "") throw invalid("pwd", "is missing");
  // Clients send an empty code if they have none.
  return { username: user, password, code: code || undefined };
}

function decoded(base64: string): string {
  const bytes = Buffer.from(base64, "base64");
  if (!isUtf8(bytes)) throw invalid("pwd", "is not a password in base64");
  return bytes.toString("utf8");
}
