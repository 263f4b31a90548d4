import type { Engine } from "../engines/engine.ts";
import { createInventory } from "../inventory/inventory.ts";
import type { AccountStore } from "../storage/account-store.ts";
import type { AuditStore } from "../storage/audit-store.ts";
import type { EventStore } from "../storage/event-store.ts";
import type { RegistryStore } from "../storage/registry-store.ts";
import type { Lane, TaskStore } from "../storage/task-store.ts";
import { createTaskMachine } from "../tasks/machine.ts";
import { createAccounts } from "./accounts/accounts.ts";
import type { HostUsers } from "./accounts/host-users.ts";
import type { LimitOptions } from "./accounts/login-limits.ts";
import { authorizeTask } from "./asks.ts";
import { auditServices } from "./audited.ts";
import { createBackgroundService } from "./background.ts";
import { createEventHub } from "./events.ts";
import { createImageReferences } from "./image-reference.ts";
import { createKinds } from "./kinds/kinds.ts";
import { createMarks } from "./kinds/options.ts";
import { createOwners } from "./owners.ts";
import { createPulls } from "./pulls.ts";
import { createRegistryService } from "./registries.ts";
import type { Secrets } from "./secrets.ts";
import type { Services } from "./services.ts";
import { createShares } from "./shares.ts";
import { createSweeper } from "./sweeper.ts";
import { createTaken } from "./taken.ts";
import { createPlanners } from "./task-plan.ts";

export interface StationOptions {
  /** This station's id, for its marks. */
  id: string;
  stores: {
    tasks: TaskStore;
    events: EventStore;
    accounts: AccountStore;
    registries: RegistryStore;
    audit: AuditStore;
  };
  engines: readonly Engine[];
  secrets: Secrets;
  /** Against guessing of passwords. */
  loginLimits: LimitOptions;
  /** The host's own users; absent: they may not log in. */
  hostUsers?: HostUsers | undefined;
  /** Name -> absolute path. */
  shares: Readonly<Record<string, string>>;
  lanes: Readonly<Record<Lane, number>>;
  maxTasks: number;
  log: (message: string, fields: Record<string, unknown>) => void;
}

/** The use cases, wired. Nothing runs before `start`. */
export interface Station {
  services: Services;
  /** To be called after each commit of the store. */
  committed(): void;
  /** Takes up what an earlier process left and begins to run tasks. Resolves when every engine was tried once. */
  start(): Promise<void>;
  stop(grace: number): Promise<void>;
}

export async function createStation(options: StationOptions): Promise<Station> {
  const { id, stores, engines, secrets, lanes, maxTasks, log } = options;
  const { tasks, events, registries } = stores;
  const accounts = await createAccounts({ ...options, accounts: stores.accounts, audit: stores.audit });
  const { sessions, audit } = accounts;
  const hub = createEventHub({ events, sessions, tasksOf: createTasksOf(tasks) });
  const shares = createShares(options.shares);
  const inventory = createInventory(engines, createSweeper({ tasks, shares, station: id, log }));
  const owners = createOwners({ inventory, tasks, station: id });
  const images = createImageReferences(registries, secrets);
  const kinds = createKinds({
    inventory,
    shares,
    images,
    pulls: createPulls(),
    marks: createMarks(id),
    async authorize(name, verb, asks) {
      await authorizeTask(owners, await accounts.userNow(name), verb, asks);
    },
  });
  const machine = createTaskMachine({ tasks, kinds, lanes, maxTasks, onProgress: hub.progress, log });
  const planners = createPlanners({ shares, images });
  const taken = createTaken(inventory, tasks);

  const services: Services = {
    ...accounts.services,
    background: createBackgroundService({ sessions, inventory, owners, planners, taken, tasks, machine }),
    registries: createRegistryService({ sessions, registries, secrets }),
    events: hub,
    health: {
      get: () => ({
        status: "ok",
        engines: inventory.views().map((view) => ({ type: view.engine.type, available: view.available() })),
      }),
    },
  };
  return {
    services: auditServices(services, { sessions, audit }),
    committed: hub.committed,
    async start() {
      await Promise.all(inventory.views().map((view) => view.tried));
      await machine.start();
    },
    async stop(grace) {
      await machine.stop(grace);
      inventory.close();
      accounts.close();
    },
  };
}

/** So many of a user's latest tasks may still be running when he opens a stream. */
const latest = 1000;

function createTasksOf(tasks: TaskStore): (user: string) => Promise<number[]> {
  return async (user) => {
    const rows = await tasks.list({ kind: null, limit: latest, before: null, user });
    return rows === "too_large" ? [] : rows.map(({ id }) => id);
  };
}
