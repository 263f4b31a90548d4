import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { mountCgroups } from "../cgroups.ts";
import { type DaemonFolders, type DaemonOptions, daemonPid, ensureDaemon, stopDaemon } from "../daemon.ts";
import { isListening, pingDocker } from "../sockets.ts";

/** Path of the socket of the Docker that set-up starts. */
export const dockerSocket = "/var/run/docker.sock";
const containerdSocket = "/run/containerd/containerd.sock";
const timeout = 20_000;

/**
 * Starts Docker on a host without a service manager, with its data in the usual folders. containerd is a process of its
 * own, so that containers run on while dockerd is restarted. Throws if a daemon does not start.
 */
export async function startDocker(options: DaemonOptions): Promise<void> {
  await mountCgroups(options.env);
  if (!(await isListening(containerdSocket))) {
    await ensureDaemon(["containerd"], options, () => isListening(containerdSocket));
  }
  const selfPid = join(options.pids, "dockerd-self.pid");
  // dockerd refuses to start if its old pid file names a process, even one of another program.
  if (daemonPid("dockerd", options) === undefined) rmSync(selfPid, { force: true });
  await ensureDaemon(
    ["dockerd", ...dockerdFlags(selfPid)],
    options,
    async () => (await pingDocker(dockerSocket)) === "up",
  );
}

/** Stops the daemons that set-up started; containers run on. Returns the names of the stopped daemons. */
export async function stopDocker(folders: DaemonFolders): Promise<string[]> {
  const stopped: string[] = [];
  for (const name of ["dockerd", "containerd"]) {
    if (await stopDaemon(name, { ...folders, timeout })) stopped.push(name);
  }
  return stopped;
}

/** Leaves out flags whose keys are in the administrator's config file: dockerd refuses a key that is set twice. */
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
    // dockerd reports what is wrong with its config file.
    return [];
  }
}
