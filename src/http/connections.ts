import type { FastifyInstance } from "fastify";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { errorBody, serverMessage } from "./errors.ts";
import { jsonType, safeHeaders } from "./json.ts";
import type { ServerLimits } from "./limits.ts";

/** What Node's server does not do by itself against clients that hold on to connections. */
export function guardConnections(server: Server, limits: ServerLimits): void {
  server.maxConnections = limits.connections;
  server.setTimeout(limits.read, cutIfNotReading);
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    // Without the go-ahead a client does not send a body that is too large anyway.
    if (!(Number(request.headers["content-length"]) > limits.bodySize)) response.writeContinue();
    server.emit("request", request, response);
  });
  server.on("checkExpectation", (_request: IncomingMessage, response: ServerResponse) => {
    response.writeHead(417, { ...safeHeaders, "content-type": jsonType, connection: "close" });
    response.end(errorBody(417, serverMessage(417)));
  });
}

/** Silence while the station works on an answer is fine; silence while an answer waits to be taken is not. */
function cutIfNotReading(socket: Socket): void {
  if (socket.writableLength > 0) socket.destroy();
}

/** Answers a signal that aborts when the server begins to close; streams end with it. */
export function closeQuickly(app: FastifyInstance, grace: number): AbortSignal {
  const stopping = new AbortController();
  app.addHook("preClose", (done) => {
    stopping.abort();
    // A connection becomes idle when its request under way is answered, and nobody else would close it then.
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
