import type { Certificates } from "../../certificates/certificates.ts";
import type { Engine } from "../../engines/engine.ts";
import type { Host } from "../../host/host.ts";
import type { ShareOptions } from "../../shares/room.ts";
import type { AccountStore } from "../../storage/account-store.ts";
import type { AuditStore } from "../../storage/audit-store.ts";
import type { EventStore } from "../../storage/event-store.ts";
import type { OpenvzStore } from "../../storage/openvz-store.ts";
import type { RegistryStore } from "../../storage/registry-store.ts";
import type { TaskQuota } from "../../storage/task-quota.ts";
import type { Lane, TaskStore } from "../../storage/task-store.ts";
import type { Log } from "../../util/log.ts";
import type { HostUsers } from "../accounts/host-users.ts";
import type { LimitOptions } from "../accounts/login-limits.ts";
import type { StationClock } from "../accounts/station-clock.ts";
import type { OpenvzEngine, TemplateOptions } from "../openvz/templates.ts";
import type { CheckRegistry } from "../planning/registry-check.ts";
import type { Secrets } from "../secrets/secrets.ts";
import type { StationBuild } from "../system/system-info.ts";

export interface StationOptions {
  /** This station's id, for its marks. */
  id: string;
  /** The stores of the station. */
  stores: {
    tasks: TaskStore;
    events: EventStore;
    accounts: AccountStore;
    registries: RegistryStore;
    audit: AuditStore;
    openvz: OpenvzStore;
  };
  /** The engines of this station. */
  engines: readonly Engine[];
  /** Seals and opens what must be kept and never shown. */
  secrets: Secrets;
  /** How often a password may be tried. */
  loginLimits: LimitOptions;
  /** The host's own users; absent: they may not log in. */
  hostUsers?: HostUsers | undefined;
  /** The clock by which sessions and tokens expire. */
  clock: StationClock;
  /** Which folders of the host are shares. */
  shares: Omit<ShareOptions, "station">;
  /** How many tasks of each lane run at the same time. */
  lanes: Readonly<Record<Lane, number>>;
  /** How many tasks may wait or run. */
  maxTasks: number;
  /** What one user who is no admin may have in the store. */
  userQuota: TaskQuota;
  /** Facts about this host. */
  host: Host;
  /** Tells where a registry's address leads. */
  checkRegistry: CheckRegistry;
  /** The station's certificates. */
  certificates: Certificates;
  /** What this program is. */
  build: StationBuild;
  /** The configuration, without secrets, for the report. */
  configuration: Readonly<Record<string, unknown>>;
  /** Returns the last lines of the station's own log. */
  recentLines: () => readonly string[];
  /** The containers-and-jobs API: where it makes containers, and from what. */
  openvz: { engine: OpenvzEngine; open: boolean } & TemplateOptions;
  /** How many streams and long polls one user may have open. */
  maxStreams: number;
  /** Is told about failures whose details no client sees. */
  log: Log;
}
