import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { NewTask, TaskRow, TaskStore } from "../../src/storage/task-store.ts";
import type { Handler, Kinds, TaskContext } from "../../src/tasks/handler.ts";
import { createTaskMachine, type MachineOptions, type TaskMachine } from "../../src/tasks/machine.ts";
import { newTask } from "../storage/contract-fixture.ts";
import { openAt, openTemporary } from "../storage/temporary.ts";
import { until } from "../support/daemon.ts";
import { silentLog } from "../../src/util/log.ts";

export interface World {
  machine: TaskMachine;
  tasks: TaskStore;
  /** The messages of the activity log, in order. */
  logged(): Promise<string[]>;
  /** What handlers and undoers have done, in order. */
  trace: string[];
  /** Names of steps whose undo fails. */
  stuck: Set<string>;
  add(changes?: Partial<NewTask>): Promise<number>;
  /** Waits until the task is final and returns its row, or "hidden" if it was cancelled. */
  end(id: number): Promise<TaskRow | "hidden">;
  running(id: number): Promise<void>;
  traced(entry: string): Promise<void>;
  /** Drops the machine as a crash would, and starts another one. */
  crash(options?: Partial<MachineOptions> & { start?: false }): Promise<void>;
}

type Act = (context: TaskContext) => unknown;

/** What errors become in the log. */
export const loggedError: Kinds["loggedError"] = (error) => `logged: ${error}`;

/** Makes a machine on a real store. Its kind `create` has this handler, and undoing a step adds a line to the trace. */
export async function createWorld(
  context: TestContext,
  handler: (world: World, request: unknown) => Handler,
  options: Partial<MachineOptions> = {},
): Promise<World> {
  const first = await openTemporary();
  const ends: (() => Promise<void>)[] = [];
  const undoers: Kinds["undoers"] = {
    async note({ name }) {
      world.trace.push(`undo ${String(name)}`);
      if (world.stuck.has(String(name))) throw new Error("stuck");
    },
  };

  function boot(tasks: TaskStore, close: () => Promise<void>, more: Partial<MachineOptions>): TaskMachine {
    const kinds: Kinds = {
      handlers: { create: (request) => handler(world, request) },
      undoers,
      recover: async () => false,
      loggedError,
    };
    const lanes = { quick: 2, heavy: 2 };
    const all = {
      tasks,
      kinds,
      lanes,
      maxTasks: 1000,
      onProgress: () => undefined,
      log: silentLog,
      ...options,
      ...more,
    };
    const machine = createTaskMachine(all);
    ends.unshift(async () => {
      await machine.stop(0);
      await close();
    });
    return machine;
  }

  let audit = first.database.audit;
  const world: World = {
    machine: undefined as unknown as TaskMachine,
    async logged() {
      const { rows } = await audit.list({ filter: {}, before: null, skip: 0, limit: 100 });
      return rows.map(({ message }) => message).toReversed();
    },
    tasks: first.database.tasks,
    trace: [],
    stuck: new Set(),
    async add(changes) {
      const accepted = await world.machine.accept(newTask({ params: "{}", ...changes }));
      assert.ok("id" in accepted, JSON.stringify(accepted));
      return accepted.id;
    },
    async end(id) {
      await soon(
        async () => !(await world.tasks.active()).some(({ task, undoFailed }) => task.id === id && !undoFailed),
      );
      return (await world.tasks.get(id)) ?? "hidden";
    },
    running: (id) => soon(async () => (await world.tasks.row(id))?.state === "running"),
    traced: (entry) => soon(() => world.trace.includes(entry)),
    async crash({ start, ...more } = {}) {
      const { database } = await openAt(first.path);
      world.trace.push("crash");
      world.tasks = database.tasks;
      audit = database.audit;
      world.machine = boot(database.tasks, database.close, more);
      if (start !== false) await world.machine.start();
    },
  };
  world.machine = boot(world.tasks, first.close, {});
  context.after(async () => {
    for (const end of ends) await end();
  });
  return world;
}

/** A handler of these steps, each with its undo. */
export function inSteps(world: World, acts: Record<string, Act>): Handler {
  return {
    async run(context) {
      for (const name of Object.keys(acts)) await step(world, context, name, acts[name]);
      return undefined;
    },
  };
}

export function step(world: World, context: TaskContext, name: string, act: Act = () => null): Promise<unknown> {
  return context.step(name, { op: "note", args: { name } }, async (repeated) => {
    world.trace.push(repeated ? `${name} again` : name);
    return act(context);
  });
}

/** Until the signal aborts; then throws its reason, as a call to an engine does. */
export function stoppable({ signal }: TaskContext): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    if (signal.aborted) reject(signal.reason as Error);
  });
}

/** For what nothing can stop. */
export const never = () => new Promise<never>(() => undefined);

export async function soon(condition: () => Promise<boolean> | boolean): Promise<void> {
  assert.ok(await until(condition, 60_000), "60 s have passed");
}

/** Lets everything that is under way go as far as it gets without time passing: a few commits. */
export async function settle(world: World): Promise<void> {
  for (let n = 0; n < 5; n++) await world.tasks.get(0);
}
