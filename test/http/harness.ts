import { once } from "node:events";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { promisify } from "node:util";
import type { ServerLimits } from "../../src/http/connections/limits.ts";
import { createServer } from "../../src/http/server.ts";
import { createStub, type Stub } from "./stub-services.ts";
import { createTestLog } from "../support/log.ts";

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** Parsed, when it is JSON. */
  json: any;
}

export interface SendOptions {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

export interface Harness extends Stub {
  port: number;
  close(): Promise<void>;
  /** What the server logged: message and fields. */
  logged: [string, Readonly<Record<string, unknown>>][];
  send(path: string, options?: SendOptions): Promise<Answer>;
  /** Bytes as they are; answers all that came until the connection ended. */
  raw(bytes: string | Buffer): Promise<string>;
  open(): Socket;
  /** Connections that the server has now. */
  connections(): Promise<number>;
}

/** A server on a port of its own with stub services; it ends with the test. */
export async function startServer(t: TestContext, limits: Partial<ServerLimits> = {}): Promise<Harness> {
  const stub = createStub();
  const logged: Harness["logged"] = [];
  const app = createServer({
    services: stub.services,
    version: "1.2.3",
    log: createTestLog((...entry) => logged.push(entry)),
    limits,
    isOwnName: (name) => ["nas.local", "x", "a"].includes(name),
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = app.server.address() as AddressInfo;
  t.after(() => app.close());
  const open = () => connect(port, "127.0.0.1");
  return {
    ...stub,
    port,
    logged,
    open,
    close: () => app.close(),
    connections: () => promisify(app.server.getConnections.bind(app.server))(),
    send: (path, options) => send(port, path, options ?? {}),
    raw: (bytes) => exchange(open(), bytes),
  };
}

async function send(port: number, path: string, { method, headers, body }: SendOptions): Promise<Answer> {
  const request = httpRequest({
    port,
    host: "127.0.0.1",
    path,
    method: method ?? (body === undefined ? "GET" : "POST"),
  });
  for (const [name, value] of Object.entries(headers ?? {})) request.setHeader(name, value);
  // Node frames the body of a DELETE only when it is told to.
  if (body !== undefined && !request.hasHeader("transfer-encoding"))
    request.setHeader("content-length", Buffer.byteLength(body));
  request.end(body);
  const [response] = await once(request, "response");
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  const isJson = String(response.headers["content-type"]).startsWith("application/json") && text !== "";
  return { status: response.statusCode, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined };
}

export async function exchange(socket: Socket, bytes: string | Buffer): Promise<string> {
  let text = "";
  socket.on("data", (chunk) => (text += chunk));
  socket.on("error", () => {});
  socket.write(bytes);
  await closed(socket);
  return text;
}

/** Waits until a connection is closed, also by a reset, for which `once` of `node:events` would throw. */
export function closed(connection: { once(event: "close", listener: () => void): unknown }): Promise<void> {
  return new Promise((resolve) => connection.once("close", () => resolve()));
}
