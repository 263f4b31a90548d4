import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import https from "node:https";

import { AppError } from "../../errors.ts";
import { http } from "../../util/node-http.ts";
import { createConnectionGuard, type AddressJudge, type ConnectionGuard } from "./connection-guard.ts";
import { cancelled, unreachable, wrongAnswer } from "./failures.ts";

/** An image server, asked over HTTP. Paths are relative to its address. Every failure is an `AppError`. */
export interface Remote {
  /** Host and port, for a person. */
  readonly host: string;
  /** Returns a JSON document. Throws `remote_failed`. */
  json(path: string, signal: AbortSignal): Promise<unknown>;
  /**
   * Yields a file piece by piece. `size`: the bytes that it must have. Leaving early closes the connection. Throws
   * `remote_failed`.
   */
  file(path: string, size: number, signal: AbortSignal): AsyncGenerator<Buffer, void, undefined>;
}

const connectTimeout = 10_000;
/** Milliseconds without a byte after which a download is given up. */
const stallTimeout = 30_000;
const documentLimit = 64 * 1024 * 1024;
const redirects = 5;

/** How an image server is asked. */
export interface RemoteOptions {
  /** Variables that name proxies. */
  env: Readonly<Record<string, string>>;
  /** Hosts beside the server's own that it may send on to, as HOST or HOST:PORT. */
  hosts: readonly string[];
  /** Refuses addresses that the station must not connect to. */
  judge: AddressJudge;
}

/**
 * Returns an image server that leads to its own origin and to named hosts only, and to no address that the judge
 * refuses. Throws `invalid` for what is no address of a server.
 */
export function createRemote(server: string, { env, hosts, judge }: RemoteOptions): Remote {
  if (!URL.canParse(server)) throw new AppError("invalid", `${server} is not the address of an image server.`);
  const base = new URL(server.endsWith("/") ? server : `${server}/`);
  const { host } = base;
  const guard = createConnectionGuard(host, judge);
  const next = createNext(base, hosts);

  async function json(path: string, signal: AbortSignal): Promise<unknown> {
    const chunks: Buffer[] = [];
    for await (const chunk of read(path, documentLimit, signal)) chunks.push(chunk);
    try {
      return JSON.parse(Buffer.concat(chunks).toString()) as unknown;
    } catch (cause) {
      throw wrongAnswer(host, `answered ${path} with what is no JSON`, cause);
    }
  }

  async function* file(path: string, size: number, signal: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
    let received = 0;
    for await (const chunk of read(path, size, signal)) {
      received += chunk.length;
      yield chunk;
    }
    if (received < size) throw wrongAnswer(host, `ended ${path} after ${received} of ${size} bytes`);
  }

  async function* read(path: string, limit: number, signal: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
    const patience = createPatience(signal);
    let answered = false;
    try {
      const response = await open(next(base, path), path, patience);
      answered = true;
      let received = 0;
      for await (const chunk of response as AsyncIterable<Buffer>) {
        patience.extend();
        received += chunk.length;
        if (received > limit) throw wrongAnswer(host, `sends more than ${limit} bytes for ${path}`);
        yield chunk;
      }
    } catch (error) {
      if (error instanceof AppError) throw error;
      if (signal.aborted) throw cancelled(error);
      const cause = patience.signal.aborted ? patience.signal.reason : error;
      throw answered ? wrongAnswer(host, `stopped in the middle of ${path}`, cause) : unreachable(host, cause);
    } finally {
      patience.end();
    }
  }

  async function open(url: URL, path: string, patience: Patience): Promise<IncomingMessage> {
    let at = url;
    for (let hop = 0; hop <= redirects; hop++) {
      const response = await request(at, { env, guard }, patience);
      const { statusCode = 500, headers } = response;
      if (statusCode === 200) return response;
      response.destroy();
      if (statusCode < 300 || statusCode >= 400 || headers.location === undefined) {
        throw wrongAnswer(host, `answered ${path} with HTTP ${statusCode}`);
      }
      at = next(at, headers.location);
    }
    throw wrongAnswer(host, `redirects ${path} again and again`);
  }

  return { host, json, file };
}

/**
 * Returns what finds the address that a server sends on to; an index may name a whole address too. A login in the server's
 * address stays with that server. Throws `remote_failed` for an address where this station does not go.
 */
function createNext(base: URL, hosts: readonly string[]): (from: URL, location: string) => URL {
  const { host } = base;
  return (from, location) => {
    const to = URL.parse(location, from.href);
    const safe = to?.protocol === "https:" || (to?.protocol === "http:" && from.protocol === "http:");
    if (!to || !safe) throw wrongAnswer(host, "sends on to where this station does not go");
    if (to.origin === base.origin) return to;
    if (!hosts.includes(to.host))
      throw wrongAnswer(
        host,
        `sends on to ${to.host}, where this station does not go unless --image-server-host names it`,
      );
    to.username = "";
    to.password = "";
    return to;
  };
}

async function request(
  url: URL,
  { env, guard }: { env: Readonly<Record<string, string>>; guard: ConnectionGuard },
  patience: Patience,
): Promise<IncomingMessage> {
  const { signal } = patience;
  const headers = { "accept-encoding": "identity", "user-agent": "gantry" };
  const options = { headers, signal, lookup: guard(url) };
  const sent =
    url.protocol === "https:"
      ? https.request(url, { ...options, agent: new https.Agent({ proxyEnv: env }) })
      : http.request(url, { ...options, agent: new http.Agent({ proxyEnv: env }) });
  sent.on("socket", (socket) => {
    if (socket.connecting) socket.once("connect", patience.extend);
    else patience.extend();
  });
  sent.end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  // A reader that leaves early closes it: the error that follows is expected.
  sent.on("error", () => undefined);
  patience.extend();
  return response;
}

interface Patience {
  /** Aborts with the caller's signal, or when nothing was heard for too long. */
  signal: AbortSignal;
  extend(this: void): void;
  end(): void;
}

function createPatience(outer: AbortSignal): Patience {
  const controller = new AbortController();
  const giveUp = (time: number): NodeJS.Timeout =>
    setTimeout(() => controller.abort(new Error(`nothing heard for ${time / 1000} s`)), time);
  let timer = giveUp(connectTimeout);
  return {
    signal: AbortSignal.any([outer, controller.signal]),
    extend() {
      clearTimeout(timer);
      timer = giveUp(stallTimeout);
    },
    end: () => clearTimeout(timer),
  };
}
