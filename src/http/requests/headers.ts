import type { IncomingMessage } from "node:http";
import { AppError } from "../../errors.ts";

/**
 * Headers that the station's decisions depend on, so each may be sent once only. Of two with one name Node takes the
 * first or joins them, while a proxy in front may have taken the other one.
 */
const single = new Set(["host", "authorization", "origin", "sec-fetch-site", "idempotency-key", "last-event-id"]);

/** Has the status of Node's own refusal for HTTP/1. */
class HeadersTooLarge extends Error {
  readonly statusCode = 431;
}

/** Returns why a request is refused whose headers are too large, or can be understood in two ways. */
export function headersError(
  { rawHeaders, headers, httpVersionMajor }: IncomingMessage,
  headerSize: number,
): Error | undefined {
  const seen = new Set<string>();
  let size = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] as string).toLowerCase();
    size += name.length + (rawHeaders[index + 1] as string).length;
    if (!single.has(name)) continue;
    if (seen.has(name)) return refused(name, "is given twice");
    seen.add(name);
  }
  // Node has limited those of HTTP/1 while it read them.
  if (httpVersionMajor !== 2) return undefined;
  if (size >= headerSize) return new HeadersTooLarge();
  return hostOfHttp2(headers);
}

/** Returns why the host of a request of HTTP/2 is refused: it is in `:authority`, and a client may send `host` too. */
function hostOfHttp2(headers: IncomingMessage["headers"]): AppError | undefined {
  const authority = headers[":authority"] as string | undefined;
  const host = headers.host;
  if (authority === undefined && host === undefined) return refused("host", "is missing");
  if (authority === undefined || host === undefined || authority.toLowerCase() === host.toLowerCase()) return undefined;
  return refused("host", "is not the same as :authority");
}

function refused(field: string, reason: string): AppError {
  return new AppError("invalid", `The header ${field} ${reason}.`, { details: { field } });
}
