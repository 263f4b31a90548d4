import type { Retention, TaskFilterRow, TaskRow, TaskStore } from "./task-store.ts";

/** Reads a list to its end or its limit, one stretch at a time: others come between. */
export async function* taskStretches(
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

/** Clears all that the filter names. Answers their ids, ascending. */
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

/** Drops all that is beyond the retention. Answers how many rows went. */
export async function purgeAll(tasks: Pick<TaskStore, "purge" | "purgeTrails">, retention: Retention): Promise<number> {
  let total = 0;
  let from: Parameters<TaskStore["purge"]>[0]["from"] = null;
  do {
    const { dropped, next }: Awaited<ReturnType<TaskStore["purge"]>> = await tasks.purge({ ...retention, from });
    total += dropped;
    from = next;
  } while (from !== null);
  for (let dropped = -1; dropped !== 0; total += dropped) dropped = await tasks.purgeTrails(retention);
  return total;
}
