import { extname } from "node:path";
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

/**
 * The stores of one database file. SQL runs in a thread of its own, because commits wait for the disk. Every method of a
 * store throws `disk_full` if the disk has no room for it, and `internal` if the store has failed.
 */
export interface Database {
  /** Who this station is, and which of its starts this is. */
  identity: Identity;
  /** The task machine's store. */
  tasks: TaskStore;
  /** The events that clients read. */
  events: EventStore;
  /** Users, sessions and tokens. */
  accounts: AccountStore;
  /** Registries of images. */
  registries: RegistryStore;
  /** The audit log. */
  audit: AuditStore;
  /** Containers and jobs of the containers-and-jobs API. */
  openvz: OpenvzStore;
  /** The last reading of the host's clocks. */
  clock: ClockStore;
  /** Adds a listener that is called after each commit that changed something, for example because there are new events. */
  onCommit(listener: () => void): void;
  /** Waits for all calls and closes the file. */
  close(): Promise<void>;
}

/** A call that waits for its answer. */
interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/**
 * Opens the database and brings its tables to this version. Throws `conflict` if that fails, or if a newer version of Gantry
 * has written the file. `onFatal` is called at the first I/O error: what the disk holds is then unknown, and the process must
 * end.
 */
export async function openDatabase(options: OpenOptions, onFatal: (reason: string) => void): Promise<Database> {
  const worker = new Worker(new URL(`worker${extname(import.meta.url)}`, import.meta.url), { workerData: options });
  const identity = await waitUntilOpen(worker, options.path);
  const { call, onCommit, whenIdle } = createCaller(worker, onFatal);
  worker.on("error", (error) => onFatal(`the store's thread failed: ${error}`));
  return {
    identity,
    tasks: createStore("tasks", call) as TaskStore,
    events: createStore("events", call) as EventStore,
    accounts: createStore("accounts", call) as AccountStore,
    registries: createStore("registries", call) as RegistryStore,
    audit: createStore("audit", call) as AuditStore,
    openvz: createStore("openvz", call) as OpenvzStore,
    clock: createStore("clock", call) as ClockStore,
    onCommit,
    async close() {
      await whenIdle();
      const gone = new Promise((resolve) => worker.once("exit", resolve));
      worker.postMessage("close");
      await gone;
    },
  };
}

function waitUntilOpen(worker: Worker, path: string): Promise<Identity> {
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

/** With this many calls a message is sent at once, so that the thread works while more requests are read. */
const maxBatch = 25;

/**
 * Sends the calls of one turn of the event loop in one message, without waiting for earlier calls. The thread takes all
 * messages that have arrived as its next batch, and answers in order.
 */
function createCaller(worker: Worker, onFatal: (reason: string) => void) {
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
    for (const answer of answers) finishCall(sent.shift() as Pending, answer, onFatal);
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
      if (queued.length >= maxBatch) flush();
    });
  }

  const whenIdle = () => new Promise<void>((resolve) => (open === 0 ? resolve() : idle.push(resolve)));
  return { call, whenIdle, onCommit: (listener: () => void) => void listeners.push(listener) };
}

function finishCall(pending: Pending, answer: Answer, onFatal: (reason: string) => void): void {
  if (answer[0] === 0) return pending.resolve(answer[1] ?? undefined);
  const [, kind, message] = answer;
  if (kind === "disk_full") {
    const where = "The disk that holds Gantry's data folder is full: free some space and try again.";
    return pending.reject(new AppError("disk_full", where));
  }
  if (kind === "fatal") onFatal(message);
  pending.reject(new AppError("internal", "The store failed.", { cause: new Error(message) }));
}

/** Makes a store: every method calls the verb of its name. */
function createStore(group: string, call: (verb: string, argument: unknown) => Promise<unknown>): unknown {
  const methods = new Map<string, (argument: unknown) => Promise<unknown>>();
  return new Proxy(
    {},
    {
      get(_target, name: string) {
        // `await` asks every object for `then`; a store is no promise.
        if (name === "then") return undefined;
        let method = methods.get(name);
        if (!method) methods.set(name, (method = (argument) => call(`${group}.${name}`, argument)));
        return method;
      },
    },
  );
}
