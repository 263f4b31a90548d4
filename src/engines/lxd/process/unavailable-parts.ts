import { setTimeout as delay } from "node:timers/promises";

import { AppError } from "../../../errors.ts";
import { cancelled, reasonOf } from "../failures.ts";
import type { LxdHttp } from "../client/http.ts";

/** A network or a storage pool that LXD could not set up when it started. */
interface Part {
  /** Its path in LXD's API. */
  path: string;
  /** For a person, as "network lxdbr0". */
  title: string;
}

/** LXD tries a minute after its start, and then every minute, to set up what it could not. */
const usualPatience = 75_000;
const pause = 500;

/**
 * Runs `act`. While LXD refuses it because a network or a storage pool is not set up yet, waits until LXD has done that,
 * and runs `act` again. Throws `engine_failed` when that takes longer than `patience` milliseconds,
 * and `cancelled` when the signal aborts the wait.
 *
 * LXD starts also when a bridge's DHCP server does not: because somebody has its port, or because the host has no
 * inotify instance left (`networkStartup` in LXD's lxd/networks.go).
 */
export async function withAvailableParts(
  http: LxdHttp,
  act: () => Promise<void>,
  { signal, patience = usualPatience }: { signal?: AbortSignal | undefined; patience?: number } = {},
): Promise<void> {
  const deadline = performance.now() + patience;
  for (;;) {
    try {
      return await act();
    } catch (error) {
      const part = partIn(reasonOf(error));
      if (!part) throw error;
      if (!(await isSetUpBefore(deadline, http, part, signal))) throw partFailure(part, error);
    }
  }
}

function partIn(reason: string): Part | undefined {
  const [, kind, name] = /(network|storage pool) "([^"]+)" unavailable on this server/i.exec(reason) ?? [];
  if (kind === undefined || name === undefined) return undefined;
  const folder = kind.toLowerCase() === "network" ? "networks" : "storage-pools";
  return { path: `/1.0/${folder}/${encodeURIComponent(name)}`, title: `${kind.toLowerCase()} ${name}` };
}

async function isSetUpBefore(deadline: number, http: LxdHttp, part: Part, signal?: AbortSignal): Promise<boolean> {
  while (performance.now() < deadline) {
    if ((await http.get<{ status: string }>(part.path, signal)).status !== "Unavailable") return true;
    await delay(pause, undefined, { signal }).catch((error: unknown) => {
      throw cancelled(error);
    });
  }
  return false;
}

/** LXD's refusal names no reason, and LXD 5.0 keeps none of it that its API would tell. */
function partFailure({ title }: Part, cause: unknown): AppError {
  const hint = title.startsWith("network")
    ? "mostly another program has port 53 of the bridge's address."
    : "look there.";
  const message = `LXD could not set up its ${title}, and tries again every minute. LXD's log says why; ${hint}`;
  return new AppError("engine_failed", message, { cause });
}
