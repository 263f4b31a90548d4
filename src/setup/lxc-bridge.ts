import { existsSync, globSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { runCommand } from "./command.ts";
import { type DaemonFolders, daemonPid, keepPid } from "./daemon.ts";
import { bridgeOf, readSettings } from "./lxc-settings.ts";

/** LXC's own script: it makes the bridge, its rules and its dnsmasq. */
const scripts = ["/usr/libexec/lxc/lxc-net", "/usr/lib/lxc/lxc-net", "/usr/lib/*/lxc/lxc-net"];
const pidFile = "/run/lxc/dnsmasq.pid";
const upFile = "/run/lxc/network_up";
const daemon = "lxc-dnsmasq";

/** A bridge that the administrator has made, or one of lxc-net whose dnsmasq lives. */
export function bridgeIsUp(): boolean {
  return hasBridge() && (!existsSync(upFile) || dnsmasqPid() !== undefined);
}

export function bridgeIsUsed(): boolean {
  const folder = `/sys/class/net/${bridgeOf(readSettings())}/brif`;
  return existsSync(folder) && readdirSync(folder).length > 0;
}

/** On a host without a service manager. Containers that are on the bridge stay on it. */
export async function startBridge(folders: DaemonFolders, env: Record<string, string>): Promise<void> {
  // It may be left from before a boot, or its dnsmasq may have ended.
  rmSync(upFile, { force: true });
  await runCommand([findScript(), "start"], env);
  keepPid(daemon, dnsmasqPid(), folders);
}

/** Answers whether it did: only what `startBridge` has started, and not while a container is on it. */
export async function stopBridge(folders: DaemonFolders, env: Record<string, string>): Promise<boolean> {
  if (daemonPid(daemon, folders) === undefined || bridgeIsUsed()) return false;
  await runCommand([findScript(), "stop"], env);
  return true;
}

export function startedBridge(folders: DaemonFolders): boolean {
  return daemonPid(daemon, folders) !== undefined;
}

function hasBridge(): boolean {
  return existsSync(`/sys/class/net/${bridgeOf(readSettings())}`);
}

function findScript(): string {
  const [script] = globSync(scripts);
  if (script === undefined) throw new Error("LXC is there without its script lxc-net; install LXC's package anew.");
  return script;
}

function dnsmasqPid(): number | undefined {
  try {
    const pid = Number(readFileSync(pidFile, "utf8"));
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "dnsmasq" ? pid : undefined;
  } catch {
    return undefined;
  }
}
