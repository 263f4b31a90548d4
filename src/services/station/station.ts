import type { TaskStore } from "../../storage/task-store.ts";
import type { TaskMachine } from "../../tasks/machine.ts";
import { createConnectionQuota } from "../access/connection-quota.ts";
import { createAccounts } from "../accounts/accounts.ts";
import type { Services } from "../contract/services.ts";
import { createEventHub } from "../events/event-hub.ts";
import { auditServices } from "../log/audited.ts";
import { createGatewayVisits, type GatewayVisits } from "../log/gateway-visits.ts";
import { waitForFirstLists } from "./first-lists.ts";
import { createLiveContainers } from "./live-containers.ts";
import type { StationOptions } from "./options.ts";
import { createServices } from "./services.ts";
import { createTaskParts } from "./task-parts.ts";

/** The station without its HTTP server. Nothing runs before `start`. */
export interface Station {
  /** The services, as the HTTP layer sees them. */
  services: Services;
  /** The token that the server of the port without authentication sends; undefined without `openvz.open`. */
  openPortToken: string | undefined;
  /** Notes connections to the Docker gateway in the activity log. */
  gatewayVisits: GatewayVisits;
  /** Must be called after each commit of the store. */
  committed(): void;
  /** Takes up what an earlier process left and begins to run tasks. Resolves when every engine was tried once. */
  start(): Promise<void>;
  /** Stops the tasks, for at most `grace` milliseconds, and all else. */
  stop(grace: number): Promise<void>;
}

/** Puts the station together. */
export async function createStation(options: StationOptions): Promise<Station> {
  const { stores, log } = options;
  const { tasks, events } = stores;
  const accounts = await createAccounts({
    ...options,
    accounts: stores.accounts,
    audit: stores.audit,
    openPort: options.openvz.open,
  });
  const { sessions, audit } = accounts;
  const quota = createConnectionQuota(options.maxStreams);
  const hub = createEventHub({ events, sessions, quota, tasksOf: (user) => runningOf(user, machine, tasks) });
  const live = createLiveContainers(options, { isStreaming: () => hub.open() > 0 });
  const { inventory, forwarder, protection, numbers } = live;
  const work = createTaskParts(options, { live, userNow: accounts.userNow, onProgress: hub.progress });
  const { machine } = work;
  const services = createServices(options, { accounts, live, work, quota, stream: hub.stream });
  return {
    services: waitForFirstLists(auditServices(services, { sessions, audit }), {
      sessions,
      listed: inventory.firstLists,
    }),
    openPortToken: accounts.openPortToken,
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

/** Deletes what an earlier process of this station, which was killed, left half made in the engines. */
async function recoverEngines({ engines, id, log }: StationOptions): Promise<void> {
  for (const engine of engines) {
    await engine
      .recover(id)
      .catch((error: unknown) => log.error("recovery of an engine", { engine: engine.type, error }));
  }
}

/** Returns the ids of a user's tasks that run now. A stream learns of later ones by the events of their starts. */
async function runningOf(user: string, machine: Pick<TaskMachine, "running">, tasks: TaskStore): Promise<number[]> {
  const rows = await Promise.all(machine.running().map((task) => tasks.row(task)));
  return rows.flatMap((row) => (row?.user === user ? row.id : []));
}
