import type { StationUser } from "../../api/account.ts";
import { AppError, invalid } from "../../errors.ts";
import type { AccountStore, UserRow } from "../../storage/account-store.ts";
import { hashPassword } from "../password.ts";
import { authorize } from "../policy.ts";
import type { UserService } from "../services.ts";
import type { Sessions } from "../sessions.ts";
import type { Credentials } from "./credentials.ts";
import type { Directory } from "./directory.ts";
import type { LoginLimits } from "./login-limits.ts";
import type { SecondStep } from "./second-step.ts";
import type { TokenTable } from "./token-table.ts";

const shortest = 8;

export interface UserOptions {
  sessions: Sessions;
  accounts: AccountStore;
  directory: Directory;
  credentials: Credentials;
  secondStep: SecondStep;
  tokens: TokenTable;
  limits: LoginLimits;
}

export function createUserService(options: UserOptions): UserService {
  const { sessions, accounts, directory, credentials, secondStep, tokens, limits } = options;

  /** Whatever changed of a user, nobody goes on with what he was. */
  async function ended(name: string): Promise<void> {
    await directory.refresh(name);
    await sessions.end(name);
  }

  return {
    async list(caller) {
      authorize(sessions.authenticate(caller), "user:list");
      return directory.list().map(shown);
    },
    async create(caller, { username, password, role }) {
      authorize(sessions.authenticate(caller), "user:create");
      refuseWeak(password, username);
      const passwordHash = await hashPassword(password);
      const row = { name: username, role, passwordHash, source: "local" as const, createdAt: Date.now() };
      if ((await accounts.addUser(row)) === "taken")
        throw new AppError("conflict", `There is a user ${username} already.`, { details: { field: "username" } });
      return shown((await directory.refresh(username)) as UserRow);
    },
    async change(caller, username, { role, disabled, password, second_step: step }) {
      authorize(sessions.authenticate(caller), "user:change");
      const user = directory.get(username);
      if (!user) throw unknown(username);
      if (user.source === "host" && (password !== undefined || role !== undefined))
        throw invalid(password === undefined ? "role" : "password", `of ${username} is the host's: change it there`);
      if (password !== undefined) refuseWeak(password, username);
      const passwordHash = password === undefined ? undefined : await hashPassword(password);
      refuseLast(await accounts.changeUser({ name: username, change: { role, disabled, passwordHash } }), username);
      if (step === false) await secondStep.end(username);
      await ended(username);
      return shown(directory.get(username) ?? user);
    },
    async remove(caller, username) {
      authorize(sessions.authenticate(caller), "user:remove");
      refuseLast(await accounts.removeUser(username), username);
      tokens.forget(username);
      limits.forget(username);
      await ended(username);
      return { username };
    },
    async changePassword(caller, { current, password }) {
      const user = sessions.authenticate(caller);
      authorize(user, "password:change");
      if (directory.get(user.name)?.source === "host")
        throw new AppError("conflict", `The password of ${user.name} is the host's: change it there.`);
      refuseWeak(password, user.name);
      await credentials.confirm({ username: user.name, password: current }, caller.address);
      const passwordHash = await hashPassword(password);
      await accounts.changeUser({ name: user.name, change: { passwordHash } });
      await directory.refresh(user.name);
      await sessions.end(user.name, caller);
      return { username: user.name };
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

function shown({ name, role, source, disabled, totp, createdAt }: UserRow): StationUser {
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
