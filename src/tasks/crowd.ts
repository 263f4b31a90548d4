import type { Lane } from "../storage/task-store.ts";

/**
 * How much of the quick lane each group of tasks has. An engine that hangs holds what was asked of it for minutes: it
 * gets half of the room, so that the others go on.
 */
export function createCrowd(lanes: Readonly<Record<Lane, number>>) {
  const groups = new Map<number, string>();
  const counts = new Map<string, number>();
  const most = Math.ceil(lanes.quick / 2);

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
    isFull: (lane: Lane, group: string): boolean =>
      lane === "quick" && group !== "" && (counts.get(group) ?? 0) >= most,
  };
}
