import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { findCommand, runCommand } from "./command.ts";

/** Command or file that is needed -> Debian package that brings it. */
export type Needs = Readonly<Record<string, string>>;

const policyFile = "/usr/sbin/policy-rc.d";
/** Speaks only to packages of our own apt-get: left behind by a crash, it is in nobody's way. */
const policy =
  '#!/bin/sh\n# By Gantry, for its own installs; it can be removed.\n[ -z "${GANTRY_SETUP:-}" ] || exit 101\n';

/** In order, each once. */
export function missingPackages(needs: readonly Needs[], has: (need: string) => boolean = isThere): string[] {
  const missing = needs.flatMap((some) => Object.entries(some)).filter(([need]) => !has(need));
  return [...new Set(missing.map(([, name]) => name))];
}

function isThere(need: string): boolean {
  return need.startsWith("/") ? existsSync(need) : findCommand(need) !== undefined;
}

/** Debian, Ubuntu, and what says that it is like them. */
export function hasApt(): boolean {
  return findCommand("apt-get") !== undefined && ["debian", "ubuntu"].some(isSystem);
}

/** By its own word, or one that it is like. */
export function isSystem(name: string): boolean {
  if (!existsSync("/etc/os-release")) return false;
  const lines = readFileSync("/etc/os-release", "utf8").split("\n");
  return lines.some((line) => /^ID(_LIKE)?=/.test(line) && line.split(/[="\s]+/).includes(name));
}

export interface InstallOptions {
  env: Record<string, string>;
  /** Where no service manager runs, packages must not start daemons themselves. */
  holdServices: boolean;
}

/** Answers the names that this system's sources do not have; the others are installed. */
export async function installPackages(
  names: readonly string[],
  { env, holdServices }: InstallOptions,
): Promise<string[]> {
  const aptEnv = { ...env, DEBIAN_FRONTEND: "noninteractive", GANTRY_SETUP: "1" };
  const wait = "DPkg::Lock::Timeout=300";
  await runCommand(["apt-get", "update"], aptEnv);
  const known = candidates(await runCommand(["apt-cache", "policy", "--", ...names], aptEnv));
  const present = names.filter((name) => known.includes(name));
  if (present.length === 0) return [...names];
  const release = holdServices ? refuseServices() : undefined;
  try {
    await runCommand(["apt-get", "install", "-y", "--no-install-recommends", "-o", wait, "--", ...present], aptEnv);
  } finally {
    release?.();
  }
  return names.filter((name) => !known.includes(name));
}

/** The packages that can be installed, out of what apt-cache policy prints. */
function candidates(output: string): string[] {
  const blocks = output.matchAll(/^(\S+):\n +Installed: .*\n +Candidate: (.*)$/gm);
  return [...blocks].filter(([, , candidate]) => candidate !== "(none)").map(([, name]) => name ?? "");
}

/** Answers how to end it; an administrator's own policy stays as it is. */
function refuseServices(): () => void {
  if (existsSync(policyFile)) return () => {};
  writeFileSync(policyFile, policy, { mode: 0o755, flag: "wx" });
  return () => rmSync(policyFile, { force: true });
}
