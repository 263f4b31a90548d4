import type { ActiveTask, Lane } from "../storage/task-store.ts";
import { createEngineQuota } from "./engine-quota.ts";
import { createLockQueue, type QueuedTask } from "./lock-queue.ts";

export interface SchedulerOptions {
  /** How many tasks of each lane run at the same time. */
  lanes: Readonly<Record<Lane, number>>;
  /** Tells whether a task of this lane may start now. */
  hasRoom: (lane: Lane) => boolean;
  /** Starts a task. `resumed`: an earlier process accepted it. */
  start: (id: number, lane: Lane, resumed: boolean) => void;
}

/**
 * Decides which waiting task starts next: one that holds all its locks, whose lane has room and whose engine's quota is not
 * used up. Before `open` nothing starts, so that tasks of an earlier process keep their places before newer ones.
 */
export function createScheduler({ lanes, hasRoom, start }: SchedulerOptions) {
  const queue = createLockQueue();
  const quota = createEngineQuota(lanes);
  /** Tasks that were added before `open`; undefined afterwards. */
  let early: QueuedTask[] | undefined = [];
  /** Waiting tasks that an earlier process accepted. */
  const resumed = new Set<number>();

  function startLane(lane: Lane): void {
    while (!early && hasRoom(lane)) {
      const id = queue.next(lane, (engine) => quota.isFull(lane, engine));
      if (id === undefined) return;
      quota.enter(id, lane, queue.engineOf(id));
      start(id, lane, resumed.delete(id));
    }
  }

  function startAll(): void {
    startLane("quick");
    startLane("heavy");
  }

  return {
    /** Returns how many tasks wait or hold locks. */
    size: queue.size,
    isOpen: () => early === undefined,
    /** Returns the oldest heavy task, older than `before`, that holds one of these locks or waits for it. */
    heavyTaskAt: queue.heavyTaskAt,
    /** Adds an accepted task, which starts as soon as possible. */
    add(task: QueuedTask): void {
      if (early) return void early.push(task);
      queue.add(task);
      startLane(task.lane);
    },
    /** Adds the tasks of an earlier process before those that were added since. `startAll` then starts them. */
    open(active: readonly ActiveTask[]): void {
      for (const { task, locks } of active) if (task.state !== "waiting") queue.hold({ ...task, locks });
      for (const { task, locks } of active) {
        if (task.state !== "waiting") continue;
        resumed.add(task.id);
        queue.add({ ...task, locks });
      }
      for (const task of early ?? []) queue.add(task);
      early = undefined;
    },
    /** Starts tasks as long as there is room. */
    startAll,
    /** Says that a running task begins or ends to wait outside its lane. */
    setWaiting(id: number, lane: Lane, { waits, away }: { waits: boolean; away: boolean }): void {
      if (away) quota.setWaiting(lane, queue.engineOf(id), waits);
      startLane(lane);
    },
    /** Says that a task runs no longer. `release`: it needs its locks no more. */
    remove(id: number, release: boolean): void {
      quota.leave(id);
      if (release) queue.release(id);
      startAll();
    },
  };
}
