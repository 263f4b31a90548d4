import { findCommand, runCommand } from "./command.ts";
import { waitUntil } from "./daemon.ts";
import { dockerSocket, startDocker, stopDocker } from "./docker-daemons.ts";
import type { EngineLook, EngineSetup, StartContext } from "./engine-setup.ts";
import { dockerNeeds, dockerTools } from "./needs.ts";
import { pingDocker } from "./sockets.ts";

const sockets = [dockerSocket, "/run/podman/podman.sock"];
const systemdPatience = 30_000;

export function dockerSetup(): EngineSetup {
  return {
    title: "Docker",
    needs: dockerNeeds,
    tools: dockerTools,
    look,
    start,
    stop: stopDocker,
    // Docker opens the way for its own.
    bridges: () => [],
  };
}

async function look(): Promise<EngineLook> {
  const states = await Promise.all(sockets.map(pingDocker));
  if (states.includes("up")) return "ready";
  if (states.includes("closed"))
    return { reason: "this user may not open Docker's socket; add it to the group docker, or start Gantry as root." };
  if (states.includes("stuck")) return { reason: "Docker is there but does not answer; it is picked up when it does." };
  return findCommand("dockerd") ? "stopped" : "missing";
}

async function start({ folders, env, systemd, log }: StartContext): Promise<void> {
  if (!systemd) {
    log(`Starting containerd and dockerd; ${folders.stopCommand} stops them.`);
    return startDocker({ ...folders, env });
  }
  log("Starting Docker with systemctl.");
  await runCommand(["systemctl", "enable", "--now", "docker"], env);
  if (await waitUntil(async () => (await pingDocker(dockerSocket)) === "up", systemdPatience)) return;
  throw new Error("The service docker runs but does not answer; see journalctl -u docker.");
}
