import type { Lane } from "../storage/task-store.ts";

/**
 * How much of a lane each group of tasks has. An engine that hangs holds what was asked of it for minutes: it gets half of
 * the quick lane, so that the others go on. In the heavy lane tasks that wait for an engine that is away have no place;
 * when as many of them wait as the lane has places, no further ones begin.
 */
export function createCrowd(lanes: Readonly<Record<Lane, number>>) {
  const groups = new Map<number, string>();
  const counts = new Map<string, number>();
  const most = Math.ceil(lanes.quick / 2);
  /** Heavy tasks that wait for their engine, by group. */
  const away = new Map<string, number>();

  return {
    enter(id: number, lane: Lane, group: string): void {
      if (lane !== "quick") return;
      groups.set(id, group);
      counts.set(group, (counts.get(group) ?? 0) + 1);
    },
    leave(id: number): void {
      const group = groups.get(id);
      if (group === undefined) return;
      groups.delete(id);
      counts.set(group, (counts.get(group) ?? 1) - 1);
    },
    waitsForEngine(lane: Lane, group: string, waits: boolean): void {
      if (lane === "heavy") away.set(group, (away.get(group) ?? 0) + (waits ? 1 : -1));
    },
    isFull(lane: Lane, group: string): boolean {
      if (group === "") return false;
      return lane === "quick" ? (counts.get(group) ?? 0) >= most : (away.get(group) ?? 0) >= Math.max(1, lanes.heavy);
    },
  };
}
