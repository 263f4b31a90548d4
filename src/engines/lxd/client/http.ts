import http from "node:http";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";

import { AppError } from "../../../errors.ts";
import { cancelled, connectionFailure, refusal } from "../failures.ts";

const usualTimeout = 30_000;

/** A body that is no JSON, sent piece by piece. */
export interface Upload {
  type: string;
  /** Bytes. */
  length: number;
  open(): AsyncIterable<Uint8Array>;
}

export interface LxdRequest {
  method?: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** From /1.0 on, with its query. */
  path: string;
  body?: unknown;
  /** In the place of `body`. */
  upload?: Upload;
  headers?: Readonly<Record<string, string>>;
  signal?: AbortSignal | undefined;
  /** Milliseconds to the end of the answer. */
  timeout?: number;
}

/** An answer that is none of an error: what was asked for, or the operation that was begun. */
export interface LxdAnswer<T> {
  type: "sync" | "async";
  /** Path of the operation. */
  operation: string;
  metadata: T;
  /** Of a thing that is changed only as it was read, with `If-Match`. */
  etag?: string | undefined;
}

/** What LXD answers without its envelope. */
export interface RawAnswer {
  headers: http.IncomingHttpHeaders;
  body: string;
}

export interface RawOptions {
  /** HEAD: only its headers. */
  method?: "GET" | "HEAD";
  limit?: number;
  signal?: AbortSignal | undefined;
}

/** LXD's REST API over its unix socket. Every failure is an `AppError`. */
export interface LxdHttp {
  /** Path of the socket. */
  readonly socket: string;
  send<T>(request: LxdRequest): Promise<LxdAnswer<T>>;
  get<T>(path: string, signal?: AbortSignal): Promise<T>;
  /** The same, `undefined` for what is not there. */
  find<T>(path: string, signal?: AbortSignal): Promise<T | undefined>;
  /** What LXD answers without its envelope: a log, a file. `limit`: bytes of it, and it is refused when there are more. */
  raw(path: string, options?: RawOptions): Promise<RawAnswer>;
  /** The same of any size, piece by piece. */
  stream(path: string, signal: AbortSignal): Promise<Pick<Upload, "length"> & { body: AsyncIterable<Uint8Array> }>;
  /** The body of `plain`. */
  rawText(path: string, signal?: AbortSignal): Promise<string>;
  close(): void;
}

export function createLxdHttp(socket: string): LxdHttp {
  const agent = new http.Agent({ keepAlive: true, maxFreeSockets: 8 });

  /** `reuse`: a socket that lay idle may be cut at this moment, so only what can be repeated takes one. */
  function connect(request: LxdRequest, signal: AbortSignal, reuse: boolean): Promise<http.IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    const { upload } = request;
    const headers: http.OutgoingHttpHeaders = { Host: "lxd", ...request.headers };
    const type = upload?.type ?? "application/json";
    const length = upload?.length ?? (body === undefined ? undefined : Buffer.byteLength(body));
    if (length !== undefined) Object.assign(headers, { "Content-Type": type, "Content-Length": length });
    const sent = http.request({
      socketPath: socket,
      headers,
      agent: reuse ? agent : false,
      method: request.method ?? "GET",
      path: request.path,
      signal,
    });
    sent.on("response", resolve);
    sent.on("error", (error: NodeJS.ErrnoException) => {
      const stale = sent.reusedSocket && (error.code === "ECONNRESET" || error.code === "EPIPE") && !signal.aborted;
      if (reuse && stale) connect(request, signal, false).then(resolve, reject);
      else reject(error);
    });
    if (upload) pipeline(upload.open(), sent).catch((error: unknown) => sent.destroy(error as Error));
    else sent.end(body);
    return promise;
  }

  async function exchange(request: LxdRequest, size?: number): Promise<RawAnswer & { status: number }> {
    const timeout = request.timeout ?? usualTimeout;
    const limit = AbortSignal.timeout(timeout);
    const signal = request.signal ? AbortSignal.any([request.signal, limit]) : limit;
    try {
      request.signal?.throwIfAborted();
      const response = await connect(request, signal, (request.method ?? "GET") === "GET");
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
      const response = await connect({ path }, signal, false);
      const { statusCode: status = 500, headers } = response;
      if (status >= 400) throw refusal(status, await text(upTo(response, 65_536)));
      return { length: Number(headers["content-length"]), body: response };
    },
    rawText: async (path, signal) => (await raw(path, { signal })).body,
    close: () => agent.destroy(),
  };
}

async function* upTo(response: http.IncomingMessage, size: number): AsyncGenerator<Buffer> {
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

/** While it starts or ends, LXD may answer with what is no JSON. */
function parse(body: string, socket: string): object {
  try {
    const answer: unknown = JSON.parse(body);
    if (typeof answer === "object" && answer !== null) return answer;
  } catch {
    // Said below.
  }
  throw connectionFailure(new Error("an answer that is none of LXD's"), socket);
}
