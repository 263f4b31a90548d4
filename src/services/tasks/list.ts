import { categoryAliases, taskCategories, type Task, type TaskCategory } from "../../api/task.ts";
import { AppError, invalid } from "../../errors.ts";
import { readTaskPages } from "../../storage/task-pages.ts";
import type { TaskRow, TaskStore } from "../../storage/task-store.ts";
import type { TaskMachine } from "../../tasks/machine.ts";
import type { Sight } from "../secrets/masking.ts";
import type { ConnectionQuota } from "../access/connection-quota.ts";
import { authorize, may, onlyOf, type User } from "../access/policy.ts";
import type { BackgroundService, Caller, TaskFilter } from "../contract/services.ts";
import type { Sessions } from "../accounts/sessions.ts";
import { taskOf } from "./task-view.ts";

export interface TaskListOptions {
  /** Tells who calls. */
  sessions: Sessions;
  /** The store of tasks. */
  tasks: Pick<TaskStore, "list" | "get">;
  /** Accepts tasks, and knows those that run. */
  machine: Pick<TaskMachine, "live">;
  /** Limits the lists that one user reads at once, which last as long as their readers take. */
  quota: ConnectionQuota;
}

/** Characters of requests in one page. Long requests are cut, so a page has a few MB at most. */
const pageSize = 1 << 20;
/** Characters of one request that a page counts at most. */
const countedAtMost = 4096;

/** Reads tasks: the whole list as a stream, pages of it, and one task with all its values. */
export function createTaskList(options: TaskListOptions): Pick<BackgroundService, "list" | "page" | "get"> {
  const { sessions, tasks, machine, quota } = options;
  const describe = (row: TaskRow, sight: Sight, whole = false) => taskOf(row, machine.live(row.id), { sight, whole });

  /** Reads tasks part by part. The reader's rights are checked again before each part. */
  async function* read(caller: Caller, kind: string | null, before: number | null): AsyncGenerator<Task[]> {
    let next: number | null = before;
    do {
      const user = sessions.authenticate(caller, true);
      const only = onlyOf(user, "task:list");
      const stretch = await tasks.list({ kind, limit: Number.MAX_SAFE_INTEGER, before: next, user: only });
      const sight = sightOf(user);
      yield stretch.items.map((row) => describe(row, sight));
      next = stretch.next;
    } while (next !== null);
  }

  return {
    async list(caller, { category, before }, signal) {
      const user = sessions.authenticate(caller);
      authorize(user, "task:list");
      const kind = kindOf(category);
      quota.take(user.name, signal);
      return read(caller, kind, before ?? null);
    },

    async page(caller, { category, limit, before = null }) {
      const user = sessions.authenticate(caller);
      const filter = { kind: kindOf(category), before, user: onlyOf(user, "task:list") };
      const sight = sightOf(user);
      const found: Task[] = [];
      let size = 0;
      // One more shows whether there is a next page.
      for await (const rows of readTaskPages(tasks, { ...filter, limit: limit + 1 })) {
        for (const row of rows) {
          if (found.length === limit || size >= pageSize) return { tasks: found, next: found.at(-1)?.id };
          found.push(describe(row, sight));
          size += Math.min(row.params.length, countedAtMost);
        }
      }
      return { tasks: found, next: undefined };
    },

    async get(caller, id) {
      const user = sessions.authenticate(caller);
      authorize(user, "task:list");
      const row = /^[0-9]{1,15}$/.test(id) ? await tasks.get(Number(id)) : undefined;
      const name = `task ${id}`;
      if (user.role !== "admin") authorize(user, "task:list", [{ owner: row?.user, name }]);
      if (!row) throw new AppError("not_found", `There is no ${name}.`);
      return describe(row, sightOf(user), true);
    },
  };
}

/** Returns how much this user sees of what tasks were asked to do. */
export function sightOf(user: User): Sight {
  return { inspects: may(user, "container:inspect") };
}

/** Returns the kind of a category; null for all. */
function kindOf(category: TaskFilter["category"]): string | null {
  if (category === undefined) return null;
  const kind = kindOfCategory(category);
  if (kind !== undefined) return kind;
  throw invalid("category", `is unknown: ${category}`);
}

/** Returns the kind under which tasks of a category, or of its alias, are listed; `undefined` if there is no such category. */
export function kindOfCategory(category: string): TaskCategory | undefined {
  const kind = categoryAliases[category] ?? category;
  return taskCategories.find((one) => one === kind);
}
