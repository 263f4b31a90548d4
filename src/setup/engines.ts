import { existsSync } from "node:fs";
import type { Config } from "../config/config.ts";
import { letOut } from "./bridge-rules.ts";
import { type Environment, systemEnvironment } from "./command.ts";
import { daemonFolders } from "./daemon.ts";
import { dockerSetup } from "./docker.ts";
import { type EngineLook, type EngineName, engineNames, type EngineSetup } from "./engine-setup.ts";
import { lxcSetup } from "./lxc.ts";
import { lxdSetup } from "./lxd.ts";
import { appArmorNeeds, pamNeeds } from "./needs.ts";
import { hasApt, installPackages, missingPackages } from "./packages.ts";

type Wanted = Pick<Config, "engines" | "docker" | "dockerHost" | "lxdSocket" | "lxcPath" | "runDir" | "pam">;

export interface SetupOptions {
  config: Wanted;
  env: Environment;
  /** One line for the user. */
  log: (line: string) => void;
}

/** `ready`: it was there already. `started`: set-up has started it. `absent`: the station does without. */
export type SetupOutcome = "ready" | "started" | "absent";

interface Candidate {
  setup: EngineSetup;
  look: EngineLook;
}

/**
 * Each engine as it is; else installed and started where that is possible. Never throws: the station runs without any.
 * An engine whose address was given is somebody else's and not looked at.
 */
export async function ensureEngines({ config, env, log }: SetupOptions): Promise<SetupOutcome[]> {
  // What packages and daemons make is for all users, though what the station makes is not.
  const umask = process.umask(0o022);
  try {
    const candidates = await Promise.all(wantedEngines(config).map(lookAt));
    const commandEnv = systemEnvironment(env);
    const lacking = candidates.map((candidate) => ({ title: candidate.setup.title, packages: lacks(candidate) }));
    if (config.pam) lacking.push({ title: "the host's users", packages: missingPackages([pamNeeds]) });
    await install(lacking, commandEnv, log);
    const outcomes: SetupOutcome[] = [];
    // One after the other: each finds the firewall as the one before has left it.
    for (const candidate of candidates) outcomes.push(await settle(candidate, { config, env: commandEnv, log }));
    const present = candidates.filter((_, index) => outcomes[index] !== "absent");
    const bridges = present.flatMap(({ setup }) => setup.bridges());
    if (isRoot()) await letOut(bridges.filter(isDevice), commandEnv);
    return outcomes;
  } finally {
    process.umask(umask);
  }
}

/** Answers the names of what was stopped. */
export async function stopEngines({ config, log }: Omit<SetupOptions, "env">): Promise<string[]> {
  const stopped: string[] = [];
  // The last one started goes first.
  for (const setup of wantedEngines(config).toReversed()) {
    stopped.push(...(await setup.stop(daemonFolders(config.runDir), log)));
  }
  return stopped;
}

function wantedEngines({ engines, docker, dockerHost, lxdSocket, lxcPath, runDir }: Wanted): EngineSetup[] {
  const made: Record<EngineName, () => EngineSetup | undefined> = {
    docker: () => (docker || dockerHost ? undefined : dockerSetup()),
    // A path is no daemon: its containers need the programs and the bridge all the same.
    lxc: () => lxcSetup(lxcPath, daemonFolders(runDir)),
    lxd: () => (lxdSocket ? undefined : lxdSetup()),
  };
  const names = engineNames.filter((name) => engines?.includes(name) ?? true);
  return names.map((name) => made[name]()).filter((setup) => setup !== undefined);
}

async function lookAt(setup: EngineSetup): Promise<Candidate> {
  const look = await setup.look().catch((error: unknown): EngineLook => ({ reason: messageOf(error) }));
  return { setup, look };
}

/** Packages that are missing for something. */
interface Lacking {
  title: string;
  packages: readonly string[];
}

/** All packages of all engines in one go. */
async function install(
  all: readonly Lacking[],
  env: Record<string, string>,
  log: (line: string) => void,
): Promise<void> {
  const lacking = all.filter(({ packages }) => packages.length > 0);
  const names = [...new Set(lacking.flatMap(({ packages }) => packages))];
  if (names.length === 0 || !isRoot() || !hasApt()) return;
  const titles = sentence(lacking.map(({ title }) => title));
  log(`Missing for ${titles}: installing ${names.join(", ")} with apt-get; --no-setup skips this.`);
  try {
    const unknown = await installPackages(names, { env, holdServices: !hasSystemd() });
    if (unknown.length > 0) log(`This system's package sources do not have ${sentence(unknown)}.`);
  } catch (error) {
    log(`The packages could not be installed: ${messageOf(error)}`);
  }
}

function lacks({ setup, look }: Candidate): string[] {
  if (typeof look === "object") return [];
  return missingPackages(look === "ready" ? [setup.tools] : [setup.needs, setup.tools, appArmorNeeds()]);
}

interface SettleOptions {
  config: Wanted;
  env: Record<string, string>;
  log: (line: string) => void;
}

async function settle({ setup, look }: Candidate, { config, env, log }: SettleOptions): Promise<SetupOutcome> {
  if (look === "ready") return "ready";
  const without = (reason: string): SetupOutcome => {
    log(`No ${setup.title} for now: ${reason}`);
    return "absent";
  };
  if (typeof look === "object") return without(look.reason);
  if (!isRoot()) {
    return without(`${setup.title} does not run; start it, or start Gantry as root, which installs and starts it.`);
  }
  const folders = daemonFolders(config.runDir);
  try {
    if (look === "missing" && (await setup.look()) === "missing") return without(whyMissing(setup.title));
    await setup.start({ folders, env, log, systemd: hasSystemd(), fresh: look === "missing" });
    log(`${setup.title} is ready.`);
    return "started";
  } catch (error) {
    return without(messageOf(error));
  }
}

function whyMissing(title: string): string {
  if (hasApt()) return `${title} is missing and could not be installed; install it with your system's tools.`;
  return `${title} is missing, and Gantry can install it on Debian and Ubuntu only; install it with your system's tools.`;
}

function sentence(names: readonly string[]): string {
  return new Intl.ListFormat("en-GB", { type: "conjunction" }).format(names);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function isDevice(name: string): boolean {
  return existsSync(`/sys/class/net/${name}`);
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function hasSystemd(): boolean {
  return existsSync("/run/systemd/system");
}
