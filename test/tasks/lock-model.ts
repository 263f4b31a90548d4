import assert from "node:assert/strict";
import { createLockQueue, type QueuedTask } from "../../src/tasks/lock-queue.ts";

/**
 * What the lock queue must do, said as plainly as possible: each key's tasks stand in the order in which they came, and
 * the front of them has the key: one exclusive task, or all shared ones up to the first exclusive. A task is ready when
 * it has all its keys. Everything is worked out anew each time.
 */
export function createModel() {
  const tasks = new Map<number, QueuedTask>();
  /** Handed out by `next`, or held from the start. */
  const taken = new Set<number>();

  function front(key: string): Set<number> {
    const has = new Set<number>();
    for (const { id, locks } of tasks.values()) {
      const mode = locks.find(([name]) => name === key)?.[1];
      if (!mode) continue;
      if (mode === "X" && has.size > 0) break;
      has.add(id);
      if (mode === "X") break;
    }
    return has;
  }

  const hasAll = ({ id, locks }: QueuedTask) => locks.every(([key]) => front(key).has(id));

  return {
    tasks,
    taken,
    ready: (lane: string) =>
      [...tasks.values()]
        .filter((task) => task.lane === lane && !taken.has(task.id) && hasAll(task))
        .map(({ id }) => id),
    hasAll: (id: number) => hasAll(tasks.get(id) as QueuedTask),
  };
}

/** The real queue and the model side by side: whatever is done to one is done to both, and what comes out must agree. */
export function createPair() {
  const queue = createLockQueue();
  const model = createModel();
  /** Ready ids by lane, in the order in which they must come out; the model says when they join. */
  const order: Record<string, number[]> = { quick: [], heavy: [] };

  function settle(): void {
    for (const [lane, ids] of Object.entries(order)) {
      const ready = new Set(model.ready(lane));
      order[lane] = ids.filter((id) => ready.has(id));
      for (const id of ready) if (!order[lane].includes(id)) order[lane].push(id);
    }
    assert.equal(queue.size(), model.tasks.size);
    // The oldest stands in front everywhere.
    const [oldest] = model.tasks.keys();
    if (oldest !== undefined) assert.ok(model.hasAll(oldest), "deadlock");
  }

  return {
    model,
    hold(task: QueuedTask): void {
      queue.hold(task);
      model.tasks.set(task.id, task);
      model.taken.add(task.id);
      settle();
    },
    add(task: QueuedTask): void {
      queue.add(task);
      model.tasks.set(task.id, task);
      settle();
    },
    next(lane: "quick" | "heavy"): number | undefined {
      const id = queue.next(lane);
      if (id === undefined) assert.deepEqual(order[lane], [], "somebody is ready, and was not answered");
      else {
        assert.ok(order[lane]?.includes(id), `${id} is not ready`);
        model.taken.add(id);
      }
      settle();
      return id;
    },
    release(id: number): void {
      queue.release(id);
      model.tasks.delete(id);
      model.taken.delete(id);
      settle();
    },
  };
}
