import { setTimeout as sleep } from "node:timers/promises";
import type { Task } from "../../src/api/task.ts";

export interface Answer {
  status: number;
  body: unknown;
  headers: Headers;
}

/** A client of the API as the documents describe it: logs in, keeps the cookie, sends what curl would send. */
export function createClient(url: string, password: string) {
  let cookie = "";

  async function send(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const text = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
    const response = await fetch(`${url}/container-station/api/v1${path}`, {
      method,
      headers: { cookie, "content-type": "application/x-www-form-urlencoded", ...headers },
      ...(text !== undefined && { body: text }),
    });
    const answer = await response.text();
    return { status: response.status, body: JSON.parse(answer) as unknown, headers: response.headers };
  }

  async function ok<T>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<T> {
    const answer = await send(method, path, body, headers);
    if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body as T;
  }

  const tasks = () => ok<Task[]>("GET", "/background/");
  const find = async (id: number) => (await tasks()).find((task) => task.id === id);

  return {
    send,
    ok,
    tasks,
    find,
    cookie: () => cookie,
    async login(): Promise<void> {
      const { headers } = await send("POST", "/login", `username=admin&password=${password}`);
      cookie = headers.get("set-cookie")?.split(";")[0] ?? "";
    },
    add: (category: string, body: unknown, headers?: Record<string, string>) =>
      ok<Task>("POST", `/background/${category}`, body, headers),
    /**
     * Polls until the task is final, and answers it. The pause between two looks grows with the time that the task takes: each
     * look costs the station the list of all tasks.
     */
    async ended(id: number, patience = 300_000): Promise<Task> {
      const begun = Date.now();
      for (;;) {
        const task = await find(id);
        if (task && (task.state === "completed" || task.state === "error")) return task;
        const taken = Date.now() - begun;
        if (taken > patience) throw new Error(`task ${id} has not ended: ${JSON.stringify(task)}`);
        await sleep(Math.min(20 + taken / 10, 300));
      }
    },
  };
}

export type Client = ReturnType<typeof createClient>;
