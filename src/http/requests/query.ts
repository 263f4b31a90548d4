import type { FastifyReply, FastifyRequest } from "fastify";
import { Type, type TObject } from "typebox";
import type { Route } from "../../api/route.ts";
import { AppError, invalid } from "../../errors.ts";
import { hasUtf8Escapes } from "./utf8.ts";

// Clients that keep no cookie send their session here.
const sid = Type.Optional(Type.String({ description: "The session's id" }));

/**
 * Returns the schema of a route's query. The one rule for queries: a route that reads ignores the parameters that it does
 * not know, as `_` of a cache buster; a route that changes something refuses them by name. Every route knows `sid`.
 */
export function querySchema({ method, query, fieldsInQuery }: Route): TObject {
  return Type.Object(
    { sid, ...query?.properties },
    { additionalProperties: method === "GET" || fieldsInQuery === true },
  );
}

/** Adds the parameters of the query to the body, which may be none. Refuses one that the body has with another value. */
export function moveQueryToBody(request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void): void {
  const query = request.query as Record<string, unknown>;
  const body = (request.body ?? {}) as Record<string, unknown>;
  // The schema refuses a list.
  if (Array.isArray(body)) return done();
  const differs = Object.keys(query).find((name) => Object.hasOwn(body, name) && body[name] !== query[name]);
  if (differs !== undefined) return done(invalid(differs, "is given twice"));
  request.body = { ...query, ...body };
  done();
}

/** Returns why an address with bytes that are no text is refused. The router has refused such a path by itself. */
export function queryError(url: string): AppError | undefined {
  if (/[^\x21-\x7e]/.test(url))
    return new AppError("invalid", "The address has characters that must be written as %XX.");
  const start = url.indexOf("?");
  if (start === -1) return undefined;
  const broken = url
    .slice(start + 1)
    .split("&")
    .find((pair) => !hasUtf8Escapes(pair));
  return broken === undefined ? undefined : invalid((broken.split("=", 1)[0] ?? "").slice(0, 64), "is not valid UTF-8");
}
