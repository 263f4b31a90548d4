import { existsSync } from "node:fs";
import { type Environment, findCommand, runCommand, systemEnvironment } from "./command.ts";
import { waitUntil } from "./daemon.ts";
import { daemonFolders, dockerSocket, startDocker } from "./docker-daemons.ts";
import { type DockerState, pingDocker } from "./docker-ping.ts";
import { hasApt, installPackages, missingPackages } from "./packages.ts";

export interface EnsureDockerOptions {
  runDir: string;
  env: Environment;
  /** One line for the user. */
  log: (line: string) => void;
}

/** `running`: it was there already. `started`: set-up has started it. `absent`: the station does without. */
export type DockerOutcome = "running" | "started" | "absent";

const sockets = [dockerSocket, "/run/podman/podman.sock"];
const systemdPatience = 30_000;

/** Docker as it is; else installed and started where that is possible. Never throws: the station runs without it too. */
export async function ensureDocker(options: EnsureDockerOptions): Promise<DockerOutcome> {
  const states = await Promise.all(sockets.map(pingDocker));
  if (states.includes("up")) return "running";
  const reason = whyNot(states);
  if (reason) return without(options, reason);
  // What packages and daemons make is for all users, though what the station makes is not.
  const umask = process.umask(0o022);
  try {
    await setUp(options);
    options.log("Docker is started.");
    return "started";
  } catch (error) {
    return without(options, error instanceof Error ? error.message : String(error));
  } finally {
    process.umask(umask);
  }
}

async function setUp({ runDir, env, log }: EnsureDockerOptions): Promise<void> {
  const systemd = existsSync("/run/systemd/system");
  const commandEnv = systemEnvironment(env);
  if (!findCommand("dockerd")) {
    const names = missingPackages();
    log(`Docker is missing: installing ${names.join(", ")} with apt-get; --no-setup skips this.`);
    await installPackages(names, { env: commandEnv, holdServices: !systemd });
  }
  if (systemd) {
    log("Starting Docker with systemctl.");
    await runCommand(["systemctl", "enable", "--now", "docker"], commandEnv);
    if (await waitUntil(async () => (await pingDocker(dockerSocket)) === "up", systemdPatience)) return;
    throw new Error("The service docker runs but does not answer; see journalctl -u docker.");
  }
  log("Starting containerd and dockerd; npm run engines:stop stops them.");
  await startDocker({ ...daemonFolders(runDir), env: commandEnv });
}

function whyNot(states: readonly DockerState[]): string | undefined {
  if (states.includes("closed"))
    return "this user may not open Docker's socket; add it to the group docker, or start Gantry as root.";
  if (states.includes("stuck")) return "Docker is there but does not answer; it is picked up when it does.";
  if (process.getuid?.() !== 0)
    return "Docker does not run; start it, or start Gantry as root, which installs and starts it.";
  if (!findCommand("dockerd") && !hasApt()) {
    return "Docker is missing, and Gantry can install it on Debian and Ubuntu only; install it with your system's tools.";
  }
  return undefined;
}

function without({ log }: EnsureDockerOptions, reason: string): DockerOutcome {
  log(`No Docker for now: ${reason}`);
  return "absent";
}
