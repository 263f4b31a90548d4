import type { IncomingMessage } from "node:http";
import { AppError } from "../errors.ts";

const reading = new Set(["GET", "HEAD", "OPTIONS"]);

/** A page of another site may not change anything with the cookie of its visitor. Programs send neither header. */
export function crossSiteError(request: IncomingMessage): AppError | undefined {
  const { headers } = request;
  const site = headers["sec-fetch-site"];
  const origin = headers.origin;
  if ((site === undefined && origin === undefined) || reading.has(request.method ?? "")) return undefined;
  const foreign =
    site === "cross-site" || site === "same-site" || (origin !== undefined && !isHost(origin, headers.host));
  return foreign ? new AppError("forbidden", "A page of another site may not do this.") : undefined;
}

function isHost(origin: string, host: string | undefined): boolean {
  const page = URL.parse(origin);
  // The scheme decides which port goes without saying.
  return page !== null && host !== undefined && URL.parse(`${page.protocol}//${host}`)?.host === page.host;
}
