import type { EventStore } from "../../src/storage/event-store.ts";
import { readTaskPages } from "../../src/storage/task-pages.ts";
import type { NewTask, TaskRow, TaskStore } from "../../src/storage/task-store.ts";

export interface StoreEnv {
  tasks: TaskStore;
  events: EventStore;
  close(): Promise<void>;
}

/** Opens an empty store, used by one test and closed at its end. */
export type OpenStore = () => Promise<StoreEnv>;

/** Runs a test's body on a store of its own. */
export function withStore(open: OpenStore, body: (env: StoreEnv) => Promise<void>): () => Promise<void> {
  return async () => {
    const env = await open();
    try {
      await body(env);
    } finally {
      await env.close();
    }
  };
}

export const hour = 3600_000;
export const day = 24 * hour;
/** When the tests' tasks are accepted. */
export const noon = Date.UTC(2026, 0, 2, 12);

export function newTask(changes: Partial<NewTask> = {}): NewTask {
  return {
    kind: "create",
    lane: "heavy",
    name: "web",
    user: "admin",
    params: '{"a":1}',
    locks: [],
    creates: null,
    ports: [],
    idempotency: null,
    now: noon,
    ...changes,
  };
}

/** Accepts it, and answers its id. */
export async function accept(tasks: TaskStore, changes: Partial<NewTask> = {}): Promise<number> {
  const accepted = await tasks.accept(newTask(changes));
  if ("id" in accepted) return accepted.id;
  throw new Error(`not accepted: ${JSON.stringify(accepted)}`);
}

/** Accepts and claims it. */
export async function running(tasks: TaskStore, changes: Partial<NewTask> = {}): Promise<number> {
  const id = await accept(tasks, changes);
  await tasks.claim({ id, now: noon + 1 });
  return id;
}

export async function completed(tasks: TaskStore, changes: Partial<NewTask> = {}, end = noon + 2): Promise<number> {
  const id = await running(tasks, changes);
  await tasks.complete({ id, result: 0, error: null, now: end });
  return id;
}

/** It failed, and its undoing as well. */
export async function inDebt(tasks: TaskStore, changes: Partial<NewTask> = {}): Promise<number> {
  const id = await running(tasks, changes);
  await tasks.startUndo({ id, error: "It failed.", now: noon + 2 });
  await tasks.finish({ id, error: "Undoing failed.", undoFailed: true, now: noon + 3 });
  return id;
}

export const port = (number: number) => ({ protocol: "tcp", port: number });

/** A list to its end or its limit. */
export async function listed(tasks: TaskStore, filter: Parameters<TaskStore["list"]>[0]): Promise<TaskRow[]> {
  const rows: TaskRow[] = [];
  for await (const stretch of readTaskPages(tasks, filter)) rows.push(...stretch);
  return rows;
}
