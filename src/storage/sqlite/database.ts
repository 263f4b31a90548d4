import { Worker } from "node:worker_threads";
import { AppError } from "../../errors.ts";
import { createQueue } from "../../util/fifo-queue.ts";
import type { AccountStore } from "../account-store.ts";
import type { AuditStore } from "../audit-store.ts";
import type { ClockStore } from "../clock-store.ts";
import type { EventStore } from "../event-store.ts";
import type { OpenvzStore } from "../openvz-store.ts";
import type { RegistryStore } from "../registry-store.ts";
import type { TaskStore } from "../task-store.ts";
import type { Answer, BatchAnswer, ErrorKind, Identity, OpenOptions } from "./transactions.ts";

export type { OpenOptions };

/** The stores of one database file, their SQL in a thread of its own, because a commit waits for the disk. */
export interface Database {
  identity: Identity;
  tasks: TaskStore;
  events: EventStore;
  accounts: AccountStore;
  registries: RegistryStore;
  audit: AuditStore;
  openvz: OpenvzStore;
  clock: ClockStore;
  /** Called after each batch that changed something; whoever follows the events looks for new ones. */
  onCommit(listener: () => void): void;
  close(): Promise<void>;
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/**
 * Opens the database, or throws `conflict` when a newer version wrote it. `onFatal` is called at the first I/O error:
 * what the disk holds is then unknown, and the process must end.
 */
export async function openDatabase(options: OpenOptions, onFatal: (reason: string) => void): Promise<Database> {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: options });
  const identity = await opened(worker, options.path);
  const { call, onCommit, settled } = batching(worker, onFatal);
  worker.on("error", (error) => onFatal(`the store's thread failed: ${error}`));
  return {
    identity,
    tasks: store("tasks", call) as TaskStore,
    events: store("events", call) as EventStore,
    accounts: store("accounts", call) as AccountStore,
    registries: store("registries", call) as RegistryStore,
    audit: store("audit", call) as AuditStore,
    openvz: store("openvz", call) as OpenvzStore,
    clock: store("clock", call) as ClockStore,
    onCommit,
    async close() {
      await settled();
      const gone = new Promise((resolve) => worker.once("exit", resolve));
      worker.postMessage("close");
      await gone;
    },
  };
}

function opened(worker: Worker, path: string): Promise<Identity> {
  return new Promise((resolve, reject) => {
    worker.once("error", reject);
    worker.once("message", (message: string) => {
      worker.off("error", reject);
      const answer = JSON.parse(message) as { opened: Identity } | { failed: ErrorKind; message: string };
      if ("opened" in answer) return resolve(answer.opened);
      const newer = "was written by a newer version of Gantry: start that version, or another data folder";
      const reason = answer.failed === "newer" ? newer : `cannot be opened: ${answer.message}`;
      reject(new AppError("conflict", `The database ${path} ${reason}.`));
    });
  });
}

/** So many calls are sent before the turn of the event loop is over: the thread works while more requests are read. */
const fullBatch = 25;

/**
 * Calls of one turn of the event loop go together, without waiting for the calls before them: the thread takes all that
 * has come by then as its next batch, and answers in order.
 */
function batching(worker: Worker, onFatal: (reason: string) => void) {
  const sent = createQueue<Pending>();
  const listeners: (() => void)[] = [];
  const idle: (() => void)[] = [];
  let queued: string[] = [];
  let open = 0;

  function flush(): void {
    if (queued.length === 0) return;
    worker.postMessage(queued.join(","));
    queued = [];
  }

  worker.on("message", (message: string) => {
    const { changed, answers } = JSON.parse(message) as BatchAnswer;
    for (const answer of answers) settle(sent.shift() as Pending, answer, onFatal);
    open -= answers.length;
    if (changed) for (const listener of listeners) listener();
    if (open === 0) for (const resolve of idle.splice(0)) resolve();
  });

  function call(verb: string, argument: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (queued.length === 0) setImmediate(flush);
      queued.push(`["${verb}",${argument === undefined ? "null" : JSON.stringify(argument)}]`);
      sent.push({ resolve, reject });
      open++;
      if (queued.length >= fullBatch) flush();
    });
  }

  const settled = () => new Promise<void>((resolve) => (open === 0 ? resolve() : idle.push(resolve)));
  return { call, settled, onCommit: (listener: () => void) => void listeners.push(listener) };
}

function settle(pending: Pending, answer: Answer, onFatal: (reason: string) => void): void {
  if (answer[0] === 0) return pending.resolve(answer[1] ?? undefined);
  const [, kind, message] = answer;
  if (kind === "disk_full") {
    const where = "The disk that holds Gantry's data folder is full: free some space and try again.";
    return pending.reject(new AppError("disk_full", where));
  }
  if (kind === "fatal") onFatal(message);
  pending.reject(new AppError("internal", "The store failed.", { cause: new Error(message) }));
}

/** Every method is a call of the verb of its name. */
function store(group: string, call: (verb: string, argument: unknown) => Promise<unknown>): unknown {
  const methods = new Map<string, (argument: unknown) => Promise<unknown>>();
  return new Proxy(
    {},
    {
      get(_target, name: string) {
        // Not a promise, whatever an await makes of it.
        if (name === "then") return undefined;
        let method = methods.get(name);
        if (!method) methods.set(name, (method = (argument) => call(`${group}.${name}`, argument)));
        return method;
      },
    },
  );
}
