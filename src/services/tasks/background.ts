import type { Verb } from "../../api/verbs.ts";
import { hash } from "node:crypto";
import { categoryAliases, taskCategories, type Task } from "../../api/task.ts";
import type { EngineType } from "../../engines/engine.ts";
import { AppError } from "../../errors.ts";
import type { Inventory } from "../../inventory/inventory.ts";
import { clearAll } from "../../storage/task-pages.ts";
import type { Actor, NewTask, TaskRow, TaskStore } from "../../storage/task-store.ts";
import type { TaskMachine } from "../../tasks/machine.ts";
import { authorizeTask } from "../access/task-authorization.ts";
import type { Cards } from "../networks/cards.ts";
import { refusal } from "../access/conflicts.ts";
import type { Owners } from "../access/owners.ts";
import type { Places } from "../access/connection-quota.ts";
import { authorize, onlyOf, type User } from "../access/policy.ts";
import type { AddOptions, BackgroundKind, BackgroundService, Caller, TaskRequests } from "../contract/services.ts";
import type { Sessions } from "../accounts/sessions.ts";
import type { Taken } from "../containers/availability.ts";
import { createTaskList, sightOf } from "./list.ts";
import type { Planners, TaskPlan } from "./planners.ts";
import { newTask, taskOf } from "./task-view.ts";

export interface BackgroundOptions {
  sessions: Sessions;
  inventory: Inventory;
  owners: Owners;
  planners: Planners;
  taken: Taken;
  cards: Pick<Cards, "check">;
  tasks: TaskStore;
  machine: TaskMachine;
  places: Places;
}

const verbs: Readonly<Record<BackgroundKind, Verb>> = {
  create: "container:create",
  image_download: "image:download",
  image_pull: "image:download",
  image_remove: "image:remove",
};

/** The nine documented categories of background tasks: add, list, remove. */
export function createBackgroundService(options: BackgroundOptions): BackgroundService {
  const { sessions, inventory, owners, planners, taken, cards, tasks, machine } = options;

  async function accept(asked: Asked, plan: TaskPlan): Promise<Task> {
    try {
      await taken.refuse(plan, asked.user);
      if (plan.container) await cards.check(plan.container.type, plan.container.plan, asked.user);
    } catch (error) {
      // It may be the same request, a moment earlier, that has taken it.
      const known = await repeated(asked);
      if (known) return known;
      throw error;
    }
    const task = rowOf(asked, plan);
    const accepted = await machine.accept(task);
    if ("id" in accepted) return newTask(accepted.id, task, asked.request, sightOf(asked.user));
    if ("repeated" in accepted) return receiptOf(accepted.repeated, asked.user);
    // A claim may outlive its container by a moment: when that is so it is dropped, and the task tried again.
    if ("claimed" in accepted && (await taken.releaseIfStale(accepted.claimed.owner))) return accept(asked, plan);
    throw refusal(accepted, asked.user);
  }

  /** The task that this key and body made before, whatever has become of the engine, the registry or the port since. */
  async function repeated({ user, idempotency }: Asked): Promise<Task | undefined> {
    const found = idempotency && (await tasks.repeated({ user: user.name, idempotency, now: Date.now() }));
    if (!found) return undefined;
    if ("reused" in found) throw refusal(found, user);
    return receiptOf(found.repeated, user);
  }

  function receiptOf(row: TaskRow, user: User): Task {
    return taskOf(row, machine.live(row.id), { sight: sightOf(user), whole: true });
  }

  async function cancel(id: number, user: User, by: Actor): Promise<number[]> {
    const row = user.role === "admin" ? undefined : await tasks.get(id);
    authorize(user, "task:remove", [{ owner: row?.user, name: `task ${id}` }]);
    const answer = await machine.cancel(id, by);
    if (answer === "unknown") throw new AppError("not_found", `There is no task ${id}.`);
    if (answer === "past_pivot") throw new AppError("conflict", `Task ${id} cannot be cancelled at this moment.`);
    if (answer !== "final") return [id];
    if (!(await tasks.clearOne({ id, by }))) throw new AppError("not_found", `There is no task ${id}.`);
    return [id];
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

    ...createTaskList(options),

    async remove(caller, target) {
      const user = sessions.authenticate(caller);
      const only = onlyOf(user, "task:remove");
      const by = { user: user.name, address: caller.address };
      if (target === undefined) return clearAll(tasks, { kind: null, user: only, by });
      if (/^[0-9]{1,15}$/.test(target)) return cancel(Number(target), user, by);
      const kind = categoryAliases[target] ?? target;
      if (!isCategory(kind)) throw new AppError("not_found", `There is no category ${target}.`);
      return clearAll(tasks, { kind, user: only, by });
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
