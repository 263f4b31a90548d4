import { existsSync, globSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { runCommand } from "../command.ts";
import { type DaemonFolders, daemonPid, writePidFile } from "../daemon.ts";
import { bridgeName, readSettings } from "./settings.ts";

/** Paths of LXC's own script, which makes the bridge, its firewall rules and its dnsmasq. */
const scripts = ["/usr/libexec/lxc/lxc-net", "/usr/lib/lxc/lxc-net", "/usr/lib/*/lxc/lxc-net"];
const pidFile = "/run/lxc/dnsmasq.pid";
const upFile = "/run/lxc/network_up";
const daemon = "lxc-dnsmasq";

/** Tells whether the bridge is usable: the administrator has made it, or lxc-net has and its dnsmasq runs. */
export function isBridgeUp(): boolean {
  return hasBridge() && (!existsSync(upFile) || dnsmasqPid() !== undefined);
}

/** Tells whether an interface of a container is attached to the bridge. */
export function isBridgeUsed(): boolean {
  const folder = `/sys/class/net/${bridgeName(readSettings())}/brif`;
  return existsSync(folder) && readdirSync(folder).length > 0;
}

/** Starts the bridge on a host without a service manager. Containers that are attached to it stay attached. */
export async function startBridge(folders: DaemonFolders, env: Record<string, string>): Promise<void> {
  // The file may be left from before a boot, or its dnsmasq may have ended.
  rmSync(upFile, { force: true });
  await runCommand([findScript(), "start"], env);
  writePidFile(daemon, dnsmasqPid(), folders);
}

/** Stops the bridge if `startBridge` has started it and no container is attached. Returns whether it did. */
export async function stopBridge(folders: DaemonFolders, env: Record<string, string>): Promise<boolean> {
  if (daemonPid(daemon, folders) === undefined || isBridgeUsed()) return false;
  await runCommand([findScript(), "stop"], env);
  return true;
}

/** Tells whether `startBridge` has started the bridge, and its dnsmasq still runs. */
export function isBridgeOurs(folders: DaemonFolders): boolean {
  return daemonPid(daemon, folders) !== undefined;
}

function hasBridge(): boolean {
  return existsSync(`/sys/class/net/${bridgeName(readSettings())}`);
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
