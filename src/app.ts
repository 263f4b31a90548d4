import { existsSync, statSync } from "node:fs";
import type { AddressInfo, Server } from "node:net";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { openCertificates, type Certificates } from "./certificates/certificates.ts";
import { watchPairFiles, stationPair, type ServerPair } from "./certificates/server-pair.ts";
import { redactConfig } from "./config/redacted.ts";
import type { Config } from "./config/config.ts";
import { dockerAddress, findEngines } from "./engines/find-engines.ts";
import { killStrayProcesses } from "./engines/processes/stray-processes.ts";
import { createCatalogue } from "./engines/system-images/catalogue.ts";
import { AppError } from "./errors.ts";
import { parseAddress } from "./gateway/engine-address.ts";
import { createGateway, type Gateway, type GatewayAudit } from "./gateway/gateway.ts";
import { readBoot } from "./host/boot.ts";
import { readHostId, writeHostId } from "./host/host-id.ts";
import { createHost } from "./host/host.ts";
import { createOutbound } from "./host/outbound.ts";
import { ownHostNames } from "./http/security/host-names.ts";
import { createServer } from "./http/server.ts";
import { prepareFolders } from "./data-folders.ts";
import { createOwnPorts, type OwnPorts } from "./own-ports.ts";
import { createHostUsers } from "./services/accounts/host-users.ts";
import { ensureAdmin } from "./services/accounts/first-admin.ts";
import { createRegistryCheck } from "./services/planning/registry-check.ts";
import { openSecrets } from "./services/secrets/secrets.ts";
import { createStationClock } from "./services/accounts/station-clock.ts";
import { createStation, type Station } from "./services/station/station.ts";
import { openDatabase, type Database } from "./storage/sqlite/database.ts";
import { purgeAudit } from "./storage/audit-pages.ts";
import { purgeAll } from "./storage/task-pages.ts";
import { installation } from "./util/installation.ts";
import { log, stationLog } from "./station-log.ts";

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
  /** A port is open that asks nobody who he is. */
  onOpenDoor(address: string): void;
}

const hour = 3600_000;
const auditRetention = { maxAge: 90 * 24 * hour, maxRows: 1_000_000 };
const retention = { maxAge: 30 * 24 * hour, minAge: 24 * hour, maxCount: 10_000, maxEvents: 200_000 };

/** Puts the station together from all layers. Throws AppError with a sentence that says what to do. */
export async function createApp(config: Config, version: string, events: AppEvents): Promise<App> {
  prepareFolders(config);
  const { dataDir, synchronous } = config;
  const path = join(dataDir, "gantry.db");
  // The key comes first: a database without its key would be refused for ever.
  const firstStart = !existsSync(path);
  const secrets = openSecrets(dataDir, firstStart);
  const hostId = readHostId(dataDir);
  const database = await openDatabase({ path, host: hostId, synchronous }, events.onFatal);
  if (hostId === undefined) writeHostId(dataDir, database.identity.host);
  const hostUsers = config.pam && createHostUsers(config.pam);
  await ensureAdmin(database.accounts, config.adminPassword, events.onFirstPassword);
  const clock = await createStationClock({ store: database.clock, boot: readBoot, log });
  const id = database.identity.station;
  // Before anything that they may be writing is looked at.
  await killStrayProcesses(id);
  const folder = join(dataDir, "images");
  const ports = createOwnPorts(config);
  const outbound = createOutbound(ports.list);
  const fetching = { folder, env: config.proxies, hosts: config.imageServerHosts, judge: outbound };
  const systemImages = await createCatalogue({ ...fetching, server: config.imageServer, station: id });
  const engines = await findEngines({ ...config, systemImages, fetching });
  const certificates = await openCertificates({ folder: join(dataDir, "tls"), ...(!firstStart && { log }) });
  await renew(certificates);
  const pair = serverPair(config, certificates);
  const station = await createStation({
    id,
    stores: database,
    engines,
    secrets,
    loginLimits: config.loginLimits,
    hostUsers,
    clock,
    shares: {
      roots: config.shares,
      readOnly: config.readOnlyShares,
      protectedShares: join(dataDir, "protected-shares"),
    },
    lanes: config.lanes,
    maxTasks: config.maxTasks,
    userQuota: config.userQuota,
    host: createHost(),
    checkRegistry: createRegistryCheck(outbound),
    certificates,
    build: { version, date: buildDate() },
    configuration: redactConfig(config),
    recentLines: stationLog.recentLines,
    openvz: {
      engine: config.openvz.engine,
      open: config.openvz.open,
      aliases: config.openvz.templates,
      lacks: systemImages.findPullObstacle,
    },
    maxStreams: config.maxStreams,
    log,
  });
  const gateway = await dockerGateway(config, certificates, station.gatewayVisits);
  database.onCommit(station.committed);
  const servers: Servers = { ...createServers({ config, version, station, certificates, pair }), gateway };
  const stopUpkeep = startUpkeep(database, certificates);

  return {
    async start() {
      const port = await listen(config, servers, { ports, onOpenDoor: events.onOpenDoor });
      await station.start();
      return { host: config.listen.host, port };
    },
    async stop(grace) {
      stopUpkeep();
      pair?.close();
      const { main, openvz } = servers;
      await Promise.all([main.close(), openvz?.close(), gateway?.stop(), station.stop(grace)]);
      for (const engine of engines) engine.close();
      await clock.close();
      await database.close();
    },
  };
}

interface Servers {
  /** The station's own API. */
  main: FastifyInstance;
  /** The containers-and-jobs API on an address of its own. */
  openvz: FastifyInstance | undefined;
  gateway: Gateway | undefined;
}

interface ServerParts {
  config: Config;
  version: string;
  station: Station;
  certificates: Certificates;
  pair: ServerPair | undefined;
}

function createServers({ config, version, station, certificates, pair }: ServerParts): Omit<Servers, "gateway"> {
  const ownNames = new Set([...ownHostNames(), config.listen.host.toLowerCase(), ...config.hostNames]);
  const common = {
    services: station.services,
    version,
    log,
    isOwnName: (name: string) => ownNames.has(name) || certificates.current().domainNames.includes(name),
  };
  const { open, listen } = config.openvz;
  // Without a token on its requests this server has no secret that TLS would protect.
  const tls = open ? undefined : pair;
  return {
    main: createServer({ ...common, tls: pair }),
    openvz: listen && createServer({ ...common, tls, openvz: { token: station.openPortToken } }),
  };
}

/** Opens all ports. Returns that of the station's own API. */
async function listen(
  config: Config,
  { main, openvz, gateway }: Servers,
  { ports, onOpenDoor }: { ports: OwnPorts } & Pick<AppEvents, "onOpenDoor">,
): Promise<number> {
  const refuse = (option: "listen" | "docker-tls" | "openvz-listen", address: Address) => (error: unknown) =>
    Promise.reject(listenFailure(option, address, error));
  await main.listen({ ...config.listen }).catch(refuse("listen", config.listen));
  const port = ports.add(main);
  if (gateway && config.dockerTls) await gateway.start().catch(refuse("docker-tls", config.dockerTls));
  const at = config.openvz.listen;
  if (openvz && at) {
    await openvz.listen({ ...at }).catch(refuse("openvz-listen", at));
    ports.add(openvz);
    if (config.openvz.open) onOpenDoor(addressOf(openvz));
  }
  return port;
}

type Address = Config["listen"];

function addressOf({ server }: { server: Server }): string {
  const { address, port, family } = server.address() as AddressInfo;
  return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}

function listenFailure(option: string, { host, port }: Address, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  const at = `${host}:${port}`;
  if (code === "EADDRINUSE")
    return new AppError("conflict", `${at} is in use by another program: stop it, or choose another with --${option}.`);
  if (code === "EACCES")
    return new AppError("conflict", `${at} may not be opened by this user: choose a port above 1023 with --${option}.`);
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND")
    return new AppError("conflict", `${at} is no address of this host: choose another with --${option}.`);
  return error;
}

function serverPair({ tls }: Config, certificates: Certificates): ServerPair | undefined {
  return tls && (tls.files ? watchPairFiles(tls.files, log) : stationPair(certificates));
}

async function dockerGateway(
  config: Config,
  certificates: Certificates,
  audit: GatewayAudit,
): Promise<Gateway | undefined> {
  if (!config.dockerTls) return undefined;
  if (config.engines && !config.engines.includes("docker"))
    throw new AppError("conflict", "--docker-tls needs the engine docker, which --engines leaves out.");
  const engine = parseAddress(await dockerAddress(config));
  return createGateway({ listen: config.dockerTls, engine, certificates, audit, log });
}

/** Returns the day on which the files of this version were installed, as YYYY/MM/DD, because there is no build. */
function buildDate(): string {
  const { mtime } = statSync(join(installation, "package.json"));
  return mtime.toISOString().slice(0, 10).replaceAll("-", "/");
}

/** Renews certificates that end soon. If that fails, the present ones stay in use. */
async function renew(certificates: Certificates): Promise<void> {
  await certificates.renew().catch((error: unknown) => log.error("renewal of certificates", { error }));
}

/** Deletes expired rows and renews certificates once an hour. Returns a function that stops it. */
function startUpkeep(database: Database, certificates: Certificates): () => void {
  const { maxAge, maxRows } = auditRetention;
  const failed = (error: unknown) => log.error("retention", { error });
  const timer = setInterval(() => {
    purgeAll(database.tasks, { now: Date.now(), ...retention }).catch(failed);
    purgeAudit(database.audit, { before: Date.now() - maxAge, maxRows }).catch(failed);
    void renew(certificates);
  }, hour);
  return () => clearInterval(timer);
}
