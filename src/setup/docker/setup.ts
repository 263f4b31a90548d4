import { runCommand } from "../command.ts";
import { findProgram } from "../../util/process/system-path.ts";
import { waitUntil } from "../daemon.ts";
import { dockerSocket, startDocker, stopDocker } from "./daemons.ts";
import type { EngineCondition, EngineSetup, StartContext } from "../engine-setup.ts";
import { dockerRequirements, dockerTools } from "../requirements.ts";
import { pingDocker } from "../sockets.ts";

/** Sockets that serve Docker's API: Docker's own and Podman's. */
const sockets = [dockerSocket, "/run/podman/podman.sock"];
const systemdTimeout = 30_000;

/** Makes the set-up of Docker. */
export function dockerSetup(): EngineSetup {
  return {
    title: "Docker",
    needs: dockerRequirements,
    tools: dockerTools,
    inspect,
    start,
    stop: stopDocker,
    // Docker's firewall lets its own bridges pass.
    bridges: () => [],
  };
}

async function inspect(): Promise<EngineCondition> {
  const states = await Promise.all(sockets.map(pingDocker));
  if (states.includes("up")) return "ready";
  if (states.includes("closed"))
    return { reason: "this user may not open Docker's socket; add it to the group docker, or start Gantry as root." };
  if (states.includes("stuck")) return { reason: "Docker is there but does not answer; it is picked up when it does." };
  return findProgram("dockerd") ? "stopped" : "missing";
}

async function start({ folders, env, systemd, log }: StartContext): Promise<void> {
  if (!systemd) {
    log(`Starting containerd and dockerd; ${folders.stopCommand} stops them.`);
    return startDocker({ ...folders, env });
  }
  log("Starting Docker with systemctl.");
  await runCommand(["systemctl", "enable", "--now", "docker"], env);
  if (await waitUntil(async () => (await pingDocker(dockerSocket)) === "up", systemdTimeout)) return;
  throw new Error("The service docker runs but does not answer; see journalctl -u docker.");
}
