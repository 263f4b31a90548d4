import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";

import { AppError } from "../../../errors.ts";
import { createHttpConnection, type Upload } from "../../shared/http-connection.ts";
import { cancelled, connectionFailure, refusal } from "../failures.ts";

const usualTimeout = 30_000;

/** A request of LXD's API 1.0. */
export interface LxdRequest {
  /** GET unless given. */
  method?: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** The path from /1.0 on, with its query. */
  path: string;
  /** Sent as JSON; absent: no body. */
  body?: unknown;
  /** Sent in the place of `body`. */
  upload?: Upload;
  /** Further headers, as X-LXD-filename. */
  headers?: Readonly<Record<string, string>>;
  /** Ends the request; it throws `cancelled` then. */
  signal?: AbortSignal | undefined;
  /** Milliseconds to the end of the answer; 30 s unless given. */
  timeout?: number;
}

/** An answer that is none of an error: what was asked for, or the operation that was begun. */
export interface LxdAnswer<T> {
  /** async: an operation was begun. */
  type: "sync" | "async";
  /** Path of the operation. */
  operation: string;
  /** What was asked for, or the operation. */
  metadata: T;
  /** The version of a thing; sent as `If-Match` it has LXD change the thing only as it was read. */
  etag?: string | undefined;
}

/** What LXD answers without its envelope. */
export interface RawAnswer {
  /** The headers of the answer, as Node gives them. */
  headers: IncomingHttpHeaders;
  /** The body as UTF-8. */
  body: string;
}

/** How an answer without envelope is asked for. */
export interface RawOptions {
  /** HEAD: only its headers. */
  method?: "GET" | "HEAD";
  /** Bytes of the body at most; absent: as many as there are. */
  limit?: number;
  /** Ends the request; it throws `cancelled` then. */
  signal?: AbortSignal | undefined;
}

/** LXD's REST API over its unix socket. Every failure is an `AppError`. */
export interface LxdHttp {
  /** Path of the socket. */
  readonly socket: string;
  /** Sends a request and returns LXD's answer. Throws LXD's refusal, by its status. */
  send<T>(request: LxdRequest): Promise<LxdAnswer<T>>;
  /** Returns what is at a path. Throws `not_found`. */
  get<T>(path: string, signal?: AbortSignal): Promise<T>;
  /** Returns what is at a path; undefined when nothing is there. */
  find<T>(path: string, signal?: AbortSignal): Promise<T | undefined>;
  /** Returns what LXD answers without its envelope: a log, a file. Throws `too_large` when it is more than `limit`. */
  raw(path: string, options?: RawOptions): Promise<RawAnswer>;
  /** Returns the same of any size, piece by piece; `length`: bytes. */
  stream(path: string, signal: AbortSignal): Promise<Pick<Upload, "length"> & { body: AsyncIterable<Uint8Array> }>;
  /** Returns the body of `raw`. */
  rawText(path: string, signal?: AbortSignal): Promise<string>;
  /** Closes the idle connections. */
  close(): void;
}

/** Returns the API of the LXD behind a unix socket. Nothing is sent before it is used. */
export function createLxdHttp(socket: string): LxdHttp {
  const connection = createHttpConnection({ socketPath: socket }, "lxd");

  async function exchange(request: LxdRequest, size?: number): Promise<RawAnswer & { status: number }> {
    const timeout = request.timeout ?? usualTimeout;
    const limit = AbortSignal.timeout(timeout);
    const signal = request.signal ? AbortSignal.any([request.signal, limit]) : limit;
    try {
      request.signal?.throwIfAborted();
      const response = await connection.send({ ...request, signal }, (request.method ?? "GET") === "GET");
      const { statusCode: status = 500, headers } = response;
      return { status, headers, body: await text(size === undefined ? response : upTo(response, size)) };
    } catch (error) {
      if (request.signal?.aborted) throw cancelled(error);
      if (error instanceof AppError) throw error;
      throw connectionFailure(limit.aborted ? new Error(`no answer in ${timeout / 1000} s`) : error, socket);
    }
  }

  async function send<T>(request: LxdRequest): Promise<LxdAnswer<T>> {
    const { status, headers, body } = await exchange(request);
    const answer = parse(body, socket) as LxdAnswer<T> | { type: "error"; error?: string; error_code?: number };
    if (answer.type === "error") throw refusal(answer.error_code ?? status, answer.error ?? "");
    return { ...answer, etag: headers.etag };
  }

  async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
    return (await send<T>({ path, signal })).metadata;
  }

  async function find<T>(path: string, signal?: AbortSignal): Promise<T | undefined> {
    try {
      return await get<T>(path, signal);
    } catch (error) {
      if (error instanceof AppError && error.code === "not_found") return undefined;
      throw error;
    }
  }

  async function raw(path: string, { method = "GET", limit, signal }: RawOptions = {}): Promise<RawAnswer> {
    const { status, headers, body } = await exchange({ method, path, signal }, limit);
    if (status >= 400) throw refusal(status, errorIn(body) ?? `no ${path.split("/").at(-1)}`);
    return { headers, body };
  }

  return {
    socket,
    send,
    get,
    find,
    raw,
    async stream(path, signal) {
      const response = await connection.send({ path, signal }, false);
      const { statusCode: status = 500, headers } = response;
      if (status >= 400) throw refusal(status, await text(upTo(response, 65_536)));
      return { length: Number(headers["content-length"]), body: response };
    },
    rawText: async (path, signal) => (await raw(path, { signal })).body,
    close: connection.close,
  };
}

async function* upTo(response: IncomingMessage, size: number): AsyncGenerator<Buffer> {
  let seen = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    seen += chunk.length;
    if (seen > size) throw new AppError("too_large", `LXD's answer has more than ${size} bytes.`);
    yield chunk;
  }
}

function errorIn(body: string): string | undefined {
  try {
    return (JSON.parse(body) as { error?: string } | null)?.error;
  } catch {
    return undefined;
  }
}

/**
 * Returns LXD's answer. Throws `engine_unavailable` for what is no JSON, which LXD may send while it starts or ends.
 */
function parse(body: string, socket: string): object {
  try {
    const answer: unknown = JSON.parse(body);
    if (typeof answer === "object" && answer !== null) return answer;
  } catch {
    // Said below.
  }
  throw connectionFailure(new Error("an answer that is none of LXD's"), socket);
}
