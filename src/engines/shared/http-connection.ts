import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import { pipeline } from "node:stream/promises";

import { http } from "../../util/node-http.ts";

/** Where an engine's HTTP API listens. */
export type HttpTarget = { socketPath: string } | { host: string; port: number };

/** A body that is no JSON, sent piece by piece. */
export interface Upload {
  /** The Content-Type. */
  type: string;
  /** Bytes. */
  length: number;
  /** Begins the body; called again when the request is sent a second time. */
  open(): AsyncIterable<Uint8Array>;
}

/** One request to an engine. */
export interface HttpRequest {
  /** The method; GET unless given. */
  method?: string | undefined;
  /** The whole path with its query. */
  path: string;
  /** Beside Host, Content-Type and Content-Length. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** Sent as JSON; absent: no body. */
  body?: unknown;
  /** Sent in the place of `body`. */
  upload?: Upload | undefined;
  /** Ends the request and the reading of its answer. */
  signal?: AbortSignal | undefined;
}

/** Sends requests to one engine. */
export interface HttpConnection {
  /**
   * Resolves with the answer as soon as its headers are there; its body is to be read or destroyed. `reuse`: on a socket
   * that lay idle. Such a one may be cut by the engine at this moment, and the request is sent again then: only what can be
   * repeated may take one. Throws what Node's HTTP client throws.
   */
  send(request: HttpRequest, reuse: boolean): Promise<IncomingMessage>;
  /** Closes the idle sockets. */
  close(): void;
}

/** A stream of events over TCP is silent for hours: a dead peer is noticed by probes after these milliseconds. */
const probeAfter = 30_000;

/** Returns a connection to an engine. `host`: what the Host header says. */
export function createHttpConnection(target: HttpTarget, host: string): HttpConnection {
  const agent = new http.Agent({ keepAlive: true, maxFreeSockets: 8 });

  function send(request: HttpRequest, reuse: boolean): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const { method = "GET", path, signal, upload } = request;
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    const headers: OutgoingHttpHeaders = { Host: host, ...request.headers, ...contentHeaders(upload, body) };
    const options = { ...target, headers, agent: reuse ? agent : false, method, path, ...(signal && { signal }) };
    const sent = http.request(options);
    sent.on("socket", (socket) => socket.setKeepAlive(true, probeAfter));
    sent.on("response", resolve);
    sent.on("error", (error: NodeJS.ErrnoException) => {
      const stale = sent.reusedSocket && (error.code === "ECONNRESET" || error.code === "EPIPE") && !signal?.aborted;
      if (reuse && stale) send(request, false).then(resolve, reject);
      else reject(error);
    });
    if (upload) pipeline(upload.open(), sent).catch((error: unknown) => sent.destroy(error as Error));
    else sent.end(body);
    return promise;
  }

  return { send, close: () => agent.destroy() };
}

function contentHeaders(upload: Upload | undefined, body: string | undefined): OutgoingHttpHeaders {
  if (upload) return { "Content-Type": upload.type, "Content-Length": upload.length };
  if (body === undefined) return {};
  return { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) };
}
