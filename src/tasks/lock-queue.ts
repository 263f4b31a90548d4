import type { Lane, Lock, LockMode } from "../storage/task-store.ts";
import { createQueue, type Queue } from "../util/fifo-queue.ts";
import { createReadyList } from "./ready-list.ts";

/**
 * Who may run next. Each key is a queue in which a task keeps its place from the moment it is accepted: shared (S)
 * holders run together, an exclusive one (X) alone, and nobody overtakes. A task is ready when it is granted all its
 * keys.
 *
 * INVARIANTS
 * - Tasks enter all their key queues at once and in the order of their ids, so each waits only for older ones: no deadlock.
 * - A task holds its keys until `release`, also while it owes an undo.
 * - Every operation takes time in the number of the task's keys, not in the number of tasks.
 */
export interface QueuedTask {
  id: number;
  lane: Lane;
  locks: readonly Lock[];
}

interface Entry {
  id: number;
  lane: Lane;
  /** What its first key begins with: its engine. */
  group: string;
  places: Place[];
  /** Places not granted yet. */
  missing: number;
  /** It ran before: nobody hands it out. */
  held: boolean;
  gone: boolean;
  /** Its place among those that are ready. */
  order: number;
}

/** A task's place in one key's queue. A heavy one's is linked with those of the others. */
interface Place {
  entry: Entry;
  key: Key;
  mode: LockMode;
  granted: boolean;
  before: Place | undefined;
  after: Place | undefined;
}

interface Key {
  name: string;
  holders: number;
  /** Of the holders. */
  mode: LockMode;
  /** Made when somebody has to wait: most keys have one task only. */
  waiting: Queue<Place> | undefined;
  /** Of the heavy tasks that hold it or wait for it: the oldest, and the newest. */
  firstHeavy: Place | undefined;
  lastHeavy: Place | undefined;
}

export function createLockQueue() {
  const entries = new Map<number, Entry>();
  const keys = new Map<string, Key>();
  const ready = createReadyList<Entry>();

  /** Nothing of the task itself is kept: there may be a hundred thousand. */
  function enter({ id, lane, locks }: QueuedTask, held: boolean): void {
    const heavy = lane === "heavy";
    const group = locks[0]?.[0].split("/")[0] ?? "";
    const entry: Entry = { id, lane, group, places: [], missing: locks.length, held, gone: false, order: 0 };
    entries.set(id, entry);
    if (entry.missing === 0) isReady(entry);
    for (const [name, mode] of locks) {
      let key = keys.get(name);
      if (!key) keys.set(name, (key = newKey(name, mode)));
      const place: Place = { entry, key, mode, granted: false, before: undefined, after: undefined };
      entry.places.push(place);
      if (heavy) link(place);
      if (!key.waiting && isFree(key, mode)) grant(place);
      else (key.waiting ??= createQueue()).push(place);
    }
  }

  /** Grants the head of the key's queue as far as its holders allow. */
  function advance(key: Key): void {
    const { waiting } = key;
    for (let head = waiting?.peek(); waiting && head; head = waiting.peek()) {
      if (!head.entry.gone) {
        if (!isFree(key, head.mode)) return;
        grant(head);
      }
      waiting.shift();
    }
    key.waiting = undefined;
    if (key.holders === 0) keys.delete(key.name);
  }

  function isFree(key: Key, mode: LockMode): boolean {
    return key.holders === 0 || (mode === "S" && key.mode === "S");
  }

  function grant(place: Place): void {
    place.granted = true;
    place.key.holders++;
    place.key.mode = place.mode;
    if (--place.entry.missing === 0) isReady(place.entry);
  }

  function isReady(entry: Entry): void {
    if (!entry.held) ready.push(entry);
  }

  return {
    /** A task that is in already keeps its place. */
    add(task: QueuedTask): void {
      if (entries.has(task.id)) return;
      enter(task, false);
    },
    /** For a task that ran, or owed an undo, before a restart: it has its keys already. To be called before any `add`. */
    hold(task: QueuedTask): void {
      enter(task, true);
    },
    /**
     * The task of this lane that has been ready longest, but for groups that have enough; it holds its keys from here
     * until `release`.
     */
    next: (lane: Lane, isFull: (group: string) => boolean = () => false): number | undefined =>
      ready.next(lane, isFull)?.id,
    /** The task is over, or was withdrawn: others may have its keys. */
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
    groupOf: (id: number): string => entries.get(id)?.group ?? "",
    /** The first heavy task that has a place at one of these keys, in front of the task `before`. */
    heavyAt(locks: readonly Lock[], before = Number.POSITIVE_INFINITY): number | undefined {
      const first = Math.min(...locks.flatMap(([name]) => keys.get(name)?.firstHeavy?.entry.id ?? []));
      return first < before ? first : undefined;
    },
    /** Tasks that wait or hold. */
    size: () => entries.size,
  };
}

function newKey(name: string, mode: LockMode): Key {
  return { name, holders: 0, mode, waiting: undefined, firstHeavy: undefined, lastHeavy: undefined };
}

/** At the end: who comes is the newest. */
function link(place: Place): void {
  const { key } = place;
  place.before = key.lastHeavy;
  if (key.lastHeavy) key.lastHeavy.after = place;
  else key.firstHeavy = place;
  key.lastHeavy = place;
}

function unlink(place: Place): void {
  const { key, before, after } = place;
  if (before) before.after = after;
  else if (key.firstHeavy === place) key.firstHeavy = after;
  if (after) after.before = before;
  else if (key.lastHeavy === place) key.lastHeavy = before;
}
