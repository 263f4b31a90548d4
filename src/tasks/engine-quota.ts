import type { Lane } from "../storage/task-store.ts";

/**
 * Limits how much of a lane the tasks of one engine use, so that an engine that hangs does not stop the others. In the
 * quick lane an engine gets half of the places. In the heavy lane no further tasks of an engine begin while as many of them
 * wait for that engine as the lane has places.
 */
export function createEngineQuota(lanes: Readonly<Record<Lane, number>>) {
  const engines = new Map<number, string>();
  const quickTasks = new Map<string, number>();
  const maxQuick = Math.ceil(lanes.quick / 2);
  /** Heavy tasks that wait for their engine to answer, by engine. */
  const waiting = new Map<string, number>();

  return {
    /** Counts a task that begins. */
    enter(id: number, lane: Lane, engine: string): void {
      if (lane !== "quick") return;
      engines.set(id, engine);
      quickTasks.set(engine, (quickTasks.get(engine) ?? 0) + 1);
    },
    /** Stops counting a task. */
    leave(id: number): void {
      const engine = engines.get(id);
      if (engine === undefined) return;
      engines.delete(id);
      quickTasks.set(engine, (quickTasks.get(engine) ?? 1) - 1);
    },
    /** Says that a task begins or ends to wait for its engine to answer. */
    setWaiting(lane: Lane, engine: string, waits: boolean): void {
      if (lane === "heavy") waiting.set(engine, (waiting.get(engine) ?? 0) + (waits ? 1 : -1));
    },
    /** Tells whether no further task of this engine may begin. Tasks without an engine ("") have no limit. */
    isFull(lane: Lane, engine: string): boolean {
      if (engine === "") return false;
      if (lane === "quick") return (quickTasks.get(engine) ?? 0) >= maxQuick;
      return (waiting.get(engine) ?? 0) >= Math.max(1, lanes.heavy);
    },
  };
}
