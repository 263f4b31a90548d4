import { spawn } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { run } from "./commands.ts";

/** A LAN behind a cable: the host's end of it, and on the other a router (.1) that gives out addresses by DHCP. */
export interface LanWorld {
  /** The host's end. */
  cable: string;
  /** A bridge of the host that the cable is in. */
  bridge: string;
  /** Runs a program on the router; throws when it fails. */
  onRouter(...argv: string[]): Promise<string>;
  /** `false`: nobody answers DHCP. */
  dhcp(on: boolean): Promise<void>;
  /** Takes the cable out of the bridge, or puts it in. */
  bridged(on: boolean): Promise<void>;
  close(): Promise<void>;
}

const network = "192.168.77";

export async function startLan(): Promise<LanWorld> {
  const id = process.pid;
  const [cable, bridge, router] = [`gtc${id}`, `gtb${id}`, `gtr${id}`];
  const folder = mkdtempSync(join(tmpdir(), "lan-"));
  await run("ip", "netns", "add", router);
  await run("ip", "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", router);
  await run("ip", "link", "set", cable, "up");
  await run("ip", "link", "add", bridge, "type", "bridge");
  await run("ip", "link", "set", bridge, "up");
  const onRouter = (...argv: string[]): Promise<string> => run("ip", "netns", "exec", router, ...argv);
  await onRouter("ip", "address", "add", `${network}.1/24`, "dev", "eth0");
  await onRouter("ip", "link", "set", "eth0", "up");
  await onRouter("ip", "link", "set", "lo", "up");
  writeFileSync(join(folder, "leases"), "");
  const lines = [
    `start ${network}.100`,
    `end ${network}.149`,
    "interface eth0",
    `lease_file ${folder}/leases`,
    `pidfile ${folder}/pid`,
  ];
  writeFileSync(
    join(folder, "conf"),
    [...lines, "option subnet 255.255.255.0", `option router ${network}.1`, "option lease 10", "min_lease 1", ""].join(
      "\n",
    ),
  );
  let server: ReturnType<typeof spawn> | undefined;

  async function dhcp(on: boolean): Promise<void> {
    server?.kill("SIGKILL");
    server = on
      ? spawn("ip", ["netns", "exec", router, "busybox", "udhcpd", "-f", "-S", join(folder, "conf")])
      : undefined;
  }

  async function bridged(on: boolean): Promise<void> {
    // The kernel takes the cards of ended containers from the cable a little later.
    for (let tries = 50; ; tries--) {
      try {
        await run("ip", "link", "set", cable, ...(on ? ["master", bridge] : ["nomaster"]));
        return;
      } catch (error) {
        if (tries === 0) throw error;
        await delay(100);
      }
    }
  }

  async function close(): Promise<void> {
    await dhcp(false);
    await run("ip", "netns", "delete", router);
    await run("ip", "link", "delete", bridge);
  }

  await dhcp(true);
  return { cable, bridge, onRouter, dhcp, bridged, close };
}
