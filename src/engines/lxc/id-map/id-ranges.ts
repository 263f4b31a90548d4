import { createHash } from "node:crypto";

import { ensureHostIds, type IdFiles } from "./host-ids.ts";
import { type IdRange, idsPerContainer, overlaps } from "./id-range.ts";

/** The ids of each container that is not privileged. Its configuration says which it has; there is no other record. */
export interface IdRanges {
  /**
   * Returns a range that no other container has. It is taken until it is released or in the container's configuration.
   * When all are taken, containers share the last one.
   */
  take(name: string): Promise<IdRange>;
  /** Ends what `take` holds for this container. */
  release(name: string): void;
}

interface Deps {
  /** Returns the ranges in the configurations of all containers. */
  used: () => Promise<readonly IdRange[]>;
  /** Returns what tells containers of one name apart that are in different folders. */
  seed: (name: string) => string;
  files?: IdFiles;
}

/** Returns what gives user ids to the containers below one LXC path. */
export function createIdRanges({ used, seed, files }: Deps): IdRanges {
  /** The ranges of containers that are being made. */
  const taken = new Map<string, IdRange>();

  async function take(name: string): Promise<IdRange> {
    const [all, others] = await Promise.all([ensureHostIds(files), used()]);
    // From here to the end nothing waits, so two calls never choose the same.
    const range = chooseRange(all, [...others, ...taken.values()], seed(name));
    taken.set(name, range);
    return range;
  }

  return { take, release: (name) => void taken.delete(name) };
}

/**
 * Returns a range that is not taken, or the last one, which is shared, when all are. The place of the first try depends
 * on `seed`, so that containers of other folders of LXC hardly ever have the same.
 */
export function chooseRange(all: IdRange, taken: readonly IdRange[], seed: string): IdRange {
  const ranges = Math.floor(all.count / idsPerContainer);
  const rangeAt = (index: number): IdRange => ({ start: all.start + index * idsPerContainer, count: idsPerContainer });
  /** All but the last, which is the one to share. */
  const own = ranges - 1;
  const first = createHash("sha256").update(seed).digest().readUInt32BE(0);
  for (let tries = 0; tries < own; tries++) {
    const range = rangeAt((first + tries) % own);
    if (!taken.some((other) => overlaps(other, range))) return range;
  }
  return rangeAt(own);
}
