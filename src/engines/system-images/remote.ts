import { once } from "node:events";
import http from "node:http";
import https from "node:https";

import { AppError } from "../../errors.ts";
import { cancelled, unreachable, wrongAnswer } from "./failures.ts";

/** An image server, asked over HTTP. Paths are relative to its address. Every failure is an `AppError`. */
export interface Remote {
  /** Host and port, for a person. */
  readonly host: string;
  /** The whole of a JSON document. */
  json(path: string, signal: AbortSignal): Promise<unknown>;
  /** A file, piece by piece. `size`: what it must have. Leaving early closes the connection. */
  file(path: string, size: number, signal: AbortSignal): AsyncGenerator<Buffer, void, undefined>;
}

const connectTimeout = 10_000;
/** Without a byte. */
const stallTimeout = 30_000;
const documentLimit = 64 * 1024 * 1024;
const redirects = 5;

/** `env`: variables that name proxies. */
export function createRemote(server: string, env: Readonly<Record<string, string>>): Remote {
  if (!URL.canParse(server)) throw new AppError("invalid", `${server} is not the address of an image server.`);
  const base = new URL(server.endsWith("/") ? server : `${server}/`);
  const { host } = base;

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
      const response = await open(resolved(base, path, host), path, patience);
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

  async function open(url: URL, path: string, patience: Patience): Promise<http.IncomingMessage> {
    let at = url;
    for (let hop = 0; hop <= redirects; hop++) {
      const response = await request(at, env, patience);
      const { statusCode = 500, headers } = response;
      if (statusCode === 200) return response;
      response.destroy();
      if (statusCode < 300 || statusCode >= 400 || headers.location === undefined) {
        throw wrongAnswer(host, `answered ${path} with HTTP ${statusCode}`);
      }
      at = resolved(at, headers.location, host);
    }
    throw wrongAnswer(host, `redirects ${path} again and again`);
  }

  return { host, json, file };
}

/** An index may name a whole address too. */
function resolved(from: URL, location: string, host: string): URL {
  const to = URL.parse(location, from.href);
  const safe = to?.protocol === "https:" || (to?.protocol === "http:" && from.protocol === "http:");
  if (!to || !safe) throw wrongAnswer(host, "sends on to where this station does not go");
  return to;
}

async function request(
  url: URL,
  env: Readonly<Record<string, string>>,
  patience: Patience,
): Promise<http.IncomingMessage> {
  const { signal } = patience;
  const headers = { "accept-encoding": "identity", "user-agent": "gantry" };
  const sent =
    url.protocol === "https:"
      ? https.request(url, { headers, signal, agent: new https.Agent({ proxyEnv: env }) })
      : http.request(url, { headers, signal, agent: new http.Agent({ proxyEnv: env }) });
  sent.on("socket", (socket) => {
    if (socket.connecting) socket.once("connect", patience.extend);
    else patience.extend();
  });
  sent.end();
  const [response] = (await once(sent, "response")) as [http.IncomingMessage];
  // Whoever leaves early closes it; that it then breaks is no news.
  sent.on("error", () => undefined);
  patience.extend();
  return response;
}

interface Patience {
  /** Also aborts when nothing was heard for too long. */
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
