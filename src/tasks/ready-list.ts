import type { Lane } from "../storage/task-store.ts";
import { createQueue, type Queue } from "../util/queue.ts";

export interface Ready {
  id: number;
  /** What a lane gives only so much of its room to: tasks whose keys begin alike are of one engine. */
  group: string;
  gone: boolean;
}

/** Tasks that may run, of each lane in the order in which they came, but for groups that have enough. */
export function createReadyList<T extends Ready>() {
  const lanes: Record<Lane, Map<string, Queue<{ entry: T; order: number }>>> = { quick: new Map(), heavy: new Map() };
  let serial = 0;

  /** The first of a group that is not gone. */
  function front(queue: Queue<{ entry: T; order: number }>) {
    for (let head = queue.peek(); head; head = queue.peek()) {
      if (!head.entry.gone) return head;
      queue.shift();
    }
    return undefined;
  }

  return {
    push(lane: Lane, entry: T): void {
      let queue = lanes[lane].get(entry.group);
      if (!queue) lanes[lane].set(entry.group, (queue = createQueue()));
      queue.push({ entry, order: serial++ });
    },
    /** Takes the oldest out. */
    next(lane: Lane, isFull: (group: string) => boolean): T | undefined {
      let first: { entry: T; order: number } | undefined;
      for (const [group, queue] of lanes[lane]) {
        const head = front(queue);
        if (!head) lanes[lane].delete(group);
        else if (!isFull(group) && (!first || head.order < first.order)) first = head;
      }
      if (first) lanes[lane].get(first.entry.group)?.shift();
      return first?.entry;
    },
  };
}
