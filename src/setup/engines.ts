import { existsSync } from "node:fs";
import type { Config } from "../config/config.ts";
import { allowBridges } from "./docker-firewall.ts";
import { type Environment, systemEnvironment } from "./command.ts";
import { daemonFolders } from "./daemon.ts";
import { dockerSetup } from "./docker/setup.ts";
import type { EngineCondition, EngineSetup } from "./engine-setup.ts";
import { raiseInotifyLimit } from "./inotify-limit.ts";
import { lxcSetup } from "./lxc/setup.ts";
import { lxdSetup } from "./lxd/setup.ts";
import { appArmorRequirements, pamRequirements } from "./requirements.ts";
import { hasApt, installPackages, listMissingPackages } from "./packages.ts";

type SetupConfig = Pick<Config, "engines" | "docker" | "dockerHost" | "lxdSocket" | "lxcPath" | "runDir" | "pam">;

export interface SetupOptions {
  /** The station's settings. */
  config: SetupConfig;
  /** The station's environment, of which programs see only a part. */
  env: Environment;
  /** Prints one line for the user. */
  log: (line: string) => void;
}

/** `ready`: the engine ran already. `started`: set-up has started it. `absent`: the station runs without it. */
export type SetupOutcome = "ready" | "started" | "absent";

interface Candidate {
  setup: EngineSetup;
  /** What was found before set-up did anything. */
  condition: EngineCondition;
}

/**
 * Installs and starts the chosen engines where they are missing and that is possible. Returns one outcome for each. Never
 * throws because of an engine, since the station also runs without one. An engine whose address is configured belongs to
 * somebody else and is left alone.
 */
export async function ensureEngines({ config, env, log }: SetupOptions): Promise<SetupOutcome[]> {
  // Files of packages and daemons must be readable by all users, unlike the station's own.
  const umask = process.umask(0o022);
  try {
    const candidates = await Promise.all(chosenSetups(config).map(inspectSetup));
    const commandEnv = systemEnvironment(env);
    const missing = candidates.map((candidate) => ({ title: candidate.setup.title, packages: missingFor(candidate) }));
    if (config.pam) missing.push({ title: "the host's users", packages: listMissingPackages([pamRequirements]) });
    await install(missing, commandEnv, log);
    if (isRoot()) raiseInotifyLimit(log);
    const outcomes: SetupOutcome[] = [];
    // One after the other, because each adapts to the firewall that the one before has left.
    for (const candidate of candidates) outcomes.push(await ensureEngine(candidate, { config, env: commandEnv, log }));
    const present = candidates.filter((_, index) => outcomes[index] !== "absent");
    const bridges = present.flatMap(({ setup }) => setup.bridges());
    if (isRoot()) await allowBridges(bridges.filter(isDevice), commandEnv);
    return outcomes;
  } finally {
    process.umask(umask);
  }
}

/** Stops what set-up started, the last started first. Returns the names of what was stopped. */
export async function stopEngines({ config, log }: Omit<SetupOptions, "env">): Promise<string[]> {
  const stopped: string[] = [];

  for (const setup of chosenSetups(config).toReversed()) {
    stopped.push(...(await setup.stop(daemonFolders(config.runDir), log)));
  }
  return stopped;
}

/** The types of engines that the configuration knows. */
type EngineType = NonNullable<Config["engines"]>[number];

/** Returns how the chosen engines are set up, in the order in which they are started. */
function chosenSetups({ engines, docker, dockerHost, lxdSocket, lxcPath, runDir }: SetupConfig): EngineSetup[] {
  const made: Record<EngineType, () => EngineSetup | undefined> = {
    docker: () => (docker || dockerHost ? undefined : dockerSetup()),
    // LXC is set up even if its path is configured: containers there need the programs and the bridge too.
    lxc: () => lxcSetup(lxcPath, daemonFolders(runDir)),
    lxd: () => (lxdSocket ? undefined : lxdSetup()),
  };
  const names = Object.keys(made) as EngineType[];
  return names.flatMap((name) => ((engines?.includes(name) ?? true) ? (made[name]() ?? []) : []));
}

async function inspectSetup(setup: EngineSetup): Promise<Candidate> {
  const condition = await setup.inspect().catch((error: unknown): EngineCondition => ({ reason: messageOf(error) }));
  return { setup, condition };
}

/** The packages that are missing for one engine or feature. */
interface MissingPackages {
  title: string;
  packages: readonly string[];
}

/** Installs all missing packages in one call of apt-get. */
async function install(
  all: readonly MissingPackages[],
  env: Record<string, string>,
  log: (line: string) => void,
): Promise<void> {
  const missing = all.filter(({ packages }) => packages.length > 0);
  const names = [...new Set(missing.flatMap(({ packages }) => packages))];
  if (names.length === 0 || !isRoot() || !hasApt()) return;
  const titles = sentence(missing.map(({ title }) => title));
  log(`Missing for ${titles}: installing ${names.join(", ")} with apt-get; --no-setup skips this.`);
  try {
    const unknown = await installPackages(names, { env, holdServices: !hasSystemd() });
    if (unknown.length > 0) log(`This system's package sources do not have ${sentence(unknown)}.`);
  } catch (error) {
    log(`The packages could not be installed: ${messageOf(error)}`);
  }
}

function missingFor({ setup, condition }: Candidate): string[] {
  if (typeof condition === "object") return [];
  return listMissingPackages(
    condition === "ready" ? [setup.tools] : [setup.needs, setup.tools, appArmorRequirements()],
  );
}

interface EnsureOptions {
  config: SetupConfig;
  env: Record<string, string>;
  log: (line: string) => void;
}

async function ensureEngine(
  { setup, condition }: Candidate,
  { config, env, log }: EnsureOptions,
): Promise<SetupOutcome> {
  if (condition === "ready") return "ready";
  const absent = (reason: string): SetupOutcome => {
    log(`No ${setup.title} for now: ${reason}`);
    return "absent";
  };
  if (typeof condition === "object") return absent(condition.reason);
  if (!isRoot()) {
    return absent(`${setup.title} does not run; start it, or start Gantry as root, which installs and starts it.`);
  }
  const folders = daemonFolders(config.runDir);
  try {
    if (condition === "missing" && (await setup.inspect()) === "missing") return absent(missingReason(setup.title));
    await setup.start({ folders, env, log, systemd: hasSystemd(), justInstalled: condition === "missing" });
    log(`${setup.title} is ready.`);
    return "started";
  } catch (error) {
    return absent(messageOf(error));
  }
}

function missingReason(title: string): string {
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
