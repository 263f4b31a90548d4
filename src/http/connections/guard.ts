import type { FastifyInstance } from "fastify";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { errorBody, serverMessage } from "../responses/errors.ts";
import { jsonType, safeHeaders } from "../responses/json.ts";
import { http } from "../../util/node-http.ts";
import { resetStalledConnections } from "../../util/stalled-connections.ts";
import type { ServerLimits } from "./limits.ts";

/** Adds limits that Node's server does not have by itself, against clients that hold on to connections. */
export function guardConnections(server: Server, limits: ServerLimits): void {
  server.maxConnections = limits.connections;
  server.setTimeout(limits.read, closeSilent);
  resetStalledConnections(server, limits.read);
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    // A client that gets no 100 Continue does not send a body, which is too large anyway.
    if (!(Number(request.headers["content-length"]) > limits.bodySize)) response.writeContinue();
    server.emit("request", request, response);
  });
  server.on("checkExpectation", (_request: IncomingMessage, response: ServerResponse) => {
    response.writeHead(417, { ...safeHeaders, "content-type": jsonType, connection: "close" });
    response.end(errorBody(417, serverMessage(417)));
  });
}

/**
 * Closes a connection that has been silent for too long. A client may be silent while the station works on its
 * response, but not between two requests, nor while a response waits to be read.
 */
function closeSilent(socket: Socket): void {
  if (responseOn(socket) === null || socket.writableLength > 0) socket.destroy();
}

/** Returns the response that is under way on a connection. Node has it in this internal field only. */
function responseOn(socket: Socket): ServerResponse | null {
  return (socket as Socket & { _httpMessage?: ServerResponse | null })._httpMessage ?? null;
}

/**
 * Makes the server close within `grace` ms. Returns a signal that aborts when it begins to close, with which streams
 * end.
 */
export function closeQuickly(app: FastifyInstance, grace: number): AbortSignal {
  const stopping = new AbortController();
  app.addHook("preClose", (done) => {
    stopping.abort();
    // A connection becomes idle when its last response is sent. Node would not close it then.
    const sweep = setInterval(() => app.server.closeIdleConnections(), 20);
    const cut = setTimeout(() => app.server.closeAllConnections(), grace);
    app.server.once("close", () => {
      clearInterval(sweep);
      clearTimeout(cut);
    });
    done();
  });
  return stopping.signal;
}

/** Sends an error for a request that Node's parser refused: there is no request object, only the socket. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  // If a response is under way already, the client would take this one for its content.
  if (error.code === "ECONNRESET" || !socket.writable || responseOn(socket)?.headersSent) return void socket.destroy();
  const status = clientStatuses[error.code ?? ""] ?? 400;
  socket.end(rawError(status), () => socket.destroy());
}

const clientStatuses: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
};

function rawError(status: number): string {
  const body = errorBody(status, serverMessage(status));
  const head = [
    `HTTP/1.1 ${status} ${http.STATUS_CODES[status]}`,
    `content-type: ${jsonType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    ...Object.entries(safeHeaders).map(([name, value]) => `${name}: ${value}`),
    "connection: close",
  ];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}
