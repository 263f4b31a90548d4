import { existsSync } from "node:fs";
import { runCommand } from "../command.ts";
import { findProgram } from "../../util/process/system-path.ts";
import { waitUntil } from "../daemon.ts";
import type { EngineCondition, EngineSetup, StartContext } from "../engine-setup.ts";
import { ensureIdRanges } from "./id-ranges.ts";
import { lxdSocket, startLxd, stopLxd } from "./daemons.ts";
import { initialize, isInitialized } from "./init.ts";
import { describeMissingNetworks } from "./networks.ts";
import { lxdRequirements, systemTools } from "../requirements.ts";
import { isDistribution } from "../packages.ts";
import { pingSocket, type SocketState } from "../sockets.ts";

/** Sockets of LXD as a Debian package and as a snap. */
const sockets = [lxdSocket, "/var/snap/lxd/common/lxd/unix.socket"];
/** Sockets of Incus, which set-up uses but never starts or configures. */
const incusSockets = ["/var/lib/incus/unix.socket", "/run/incus/unix.socket"];
/** Milliseconds. systemd may hold the socket and start LXD only when somebody connects. */
const timeout = 15_000;
const systemdTimeout = 60_000;

/** Makes the set-up of LXD. */
export function lxdSetup(): EngineSetup {
  return {
    title: "LXD",
    needs: lxdRequirements,
    tools: systemTools,
    inspect,
    start,
    stop: stopLxd,
    bridges: () => ["lxdbr0"],
  };
}

async function inspect(): Promise<EngineCondition> {
  const states = await Promise.all([...sockets, ...incusSockets].map(ping));
  const state = states.find((state) => state !== "down");
  if (state === "closed")
    return { reason: "this user may not open LXD's socket; add it to the group lxd, or start Gantry as root." };
  if (state === "stuck") return { reason: "LXD is there but does not answer; it is picked up when it does." };
  if (state === "up") {
    const socket = await runningSocket();
    return socket === undefined || (await isInitialized(socket)) ? "ready" : "stopped";
  }
  if (findProgram("lxd")) return "stopped";
  const other = [...sockets.slice(1), ...incusSockets].find(existsSync);
  if (other) return { reason: `nobody listens at ${other}; start what belongs to it.` };
  if (isDistribution("ubuntu"))
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
  for (const line of await describeMissingNetworks(socket)) log(line);
  if (await isInitialized(socket)) return;
  log("Giving LXD a first bridge, lxdbr0, and a first storage pool.");
  await initialize(socket, log);
}

async function startService({ env, log }: StartContext): Promise<void> {
  log("Starting LXD with systemctl.");
  await runCommand(["systemctl", "enable", "--now", "lxd"], env);
  if (await waitUntil(async () => (await ping(lxdSocket)) === "up", systemdTimeout)) return;
  throw new Error("The service lxd runs but does not answer; see journalctl -u lxd.");
}

/** Returns the socket of an LXD that answers, if any. Incus does not count. */
async function runningSocket(): Promise<string | undefined> {
  const states = await Promise.all(sockets.map(ping));
  return sockets.find((_, index) => states[index] === "up");
}

function ping(socket: string): Promise<SocketState> {
  return pingSocket(socket, "/1.0", timeout);
}
