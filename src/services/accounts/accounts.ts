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
  /** The store of users, sessions and tokens. */
  accounts: AccountStore;
  /** The store of the activity log. */
  audit: AuditStore;
  /** Seals and opens what must be kept and never shown. */
  secrets: Secrets;
  /** How often a password may be tried. */
  loginLimits: LimitOptions;
  /** The host's own users; undefined: they may not log in. */
  hostUsers?: HostUsers | undefined;
  /** True: there is a port without authentication. */
  openPort: boolean;
  /** The clock by which sessions and tokens expire. */
  clock: StationClock;
  /** Is told about failures whose details no client sees. */
  log: Log;
}

/** Milliseconds between two look-ups of the groups of the host's users. */
const hostRolesEvery = 10_000;

/** Puts users, sessions, tokens and the audit log together. */
export async function createAccounts(options: AccountOptions) {
  const { accounts, secrets, hostUsers, clock, log } = options;
  const audit = createAudit(options.audit, log);
  const directory = await createDirectory(accounts);
  const limits = createLoginLimits(options.loginLimits);
  const secondStep = createSecondStep({ accounts, directory, secrets });
  const credentials = await createCredentials({ accounts, directory, limits, secondStep, hostUsers });
  const table = await createTokenTable(accounts, directory, clock);
  const openPort = options.openPort ? createOpenPort(clock) : undefined;
  const sessions = createSessions({
    table: await createSessionTable(accounts, clock),
    directory,
    tokens: openPort?.with(table) ?? table,
    credentials,
    audit,
    clock,
  });

  /** Looks up the role of a user of the host. If it has changed since the login, the user's sessions end. */
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

  async function refreshHostUsers(host: HostUsers): Promise<void> {
    for (const { name, source } of directory.list()) if (source === "host") await hostRole(host, name);
  }

  const watch =
    hostUsers &&
    setInterval(() => {
      refreshHostUsers(hostUsers).catch((error: unknown) =>
        log.warn("the host's users could not be looked up", { error }),
      );
    }, hostRolesEvery);

  return {
    audit,
    sessions,
    openPortToken: openPort?.token,
    close: () => clearInterval(watch),
    /** Returns a user as of now, because a task may run long after it was accepted. Throws `forbidden` if there is none. */
    async userNow(name: string): Promise<User> {
      const built = openPort?.userNow(name);
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
