import {
  fastify,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerFactory,
} from "fastify";
import type { IncomingMessage } from "node:http";
import { Http2ServerRequest } from "node:http2";
import { routeTable } from "../api/routes.ts";
import { AppError } from "../errors.ts";
import type { RefusalService, Services, SessionService } from "../services/contract/services.ts";
import { encodingError, ignoreContentType, readBodiesByContent } from "./requests/body.ts";
import { answerClientError, closeQuickly, guardConnections } from "./connections/guard.ts";
import { crossSiteError, isSameSiteOnly, upgradeError } from "./security/cross-site.ts";
import { hostError } from "./security/host-names.ts";
import { createErrorHandler, sendError, statusOf, type ErrorHandler } from "./responses/errors.ts";
import { onlyOpenvz } from "./responses/openvz-errors.ts";
import { prettyJson, safeHeaders } from "./responses/json.ts";
import { defaultLimits, type ServerLimits } from "./connections/limits.ts";
import { describeApi } from "./openapi.ts";
import { methodsAt } from "./requests/methods.ts";
import { canonicalPath, nowhere } from "./requests/paths.ts";
import { queryError } from "./requests/query.ts";
import { headersError } from "./requests/headers.ts";
import { limitPendingBodies } from "./connections/pending-bodies.ts";
import { registerOpenvzRoutes, registerRoutes } from "./routes/register.ts";
import { createSecureServer, type TlsPair } from "./connections/https.ts";
import { callerOf } from "./security/session-cookie.ts";
import { silentLog, type Log } from "../util/log.ts";
import { refusedField } from "./requests/validation.ts";
import { createValidators, type SchemaController } from "./requests/validators.ts";

export interface ServerOptions {
  /** What the routes call. */
  services: Services;
  /** The station's version, for the OpenAPI document. */
  version: string;
  /** Is told of every failure that is the station's own, with its cause. */
  log?: Log;
  /** Those limits that are not the default. */
  limits?: Partial<ServerLimits>;
  /** If present, the server speaks HTTPS instead of HTTP. */
  tls?: TlsPair | undefined;
  /** Returns whether the station may be called by this name, in lower case. By an address it always may. */
  isOwnName(name: string): boolean;
  /**
   * If present, the server has the containers-and-jobs API only. With a token, all requests are made in the name of the
   * token's user, and pages of a browser are refused.
   */
  openvz?: { token: string | undefined };
}

/** Returns the station's HTTP server, which does not listen yet. */
export function createServer(options: ServerOptions): FastifyInstance {
  const { services, version, log = silentLog, limits: given, tls, isOwnName } = options;
  const limits = { ...defaultLimits, ...given };
  const open = options.openvz?.token;
  const answerError = createErrorHandler(log);
  const app = newFastify(limits, answerError, tls);
  const stopping = closeQuickly(app, limits.closing);
  guardConnections(app.server, limits);
  app.setReplySerializer(prettyJson);
  app.setSchemaErrorFormatter(refusedField);
  app.setErrorHandler((error, request, reply) =>
    sendRequestError(services.sessions, answerError, { error, request, reply }),
  );
  app.setNotFoundHandler((request, reply) => sendNotFound(app, request, reply));
  app.addHook("onRequest", (request, reply, done) => {
    reply.headers(safeHeaders);
    const misread = headersError(request.raw, limits.headerSize) ?? queryError(request.raw.url ?? "");
    if (misread) return done(misread);
    // HTTP/2 names the host in another header; the routes read that of HTTP/1.
    request.raw.headers.host ??= request.raw.headers[":authority"] as string | undefined;
    const foreign = foreignError(request, isOwnName, open !== undefined);
    if (open !== undefined) request.raw.headers.authorization = `Bearer ${open}`;
    if (foreign) reportRefusal(services.refusals, request, foreign);
    done(refusal(request.raw, stopping) ?? foreign);
  });
  limitPendingBodies(app, limits.bodies);
  readBodiesByContent(app);
  if (options.openvz) {
    app.decorate(onlyOpenvz, true);
    registerOpenvzRoutes(app, services);
    return app;
  }
  const describe = () => describeApi(version);
  registerRoutes(app, { services, streamLimits: limits.stream, stopping, log, describe });
  return app;
}

/** In place of fastify's own, which would be loaded and would compile a writer for each schema. */
const compilers = {
  compilersFactory: { buildValidator: createValidators, buildSerializer: () => () => prettyJson },
};

function newFastify(limits: ServerLimits, answerError: ErrorHandler, tls: TlsPair | undefined): FastifyInstance {
  const app = fastify({
    http: {
      headersTimeout: limits.headers,
      maxHeaderSize: limits.headerSize,
      connectionsCheckingInterval: limits.check,
    },
    ...(tls && { serverFactory: secureFactory(tls, limits) }),
    requestTimeout: limits.request,
    keepAliveTimeout: limits.keepAlive,
    bodyLimit: limits.bodySize,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 300 },
    return503OnClosing: false,
    schemaController: compilers as unknown as SchemaController,
    clientErrorHandler: answerClientError,
    frameworkErrors: answerError,
    rewriteUrl(request) {
      ignoreContentType(request.headers);
      return canonicalPath(request.url ?? "");
    },
  });
  return app;
}

function secureFactory(tls: TlsPair, limits: ServerLimits): FastifyServerFactory {
  return (handler) => createSecureServer(handler, tls, limits);
}

/** Paths whose bodies are checked although there is no session: logins. */
const openPaths: ReadonlySet<string | undefined> = new Set(
  Object.values(routeTable)
    .filter(({ verb, body }) => verb === "open" && body !== undefined)
    .map(({ path }) => path),
);

/** Sends an error. A caller without a session learns only that he has none, and not what a valid request would be. */
async function sendRequestError(
  sessions: SessionService,
  answerError: ErrorHandler,
  failed: Failed,
): Promise<FastifyReply> {
  const { error, request, reply } = failed;
  const needsSession = statusOf(error) === 400 && !openPaths.has(request.routeOptions.url);
  const refused = needsSession ? await sessions.check(callerOf(request)).then(nothing, itself) : undefined;
  answerError(refused ?? error, request, reply);
  return reply;
}

interface Failed {
  error: unknown;
  request: FastifyRequest;
  reply: FastifyReply;
}

const nothing = () => undefined;
const itself = (error: unknown) => error;

/** Returns why a request is refused before its route and its body are looked at. */
function refusal(request: IncomingMessage, stopping: AbortSignal): AppError | undefined {
  if (stopping.aborted) return new AppError("engine_unavailable", "The station is stopping.");
  if (request.httpVersionMajor !== 1 && !isHttp2(request)) return new AppError("invalid", "The station speaks HTTP/1.");
  return encodingError(request.headers);
}

/** Returns why a request is refused that a page of another site may have sent. */
function foreignError(
  { raw, routeOptions }: FastifyRequest,
  isOwnName: (name: string) => boolean,
  guarded: boolean,
): AppError | undefined {
  const wrongHost = hostError(raw.headers.host, isOwnName);
  if (wrongHost) return wrongHost;
  if (raw.headers.upgrade?.toLowerCase() === "websocket") return upgradeError(raw);
  return crossSiteError(raw, guarded || isSameSiteOnly(routeOptions.url));
}

/** Tells the audit log of a refusal. It names the route, because the path of the request could be any text. */
function reportRefusal(refusals: RefusalService, request: FastifyRequest, { message }: AppError): void {
  const path = request.routeOptions.url ?? "no route";
  refusals.report(callerOf(request), { method: request.method, path, message });
}

/** Returns whether a request came by HTTP/2 itself. A request line of HTTP/1 may say so too. */
function isHttp2(request: unknown): boolean {
  return request instanceof Http2ServerRequest;
}

/** Sends 404, or 405 for a path that exists with other methods. */
function sendNotFound(app: FastifyInstance, request: FastifyRequest, reply: FastifyReply): void {
  const url = request.raw.url ?? "";
  if (url === nowhere) return sendError(reply, 400, "The request target must be a path.");
  const allowed = methodsAt(app, url.split("?", 1)[0] ?? "");
  if (allowed.length === 0) return sendError(reply, 404, "There is nothing at this path.");
  reply.header("allow", allowed.join(", "));
  sendError(reply, 405, `This path takes ${allowed.join(" and ")} only.`);
}
