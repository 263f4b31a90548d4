import { existsSync, rmSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { daemonPid, endDaemon, startDaemon } from "./daemon.ts";
import { testEngines } from "./engines.ts";

/** Kills dockerd as a crash does. Containers run on: containerd is a process of its own. */
export async function killDockerd(): Promise<void> {
  await endDaemon("dockerd", "SIGKILL");
}

/** Starts dockerd and waits for its answer. No error when it runs already. */
export async function startDockerd(): Promise<void> {
  const { folder, docker, dockerSocket, cgroupParent } = testEngines();
  if (daemonPid("dockerd") !== undefined) return;
  const at = (name: string): string => join(folder, name);
  // After a kill it is still there, and its pid may be somebody else's.
  rmSync(at("dockerd-self.pid"), { force: true });
  const command = ["dockerd", "--containerd", at("containerd.sock"), "--host", docker];
  command.push("--data-root", at("docker"), "--exec-root", at("docker-run"), "--pidfile", at("dockerd-self.pid"));
  command.push("--config-file", at("daemon.json"), "--cgroup-parent", cgroupParent);
  command.push("--live-restore", "--shutdown-timeout", "2");
  // Go reads the authorities from here: the stand-in for Docker Hub is certified by the tests.
  const env = { SSL_CERT_FILE: at("hub.crt"), SSL_CERT_DIR: at("none") };
  await startDaemon("dockerd", command, { env, ready: () => answers(dockerSocket) });
}

export async function startContainerd(): Promise<void> {
  const socket = join(testEngines().folder, "containerd.sock");
  const command = ["containerd", "--config", join(testEngines().folder, "containerd.toml")];
  await startDaemon("containerd", command, { ready: () => existsSync(socket) });
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const ping = request({ socketPath, path: "/_ping", timeout: 2000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    ping.once("timeout", () => ping.destroy());
    ping.once("error", () => resolve(false));
    ping.end();
  });
}
