import { existsSync } from "node:fs";
import { findCommand, runCommand } from "./command.ts";
import { waitUntil } from "./daemon.ts";
import type { EngineLook, EngineSetup, StartContext } from "./engine-setup.ts";
import { ensureIdRanges } from "./id-ranges.ts";
import { lxdSocket, startLxd, stopLxd } from "./lxd-daemons.ts";
import { initialise, isInitialised } from "./lxd-init.ts";
import { lxdNeeds, systemTools } from "./needs.ts";
import { isSystem } from "./packages.ts";
import { pingSocket, type SocketState } from "./sockets.ts";

/** The package's, the snap's, and those of Incus, which is used as it is. */
const sockets = [lxdSocket, "/var/snap/lxd/common/lxd/unix.socket"];
const incusSockets = ["/var/lib/incus/unix.socket", "/run/incus/unix.socket"];
/** systemd may hold the socket and start LXD only now. */
const patience = 15_000;
const systemdPatience = 60_000;

export function lxdSetup(): EngineSetup {
  return {
    title: "LXD",
    needs: lxdNeeds,
    tools: systemTools,
    look,
    start,
    stop: stopLxd,
    bridges: () => ["lxdbr0"],
  };
}

async function look(): Promise<EngineLook> {
  const states = await Promise.all([...sockets, ...incusSockets].map(ping));
  const state = states.find((state) => state !== "down");
  if (state === "closed")
    return { reason: "this user may not open LXD's socket; add it to the group lxd, or start Gantry as root." };
  if (state === "stuck") return { reason: "LXD is there but does not answer; it is picked up when it does." };
  if (state === "up") {
    const socket = await runningSocket();
    return socket === undefined || (await isInitialised(socket)) ? "ready" : "stopped";
  }
  if (findCommand("lxd")) return "stopped";
  const other = [...sockets.slice(1), ...incusSockets].find(existsSync);
  if (other) return { reason: `nobody listens at ${other}; start what belongs to it.` };
  if (isSystem("ubuntu"))
    return { reason: "LXD is missing, and comes as a snap here; install it by snap install lxd." };
  return "missing";
}

async function start(context: StartContext): Promise<void> {
  const { env, systemd, log, folders } = context;
  if ((await runningSocket()) === undefined) {
    ensureIdRanges();
    if (systemd) await startService(context);
    else {
      log(`Starting lxd; ${folders.stopCommand} stops it.`);
      await startLxd({ ...folders, env }, log);
    }
  }
  const socket = (await runningSocket()) ?? lxdSocket;
  if (await isInitialised(socket)) return;
  log("Giving LXD a first bridge, lxdbr0, and a first storage pool.");
  await initialise(socket, log);
}

async function startService({ env, log }: StartContext): Promise<void> {
  log("Starting LXD with systemctl.");
  await runCommand(["systemctl", "enable", "--now", "lxd"], env);
  if (await waitUntil(async () => (await ping(lxdSocket)) === "up", systemdPatience)) return;
  throw new Error("The service lxd runs but does not answer; see journalctl -u lxd.");
}

/** LXD's own, not that of Incus. */
async function runningSocket(): Promise<string | undefined> {
  const states = await Promise.all(sockets.map(ping));
  return sockets.find((_, index) => states[index] === "up");
}

function ping(socket: string): Promise<SocketState> {
  return pingSocket(socket, "/1.0", patience);
}
