import type { ChangedUser, StationUser } from "../../api/account.ts";
import { AppError, invalid } from "../../errors.ts";
import type { AccountStore, UserRow } from "../../storage/account-store.ts";
import { hashPassword } from "./password.ts";
import { authorize } from "../access/policy.ts";
import type { Caller, UserService } from "../contract/services.ts";
import { sessionHash } from "./session-table.ts";
import type { Sessions } from "./sessions.ts";
import type { Credentials } from "./credentials.ts";
import type { Directory } from "./directory.ts";
import type { LoginLimits } from "./login-limits.ts";
import type { SecondStep } from "./second-step.ts";
import { refuseReservedName } from "./reserved-names.ts";
import type { TokenTable } from "./token-table.ts";

const shortest = 8;

type Ended = Pick<ChangedUser, "sessions_ended" | "tokens_ended">;

export interface UserOptions {
  /** Tells who calls. */
  sessions: Sessions;
  /** The store of users, sessions and tokens. */
  accounts: AccountStore;
  /** The users, in memory. */
  directory: Directory;
  /** Checks passwords and second steps. */
  credentials: Credentials;
  /** The second step of logins. */
  secondStep: SecondStep;
  /** The tokens, in memory. */
  tokens: TokenTable;
  /** Limits how often a password may be tried. */
  limits: LoginLimits;
}

/** Makes the service of users. */
export function createUserService(options: UserOptions): UserService {
  const { sessions, accounts, directory, credentials, secondStep, tokens, limits } = options;

  /** Ends the sessions of a changed user. Tokens end too if the password was changed. */
  async function ended(name: string, what: { tokens: boolean; except?: Caller }): Promise<Ended> {
    await directory.refresh(name);
    const sessionsEnded = await sessions.end(name, what.except);
    return { sessions_ended: sessionsEnded, tokens_ended: what.tokens ? await tokens.endOf(name) : 0 };
  }

  return {
    async list(caller) {
      authorize(sessions.authenticate(caller), "user:list");
      return directory.list().map(userAnswer);
    },
    async create(caller, { username, password, role }) {
      authorize(sessions.authenticate(caller), "user:create");
      refuseReservedName(username);
      refuseWeak(password, username);
      const passwordHash = await hashPassword(password);
      const row = { name: username, role, passwordHash, source: "local" as const, createdAt: Date.now() };
      if ((await accounts.addUser(row)) === "taken")
        throw new AppError("conflict", `There is a user ${username} already.`, { details: { field: "username" } });
      return userAnswer((await directory.refresh(username)) as UserRow);
    },
    async change(caller, username, { role, disabled, password, keep_tokens: keepTokens, second_step: step }) {
      authorize(sessions.authenticate(caller), "user:change");
      const user = directory.get(username);
      if (!user) throw unknown(username);
      if (user.source === "host" && (password !== undefined || role !== undefined))
        throw invalid(password === undefined ? "role" : "password", `of ${username} is the host's: change it there`);
      if (password !== undefined) refuseWeak(password, username);
      else if (keepTokens !== undefined) throw invalid("keep_tokens", "goes with a new password only");
      const passwordHash = password === undefined ? undefined : await hashPassword(password);
      const change = { role, disabled, passwordHash };
      refuseLast(await accounts.changeUser({ name: username, change, keeps: { tokens: keepTokens } }), username);
      if (step === false) await secondStep.end(username);
      const over = await ended(username, { tokens: password !== undefined && !keepTokens });
      return { ...userAnswer(directory.get(username) ?? user), ...over };
    },
    async remove(caller, username) {
      authorize(sessions.authenticate(caller), "user:remove");
      refuseLast(await accounts.removeUser(username), username);
      limits.forget(username);
      await ended(username, { tokens: true });
      return { username };
    },
    async changePassword(caller, { current, password, keep_tokens: keepTokens }) {
      const user = sessions.authenticate(caller);
      authorize(user, "password:change");
      if (directory.get(user.name)?.source === "host")
        throw new AppError("conflict", `The password of ${user.name} is the host's: change it there.`);
      refuseWeak(password, user.name);
      await credentials.confirm({ username: user.name, password: current }, caller.address);
      const passwordHash = await hashPassword(password);
      const keeps = { session: sessionHash(caller.sid ?? ""), tokens: keepTokens };
      await accounts.changeUser({ name: user.name, change: { passwordHash }, keeps });
      return { username: user.name, ...(await ended(user.name, { tokens: !keepTokens, except: caller })) };
    },
  };
}

function refuseWeak(password: string, username: string): void {
  if (password.length < shortest) throw invalid("password", `must have at least ${shortest} characters`);
  if (Buffer.byteLength(password) > 1024) throw invalid("password", "is longer than 1024 bytes");
  if (password.toLowerCase() === username.toLowerCase()) throw invalid("password", "must not be the user's name");
}

function refuseLast(answer: "done" | "unknown" | "last_admin", username: string): void {
  if (answer === "unknown") throw unknown(username);
  if (answer === "last_admin")
    throw new AppError("conflict", `${username} is the last admin of this station: make another one first.`);
}

function unknown(username: string): AppError {
  return new AppError("not_found", `There is no user ${username}.`);
}

function userAnswer({ name, role, source, disabled, totp, createdAt }: UserRow): StationUser {
  return {
    username: name,
    role,
    isAdmin: role === "admin",
    source,
    disabled,
    second_step: totp !== "",
    created: Math.floor(createdAt / 1000),
  };
}
