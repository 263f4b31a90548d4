import type { StepRow, TaskStore, Undo } from "../storage/task-store.ts";

/**
 * Keeps the steps of one task, which are known by their names. A step is on disk as planned, with its undo, before it acts.
 * The commit that plans the next step, or ends the task, also says that the step is done. After a restart the handler runs
 * again from its start: steps that are done return their stored results, and the planned one acts again, with `repeated`.
 */
export function createJournal(tasks: TaskStore, task: number, earlier: readonly StepRow[]) {
  const known = new Map(earlier.map((row) => [row.name, row]));
  let next = earlier.length;
  let acted: { seq: number; out: unknown } | null = null;

  return {
    async step<T>(name: string, undo: Undo | null, act: (repeated: boolean) => Promise<T>): Promise<T> {
      const row = known.get(name);
      if (row?.state === "done") return row.out as T;
      const seq = row?.seq ?? next++;
      if (!row) {
        await tasks.planStep({ task, seq, name, undo, previous: acted });
        known.set(name, { seq, name, state: "planned", undo, out: null });
      }
      const out = await act(row !== undefined);
      acted = { seq, out: out ?? null };
      return out;
    },
  };
}
