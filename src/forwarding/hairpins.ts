import { readdir, readFile } from "node:fs/promises";

import { allowReturn, redirectsInBridge } from "./bridges.ts";
import type { RunProgram } from "./run.ts";

/** A running container, and the bridge that its card is in. */
export interface BridgedProcess {
  pid: number;
  bridge: string;
}

/** Lets running containers reach their own ports through the host's address, where the bridge itself redirects. */
export function createHairpins(run: RunProgram): (running: readonly BridgedProcess[]) => Promise<void> {
  /** Process ids whose card has it; it comes anew with each start. */
  const done = new Set<number>();

  return async (running) => {
    const pids = new Set(running.map(({ pid }) => pid));
    for (const pid of done) if (!pids.has(pid)) done.delete(pid);
    for (const process of running) {
      if (done.has(process.pid) || !(await redirectsInBridge(process.bridge))) continue;
      for (const card of await cardsOf(run, process)) await allowReturn(card);
      done.add(process.pid);
    }
  };
}

/** Names of the ports of the bridge whose other end is in the process's network. */
async function cardsOf(run: RunProgram, { pid, bridge }: BridgedProcess): Promise<string[]> {
  // It may end at any moment; its next start comes with its own event.
  const listed = await run(["nsenter", "-t", String(pid), "-n", "--", "ip", "-json", "link", "show"]).catch(() => "[]");
  const peers = new Set((JSON.parse(listed) as { link_index?: number }[]).map((link) => link.link_index));
  const cards: string[] = [];
  for (const card of await readdir(`/sys/class/net/${bridge}/brif`).catch(() => [])) {
    const index = Number(await readFile(`/sys/class/net/${card}/ifindex`, "latin1").catch(() => "0"));
    if (peers.has(index)) cards.push(card);
  }
  return cards;
}
