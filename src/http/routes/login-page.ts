import { isUtf8 } from "node:buffer";
import type { FastifyReply, FastifyRequest } from "fastify";
import { Type, type Static } from "typebox";
import { hasCode, invalid } from "../../errors.ts";
import type { SessionService } from "../../services/contract/services.ts";
import type { App } from "../app.ts";
import { acting } from "../cross-site.ts";
import { loginPagePath, loginPageXml as xml, xmlType } from "../login-page-errors.ts";
import { toleratesQuery } from "../query.ts";
import { callerOf } from "../session-cookie.ts";

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
 * refusal, as those clients expect; too many tries are 429, and a request that is wrong is 4xx. What is sent may stand in
 * the address, also of a POST.
 */
export function loginPageRoutes(app: App, sessions: SessionService): void {
  const schema = { tags: ["session"], summary: "Log in as on a NAS; answers XML with the session's id" };
  const options = { config: acting, bodyLimit: loginBody };
  app.get(
    loginPagePath,
    { ...options, exposeHeadRoute: false, schema: { ...schema, querystring: LoginPage } },
    (request, reply) => answer(sessions, { request, reply }, request.query),
  );
  const post = {
    ...options,
    config: { ...acting, ...toleratesQuery },
    schema: { ...schema, querystring: LoginPage, body: LoginPage },
    preValidation: takeQuery,
  };
  app.post(loginPagePath, post, (request, reply) => answer(sessions, { request, reply }, request.body));
}

/** Adds what stands in the address to the body, which may be none. */
function takeQuery(request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void): void {
  const query = request.query as Record<string, unknown>;
  const body = (request.body ?? {}) as Record<string, unknown>;
  // A list is no body of this page, which the schema says.
  if (Array.isArray(body)) return done();
  const differs = Object.keys(query).find((name) => Object.hasOwn(body, name) && body[name] !== query[name]);
  if (differs !== undefined) return done(invalid(differs, "is given twice"));
  request.body = { ...query, ...body };
  done();
}

interface Exchange {
  request: FastifyRequest;
  reply: FastifyReply;
}

async function answer(sessions: SessionService, { request, reply }: Exchange, page: LoginPage): Promise<FastifyReply> {
  // The sid in the address is what is asked about here, not who asks.
  const caller = { ...callerOf(request), sid: undefined };
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
  // An empty code is what a client sends for none.
  return { username: user, password, code: code || undefined };
}

function decoded(base64: string): string {
  const bytes = Buffer.from(base64, "base64");
  if (!isUtf8(bytes)) throw invalid("pwd", "is not a password in base64");
  return bytes.toString("utf8");
}
