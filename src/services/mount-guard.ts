import type { Container, Engine } from "../engines/engine.ts";
import { hasMounted, isEnding } from "./mounted.ts";
import type { Shares } from "./shares.ts";

/**
 * The engine opens the folders of shares by path at every start, and what lies at a path may have been exchanged by a
 * container that can write there. So what a started container has mounted is compared with what the shares hold; one
 * that got something else is stopped, and stays so.
 *
 * Answers false when it was stopped. Between its start and its stop lie some milliseconds.
 */
export async function guardMounts(engine: Engine, container: Container, shares: Shares): Promise<boolean> {
  if (!engine.capabilities.local || container.mounts.length === 0 || container.pid === 0) return true;
  const honest = await mountsWhatSharesHold(container, shares).catch(() => false);
  if (honest || (await isEnding(container.pid))) return true;
  if (((await engine.containers.get(container.id))?.pid ?? 0) !== container.pid) return true;
  await engine.containers.stop(container.id);
  return false;
}

async function mountsWhatSharesHold({ pid, mounts }: Container, shares: Shares): Promise<boolean> {
  const places = (await Promise.all(mounts.map((path) => shares.locate(path)))).filter((place) => place !== undefined);
  return hasMounted(pid, await Promise.all(places.map((place) => shares.openFolder(place))));
}
