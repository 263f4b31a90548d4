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
 * Returns why a request is refused that a page of another site sent: the browser would add the cookie of its visitor.
 * Programs send neither of the two headers. Requests that only read are allowed, except with `acts`: the route does
 * something, or streams, although it is a GET.
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
 * Returns why a WebSocket is refused. A browser shows its content to every page. Without an Origin the client must be a
 * program, which authenticates itself in a header that no page can set.
 */
export function upgradeError(request: IncomingMessage): AppError | undefined {
  const { origin, authorization } = request.headers;
  if (origin === undefined && authorization === undefined)
    return new AppError("forbidden", "A WebSocket needs an Origin, or an Authorization header.");
  return crossSiteError(request, true);
}

function isHost(origin: string, host: string | undefined): boolean {
  const page = URL.parse(origin);
  // Parsed with the page's scheme, because the default port depends on it.
  return page !== null && host !== undefined && URL.parse(`${page.protocol}//${host}`)?.host === page.host;
}
