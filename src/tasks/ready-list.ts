import type { Lane } from "../storage/task-store.ts";
import { createQueue, type Queue } from "../util/fifo-queue.ts";

export interface Ready {
  id: number;
  lane: Lane;
  /** What a lane gives only so much of its room to: tasks whose keys begin alike are of one engine. */
  group: string;
  gone: boolean;
  /** Given by the list. */
  order: number;
}

/** Tasks that may run, of each lane in the order in which they came, but for groups that have enough. */
export function createReadyList<T extends Ready>() {
  const lanes: Record<Lane, Map<string, Queue<T>>> = { quick: new Map(), heavy: new Map() };
  let serial = 0;

  /** The first of a group that is not gone. */
  function front(queue: Queue<T>): T | undefined {
    for (let head = queue.peek(); head; head = queue.peek()) {
      if (!head.gone) return head;
      queue.shift();
    }
    return undefined;
  }

  return {
    push(entry: T): void {
      const { lane, group } = entry;
      let queue = lanes[lane].get(group);
      if (!queue) lanes[lane].set(group, (queue = createQueue()));
      entry.order = serial++;
      queue.push(entry);
    },
    /** Takes the oldest out. */
    next(lane: Lane, isFull: (group: string) => boolean): T | undefined {
      let first: T | undefined;
      for (const [group, queue] of lanes[lane]) {
        const head = front(queue);
        if (!head) lanes[lane].delete(group);
        else if (!isFull(group) && (!first || head.order < first.order)) first = head;
      }
      if (first) lanes[lane].get(first.group)?.shift();
      return first;
    },
  };
}
