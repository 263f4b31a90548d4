import { existsSync, globSync, readFileSync } from "node:fs";
import { mountCgroups } from "../cgroups.ts";
import { runCommand } from "../command.ts";
import { findProgram } from "../../util/process/system-path.ts";
import { type DaemonFolders, type DaemonOptions, daemonPid, ensureDaemon, stopDaemon, waitUntil } from "../daemon.ts";
import { pingSocket } from "../sockets.ts";

const lxdFolder = "/var/lib/lxd";
export const lxdSocket = `${lxdFolder}/unix.socket`;
const lxcfsFolder = "/var/lib/lxcfs";
const timeout = 30_000;

/** Starts LXD on a host without a service manager, with its data in the usual folder. Throws if it does not start. */
export async function startLxd(options: DaemonOptions, log: (line: string) => void): Promise<void> {
  await mountCgroups(options.env);
  await startLxcfs(options, log);
  if (daemonPid("lxd", options) === undefined) await endDnsmasq(lxdFolder);
  const argv: [string, ...string[]] = ["lxd", "--group", hasGroup("lxd") ? "lxd" : "root"];
  await ensureDaemon(argv, options, async () => (await pingSocket(lxdSocket, "/1.0")) === "up");
}

/**
 * Stops the daemons that set-up started. Running containers stay, with the storage pools and the lxcfs that they use.
 * Returns the names of the stopped daemons.
 */
export async function stopLxd(folders: DaemonFolders, log: (line: string) => void): Promise<string[]> {
  const stopped: string[] = [];
  // On SIGTERM LXD leaves its storage pools mounted, on SIGPWR it unmounts them.
  const used = hasRunningContainers(`${lxdFolder}/`);
  if (await stopDaemon("lxd", { ...folders, timeout, signal: used ? "SIGTERM" : "SIGPWR" })) {
    stopped.push("lxd");
    if (!used) await endDnsmasq(lxdFolder);
  }
  if (daemonPid("lxcfs", folders) !== undefined && hasRunningContainers("/")) {
    log("lxcfs stays, because containers have files of it.");
  } else if (await stopDaemon("lxcfs", { ...folders, timeout })) {
    stopped.push("lxcfs");
  }
  return stopped;
}

/**
 * Ends the dnsmasq of LXD's bridges, and waits until they are gone. LXD leaves them running when it ends. When it starts,
 * it kills them, waits 0.1 s, and starts new ones: on a busy host the port is not free by then, and LXD sets the bridge up
 * a minute later only.
 */
export async function endDnsmasq(folder: string): Promise<void> {
  const pids = globSync(`${folder}/networks/*/dnsmasq.pid`)
    .map((file) => Number(/^pid: (\d+)$/m.exec(readFileSync(file, "utf8"))?.[1]))
    .filter((pid) => pid > 1 && isDnsmasq(pid));
  for (const pid of pids) process.kill(pid, "SIGTERM");
  await waitUntil(() => !pids.some(isDnsmasq), timeout);
}

function isDnsmasq(pid: number): boolean {
  const file = `/proc/${pid}/comm`;
  return existsSync(file) && readFileSync(file, "utf8").trim() === "dnsmasq";
}

/** Starts lxcfs. Without it containers work, but see the host's memory and processors as their own. */
async function startLxcfs(options: DaemonOptions, log: (line: string) => void): Promise<void> {
  if (!findProgram("lxcfs") || existsSync(`${lxcfsFolder}/proc`)) return;
  try {
    // An lxcfs that was killed leaves a dead mount.
    await runCommand(["umount", "-l", lxcfsFolder], options.env).catch(() => undefined);
    await ensureDaemon(["lxcfs", lxcfsFolder], options, async () => existsSync(`${lxcfsFolder}/proc`));
  } catch (error) {
    log(`Containers will see the host's memory and processors: ${error instanceof Error ? error.message : ""}`);
  }
}

/** Looks in `/proc/net/unix` for command sockets: each running container of LXC and LXD has one, named by its folder. */
function hasRunningContainers(folder: string): boolean {
  const names = readFileSync("/proc/net/unix", "utf8")
    .split("\n")
    .map((line) => line.split(" ").at(-1) ?? "");
  return names.some((name) => name.startsWith(`@${folder}`) && name.endsWith("/command"));
}

function hasGroup(name: string): boolean {
  return readFileSync("/etc/group", "utf8")
    .split("\n")
    .some((line) => line.startsWith(`${name}:`));
}
