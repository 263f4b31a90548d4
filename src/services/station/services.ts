import type { Inventory } from "../../inventory/inventory.ts";
import { createConnectionQuota } from "../access/connection-quota.ts";
import type { createAccounts } from "../accounts/accounts.ts";
import { createAuthorizedLookup } from "../containers/authorized-lookup.ts";
import { createContainerList } from "../containers/list.ts";
import { createInsideService } from "../containers/logs-and-exec.ts";
import type { EventService, HealthService, Services } from "../contract/services.ts";
import { createEventLog } from "../events/event-log.ts";
import { createRegistryService } from "../images/registries.ts";
import { createLogService } from "../log/log.ts";
import { createRefusals } from "../log/refusals.ts";
import { createOpenvzAccess } from "../openvz/access.ts";
import { createOpenvzService } from "../openvz/openvz.ts";
import { createTemplates } from "../openvz/templates.ts";
import { createCertificateService } from "../system/certificates.ts";
import { createReport } from "../system/report.ts";
import { createSystemService } from "../system/system.ts";
import { createBackgroundService } from "../tasks/background.ts";
import { createContainerAnswers } from "../tasks/container-answers.ts";
import { createContainerVerbs } from "../tasks/container-verbs.ts";
import type { LiveContainers } from "./live-containers.ts";
import type { StationOptions } from "./options.ts";
import type { TaskParts } from "./task-parts.ts";

export interface ServiceParts {
  /** Users, sessions and the activity log. */
  accounts: Awaited<ReturnType<typeof createAccounts>>;
  /** What knows the containers. */
  live: LiveContainers;
  /** What plans, accepts and runs tasks. */
  work: TaskParts;
  /** Limits the connections that a user leaves waiting. */
  quota: ReturnType<typeof createConnectionQuota>;
  /** Streams events. */
  stream: EventService["stream"];
}

/** Puts the services together. */
export function createServices(
  options: StationOptions,
  { accounts, live, work, quota, stream }: ServiceParts,
): Services {
  const { stores, secrets, host, certificates, build, configuration, recentLines, checkRegistry, log } = options;
  const { tasks, events, registries, openvz } = stores;
  const { sessions, audit } = accounts;
  const { inventory, owners, lookup, pins, waits } = live;
  const common = { ...live, ...work, sessions, tasks, openvz, quota, userQuota: options.userQuota };
  const background = createBackgroundService(common);
  const authorizedLookup = createAuthorizedLookup(lookup, owners);
  const answers = createContainerAnswers(live);
  const containerList = createContainerList({ ...live, sessions });
  const report = createReport({ inventory, tasks, registries, secrets, configuration, recentLines });
  return {
    ...accounts.services,
    log: createLogService(sessions, stores.audit),
    refusals: createRefusals(sessions, audit),
    background,
    lifecycle: createContainerVerbs({ ...work, sessions, authorizedLookup, background, answers }),
    inside: createInsideService({ sessions, authorizedLookup, pins }),
    registries: createRegistryService({ sessions, registries, secrets, checkRegistry }),
    system: createSystemService({ ...work, sessions, host, inventory, build, report }),
    certificates: createCertificateService({ sessions, certificates, log }),
    openvz: createOpenvzService({
      ...common,
      access: createOpenvzAccess(common),
      templates: createTemplates(options.openvz),
      engine: options.openvz.engine,
    }),
    containerList,
    events: {
      ...createEventLog({ sessions, events, inventory, containers: containerList, waits, quota, owners }),
      stream,
    },
    health: createHealthService(inventory),
  };
}

function createHealthService(inventory: Inventory): HealthService {
  return {
    get: () => ({
      status: "ok",
      engines: inventory.views().map((view) => ({ type: view.engine.type, available: view.available() })),
    }),
  };
}
