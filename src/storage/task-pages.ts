import type { TaskRow, TaskStore } from "./task-store.ts";
import type { Retention, TaskFilterRow } from "./task-ranges.ts";

/** Reads a list of tasks page by page, to its end or its limit. Other calls get their turn between two pages. */
export async function* readTaskPages(
  tasks: Pick<TaskStore, "list">,
  { limit, ...filter }: TaskFilterRow,
): AsyncGenerator<TaskRow[], void, undefined> {
  let [left, before] = [limit, filter.before];
  while (left > 0) {
    const { items, next } = await tasks.list({ ...filter, before, limit: left });
    yield items;
    if (next === null) return;
    before = next;
    left -= items.length;
  }
}

/** Clears all tasks that match the filter. Returns their ids in ascending order. */
export async function clearAll(
  tasks: Pick<TaskStore, "clear">,
  filter: Omit<Parameters<TaskStore["clear"]>[0], "before">,
): Promise<number[]> {
  const ids: number[] = [];
  for (let before: number | null = null; ;) {
    const { items, next }: Awaited<ReturnType<TaskStore["clear"]>> = await tasks.clear({ ...filter, before });
    ids.push(...items);
    if (next === null) return ids.toReversed();
    before = next;
  }
}

/** Deletes everything that is beyond the retention. Returns the number of deleted rows. */
export async function purgeAll(
  tasks: Pick<TaskStore, "purge" | "purgeRecords">,
  retention: Retention,
): Promise<number> {
  let total = 0;
  let from: Parameters<TaskStore["purge"]>[0]["from"] = null;
  do {
    const { dropped, next }: Awaited<ReturnType<TaskStore["purge"]>> = await tasks.purge({ ...retention, from });
    total += dropped;
    from = next;
  } while (from !== null);
  for (let dropped = -1; dropped !== 0; total += dropped) dropped = await tasks.purgeRecords(retention);
  return total;
}
