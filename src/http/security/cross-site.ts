import type { IncomingMessage } from "node:http";
import { routeTable } from "../../api/routes.ts";
import { AppError } from "../../errors.ts";

/** Paths that no page of another site may call, whatever the method. */
const sameSitePaths: ReadonlySet<string | undefined> = new Set(
  Object.values(routeTable)
    .filter(({ sameSiteOnly }) => sameSiteOnly)
    .map(({ path }) => path),
);

/** Returns whether no page of another site may call a route, although it is a GET. */
export function isSameSiteOnly(path: string | undefined): boolean {
  return sameSitePaths.has(path);
}

const reading = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * A page of another site may not change anything with the cookie of its visitor. Programs send neither header.
 * `acts`: the route does something, or streams, although it is read.
 */
export function crossSiteError(request: IncomingMessage, acts = false): AppError | undefined {
  const { headers } = request;
  if (!acts && reading.has(request.method ?? "")) return undefined;
  const site = headers["sec-fetch-site"];
  const origin = headers.origin;
  const foreign =
    site === "cross-site" || site === "same-site" || (origin !== undefined && !isHost(origin, headers.host));
  return foreign ? new AppError("forbidden", "A page of another site may not do this.") : undefined;
}

/**
 * For a WebSocket, whose answers a browser shows to every page: without an Origin it must be a program, which says who it
 * is in a header that no page can set.
 */
export function upgradeError(request: IncomingMessage): AppError | undefined {
  const { origin, authorization } = request.headers;
  if (origin === undefined && authorization === undefined)
    return new AppError("forbidden", "A WebSocket needs an Origin, or an Authorization header.");
  return crossSiteError(request, true);
}

function isHost(origin: string, host: string | undefined): boolean {
  const page = URL.parse(origin);
  // The scheme decides which port goes without saying.
  return page !== null && host !== undefined && URL.parse(`${page.protocol}//${host}`)?.host === page.host;
}
