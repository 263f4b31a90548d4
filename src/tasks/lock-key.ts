import type { Lane, Lock, LockMode } from "../storage/task-store.ts";
import type { Queue } from "../util/fifo-queue.ts";
import { parseResourceKey } from "./resource-key.ts";

/** A task in the lock queue. */
export interface Entry {
  /** The task's id. */
  id: number;
  /** The lane in which the task will run. */
  lane: Lane;
  /** Type of the engine that has what the task's first key names, or "" without keys. */
  engine: string;
  /** The task's places in the queues of its keys. */
  places: Place[];
  /** Number of places that are not granted yet. */
  missing: number;
  /** True: the task ran before a restart, so it is never handed out. */
  held: boolean;
  /** True: the task was released. */
  gone: boolean;
  /** Position among the tasks that are ready. */
  order: number;
}

/** A task's place in the queue of one key. Places of heavy tasks are linked in the order of their ids. */
export interface Place {
  /** The task. */
  entry: Entry;
  /** The key. */
  key: Key;
  /** S (shared) or X (exclusive). */
  mode: LockMode;
  /** True while the task holds the key. */
  granted: boolean;
  /** The heavy task's place before this one. */
  before: Place | undefined;
  /** The heavy task's place after this one. */
  after: Place | undefined;
}

/** A key with the tasks that hold it and wait for it. */
export interface Key {
  /** Name of the key, such as `docker/c/web`. */
  name: string;
  /** Number of tasks that hold it. */
  holders: number;
  /** Mode in which they hold it. */
  mode: LockMode;
  /** Places that wait; undefined until a task has to wait, because most keys have one task only. */
  waiting: Queue<Place> | undefined;
  /** Place of the oldest heavy task that holds the key or waits for it. */
  firstHeavy: Place | undefined;
  /** Place of the newest such task. */
  lastHeavy: Place | undefined;
}

/** Makes the entry of a task whose keys are not granted yet. */
export function createEntry(
  { id, lane, locks }: Pick<Entry, "id" | "lane"> & { locks: readonly Lock[] },
  held: boolean,
): Entry {
  const engine = parseResourceKey(locks[0]?.[0] ?? "")?.scope ?? "";
  return { id, lane, engine, places: [], missing: locks.length, held, gone: false, order: 0 };
}

/** Makes a key that nobody holds. */
export function createKey(name: string, mode: LockMode): Key {
  return { name, holders: 0, mode, waiting: undefined, firstHeavy: undefined, lastHeavy: undefined };
}

/** Tells whether the key's present holders allow another one with this mode. */
export function isFree(key: Key, mode: LockMode): boolean {
  return key.holders === 0 || (mode === "S" && key.mode === "S");
}

/** Grants a place. Returns true if the task now holds all its keys. */
export function grant(place: Place): boolean {
  const { key, mode, entry } = place;
  place.granted = true;
  key.holders++;
  key.mode = mode;
  return --entry.missing === 0;
}

/** Adds a heavy task's place at the end of the key's chain. */
export function link(place: Place): void {
  const { key } = place;
  place.before = key.lastHeavy;
  if (key.lastHeavy) key.lastHeavy.after = place;
  else key.firstHeavy = place;
  key.lastHeavy = place;
}

/** Removes a place from the key's chain. Does nothing for places of quick tasks, which are not in it. */
export function unlink(place: Place): void {
  const { key, before, after } = place;
  if (before) before.after = after;
  else if (key.firstHeavy === place) key.firstHeavy = after;
  if (after) after.before = before;
  else if (key.lastHeavy === place) key.lastHeavy = before;
}
