import { hash } from "node:crypto";
import { categoryAliases, taskCategories, type Task } from "../api/task.ts";
import type { EngineType } from "../engines/engine.ts";
import { AppError } from "../errors.ts";
import type { Inventory } from "../inventory/inventory.ts";
import type { Actor, NewTask, TaskRow, TaskStore } from "../storage/task-store.ts";
import type { LiveTask, TaskMachine } from "../tasks/machine.ts";
import { authorizeTask } from "./asks.ts";
import { refusal } from "./conflicts.ts";
import { maskedJson } from "./masked.ts";
import type { Owners } from "./owners.ts";
import { authorize, onlyOf, type User, type Verb } from "./policy.ts";
import type { AddOptions, BackgroundKind, BackgroundService, Caller, TaskRequests } from "./services.ts";
import type { Sessions } from "./sessions.ts";
import type { Taken } from "./taken.ts";
import type { Planners, TaskPlan } from "./task-plan.ts";

export interface BackgroundOptions {
  sessions: Sessions;
  inventory: Inventory;
  owners: Owners;
  planners: Planners;
  taken: Taken;
  tasks: TaskStore;
  machine: TaskMachine;
}

const verbs: Readonly<Record<BackgroundKind, Verb>> = {
  create: "container:create",
  image_download: "image:download",
  image_pull: "image:download",
  image_remove: "image:remove",
};

/** Without `limit` the whole list; this many rows at most come from the store at once. */
const wholeList = 1_000_000;

/** The nine documented categories of background tasks: add, list, remove. */
export function createBackgroundService(options: BackgroundOptions): BackgroundService {
  const { sessions, inventory, owners, planners, taken, tasks, machine } = options;

  async function accept(asked: Asked, plan: TaskPlan): Promise<Task> {
    try {
      await taken.refuse(plan, asked.user);
    } catch (error) {
      // It may be the same request, a moment earlier, that has taken it.
      const known = await repeated(asked);
      if (known) return known;
      throw error;
    }
    const task = rowOf(asked, plan);
    const accepted = await machine.accept(task);
    if ("id" in accepted) return newTask(accepted.id, task, asked.request);
    if ("repeated" in accepted) return taskOf(accepted.repeated, machine.live(accepted.repeated.id));
    // A claim may outlive its container by a moment: when that is so it is dropped, and the task tried again.
    if ("claimed" in accepted && (await taken.releaseIfStale(accepted.claimed.owner))) return accept(asked, plan);
    throw refusal(accepted, asked.user);
  }

  /** The task that this key and body made before, whatever has become of the engine, the registry or the port since. */
  async function repeated({ user, idempotency }: Asked): Promise<Task | undefined> {
    const found = idempotency && (await tasks.repeated({ user: user.name, idempotency, now: Date.now() }));
    if (!found) return undefined;
    if ("reused" in found) throw refusal(found, user);
    return taskOf(found.repeated, machine.live(found.repeated.id));
  }

  async function cancel(id: number, user: User, by: Actor): Promise<number[]> {
    const row = user.role === "admin" ? undefined : await tasks.get(id);
    authorize(user, "task:remove", [{ owner: row?.user, name: `task ${id}` }]);
    const answer = await machine.cancel(id, by);
    if (answer === "unknown") throw new AppError("not_found", `There is no task ${id}.`);
    if (answer === "past_pivot") throw new AppError("conflict", `Task ${id} cannot be cancelled at this moment.`);
    if (answer !== "final") return [id];
    const cleared = await tasks.clear({ id, kind: null, by });
    if (cleared.length === 0) throw new AppError("not_found", `There is no task ${id}.`);
    return cleared;
  }

  return {
    async add<K extends BackgroundKind>(caller: Caller, kind: K, request: TaskRequests[K], options: AddOptions) {
      const user = sessions.authenticate(caller);
      authorize(user, verbs[kind]);
      const params = JSON.stringify(request);
      const idempotency = idempotencyOf(kind, params, options);
      const asked: Asked = { kind, request, params, user, address: caller.address, idempotency };
      const known = idempotency && (await repeated(asked));
      if (known) return known;
      const plan = await (planners[kind] as (request: TaskRequests[K]) => Promise<TaskPlan>)(request);
      await authorizeTask(owners, user, verbs[kind], plan.asks);
      for (const type of plan.types) inventory.require(type as EngineType);
      return accept(asked, plan);
    },

    async refuse(caller, category) {
      sessions.authenticate(caller);
      if (isCategory(category))
        throw new AppError("unsupported", `The category ${category} is not carried out by this version.`);
      throw new AppError("not_found", `There is no category ${category}.`);
    },

    async list(caller, { category, limit, before }) {
      const user = onlyOf(sessions.authenticate(caller), "task:list");
      const kind = category === undefined ? null : (categoryAliases[category] ?? category);
      if (kind !== null && !isCategory(kind)) {
        throw new AppError("invalid", `category is unknown: ${category}`, { details: { field: "category" } });
      }
      const rows = await tasks.list({ kind, limit: limit ?? wholeList, before: before ?? null, user });
      if (rows === "too_large")
        throw new AppError("too_large", "The list is too large for one answer: ask for less with limit.");
      return rows.map((row) => taskOf(row, machine.live(row.id)));
    },

    async remove(caller, target) {
      const user = sessions.authenticate(caller);
      const only = onlyOf(user, "task:remove");
      const by = { user: user.name, address: caller.address };
      if (target === undefined) return tasks.clear({ id: null, kind: null, user: only, by });
      if (/^[0-9]{1,15}$/.test(target)) return cancel(Number(target), user, by);
      const kind = categoryAliases[target] ?? target;
      if (!isCategory(kind)) throw new AppError("not_found", `There is no category ${target}.`);
      return tasks.clear({ id: null, kind, user: only, by });
    },
  };
}

/** A request on its way to become a task. */
interface Asked {
  kind: BackgroundKind;
  request: unknown;
  /** The request as JSON. */
  params: string;
  user: User;
  address: string;
  idempotency: NewTask["idempotency"];
}

function rowOf({ kind, params, user, address, idempotency }: Asked, plan: TaskPlan): NewTask {
  const { lane, name, locks, creates, ports } = plan;
  return { kind, lane, name, user: user.name, address, params, locks, creates, ports, idempotency, now: Date.now() };
}

function idempotencyOf(
  kind: BackgroundKind,
  params: string,
  { idempotencyKey: key }: AddOptions,
): NewTask["idempotency"] {
  return key === undefined ? null : { key, hash: hash("sha256", `${categoryAliases[kind] ?? kind} ${params}`) };
}

function isCategory(text: string): boolean {
  return (taskCategories as readonly string[]).includes(text);
}

/** As it was accepted; it may be running by now. */
function newTask(id: number, task: NewTask, request: unknown): Task {
  return {
    category: task.kind,
    deletable: false,
    detail_state: "",
    id,
    init: seconds(task.now),
    name: task.name,
    params: maskedJson(task.params, request),
    progress: -1,
    state: "waiting",
    user: task.user,
  };
}

function taskOf(row: TaskRow, running: LiveTask | undefined): Task {
  // The last word of a task that is over is its row's.
  const live = shownStates[row.state] === "running" ? running : undefined;
  return {
    category: row.kind,
    deletable: row.state === "running" && (live?.cancellable ?? false),
    detail_state: live?.detail ?? row.detail,
    ...(row.end !== null && { end: seconds(row.end) }),
    ...errorOf(row),
    id: row.id,
    init: seconds(row.init),
    name: row.name,
    params: maskedJson(row.params),
    progress: live?.progress ?? row.progress,
    ...(row.result !== null && { result: row.result }),
    ...(row.start !== null && { start: seconds(row.start) }),
    state: shownStates[row.state],
    user: row.user,
  };
}

/** The documents know four words. A cancelled task is in no list; only its idempotency key still finds it. */
const shownStates: Readonly<Record<TaskRow["state"], Task["state"]>> = {
  waiting: "waiting",
  running: "running",
  undoing: "running",
  completed: "completed",
  error: "error",
  cancelled: "error",
};

function errorOf({ state, error }: TaskRow): { error?: string } {
  if (state === "cancelled") return { error: "The task was cancelled." };
  return state === "error" && error !== null ? { error } : {};
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
