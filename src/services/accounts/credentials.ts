import { setTimeout as sleep } from "node:timers/promises";
import { AppError, invalid } from "../../errors.ts";
import type { AccountStore, UserRow } from "../../storage/account-store.ts";
import { passwordMatches } from "./password.ts";
import type { Directory } from "./directory.ts";
import type { HostUsers } from "./host-users.ts";
import { sourceNetwork } from "../../util/addresses/source-network.ts";
import { networksPerUser, type LoginLimits, type Verdict } from "./login-limits.ts";
import { isLikeReservedName } from "./reserved-names.ts";
import type { SecondStep } from "./second-step.ts";

/** No more than this is ever hashed. */
const passwordBytes = 1024;
/** Milliseconds of every failure where PAM is used, which waits by itself: the time must not tell whose user a name is. */
const hostFailure = 4_000;

export interface GivenCredentials {
  /** The name that was given. */
  username: string;
  /** The password that was given. */
  password: string;
  /** Code of the second step: six digits, or a recovery code. */
  code?: string | undefined;
}

/** Checks passwords and second steps. Everything that takes a password goes through here, and so under the same limits. */
export interface Credentials {
  /** Throws `unauthenticated`, `too_many`, or `forbidden` when the second step is missing. */
  check(given: GivenCredentials, address: string): Promise<UserRow>;
  /** Checks the password of a user who is logged in, before something that a stolen session must not do. */
  confirm(given: GivenCredentials, address: string): Promise<void>;
}

export interface CredentialOptions {
  /** The store of users, sessions and tokens. */
  accounts: AccountStore;
  /** The users, in memory. */
  directory: Directory;
  /** Limits how often a password may be tried. */
  limits: LoginLimits;
  /** The second step of logins. */
  secondStep: SecondStep;
  /** The host's own users; undefined: they may not log in. */
  hostUsers: HostUsers | undefined;
}

interface Checked {
  verdict: Verdict;
  user?: UserRow;
}

/** Makes the service that checks credentials. */
export async function createCredentials(options: CredentialOptions): Promise<Credentials> {
  const { accounts, directory, limits, secondStep, hostUsers } = options;
  for (const { user, network } of await accounts.knownNetworks()) limits.trust(user, network);

  async function userOf({ username, password }: GivenCredentials): Promise<UserRow | undefined> {
    const known = directory.get(username);
    if (hostUsers && known?.source !== "local") return hostUserOf(hostUsers, { username, password });
    const stored = known?.source === "local" ? known.passwordHash : undefined;
    return (await passwordMatches(password, stored)) && !known?.disabled ? known : undefined;
  }

  /**
   * Authenticates a user of the host, whose role is looked up at each login. The first login adds the user to the store.
   */
  async function hostUserOf(
    host: HostUsers,
    { username: name, password }: GivenCredentials,
  ): Promise<UserRow | undefined> {
    if (!(await host.authenticate(name, password))) return undefined;
    const role = await host.roleOf(name);
    if (!role) return undefined;
    if (isLikeReservedName(name))
      throw new AppError(
        "forbidden",
        `A user of the host named ${name} cannot log in: the station signs with that name.`,
      );
    directory.setAbsent(name, false);
    const added = await accounts.addUser({ name, role, passwordHash: "", source: "host", createdAt: Date.now() });
    if (added === "taken" && !directory.get(name)) return undefined;
    await accounts.changeUser({ name, change: { role } });
    const user = await directory.refresh(name);
    return user?.disabled ? undefined : user;
  }

  async function checkCredentials(given: GivenCredentials, withCode: boolean): Promise<Checked> {
    const user = await userOf(given);
    if (!user) return { verdict: "wrong" };
    if (!withCode || !user.totp) return { verdict: "right", user };
    if (given.code === undefined) return { verdict: "half", user };
    return (await secondStep.accepts(user, given.code)) ? { verdict: "right", user } : { verdict: "wrong" };
  }

  async function requireRight(given: GivenCredentials, address: string, withCode: boolean): Promise<UserRow> {
    if (Buffer.byteLength(given.password) > passwordBytes)
      throw invalid("password", `is longer than ${passwordBytes} bytes`);
    const begun = performance.now();
    const { verdict, user } = await limits.attempt(given.username, address, () => checkCredentials(given, withCode));
    if (verdict === "half") throw secondStepMissing();
    if (verdict === "right" && user) return user;
    if (hostUsers) await sleep(hostFailure - (performance.now() - begun));
    throw new AppError("unauthenticated", "The user name or the password is wrong.");
  }

  return {
    async check(given, address) {
      const user = await requireRight(given, address, true);
      const network = sourceNetwork(address);
      limits.trust(user.name, network);
      await accounts.addKnownNetwork({ user: user.name, network, at: Date.now(), keep: networksPerUser });
      return user;
    },
    async confirm(given, address) {
      await requireRight(given, address, false);
    },
  };
}

function secondStepMissing(): AppError {
  const message =
    "2-step verification is on for this account: log in with a security code, or with the sid of a login that had one.";
  return new AppError("forbidden", message, { details: { second_step: true } });
}
