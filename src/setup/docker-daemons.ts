import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { mountCgroups } from "./cgroups.ts";
import { type DaemonFolders, type DaemonOptions, daemonPid, startOnce, stopDaemon } from "./daemon.ts";
import { listens, pingDocker } from "./sockets.ts";

export const dockerSocket = "/var/run/docker.sock";
const containerdSocket = "/run/containerd/containerd.sock";
const patience = 20_000;

/**
 * Starts Docker on a host without a service manager, with its data in the usual places. containerd is a process of its
 * own: a dockerd that died then starts again at once, and its containers never notice.
 */
export async function startDocker(options: DaemonOptions): Promise<void> {
  await mountCgroups(options.env);
  if (!(await listens(containerdSocket))) {
    await startOnce(["containerd"], options, () => listens(containerdSocket));
  }
  const selfPid = join(options.pids, "dockerd-self.pid");
  // dockerd refuses to start beside a pid file whose pid is in use, whoever uses it by now.
  if (daemonPid("dockerd", options) === undefined) rmSync(selfPid, { force: true });
  await startOnce(
    ["dockerd", ...dockerdFlags(selfPid)],
    options,
    async () => (await pingDocker(dockerSocket)) === "up",
  );
}

/** Only what set-up started; containers run on. Answers the names of what was stopped. */
export async function stopDocker(folders: DaemonFolders): Promise<string[]> {
  const stopped: string[] = [];
  for (const name of ["dockerd", "containerd"]) {
    if (await stopDaemon(name, { ...folders, patience })) stopped.push(name);
  }
  return stopped;
}

/** dockerd refuses a flag whose key is in its config file too: there the administrator's word counts. */
function dockerdFlags(selfPid: string): string[] {
  const flags: [key: string, ...flag: string[]][] = [
    ["containerd", "--containerd", containerdSocket],
    ["hosts", "--host", `unix://${dockerSocket}`],
    ["pidfile", "--pidfile", selfPid],
    ["live-restore", "--live-restore"],
  ];
  const keys = configuredKeys("/etc/docker/daemon.json");
  return flags.filter(([key]) => !keys.includes(key)).flatMap(([, ...flag]) => flag);
}

function configuredKeys(file: string): string[] {
  if (!existsSync(file)) return [];
  try {
    return Object.keys(JSON.parse(readFileSync(file, "utf8")) as object);
  } catch {
    // dockerd says what is wrong with it.
    return [];
  }
}
