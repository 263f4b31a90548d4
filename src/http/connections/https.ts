import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import {
  createServer as createHttp2,
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { createServer as createHttps, type Server } from "node:https";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { tlsRules } from "../../util/tls.ts";
import type { ServerLimits } from "./limits.ts";

/** The server's certificate and its key, which may be replaced while the server runs. */
export interface TlsPair {
  /** Returns the present pair, in PEM. */
  current(): { certificate: string; key: string };
  /** Calls `listener` after each replacement. */
  onChange(listener: () => void): void;
}

const maxStreams = 100;
/** Larger headers end their stream without an answer; those over the limit, which is lower, are answered with 431. */
const readableHeaders = 64 * 1024 - 1;
/** Fields of one request, as many as Node's HTTP/1 takes. */
const maxHeaders = 2000;

/**
 * HTTPS for HTTP/1.1 and 2 on one port; what the client prefers is agreed on with the handshake. HTTP/1 stays with
 * Node's own server and its limits; a connection of HTTP/2 is handed to a second one that listens nowhere.
 */
export function createSecureServer(handler: RequestListener, pair: TlsPair, limits: ServerLimits): Server {
  const context = () => ({ ...tlsRules, cert: pair.current().certificate, key: pair.current().key });
  const server = createHttps(
    {
      ...context(),
      ALPNProtocols: ["h2", "http/1.1"],
      handshakeTimeout: limits.headers,
      headersTimeout: limits.headers,
      requestTimeout: limits.request,
      keepAliveTimeout: limits.keepAlive,
      maxHeaderSize: limits.headerSize,
      connectionsCheckingInterval: limits.check,
    },
    handler,
  );
  const second = createSecondServer(handler, limits);
  const [first] = server.listeners("secureConnection") as ((this: Server, socket: TLSSocket) => void)[];
  server.removeAllListeners("secureConnection");
  server.on("secureConnection", (socket: TLSSocket) => {
    if (socket.alpnProtocol === "h2") second.server.emit("connection", socket);
    else first?.call(server, socket);
  });
  // An answer in the clear would not be understood.
  server.prependListener("tlsClientError", (_error: Error, socket: Socket) => socket.destroy());
  pair.onChange(() => server.setSecureContext(context()));
  return Object.assign(server, {
    closeIdleConnections: extended(server, "closeIdleConnections", second.closeIdle),
    closeAllConnections: extended(server, "closeAllConnections", second.closeAll),
  });
}

function extended(server: Server, name: "closeIdleConnections" | "closeAllConnections", more: () => void): () => void {
  const base = server[name].bind(server);
  return () => {
    base();
    more();
  };
}

interface SecondServer {
  server: Http2Server;
  /** No new streams; what is under way goes on. */
  closeIdle(): void;
  closeAll(): void;
}

function createSecondServer(handler: RequestListener, limits: ServerLimits): SecondServer {
  const sessions = new Set<ServerHttp2Session>();
  const server = createHttp2({
    settings: { maxConcurrentStreams: maxStreams, maxHeaderListSize: readableHeaders, enablePush: false },
    maxHeaderListPairs: maxHeaders,
    // Bytes are no pages here: 4 MiB for all streams of a connection are plenty.
    maxSessionMemory: 4,
  });
  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    limitSession(session, limits);
  });
  server.on("request", (request, response) => {
    // HTTP/2 frames every body, and HTTP/1 says by this header that it does: the routes know there is one.
    if (!request.stream.endAfterHeaders && request.headers["content-length"] === undefined)
      request.headers["transfer-encoding"] = "chunked";
    const late = setTimeout(() => request.stream.close(), limits.request);
    request.once("end", () => clearTimeout(late)).once("close", () => clearTimeout(late));
    handler(request as unknown as IncomingMessage, response as unknown as ServerResponse);
  });
  return {
    server,
    closeIdle: () => sessions.forEach((session) => session.close()),
    closeAll: () => sessions.forEach((session) => session.destroy()),
  };
}

/** As in HTTP/1: silence while the station works on an answer is fine, but not between, nor when an answer is not taken. */
function limitSession(session: ServerHttp2Session, limits: ServerLimits): void {
  const open = new Set<ServerHttp2Stream>();
  session.on("stream", (stream) => {
    open.add(stream);
    session.setTimeout(limits.read);
    stream.once("close", () => {
      open.delete(stream);
      if (open.size === 0) session.setTimeout(limits.keepAlive);
    });
  });
  session.setTimeout(limits.headers, () => {
    const waits = [...open].some((stream) => stream.writableLength > 0);
    if (open.size === 0 || waits) session.destroy();
  });
  session.on("error", () => undefined);
  const isUnread = createUnreadWatch(limits.read);
  const unread = setInterval(() => [...open].some(isUnread) && session.destroy(), limits.read / 6);
  session.once("close", () => clearInterval(unread));
}

/**
 * Returns a function that says whether a stream's client has taken nothing of what waits for it for `after` ms. A window that
 * stays shut holds an answer back, whatever else the client sends to keep the connection busy.
 */
function createUnreadWatch(after: number): (stream: ServerHttp2Stream) => boolean {
  const waiting = new WeakMap<ServerHttp2Stream, { length: number; since: number }>();
  return (stream) => {
    const now = performance.now();
    const { writableLength: length } = stream;
    const before = waiting.get(stream);
    const moved = length === 0 || before === undefined || length < before.length;
    const since = moved ? now : before.since;
    waiting.set(stream, { length, since });
    return now - since >= after;
  };
}
