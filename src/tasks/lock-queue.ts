import type { Lane, Lock } from "../storage/task-store.ts";
import { createQueue } from "../util/fifo-queue.ts";
import { createEntry, createKey, grant, isFree, link, unlink, type Entry, type Key, type Place } from "./lock-key.ts";
import { createReadyList } from "./ready-list.ts";

/** A task that needs locks. */
export interface QueuedTask {
  /** The task's id. Newer tasks have larger ids. */
  id: number;
  /** The lane in which it will run. */
  lane: Lane;
  /** The keys that it needs, each with its mode. */
  locks: readonly Lock[];
}

/**
 * Decides which tasks may run with respect to their locks. Each key has a queue, in which a task has its place from the
 * moment it is accepted. Tasks that need a key shared (S) hold it together, a task that needs it exclusive (X) holds it
 * alone, and no task overtakes another. A task is ready when it holds all its keys.
 *
 * INVARIANTS
 * - Tasks enter the queues of all their keys at once and in the order of their ids, so each waits only for older ones, and
 *   there is no deadlock.
 * - A task holds its keys until `release`, also while its undo has failed.
 * - The time of every operation depends on the number of the task's keys, not on the number of tasks.
 */
export function createLockQueue() {
  const entries = new Map<number, Entry>();
  const keys = new Map<string, Key>();
  const ready = createReadyList<Entry>();

  function setReady(entry: Entry): void {
    if (!entry.held) ready.push(entry);
  }

  function grantPlace(place: Place): void {
    if (grant(place)) setReady(place.entry);
  }

  /** Keeps nothing of the task itself: there may be a hundred thousand. */
  function enter(task: QueuedTask, held: boolean): void {
    const entry = createEntry(task, held);
    entries.set(task.id, entry);
    if (entry.missing === 0) setReady(entry);
    for (const [name, mode] of task.locks) {
      let key = keys.get(name);
      if (!key) keys.set(name, (key = createKey(name, mode)));
      const place: Place = { entry, key, mode, granted: false, before: undefined, after: undefined };
      entry.places.push(place);
      if (task.lane === "heavy") link(place);
      if (!key.waiting && isFree(key, mode)) grantPlace(place);
      else (key.waiting ??= createQueue()).push(place);
    }
  }

  /** Grants the first places of the key's queue as far as its holders allow. */
  function advance(key: Key): void {
    const { waiting } = key;
    for (let first = waiting?.peek(); waiting && first; first = waiting.peek()) {
      if (!first.entry.gone) {
        if (!isFree(key, first.mode)) return;
        grantPlace(first);
      }
      waiting.shift();
    }
    key.waiting = undefined;
    if (key.holders === 0) keys.delete(key.name);
  }

  return {
    /** Adds a task. A task that was added before keeps its place. */
    add(task: QueuedTask): void {
      if (!entries.has(task.id)) enter(task, false);
    },
    /** Adds a task that held its keys before a restart: it ran, or its undo had failed. Must be called before any `add`. */
    hold: (task: QueuedTask): void => enter(task, true),
    /**
     * Hands out the task of this lane that has been ready longest and whose engine is not full. It holds its keys until
     * `release`. Returns undefined if there is none.
     */
    next: (lane: Lane, isFull: (engine: string) => boolean = () => false): number | undefined =>
      ready.next(lane, isFull)?.id,
    /** Removes a task that has ended or was withdrawn: others may hold its keys. */
    release(id: number): void {
      const entry = entries.get(id);
      if (!entry) return;
      entries.delete(id);
      entry.gone = true;
      for (const place of entry.places) {
        const { key, granted } = place;
        unlink(place);
        if (granted) key.holders--;
        advance(key);
      }
    },
    /** Returns the engine of a task, or "" if it has none. */
    engineOf: (id: number): string => entries.get(id)?.engine ?? "",
    /** Returns the oldest heavy task, older than `before`, that holds one of these keys or waits for it. */
    heavyTaskAt(locks: readonly Lock[], before = Number.POSITIVE_INFINITY): number | undefined {
      const oldest = Math.min(...locks.flatMap(([name]) => keys.get(name)?.firstHeavy?.entry.id ?? []));
      return oldest < before ? oldest : undefined;
    },
    /** Returns how many tasks wait or hold keys. */
    size: () => entries.size,
  };
}
