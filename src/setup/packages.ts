import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { runCommand } from "./command.ts";
import { findProgram } from "../util/process/system-path.ts";

/** The Debian package of each required command or file. Keys are names of commands or absolute paths. */
export type Requirements = Readonly<Record<string, string>>;

const policyFile = "/usr/sbin/policy-rc.d";
/** Forbids service starts only to our own apt-get, so that it does no harm if a crash leaves it behind. */
const policyScript =
  '#!/bin/sh\n# By Gantry, for its own installs; it can be removed.\n[ -z "${GANTRY_SETUP:-}" ] || exit 101\n';

/** Returns the packages of all requirements that are not met, each once, in order. */
export function listMissingPackages(
  needs: readonly Requirements[],
  has: (need: string) => boolean = isPresent,
): string[] {
  const missing = needs.flatMap((some) => Object.entries(some)).filter(([need]) => !has(need));
  return [...new Set(missing.map(([, name]) => name))];
}

function isPresent(need: string): boolean {
  return need.startsWith("/") ? existsSync(need) : findProgram(need) !== undefined;
}

/** Tells whether set-up can install packages: on Debian, Ubuntu, and systems that declare themselves similar. */
export function hasApt(): boolean {
  return findProgram("apt-get") !== undefined && ["debian", "ubuntu"].some(isDistribution);
}

/** Tells whether os-release(5) names this distribution in ID or ID_LIKE. */
export function isDistribution(name: string): boolean {
  if (!existsSync("/etc/os-release")) return false;
  const lines = readFileSync("/etc/os-release", "utf8").split("\n");
  return lines.some((line) => /^ID(_LIKE)?=/.test(line) && line.split(/[="\s]+/).includes(name));
}

export interface InstallOptions {
  /** Environment of apt-get. */
  env: Record<string, string>;
  /** True: packages must not start their services, because no service manager runs. */
  holdServices: boolean;
}

/**
 * Installs packages by apt-get. Returns the names that this system's package sources do not have; the others are installed.
 * Throws if apt-get fails.
 */
export async function installPackages(
  names: readonly string[],
  { env, holdServices }: InstallOptions,
): Promise<string[]> {
  const aptEnv = { ...env, DEBIAN_FRONTEND: "noninteractive", GANTRY_SETUP: "1" };
  const wait = "DPkg::Lock::Timeout=300";
  await runCommand(["apt-get", "update"], aptEnv);
  const known = installable(await runCommand(["apt-cache", "policy", "--", ...names], aptEnv));
  const present = names.filter((name) => known.includes(name));
  if (present.length === 0) return [...names];
  const release = holdServices ? forbidServiceStarts() : undefined;
  try {
    await runCommand(["apt-get", "install", "-y", "--no-install-recommends", "-o", wait, "--", ...present], aptEnv);
  } finally {
    release?.();
  }
  return names.filter((name) => !known.includes(name));
}

/** Returns the packages that can be installed, from the output of `apt-cache policy`. */
function installable(output: string): string[] {
  const blocks = output.matchAll(/^(\S+):\n +Installed: .*\n +Candidate: (.*)$/gm);
  return [...blocks].filter(([, , candidate]) => candidate !== "(none)").map(([, name]) => name ?? "");
}

/** Forbids service starts by policy-rc.d, unless the administrator has a policy. Returns a function that ends it. */
function forbidServiceStarts(): () => void {
  if (existsSync(policyFile)) return () => {};
  writeFileSync(policyFile, policyScript, { mode: 0o755, flag: "wx" });
  return () => rmSync(policyFile, { force: true });
}
