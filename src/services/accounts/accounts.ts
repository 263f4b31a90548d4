import { AppError } from "../../errors.ts";
import type { AccountStore, Role } from "../../storage/account-store.ts";
import type { AuditStore } from "../../storage/audit-store.ts";
import { createAudit } from "../audit/audit.ts";
import type { User } from "../access/policy.ts";
import type { Secrets } from "../secrets/secrets.ts";
import { createSessionTable } from "./session-table.ts";
import type { StationClock } from "./station-clock.ts";
import { createSessions } from "./sessions.ts";
import { createCredentials } from "./credentials.ts";
import { createDirectory } from "./directory.ts";
import { createOpenPort } from "./open-port.ts";
import type { HostUsers } from "./host-users.ts";
import { createLoginLimits, type LimitOptions } from "./login-limits.ts";
import { createSecondStepService } from "./second-step-service.ts";
import { createSecondStep } from "./second-step.ts";
import { createTokenTable } from "./token-table.ts";
import { createTokenService } from "./tokens.ts";
import { createUserService } from "./users.ts";
import type { Log } from "../../util/log.ts";

export interface AccountOptions {
  accounts: AccountStore;
  audit: AuditStore;
  secrets: Secrets;
  loginLimits: LimitOptions;
  hostUsers?: HostUsers | undefined;
  /** There is a port that asks nobody who he is. */
  openDoor: boolean;
  clock: StationClock;
  log: Log;
}

/** How late the station may know what the host's users may. */
const hostRolesEvery = 10_000;

/** Everything about who may come in, wired. */
export async function createAccounts(options: AccountOptions) {
  const { accounts, secrets, hostUsers, clock, log } = options;
  const audit = createAudit(options.audit, log);
  const directory = await createDirectory(accounts);
  const limits = createLoginLimits(options.loginLimits);
  const secondStep = createSecondStep({ accounts, directory, secrets });
  const credentials = await createCredentials({ accounts, directory, limits, secondStep, hostUsers });
  const table = await createTokenTable(accounts, directory, clock);
  const door = options.openDoor ? createOpenPort(clock) : undefined;
  const sessions = createSessions({
    table: await createSessionTable(accounts, clock),
    directory,
    tokens: door?.with(table) ?? table,
    credentials,
    audit,
    clock,
  });

  /** A user of the host may have left it, or its groups, since he logged in: what he was then ends. */
  async function hostRole(host: HostUsers, name: string): Promise<Role | undefined> {
    const role = await host.roleOf(name);
    const before = directory.get(name)?.role;
    directory.setAbsent(name, role === undefined);
    if (role && role !== before) await accounts.changeUser({ name, change: { role } });
    if (role !== before) {
      await directory.refresh(name);
      await sessions.end(name);
    }
    return role;
  }

  async function lookAfterHostUsers(host: HostUsers): Promise<void> {
    for (const { name, source } of directory.list()) if (source === "host") await hostRole(host, name);
  }

  const watch =
    hostUsers &&
    setInterval(() => {
      lookAfterHostUsers(hostUsers).catch((error: unknown) =>
        log.warn("the host's users could not be looked up", { error }),
      );
    }, hostRolesEvery);

  return {
    audit,
    sessions,
    doorToken: door?.token,
    close: () => clearInterval(watch),
    /** What a user is when his task runs; throws `forbidden` when he is no more. */
    async userNow(name: string): Promise<User> {
      const built = door?.userNow(name);
      if (built) return built;
      const user = directory.get(name);
      if (!user) throw new AppError("forbidden", `The user ${name} no longer exists.`);
      if (user.disabled) throw new AppError("forbidden", `The user ${name} is disabled.`);
      if (user.source === "local") return { name, role: user.role };
      const role = hostUsers && (await hostRole(hostUsers, name));
      if (!role) throw new AppError("forbidden", `The user ${name} no longer exists on this host.`);
      return { name, role };
    },
    services: {
      sessions,
      users: createUserService({
        sessions,
        accounts,
        directory,
        credentials,
        secondStep,
        tokens: table,
        limits,
      }),
      tokens: createTokenService({ sessions, table, clock }),
      secondStep: createSecondStepService({ sessions, directory, credentials, secondStep }),
    },
  };
}
