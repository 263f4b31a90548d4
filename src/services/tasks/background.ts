import { hash } from "node:crypto";
import { taskCategories, type Task } from "../../api/task.ts";
import { AppError } from "../../errors.ts";
import type { Inventory } from "../../inventory/inventory.ts";
import { clearAll } from "../../storage/task-pages.ts";
import type { TaskQuota } from "../../storage/task-quota.ts";
import type { Actor, NewTask, TaskRow, TaskStore } from "../../storage/task-store.ts";
import type { TaskMachine } from "../../tasks/machine.ts";
import { refusal } from "../access/conflicts.ts";
import type { ConnectionQuota } from "../access/connection-quota.ts";
import type { Owners } from "../access/owners.ts";
import { authorize, onlyOf, type User } from "../access/policy.ts";
import { authorizeTask } from "../access/task-authorization.ts";
import { quotaOf } from "../access/task-quota.ts";
import type { Sessions } from "../accounts/sessions.ts";
import type { Availability } from "../containers/availability.ts";
import type { AddOptions, BackgroundKind, BackgroundService, Caller, TaskRequests } from "../contract/services.ts";
import { newTaskOf, type PlannedRequest } from "../kinds/new-task.ts";
import type { Planner } from "../kinds/planner.ts";
import { backgroundKinds } from "../kinds/table.ts";
import type { KindFacts } from "../kinds/task-kind.ts";
import type { Cards } from "../networks/cards.ts";
import { createTaskList, kindOfCategory, sightOf } from "./list.ts";
import { shownTask, taskOf } from "./task-view.ts";

export interface BackgroundOptions {
  /** Tells who calls. */
  sessions: Sessions;
  /** The engines, to see whether the one that is needed is there. */
  inventory: Inventory;
  /** Tells whose a container is. */
  owners: Owners;
  /** Says what a task will need. */
  plan: Planner;
  /** Tells whether a name or a port is free. */
  availability: Availability;
  /** Checks the addresses of network cards. */
  cards: Pick<Cards, "check">;
  /** The store of tasks. */
  tasks: TaskStore;
  /** Accepts and cancels tasks. */
  machine: TaskMachine;
  /** Limits the lists that one user reads at once. */
  quota: ConnectionQuota;
  /** What each user who is no admin may have in the store. */
  userQuota: TaskQuota;
}

/** Makes the service of background tasks: it adds, lists and removes them. */
export function createBackgroundService(options: BackgroundOptions): BackgroundService {
  return {
    async add<K extends BackgroundKind>(caller: Caller, name: K, request: TaskRequests[K], addOptions: AddOptions) {
      const user = options.sessions.authenticate(caller);
      const kind = backgroundKinds[name];
      authorize(user, kind.verb);
      const params = JSON.stringify(request);
      const idempotency = idempotencyOf(kind, params, addOptions);
      const known = await findRepeated(options, user, idempotency);
      if (known) return known;
      const plan = await options.plan(kind, request);
      await authorizeTask(options.owners, user, kind.verb, plan.demands);
      for (const type of plan.engines) options.inventory.require(type);
      return accept(options, { kind, request, params, plan, user, address: caller.address, idempotency });
    },

    async refuse(caller, category) {
      options.sessions.authenticate(caller);
      if (isCategory(category))
        throw new AppError("unsupported", `The category ${category} is not carried out by this version.`);
      throw new AppError("not_found", `There is no category ${category}.`);
    },

    ...createTaskList(options),

    async remove(caller, target) {
      const user = options.sessions.authenticate(caller);
      const only = onlyOf(user, "task:remove");
      const by = { user: user.name, address: caller.address };
      if (target === undefined) return clearAll(options.tasks, { kind: null, user: only, by });
      if (/^[0-9]{1,15}$/.test(target)) return cancel(options, Number(target), user, by);
      const kind = kindOfCategory(target);
      if (kind === undefined) throw new AppError("not_found", `There is no category ${target}.`);
      return clearAll(options.tasks, { kind, user: only, by });
    },
  };
}

/** A request on its way to become a task. */
type AddRequest = PlannedRequest & {
  /** The request, as it was sent. */
  request: unknown;
  /** Its Idempotency-Key; null: it has none. */
  idempotency: NewTask["idempotency"];
};

async function accept(options: BackgroundOptions, asked: AddRequest): Promise<Task> {
  const { availability, cards, machine } = options;
  const { plan, user, request, idempotency } = asked;
  try {
    await availability.assertFree(plan, user);
    if (plan.container) await cards.check(plan.container.type, plan.container.plan, user);
  } catch (error) {
    // It may be the same request, a moment earlier, that has taken it.
    const known = await findRepeated(options, user, idempotency);
    if (known) return known;
    throw error;
  }
  const task = { ...newTaskOf(asked), ...quotaOf(user, asked.kind.kind, options.userQuota) };
  const accepted = await machine.accept(task);
  if ("id" in accepted) return shownTask(accepted.id, task, request, sightOf(user));
  if ("repeated" in accepted) return receiptOf(options, accepted.repeated, user);
  // A claim may outlive its container by a moment: when that is so it is dropped, and the task tried again.
  if ("claimed" in accepted && (await availability.releaseIfStale(accepted.claimed))) return accept(options, asked);
  throw refusal(accepted, user);
}

/** Finds the task that this key and body made before, whatever has become of the engine, the registry or the port since. */
async function findRepeated(
  options: BackgroundOptions,
  user: User,
  idempotency: NewTask["idempotency"],
): Promise<Task | undefined> {
  const found = idempotency && (await options.tasks.repeated({ user: user.name, idempotency, now: Date.now() }));
  if (!found) return undefined;
  if ("reused" in found) throw refusal(found, user);
  return receiptOf(options, found.repeated, user);
}

function receiptOf({ machine }: BackgroundOptions, row: TaskRow, user: User): Task {
  return taskOf(row, machine.live(row.id), { sight: sightOf(user), whole: true });
}

async function cancel({ tasks, machine }: BackgroundOptions, id: number, user: User, by: Actor): Promise<number[]> {
  const row = user.role === "admin" ? undefined : await tasks.get(id);
  authorize(user, "task:remove", [{ owner: row?.user, name: `task ${id}` }]);
  const answer = await machine.cancel(id, by);
  if (answer === "unknown") throw new AppError("not_found", `There is no task ${id}.`);
  if (answer === "past_pivot") throw new AppError("conflict", `Task ${id} cannot be cancelled at this moment.`);
  if (answer !== "final") return [id];
  if (!(await tasks.clearOne({ id, by }))) throw new AppError("not_found", `There is no task ${id}.`);
  return [id];
}

function idempotencyOf(
  { kind, category }: KindFacts,
  params: string,
  { idempotencyKey: key }: AddOptions,
): NewTask["idempotency"] {
  return key === undefined ? null : { key, hash: hash("sha256", `${category ?? kind} ${params}`) };
}

function isCategory(text: string): boolean {
  return (taskCategories as readonly string[]).includes(text);
}
