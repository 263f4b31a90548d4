import { readdir, readFile } from "node:fs/promises";

import { enableHairpinMode, filtersBridge } from "./kernel-settings.ts";
import type { RunProgram } from "./programs.ts";

/** The first process of a running container. */
export interface BridgedProcess {
  /** Its number on this host. */
  pid: number;
  /** The bridge that the container's interface is attached to. */
  bridge: string;
}

/**
 * Returns a function that lets running containers reach their own ports through the host's address. That needs hairpin mode
 * if the bridge itself redirects: without it a bridge never sends a packet back through the port that it came from.
 */
export function createHairpinMode(run: RunProgram): (running: readonly BridgedProcess[]) => Promise<void> {
  /** Processes whose bridge ports have the mode. A container's interface is made anew at each start. */
  const done = new Set<number>();

  return async (running) => {
    const pids = new Set(running.map(({ pid }) => pid));
    for (const pid of done) if (!pids.has(pid)) done.delete(pid);
    for (const process of running) {
      if (done.has(process.pid) || !(await filtersBridge(process.bridge))) continue;
      for (const port of await bridgePorts(run, process)) await enableHairpinMode(port);
      done.add(process.pid);
    }
  };
}

/** Lists the ports of the bridge whose veth peer is in the process's network namespace. */
async function bridgePorts(run: RunProgram, { pid, bridge }: BridgedProcess): Promise<string[]> {
  // The process may have ended. Its next start has an event of its own.
  const listed = await run(["nsenter", "-t", String(pid), "-n", "--", "ip", "-json", "link", "show"]).catch(() => "[]");
  const peers = new Set((JSON.parse(listed) as { link_index?: number }[]).map((link) => link.link_index));
  const ports: string[] = [];
  for (const port of await readdir(`/sys/class/net/${bridge}/brif`).catch(() => [])) {
    const index = Number(await readFile(`/sys/class/net/${port}/ifindex`, "latin1").catch(() => "0"));
    if (peers.has(index)) ports.push(port);
  }
  return ports;
}
