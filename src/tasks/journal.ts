import type { StepRow, TaskStore, Undo } from "../storage/task-store.ts";

/**
 * The steps of one task, known by their names. A step is on disk as planned, with its undo, before it acts; the plan of
 * the next step, or the task's end, is also the commit that says it is done. After a restart the handler runs again from
 * its start: steps that are done answer from here, the one that was planned acts again and is told so.
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
