import type { FastifyReply, FastifyRequest } from "fastify";
import { Type, type Static } from "typebox";
import { hasCode, invalid } from "../../errors.ts";
import type { SessionService } from "../../services/services.ts";
import type { App } from "../app.ts";
import { acting } from "../cross-site.ts";
import { callerOf } from "../session-cookie.ts";

export const loginPagePath = "/cgi-bin/authLogin.cgi";
const loginBody = 16 << 10;
/** A base64 of 1,024 bytes. */
const longestPassword = 1368;

/** Clients send more than is read here. */
const LoginPage = Type.Object({
  user: Type.Optional(Type.String({ maxLength: 128 })),
  pwd: Type.Optional(Type.String({ maxLength: longestPassword, description: "The password in base64" })),
  plain_pwd: Type.Optional(Type.String({ maxLength: 1024, description: "The password as it is" })),
  security_code: Type.Optional(Type.String({ maxLength: 64, description: "Of 2-step verification" })),
  sid: Type.Optional(Type.String({ maxLength: 256, description: "A session that exists" })),
});
type LoginPage = Static<typeof LoginPage>;

/**
 * The NAS's login page, for clients that log in there and bring the sid. Its answers are XML with status 200, also a
 * refusal, as those clients expect; only too many tries are 429.
 */
export function loginPageRoutes(app: App, sessions: SessionService): void {
  const schema = { tags: ["session"], summary: "Log in as on a NAS; answers XML with the session's id" };
  const options = { config: acting, bodyLimit: loginBody };
  app.get(
    loginPagePath,
    { ...options, exposeHeadRoute: false, schema: { ...schema, querystring: LoginPage } },
    (request, reply) => answer(sessions, { request, reply }, request.query),
  );
  app.post(loginPagePath, { ...options, schema: { ...schema, body: LoginPage } }, (request, reply) =>
    answer(sessions, { request, reply }, request.body),
  );
}

interface Exchange {
  request: FastifyRequest;
  reply: FastifyReply;
}

async function answer(sessions: SessionService, { request, reply }: Exchange, page: LoginPage): Promise<FastifyReply> {
  // The sid in the address is what is asked about here, not who asks.
  const caller = { ...callerOf(request), sid: undefined };
  reply.type("text/xml; charset=utf-8").serializer(String);
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
  const password = plain ?? (pwd === undefined ? undefined : Buffer.from(pwd, "base64").toString("utf8"));
  if (password === undefined || password === "") throw invalid("pwd", "is missing");
  // An empty code is what a client sends for none.
  return { username: user, password, code: code || undefined };
}

function xml(fields: Record<string, string>): string {
  const lines = Object.entries(fields).map(
    ([name, value]) => `  <${name}><![CDATA[${value.replaceAll("]]>", "")}]]></${name}>`,
  );
  return ['<?xml version="1.0" encoding="UTF-8"?>', '<QDocRoot version="1.0">', ...lines, "</QDocRoot>", ""].join("\n");
}
