import { text } from "node:stream/consumers";
import { http } from "../../util/node-http.ts";

const timeout = 60_000;

interface Response {
  type: "sync" | "async" | "error";
  error?: string;
  metadata: unknown;
}

/**
 * Sends a request to LXD's REST API and returns the response's `metadata`. It does not wait for operations. Throws LXD's
 * own message, or after 60 s without a response.
 */
export async function requestLxd<T>(socketPath: string, method: string, path: string, body?: unknown): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const sent = http.request({ socketPath, method, path, timeout: timeout }, (response) => {
    text(response).then(resolve, reject);
  });
  sent.once("timeout", () => sent.destroy(new Error("LXD does not answer.")));
  sent.once("error", reject);
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  const parsed = JSON.parse(await promise) as Response;
  if (parsed.type === "error") throw new Error(parsed.error ?? `LXD refuses ${method} ${path}.`);
  return parsed.metadata as T;
}
