import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { findCommand, runCommand } from "./command.ts";

/** Command that is needed -> Debian package that brings it. The last two serve containers with an address of the LAN. */
const needed = {
  dockerd: "docker.io",
  containerd: "containerd",
  runc: "runc",
  iptables: "iptables",
  "update-ca-certificates": "ca-certificates",
  ip: "iproute2",
  busybox: "busybox-static",
};

const policyFile = "/usr/sbin/policy-rc.d";
/** Speaks only to packages of our own apt-get: left behind by a crash, it is in nobody's way. */
const policy =
  '#!/bin/sh\n# By Gantry, for its own installs; it can be removed.\n[ -z "${GANTRY_SETUP:-}" ] || exit 101\n';

export function missingPackages(): string[] {
  return Object.entries(needed)
    .filter(([command]) => !findCommand(command))
    .map(([, name]) => name);
}

/** Debian, Ubuntu, and what says that it is like them. */
export function hasApt(): boolean {
  if (!findCommand("apt-get") || !existsSync("/etc/os-release")) return false;
  const lines = readFileSync("/etc/os-release", "utf8").split("\n");
  const words = lines.filter((line) => /^ID(_LIKE)?=/.test(line)).flatMap((line) => line.split(/[="\s]+/));
  return words.includes("debian") || words.includes("ubuntu");
}

export interface InstallOptions {
  env: Record<string, string>;
  /** Where no service manager runs, packages must not start daemons themselves. */
  holdServices: boolean;
}

export async function installPackages(names: readonly string[], { env, holdServices }: InstallOptions): Promise<void> {
  const aptEnv = { ...env, DEBIAN_FRONTEND: "noninteractive", GANTRY_SETUP: "1" };
  const wait = "DPkg::Lock::Timeout=300";
  await runCommand(["apt-get", "update"], aptEnv);
  const release = holdServices ? refuseServices() : undefined;
  try {
    await runCommand(["apt-get", "install", "-y", "--no-install-recommends", "-o", wait, ...names], aptEnv);
  } finally {
    release?.();
  }
}

/** Answers how to end it; an administrator's own policy stays as it is. */
function refuseServices(): () => void {
  if (existsSync(policyFile)) return () => {};
  writeFileSync(policyFile, policy, { mode: 0o755, flag: "wx" });
  return () => rmSync(policyFile, { force: true });
}
