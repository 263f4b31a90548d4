import http from "node:http";

import { AppError } from "../../../errors.ts";
import { cancelled, connectionFailure, reasonOf, statusFailure } from "../failures.ts";
import { jsonLines, readText } from "./json-lines.ts";

/** The version that the driver is written for; a server that no longer speaks it gets its oldest. */
const wanted = "1.41";
const readTimeout = 30_000;
const writeTimeout = 600_000;

export interface DockerRequest {
  method?: "GET" | "POST" | "DELETE";
  /** Below the version prefix, as /containers/json. */
  path: string;
  query?: Record<string, string>;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
  /** Milliseconds to the end of the answer; 0 = none. */
  timeout?: number;
}

/** The Engine REST API over a unix socket or TCP. Every failure is an `AppError`. */
export interface DockerHttp {
  readonly address: string;
  /** The API version agreed on, as "1.41". */
  version(): Promise<string>;
  /** The JSON answer, `undefined` if it is empty. */
  json<T>(request: DockerRequest): Promise<T>;
  /** Each line of an endless or long answer; returning early closes the connection. No time limit. */
  lines(request: DockerRequest): AsyncGenerator<unknown, void, undefined>;
  /** The body of an answer as it comes, to be read or destroyed. No time limit. */
  open(request: DockerRequest): Promise<http.IncomingMessage>;
  /** Without version, within 2 s. */
  probe<T>(path: string): Promise<T>;
  close(): void;
}

/** unix:///path or tcp://host:port. */
export function parseAddress(address: string): { socketPath: string } | { host: string; port: number } {
  const unix = /^unix:\/\/(\/.+)$/.exec(address);
  if (unix?.[1]) return { socketPath: unix[1] };
  const tcp = /^(?:tcp|http):\/\/(\[[^\]]+\]|[^:/]+)(?::(\d+))?\/?$/.exec(address);
  if (tcp?.[1]) return { host: tcp[1].replaceAll(/[[\]]/g, ""), port: Number(tcp[2] ?? 2375) };
  throw new AppError("invalid", `${address} is not an address of Docker: unix:///path or tcp://host:port.`);
}

export function createDockerHttp(address: string): DockerHttp {
  const target = parseAddress(address);
  const agent = new http.Agent({ keepAlive: true, maxFreeSockets: 8 });
  let agreed: Promise<string> | undefined;

  function version(): Promise<string> {
    agreed ??= negotiate().catch((error: unknown) => {
      agreed = undefined;
      throw error;
    });
    return agreed;
  }

  async function negotiate(): Promise<string> {
    const server = await probe<{ ApiVersion?: string; MinAPIVersion?: string }>("/version");
    return clampVersion(server.ApiVersion, server.MinAPIVersion);
  }

  /** `reuse`: a socket that lay idle may be cut by the server at this moment, so only what can be repeated takes one. */
  function connect(
    path: string,
    request: DockerRequest,
    signal: AbortSignal | undefined,
    reuse: boolean,
  ): Promise<http.IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    const headers: http.OutgoingHttpHeaders = { Host: "docker", ...request.headers };
    if (body !== undefined)
      Object.assign(headers, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) });
    const query = new URLSearchParams(request.query).toString();
    const sent = http.request({
      ...target,
      headers,
      agent: reuse ? agent : false,
      method: request.method ?? "GET",
      path: query ? `${path}?${query}` : path,
      ...(signal && { signal }),
    });
    // A stream of events over TCP is silent for hours; a dead peer shall be noticed.
    sent.on("socket", (socket) => socket.setKeepAlive(true, 30_000));
    sent.on("response", resolve);
    sent.on("error", (error: NodeJS.ErrnoException) => {
      const stale = sent.reusedSocket && (error.code === "ECONNRESET" || error.code === "EPIPE") && !signal?.aborted;
      if (reuse && stale) connect(path, request, signal, false).then(resolve, reject);
      else reject(error);
    });
    sent.end(body);
    return promise;
  }

  /** A failed connection may mean another server the next time: its version is asked for again. */
  function failure(error: unknown, signal: AbortSignal | undefined): unknown {
    if (error instanceof AppError) return error;
    if (signal?.aborted) return cancelled(error);
    agreed = undefined;
    return connectionFailure(error, address);
  }

  async function exchange<T>(path: string, request: DockerRequest, timeout: number): Promise<T> {
    const limit = timeout > 0 ? AbortSignal.timeout(timeout) : undefined;
    const signal = limit && request.signal ? AbortSignal.any([request.signal, limit]) : (limit ?? request.signal);
    try {
      request.signal?.throwIfAborted();
      const reuse = (request.method ?? "GET") === "GET";
      const response = await connect(path, request, signal, reuse);
      const text = await readText(response);
      refuse(response, text);
      return parse(text) as T;
    } catch (error) {
      if (limit?.aborted && !request.signal?.aborted)
        throw failure(new Error(`no answer in ${timeout / 1000} s`), undefined);
      throw failure(error, request.signal);
    }
  }

  function probe<T>(path: string): Promise<T> {
    return exchange<T>(path, { path }, 2000);
  }

  /** A newer or older server behind the same address refuses the version before it acts, so asking again is safe. */
  async function versioned<T>(request: DockerRequest, send: (path: string) => Promise<T>): Promise<T> {
    request.signal?.throwIfAborted();
    try {
      return await send(`/v${await abortable(version(), request.signal)}${request.path}`);
    } catch (error) {
      if (!/client version .* is too (?:old|new)/.test(reasonOf(error))) throw error;
      agreed = undefined;
      return send(`/v${await abortable(version(), request.signal)}${request.path}`);
    }
  }

  function json<T>(request: DockerRequest): Promise<T> {
    const timeout = request.timeout ?? ((request.method ?? "GET") === "GET" ? readTimeout : writeTimeout);
    return versioned(request, (path) => exchange<T>(path, request, timeout)).catch((error: unknown) => {
      throw failure(error, request.signal);
    });
  }

  async function open(request: DockerRequest): Promise<http.IncomingMessage> {
    try {
      return await versioned(request, async (path) => {
        const answer = await connect(path, request, request.signal, false);
        if ((answer.statusCode ?? 500) >= 300) refuse(answer, await readText(answer));
        return answer;
      });
    } catch (error) {
      throw failure(error, request.signal);
    }
  }

  async function* lines(request: DockerRequest): AsyncGenerator<unknown, void, undefined> {
    let response: http.IncomingMessage | undefined;
    try {
      response = await open(request);
      yield* jsonLines(response);
      if (request.signal?.aborted) throw cancelled();
    } catch (error) {
      throw failure(error, request.signal);
    } finally {
      response?.destroy();
    }
  }

  return { address, version, json, lines, open, probe, close: () => agent.destroy() };
}

function clampVersion(newest = wanted, oldest = wanted): string {
  const minor = (version: string): number => Number(version.split(".")[1] ?? 0);
  if (minor(oldest) > minor(wanted)) return oldest;
  return minor(newest) < minor(wanted) ? newest : wanted;
}

/** The version is asked for once for many calls, so no one's signal may end the question itself. */
async function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(cancelled());
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function refuse(response: http.IncomingMessage, text: string): void {
  const status = response.statusCode ?? 500;
  // A path with ".." in it is answered with its clean form: what was named does not exist.
  if (status >= 300 && status < 304) throw statusFailure(404, "page not found");
  if (status < 400) return;
  const body = parse(text);
  const message = typeof body === "object" && body !== null && "message" in body ? body.message : body;
  throw statusFailure(status, typeof message === "string" ? message : text);
}

/** `_ping` and some errors are not JSON. */
function parse(text: string): unknown {
  if (text.trim() === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text.trim();
  }
}
