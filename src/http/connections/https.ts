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
/** Bytes of headers. Larger ones end their stream without a response; those over the limit, which is lower, get 431. */
const readableHeaders = 64 * 1024 - 1;
/** Header fields of one request; Node's HTTP/1 has the same limit. */
const maxHeaders = 2000;

/**
 * Returns a server for HTTPS, with HTTP/1.1 and HTTP/2 on one port. The handshake agrees on the version. HTTP/1 is
 * served by Node's own server with its limits. A connection of HTTP/2 is handed to a second server, which listens
 * nowhere.
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
  // A client that speaks TLS would not understand a response in the clear.
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
  /** Refuses new streams. Streams under way continue. */
  closeIdle(): void;
  closeAll(): void;
}

function createSecondServer(handler: RequestListener, limits: ServerLimits): SecondServer {
  const sessions = new Set<ServerHttp2Session>();
  const server = createHttp2({
    settings: { maxConcurrentStreams: maxStreams, maxHeaderListSize: readableHeaders, enablePush: false },
    maxHeaderListPairs: maxHeaders,
    // In MiB, for all streams of a connection.
    maxSessionMemory: 4,
  });
  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    limitSession(session, limits);
  });
  server.on("request", (request, response) => {
    // HTTP/2 needs no header to say that there is a body. The routes look for the one of HTTP/1.
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

/**
 * Ends a session that is silent between two requests, or that does not read a response. As in HTTP/1, a client may be
 * silent while the station works on a response.
 */
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
 * Returns a function that tells whether a stream's client has read nothing for `after` ms although bytes wait for it. A
 * client that never opens its flow-control window holds a response back, whatever else it sends to keep the connection
 * busy.
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
