import type { TaskStore } from "../storage/task-store.ts";
import type { Kinds } from "./handler.ts";
import { undoSteps } from "./undo.ts";
import type { Log } from "../util/log.ts";

export interface JanitorOptions {
  tasks: TaskStore;
  kinds: Kinds;
  /** Aborts when the station ends. */
  end: AbortSignal;
  log: Log;
  /** The task owes nothing any more: others may have its keys. */
  onSettled: (task: number) => void;
}

const every = 30_000;

/** Tries again, at intervals, to undo what could not be undone when its task ended. */
export function createJanitor({ tasks, kinds, end, log, onSettled }: JanitorOptions) {
  const debts = new Set<number>();
  // The next round is the next try: no debt waits for its engine here, and holds up the others.
  const impatient: Kinds = { ...kinds, recover: async () => false };
  let busy = false;

  async function settle(): Promise<void> {
    for (const id of debts) {
      const owed = await undoSteps(impatient, id, await tasks.steps(id), {
        signal: end,
        rest: async () => undefined,
        log,
      });
      if (owed !== undefined || end.aborted) continue;
      await tasks.settleDebt(id);
      debts.delete(id);
      onSettled(id);
    }
  }

  function round(): void {
    if (busy) return;
    busy = true;
    settle()
      .catch((error: unknown) => log("undo debt", { error }))
      .finally(() => (busy = false));
  }

  return {
    owes: (task: number): void => void debts.add(task),
    start(): void {
      const timer = setInterval(round, every);
      end.addEventListener("abort", () => clearInterval(timer), { once: true });
    },
  };
}
