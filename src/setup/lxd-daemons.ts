import { existsSync, globSync, readFileSync } from "node:fs";
import { mountCgroups } from "./cgroups.ts";
import { findCommand, runCommand } from "./command.ts";
import { type DaemonFolders, type DaemonOptions, daemonPid, startOnce, stopDaemon } from "./daemon.ts";
import { pingSocket } from "./sockets.ts";

const lxdFolder = "/var/lib/lxd";
export const lxdSocket = `${lxdFolder}/unix.socket`;
const lxcfsFolder = "/var/lib/lxcfs";
const patience = 30_000;

/** Starts LXD on a host without a service manager, with its data in the usual place. */
export async function startLxd(options: DaemonOptions, log: (line: string) => void): Promise<void> {
  await mountCgroups(options.env);
  await startLxcfs(options, log);
  const argv: [string, ...string[]] = ["lxd", "--group", hasGroup("lxd") ? "lxd" : "root"];
  await startOnce(argv, options, async () => (await pingSocket(lxdSocket, "/1.0")) === "up");
}

/** Only what set-up started. While containers run, they and what they live on stay. */
export async function stopLxd(folders: DaemonFolders, log: (line: string) => void): Promise<string[]> {
  const stopped: string[] = [];
  // TERM leaves its mounted pools to the containers; PWR unmounts them.
  const used = containersRun(`${lxdFolder}/`);
  if (await stopDaemon("lxd", { ...folders, patience, signal: used ? "SIGTERM" : "SIGPWR" })) {
    stopped.push("lxd");
    if (!used) endDnsmasq();
  }
  if (daemonPid("lxcfs", folders) !== undefined && containersRun("/")) {
    log("lxcfs stays, because containers have files of it.");
  } else if (await stopDaemon("lxcfs", { ...folders, patience })) {
    stopped.push("lxcfs");
  }
  return stopped;
}

/** LXD leaves those of its bridges, and starts them anew. */
function endDnsmasq(): void {
  for (const file of globSync(`${lxdFolder}/networks/*/dnsmasq.pid`)) {
    const pid = Number(/^pid: (\d+)$/m.exec(readFileSync(file, "utf8"))?.[1]);
    if (pid > 1 && isDnsmasq(pid)) process.kill(pid, "SIGTERM");
  }
}

function isDnsmasq(pid: number): boolean {
  const file = `/proc/${pid}/comm`;
  return existsSync(file) && readFileSync(file, "utf8").trim() === "dnsmasq";
}

/** Not needed, but without it a container takes the host's memory and processors for its own. */
async function startLxcfs(options: DaemonOptions, log: (line: string) => void): Promise<void> {
  if (!findCommand("lxcfs") || existsSync(`${lxcfsFolder}/proc`)) return;
  try {
    // One that was killed leaves a mount that answers nobody.
    await runCommand(["umount", "-l", lxcfsFolder], options.env).catch(() => undefined);
    await startOnce(["lxcfs", lxcfsFolder], options, async () => existsSync(`${lxcfsFolder}/proc`));
  } catch (error) {
    log(`Containers will see the host's memory and processors: ${error instanceof Error ? error.message : ""}`);
  }
}

/** Each running container of LXC and LXD has a socket named by its folder. */
function containersRun(folder: string): boolean {
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
