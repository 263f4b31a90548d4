import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { AppError, messageOf, type ErrorCode } from "../../errors.ts";
import { jsonType, prettyJson, safeHeaders } from "./json.ts";
import { isLoginPage, loginPageError, xmlType } from "./login-page.ts";
import { isOpenvz, openvzErrorBody, openvzStatus } from "./openvz-errors.ts";
import type { Log } from "../../util/log.ts";
import { http } from "../../util/node-http.ts";

/** HTTP status of each error code. */
const statuses: Readonly<Record<ErrorCode, number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  cancelled: 409,
  too_large: 413,
  misdirected: 421,
  unsupported_media: 415,
  key_reused: 422,
  too_many: 429,
  internal: 500,
  unsupported: 501,
  remote_failed: 502,
  engine_failed: 502,
  engine_unavailable: 503,
  timeout: 504,
  disk_full: 507,
};

/** Messages for requests that the server refuses before a route handles them. */
const serverMessages: Readonly<Record<number, string>> = {
  400: "The request is not valid HTTP.",
  408: "The request did not arrive in time.",
  413: "The body is too large: 1 MiB at most, for a login 16 KiB.",
  414: "A part of the path is too long.",
  417: "The station cannot meet that expectation.",
  431: "The headers are larger than 16 KiB.",
};

/** Returns the JSON of an error. `code` and `message` come first, and no detail can replace them. */
export function errorBody(status: number, message: string, details?: Record<string, unknown>): string {
  const shown = { code: status, message };
  return prettyJson({ error: details === undefined ? shown : Object.assign({}, shown, details, shown) });
}

/** Returns the HTTP status of an error: that of its code, or a 4xx that fastify gave it, or 500. */
export function statusOf(error: unknown): number {
  if (error instanceof AppError) return statuses[error.code];
  const status = (error as Partial<FastifyError> | null)?.statusCode;
  return status !== undefined && status >= 400 && status < 500 ? status : 500;
}

export type ErrorHandler = (error: unknown, request: FastifyRequest, reply: FastifyReply) => void;

/** Returns the one function that sends errors as responses. It logs those that are the station's own fault. */
export function createErrorHandler(log: Log): ErrorHandler {
  return function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const status = isOpenvz(request) ? openvzStatus(error, statusOf(error)) : statusOf(error);
    const known = error instanceof AppError;
    if (status >= 500 && (!known || error.code === "internal" || error.cause !== undefined)) {
      log.error("A request failed", { method: request.method, route: request.routeOptions.url, status, error });
    }
    const retryAfter = known ? error.details?.["retryAfter"] : undefined;
    if (status === 429 && typeof retryAfter === "number") reply.header("retry-after", Math.ceil(retryAfter));
    const message = known || status >= 500 ? messageOf(error) : serverMessage(status);
    sendError(reply, status, message, known ? error.details : undefined);
  };
}

/** Sends an error in the form of the API that the request is for. */
export function sendError(
  reply: FastifyReply,
  status: number,
  message: string,
  details?: Record<string, unknown>,
): void {
  const { request } = reply;
  // HTTP/2 has no such header, and Node would print a warning.
  if (request.raw.httpVersionMajor === 2) reply.removeHeader("connection");
  reply.code(status).headers(safeHeaders);
  if (isLoginPage(request)) return void reply.type(xmlType).serializer(String).send(loginPageError(message));
  const body = isOpenvz(request) ? openvzErrorBody(status, message) : errorBody(status, message, details);
  reply.type(jsonType).send(body);
}

/** Returns the message for a status that the server itself responds with. */
export function serverMessage(status: number): string {
  return serverMessages[status] ?? `${http.STATUS_CODES[status] ?? "The request was refused"}.`;
}
