import { request } from "node:http";
import { text } from "node:stream/consumers";

const patience = 60_000;

interface Answer {
  type: "sync" | "async" | "error";
  error?: string;
  metadata: unknown;
}

/** One request to LXD that needs no operation to be waited for. Throws with LXD's own reason. */
export async function askLxd<T>(socketPath: string, method: string, path: string, body?: unknown): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const sent = request({ socketPath, method, path, timeout: patience }, (response) => {
    text(response).then(resolve, reject);
  });
  sent.once("timeout", () => sent.destroy(new Error("LXD does not answer.")));
  sent.once("error", reject);
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  const answer = JSON.parse(await promise) as Answer;
  if (answer.type === "error") throw new Error(answer.error ?? `LXD refuses ${method} ${path}.`);
  return answer.metadata as T;
}
