import { chmodSync, existsSync, mkdirSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join, resolve, sep } from "node:path";
import type { Config } from "./config.ts";
import { findEngines } from "./engines/registry.ts";
import { AppError } from "./errors.ts";
import { ownHostNames } from "./http/host-names.ts";
import { createServer } from "./http/server.ts";
import { createHostUsers } from "./services/accounts/host-users.ts";
import { ensureAdmin } from "./services/admin.ts";
import { openSecrets } from "./services/secrets.ts";
import { createStation } from "./services/station.ts";
import { openDatabase, type Database } from "./storage/sqlite/database.ts";
import { holdFileLock } from "./util/file-lock.ts";
import { log } from "./util/log.ts";

export interface App {
  /** Listens, then takes up what an earlier process left. Answers the address. */
  start(): Promise<{ host: string; port: number }>;
  /** Ends within about `grace` ms. */
  stop(grace: number): Promise<void>;
}

export interface AppEvents {
  /** The disk or the database can no longer be trusted: the process must end. */
  onFatal(reason: string): void;
  /** The password made up for admin at the first start, to be shown. */
  onFirstPassword(password: string): void;
}

/**
 * A data folder belongs to one host at a time, whatever that is called today: by its present name a renamed host would
 * find none of its tasks.
 */
const thisHost = "this";
const hour = 3600_000;
const auditRetention = { maxAge: 90 * 24 * hour, maxRows: 1_000_000 };
const retention = { maxAge: 30 * 24 * hour, minAge: 24 * hour, maxCount: 10_000, maxEvents: 200_000 };

/** The composition root: the one file that knows every layer. Throws AppError with a sentence that says what to do. */
export async function createApp(config: Config, version: string, events: AppEvents): Promise<App> {
  refuseLaterEngines(config);
  prepareFolders(config);
  const { dataDir, synchronous } = config;
  const path = join(dataDir, "gantry.db");
  // The key comes first: a database without its key would be refused for ever.
  const secrets = openSecrets(dataDir, !existsSync(path));
  const database = await openDatabase({ path, host: thisHost, synchronous }, events.onFatal);
  const hostUsers = config.pam && createHostUsers(config.pam);
  await ensureAdmin(database.accounts, config.adminPassword, events.onFirstPassword);
  const engines = await findEngines(config);
  const station = await createStation({
    id: database.identity.station,
    stores: database,
    engines,
    secrets,
    loginLimits: config.loginLimits,
    hostUsers,
    shares: config.shares,
    lanes: config.lanes,
    maxTasks: config.maxTasks,
    log,
  });
  database.onCommit(station.committed);
  const server = createServer({
    services: station.services,
    version,
    log,
    hostNames: [...ownHostNames(), config.listen.host, ...config.hostNames],
  });
  const stopUpkeep = keepUp(database);

  return {
    async start() {
      await server.listen({ ...config.listen }).catch((error: unknown) => Promise.reject(listenFailure(config, error)));
      await station.start();
      return { host: config.listen.host, port: (server.server.address() as AddressInfo).port };
    },
    async stop(grace) {
      stopUpkeep();
      await Promise.all([server.close(), station.stop(grace)]);
      for (const engine of engines) engine.close();
      await database.close();
    },
  };
}

function refuseLaterEngines({ engines = [] }: Config): void {
  const later = engines.filter((type) => type !== "docker");
  if (later.length === 0) return;
  throw new AppError("conflict", `This version drives docker only, not ${later.join(" and ")}: change --engines.`);
}

function listenFailure({ listen }: Config, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  const at = `${listen.host}:${listen.port}`;
  if (code === "EADDRINUSE")
    return new AppError("conflict", `${at} is in use by another program: stop it, or choose another with --listen.`);
  if (code === "EACCES")
    return new AppError("conflict", `${at} may not be opened by this user: choose a port above 1023 with --listen.`);
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND")
    return new AppError("conflict", `${at} is no address of this host: choose another with --listen.`);
  return error;
}

/** Folders of the station, closed to others, and held against a second station. */
function prepareFolders({ dataDir, runDir, shares }: Config): void {
  for (const folder of [dataDir, runDir]) makeFolder(folder);
  chmodSync(dataDir, 0o700);
  for (const [name, folder] of Object.entries(shares)) {
    if (`${resolve(dataDir)}${sep}`.startsWith(`${resolve(folder)}${sep}`)) {
      throw new AppError(
        "conflict",
        `The share ${name} would contain Gantry's own data folder ${dataDir}: choose another folder.`,
      );
    }
    if (folder.startsWith(`${dataDir}${sep}`)) makeFolder(folder);
  }
  if (!holdFileLock(join(dataDir, "station.lock"))) {
    throw new AppError(
      "conflict",
      `Another station uses the data folder ${dataDir}: stop it, or choose another with --data.`,
    );
  }
  if (!holdFileLock(join(runDir, "station.lock"))) {
    throw new AppError("conflict", `Another station runs on this host (its lock is in ${runDir}): stop it first.`);
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new AppError("conflict", `The folder ${folder} cannot be made: ${(cause as Error).message}.`, { cause });
  }
}

function keepUp(database: Database): () => void {
  const { maxAge, maxRows } = auditRetention;
  const failed = (error: unknown) => log("retention", { error });
  const purge = () => {
    database.tasks.purge({ now: Date.now(), ...retention }).catch(failed);
    database.audit.purge({ before: Date.now() - maxAge, maxRows }).catch(failed);
  };
  const timer = setInterval(purge, hour);
  return () => clearInterval(timer);
}
