import type { Certificates } from "../certificates/certificates.ts";
import type { Engine } from "../engines/engine.ts";
import type { Host } from "../host/host.ts";
import { createInventory, type Inventory } from "../inventory/inventory.ts";
import { createShareRoom, type ShareOptions } from "../shares/room.ts";
import type { AccountStore } from "../storage/account-store.ts";
import type { AuditStore } from "../storage/audit-store.ts";
import type { EventStore } from "../storage/event-store.ts";
import type { OpenvzStore } from "../storage/openvz-store.ts";
import type { RegistryStore } from "../storage/registry-store.ts";
import type { Lane, TaskStore } from "../storage/task-store.ts";
import { createTaskMachine, type TaskMachine } from "../tasks/machine.ts";
import { createAccounts } from "./accounts/accounts.ts";
import type { HostUsers } from "./accounts/host-users.ts";
import type { LimitOptions } from "./accounts/login-limits.ts";
import { authorizeTask } from "./access/task-authorization.ts";
import { createLogService } from "./log/log.ts";
import { createRefusals } from "./log/refusals.ts";
import { auditServices } from "./log/audited.ts";
import { createAwaitedTasks } from "./tasks/awaited-tasks.ts";
import { createBackgroundService } from "./tasks/background.ts";
import { createCards } from "./networks/cards.ts";
import { createContainerLookup } from "./containers/lookup.ts";
import { createCertificateService } from "./system/certificates.ts";
import { createActingUsers } from "./events/acting-users.ts";
import { createEventWriter } from "./events/event-writer.ts";
import { createContainerList } from "./containers/list.ts";
import { createContainerNumbers } from "./containers/numbers.ts";
import { createEngineEvents } from "./events/engine-events.ts";
import { createEventLog } from "./events/event-log.ts";
import { createEventHub } from "./events/event-hub.ts";
import { waitForFirstLists } from "./first-lists.ts";
import { createForwarder } from "./networks/port-forwarding.ts";
import { createGatewayVisits, type GatewayVisits } from "./log/gateway-visits.ts";
import { createImageReferences } from "./planning/image-reference.ts";
import { createInsideService } from "./containers/logs-and-exec.ts";
import { createKinds } from "./kinds/kinds.ts";
import { createMarks } from "./containers/marks.ts";
import { createContainerFinder } from "./containers/find.ts";
import { createContainerAnswers } from "./tasks/container-answers.ts";
import { createContainerVerbs } from "./tasks/container-verbs.ts";
import { createOpenvzService } from "./openvz/openvz.ts";
import { createOpenvzAccess } from "./openvz/access.ts";
import { createRecordSweeper } from "./openvz/records.ts";
import { createTemplates, type OpenvzEngine, type TemplateOptions } from "./openvz/templates.ts";
import { createConnectionQuota } from "./access/connection-quota.ts";
import { createOwners } from "./access/owners.ts";
import { createAuthorizedLookup } from "./containers/authorized-lookup.ts";
import { createPulls } from "./images/pulls.ts";
import { createRegistryService } from "./images/registries.ts";
import type { RegistryReach } from "./planning/registry-reach.ts";
import { createReport } from "./system/report.ts";
import type { Secrets } from "./secrets/secrets.ts";
import type { Services } from "./contract/services.ts";
import type { StationClock } from "./accounts/station-clock.ts";
import { createStateWaits } from "./events/state-waits.ts";
import { createShareMounts } from "./containers/share-mounts.ts";
import { createSweeper } from "./containers/sweeper.ts";
import type { StationBuild } from "./system/system-info.ts";
import { createSystemService } from "./system/system.ts";
import { createAvailability } from "./containers/availability.ts";
import { createPlanner } from "./kinds/planner.ts";
import type { Log } from "../util/log.ts";

export interface StationOptions {
  /** This station's id, for its marks. */
  id: string;
  stores: {
    tasks: TaskStore;
    events: EventStore;
    accounts: AccountStore;
    registries: RegistryStore;
    audit: AuditStore;
    openvz: OpenvzStore;
  };
  engines: readonly Engine[];
  secrets: Secrets;
  /** Against guessing of passwords. */
  loginLimits: LimitOptions;
  /** The host's own users; absent: they may not log in. */
  hostUsers?: HostUsers | undefined;
  /** What sessions and tokens expire by. */
  clock: StationClock;
  shares: Omit<ShareOptions, "station">;
  lanes: Readonly<Record<Lane, number>>;
  maxTasks: number;
  host: Host;
  reach: RegistryReach;
  certificates: Certificates;
  build: StationBuild;
  /** For the report. */
  configuration: Readonly<Record<string, unknown>>;
  recentLines: () => readonly string[];
  /** The containers-and-jobs API: where it makes containers, and from what. */
  openvz: { engine: OpenvzEngine; open: boolean } & TemplateOptions;
  /** Streams and long polls of one user. */
  maxStreams: number;
  log: Log;
}

/** The use cases, wired. Nothing runs before `start`. */
export interface Station {
  services: Services;
  /** Only with `openvz.open`: the token of who comes in by the port that asks nobody who he is. */
  doorToken: string | undefined;
  gatewayVisits: GatewayVisits;
  /** To be called after each commit of the store. */
  committed(): void;
  /** Takes up what an earlier process left and begins to run tasks. Resolves when every engine was tried once. */
  start(): Promise<void>;
  stop(grace: number): Promise<void>;
}

export async function createStation(options: StationOptions): Promise<Station> {
  const { id, stores, engines, secrets, lanes, maxTasks, log } = options;
  const { tasks, events, registries, openvz } = stores;
  const accounts = await createAccounts({
    ...options,
    accounts: stores.accounts,
    audit: stores.audit,
    openDoor: options.openvz.open,
  });
  const { sessions, audit } = accounts;
  const quota = createConnectionQuota(options.maxStreams);
  const hub = createEventHub({ events, sessions, quota, tasksOf: (user) => runningOf(user, machine, tasks) });
  const { shares, pins, protection } = createShareRoom({ ...options.shares, station: id });
  const actingUsers = createActingUsers();
  const writeEvent = createEventWriter(events, log);
  const waits = createStateWaits();
  const forwarder = createForwarder({ station: id, engines, log, inventory: () => inventory });
  const sweeper = createSweeper({ tasks, folders: { shares, pins }, station: id, log });
  const marks = createMarks(id);
  const records = createRecordSweeper({ openvz, marks, log });
  const shareMounts = createShareMounts({ pins, tasks, view: ({ type }) => inventory.view(type), log });
  const tellers = [
    sweeper,
    shareMounts,
    records,
    forwarder.listener,
    createEngineEvents(writeEvent, actingUsers),
    waits,
  ];
  const inventory: Inventory = createInventory(engines, ...tellers);
  const owners = createOwners({ tasks, station: id });
  const lookup = createContainerLookup(inventory);
  const numbers = createContainerNumbers(inventory, () => hub.open() > 0);
  const cards = createCards({ inventory, owners, numbers });
  const containerList = createContainerList({ sessions, inventory, numbers, owners });
  const images = createImageReferences(registries, secrets, options.reach);
  const kinds = createKinds({
    inventory,
    lookup,
    shares,
    pins,
    protection,
    images,
    pulls: createPulls(),
    marks,
    openvz,
    moveClaims: (from, to) => tasks.moveClaims({ from, to }),
    writeEvent,
    settlePorts: forwarder.settle,
    cards,
    async authorize(name, verb, demands) {
      const user = await accounts.userNow(name);
      await authorizeTask(owners, user, verb, demands);
      return user;
    },
  });
  const watched = actingUsers.watch(kinds);
  const machine = createTaskMachine({ tasks, kinds: watched, lanes, maxTasks, onProgress: hub.progress, log });
  const plan = createPlanner({
    shares,
    images,
    capabilities: (type) => inventory.view(type)?.engine.capabilities,
    findContainer: createContainerFinder(inventory),
    unforwardable: forwarder.unavailableReason,
  });
  const availability = createAvailability(inventory, tasks, owners);
  const { host, certificates, build, configuration, recentLines } = options;
  const report = createReport({ inventory, tasks, registries, secrets, configuration, recentLines });

  const toReach = { sessions, inventory, marks, lookup };
  const toMake = { inventory, plan, availability, machine };
  const background = createBackgroundService({ ...toMake, cards, sessions, owners, tasks, quota });
  const awaited = createAwaitedTasks({ machine, tasks });
  const authorizedLookup = createAuthorizedLookup(lookup, owners);
  const answers = createContainerAnswers({ ...toReach, folders: { shares, pins }, numbers });
  const services: Services = {
    ...accounts.services,
    log: createLogService(sessions, stores.audit),
    refusals: createRefusals(sessions, audit),
    background,
    lifecycle: createContainerVerbs({ sessions, authorizedLookup, plan, awaited, background, answers }),
    inside: createInsideService({ sessions, authorizedLookup, pins }),
    registries: createRegistryService({ sessions, registries, secrets, reach: options.reach }),
    system: createSystemService({ sessions, host, inventory, availability, build, report }),
    certificates: createCertificateService({ sessions, certificates, log }),
    openvz: createOpenvzService({
      ...toMake,
      sessions,
      owners,
      awaited,
      openvz,
      marks,
      access: createOpenvzAccess({ ...toReach, tasks, openvz }),
      templates: createTemplates(options.openvz),
      engine: options.openvz.engine,
    }),
    containerList,
    events: {
      ...createEventLog({ sessions, events, inventory, containers: containerList, waits, quota, owners }),
      stream: hub.stream,
    },
    health: {
      get: () => ({
        status: "ok",
        engines: inventory.views().map((view) => ({ type: view.engine.type, available: view.available() })),
      }),
    },
  };
  return {
    services: waitForFirstLists(auditServices(services, { sessions, audit }), {
      sessions,
      looked: inventory.firstLists,
    }),
    doorToken: accounts.doorToken,
    gatewayVisits: createGatewayVisits(audit),
    committed: hub.committed,
    async start() {
      await protection.restore((share, error) => log.error("a share cannot be protected", { share, error }));
      await recoverEngines(options);
      await forwarder.start();
      await Promise.all(inventory.views().map((view) => view.firstAttempt));
      await machine.start();
    },
    async stop(grace) {
      await machine.stop(grace);
      numbers.close();
      await forwarder.stop();
      inventory.close();
      accounts.close();
    },
  };
}

/** Clears away what an earlier process of this station, which was killed, left half made in the engines. */
async function recoverEngines({ engines, id, log }: StationOptions): Promise<void> {
  for (const engine of engines) {
    await engine
      .recover(id)
      .catch((error: unknown) => log.error("recovery of an engine", { engine: engine.type, error }));
  }
}

/** Ids of a user's tasks that run now. Others become known to a stream by the event of their start. */
async function runningOf(user: string, machine: Pick<TaskMachine, "running">, tasks: TaskStore): Promise<number[]> {
  const rows = await Promise.all(machine.running().map((task) => tasks.row(task)));
  return rows.flatMap((row) => (row?.user === user ? row.id : []));
}
