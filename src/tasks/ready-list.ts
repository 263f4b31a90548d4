import type { Lane } from "../storage/task-store.ts";
import { createQueue, type Queue } from "../util/fifo-queue.ts";

/** A task that may run. */
export interface Ready {
  /** The task's id. */
  id: number;
  /** The lane in which it will run. */
  lane: Lane;
  /** The task's engine, or "". */
  engine: string;
  /** True: the task was removed meanwhile. */
  gone: boolean;
  /** Position among all ready tasks; the list sets it. */
  order: number;
}

/** Lists the tasks that may run, for each lane in the order in which they became ready. */
export function createReadyList<T extends Ready>() {
  const queues: Record<Lane, Map<string, Queue<T>>> = { quick: new Map(), heavy: new Map() };
  let serial = 0;

  /** Returns the first task of a queue that is not gone. */
  function front(queue: Queue<T>): T | undefined {
    for (let head = queue.peek(); head; head = queue.peek()) {
      if (!head.gone) return head;
      queue.shift();
    }
    return undefined;
  }

  return {
    /** Adds a task that has become ready. */
    push(entry: T): void {
      const { lane, engine } = entry;
      let queue = queues[lane].get(engine);
      if (!queue) queues[lane].set(engine, (queue = createQueue()));
      entry.order = serial++;
      queue.push(entry);
    },
    /** Removes the oldest task whose engine is not full, and returns it. */
    next(lane: Lane, isFull: (engine: string) => boolean): T | undefined {
      let first: T | undefined;
      for (const [engine, queue] of queues[lane]) {
        const head = front(queue);
        if (!head) queues[lane].delete(engine);
        else if (!isFull(engine) && (!first || head.order < first.order)) first = head;
      }
      if (first) queues[lane].get(first.engine)?.shift();
      return first;
    },
  };
}
