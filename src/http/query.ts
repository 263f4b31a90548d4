import { Type, type TProperties } from "typebox";
import type { RouteOptions } from "fastify";
import { AppError, invalid } from "../errors.ts";
import type { App } from "./app.ts";
import { hasUtf8Escapes } from "./text.ts";

// Clients that keep no cookie send their session here.
const sid = Type.Optional(Type.String({ description: "The session's id" }));
const reading = new Set(["GET", "HEAD"]);
const anyQuery = Object.freeze({ anyQuery: true });

/** The config of a route that changes something, and still takes parameters that it does not know. */
export const toleratesQuery = anyQuery as object;

/**
 * The one rule about queries: a route that reads ignores the parameters that it does not know, as `_` of a cache buster;
 * a route that changes something refuses them by name. A route's schema says only which ones it knows; every route knows
 * `sid`.
 */
export function applyQueryRule(app: App): void {
  app.addHook("onRoute", (route: RouteOptions) => {
    const known = (route.schema?.querystring as { properties?: TProperties } | undefined)?.properties ?? {};
    const open = [route.method].flat().every((method) => reading.has(method)) || "anyQuery" in (route.config ?? {});
    const querystring = Type.Object({ sid, ...known }, { additionalProperties: open });
    route.schema = { ...route.schema, querystring };
  });
}

/** Refuses an address with bytes that are no text. The router has refused such a path by itself. */
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
