import type { Container } from "../../engine.ts";
import type { LxcEvents } from "../events.ts";
import { cancelled } from "../failures.ts";
import type { Finder } from "../inspect/find.ts";
import type { ContainerProcess } from "../process/container-process.ts";

/**
 * Changes a container that is there while no other change of it runs, and returns what `act` returns. Subscribers are told
 * what has changed before it resolves. Throws `not_found`, and `cancelled` when the signal had aborted before.
 */
export type LockedChange = <T>(
  name: string,
  signal: AbortSignal | undefined,
  act: (found: Container) => Promise<T>,
) => Promise<T>;

interface Deps {
  finder: Finder;
  processes: ContainerProcess;
  events: LxcEvents;
}

/** Returns what changes a container under its lock. */
export function createLockedChange({ finder, processes, events }: Deps): LockedChange {
  return async function change(name, signal, act) {
    if (signal?.aborted) throw cancelled();
    try {
      return await processes.lock(name, async () => act(await finder.require(name, signal)));
    } finally {
      await events.refresh();
    }
  };
}
