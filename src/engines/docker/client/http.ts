import type { IncomingMessage } from "node:http";

import { AppError } from "../../../errors.ts";
import { createHttpConnection, type HttpTarget } from "../../shared/http-connection.ts";
import { cancelled, connectionFailure, reasonOf, statusFailure } from "../failures.ts";
import { jsonLines, readText } from "./json-lines.ts";
import { createAgreedVersion } from "./version.ts";

/** Milliseconds to the end of an answer. */
const readTimeout = 30_000;
const writeTimeout = 600_000;
const probeTimeout = 2_000;

/** A request of Docker's API 1.41. */
export interface DockerRequest {
  /** GET unless given. */
  method?: "GET" | "POST" | "DELETE";
  /** The path below the version prefix, as /containers/json. */
  path: string;
  /** Names and values of the query; they are encoded. */
  query?: Record<string, string>;
  /** Sent as JSON; absent: no body. */
  body?: unknown;
  /** Further headers, as X-Registry-Auth. */
  headers?: Record<string, string>;
  /** Ends the request; it throws `cancelled` then. */
  signal?: AbortSignal | undefined;
  /** Milliseconds to the end of the answer; 0 = none. Absent: 30 s for a GET, else 10 minutes. */
  timeout?: number;
}

/** The Engine REST API over a unix socket or TCP. Every failure is an `AppError`. */
export interface DockerHttp {
  /** As unix:///path or tcp://host:port. */
  readonly address: string;
  /** Returns the API version agreed on, as "1.41". */
  version(): Promise<string>;
  /** Returns the JSON answer, `undefined` if it is empty. */
  json<T>(request: DockerRequest): Promise<T>;
  /** Yields each line of an endless or long answer; returning early closes the connection. No time limit. */
  lines(request: DockerRequest): AsyncGenerator<unknown, void, undefined>;
  /** Resolves with an answer whose body is to be read or destroyed. No time limit. */
  open(request: DockerRequest): Promise<IncomingMessage>;
  /** Returns the JSON answer to a GET without version prefix. Throws `engine_unavailable` after 2 s. */
  probe<T>(path: string): Promise<T>;
  /** Closes the idle connections. */
  close(): void;
}

/** Returns where an address leads. Throws `invalid` for one that is neither unix:///path nor tcp://host:port. */
export function parseAddress(address: string): HttpTarget {
  const unix = /^unix:\/\/(\/.+)$/.exec(address);
  if (unix?.[1]) return { socketPath: unix[1] };
  const tcp = /^(?:tcp|http):\/\/(\[[^\]]+\]|[^:/]+)(?::(\d+))?\/?$/.exec(address);
  if (tcp?.[1]) return { host: tcp[1].replaceAll(/[[\]]/g, ""), port: Number(tcp[2] ?? 2375) };
  throw new AppError("invalid", `${address} is not an address of Docker: unix:///path or tcp://host:port.`);
}

/** Returns the API of the Docker at an address. Nothing is sent before it is used. */
export function createDockerHttp(address: string): DockerHttp {
  const connection = createHttpConnection(parseAddress(address), "docker");
  const version = createAgreedVersion(() => probe("/version"));

  /** A failed connection may mean another server the next time: its version is asked for again. */
  function failure(error: unknown, signal: AbortSignal | undefined): unknown {
    if (error instanceof AppError) return error;
    if (signal?.aborted) return cancelled(error);
    version.forget();
    return connectionFailure(error, address);
  }

  async function exchange<T>(path: string, request: DockerRequest, timeout: number): Promise<T> {
    const limit = timeout > 0 ? AbortSignal.timeout(timeout) : undefined;
    const signal = limit && request.signal ? AbortSignal.any([request.signal, limit]) : (limit ?? request.signal);
    try {
      request.signal?.throwIfAborted();
      const reuse = (request.method ?? "GET") === "GET";
      const response = await connection.send({ ...request, path: withQuery(path, request.query), signal }, reuse);
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
    return exchange<T>(path, { path }, probeTimeout);
  }

  /** A newer or older server behind the same address refuses the version before it acts, so asking again is safe. */
  async function versioned<T>(request: DockerRequest, send: (path: string) => Promise<T>): Promise<T> {
    request.signal?.throwIfAborted();
    try {
      return await send(`/v${await version.get(request.signal)}${request.path}`);
    } catch (error) {
      if (!/client version .* is too (?:old|new)/.test(reasonOf(error))) throw error;
      version.forget();
      return send(`/v${await version.get(request.signal)}${request.path}`);
    }
  }

  function json<T>(request: DockerRequest): Promise<T> {
    const timeout = request.timeout ?? ((request.method ?? "GET") === "GET" ? readTimeout : writeTimeout);
    return versioned(request, (path) => exchange<T>(path, request, timeout)).catch((error: unknown) => {
      throw failure(error, request.signal);
    });
  }

  async function open(request: DockerRequest): Promise<IncomingMessage> {
    try {
      return await versioned(request, async (path) => {
        const answer = await connection.send({ ...request, path: withQuery(path, request.query) }, false);
        if ((answer.statusCode ?? 500) >= 300) refuse(answer, await readText(answer));
        return answer;
      });
    } catch (error) {
      throw failure(error, request.signal);
    }
  }

  async function* lines(request: DockerRequest): AsyncGenerator<unknown, void, undefined> {
    let response: IncomingMessage | undefined;
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

  return { address, version: () => version.get(), json, lines, open, probe, close: connection.close };
}

function withQuery(path: string, query: Record<string, string> | undefined): string {
  const text = new URLSearchParams(query).toString();
  return text ? `${path}?${text}` : path;
}

function refuse(response: IncomingMessage, text: string): void {
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
