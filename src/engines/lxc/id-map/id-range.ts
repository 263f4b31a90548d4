/** User ids of the host and the group ids of the same numbers: `count` of them from `start` on. */
export interface IdRange {
  /** The first id of the host. */
  start: number;
  /** How many there are. */
  count: number;
}

/** How many ids a container has: those that Debian and systemd use, with nobody (65534). */
export const idsPerContainer = 65_536;

/** Returns whether two ranges have an id in common. */
export function overlaps(a: IdRange, b: IdRange): boolean {
  return a.start < b.start + b.count && b.start < a.start + a.count;
}

/** Returns LXC's settings that give a container's users these ids of the host, its root the first one. */
export function idMapLines({ start, count }: IdRange): string[] {
  return [`lxc.idmap = u 0 ${start} ${count}`, `lxc.idmap = g 0 ${start} ${count}`];
}

/** Returns the ids of the host that a configuration gives to the users of its container; [] for a privileged one. */
export function mappedRanges(config: string): IdRange[] {
  const lines = config.matchAll(/^\s*lxc\.(?:idmap|id_map)\s*=\s*[ug]\s+\d+\s+(\d+)\s+(\d+)\s*$/gm);
  return [...lines].map(([, start, count]) => ({ start: Number(start), count: Number(count) }));
}

/** Returns whether root in the container is root of the host: its ids are not mapped, or to the host's own root. */
export function isPrivileged(ranges: readonly IdRange[]): boolean {
  return ranges.length === 0 || ranges.some(({ start }) => start === 0);
}
