import { hash, randomBytes } from "node:crypto";
import type { Token, TokenRequest } from "../../api/account.ts";
import { AppError, invalid } from "../../errors.ts";
import { roles, type AccountStore, type TokenRow } from "../../storage/account-store.ts";
import { authorize, weaker, type User } from "../policy.ts";
import type { TokenService } from "../services.ts";
import type { Sessions } from "../sessions.ts";
import type { Directory } from "./directory.ts";

/** So that a token is never taken for a session's id, and is found by those who search for leaked secrets. */
export const tokenPrefix = "gantry_";
const day = 24 * 3600_000;
const defaultDays = 90;
const tokensPerUser = 100;

/** Tokens of programs, in memory and, by their hash only, in the store. */
export interface TokenTable {
  /** Who has this token; its role is no more than its owner's is now. */
  find(token: string): { user: User; createdAt: number } | undefined;
  list(): TokenRow[];
  add(token: Omit<TokenRow, "id">): Promise<TokenRow>;
  remove(id: number): Promise<void>;
  /** All of a user, who is gone. */
  forget(user: string): void;
}

export async function createTokenTable(accounts: AccountStore, directory: Directory): Promise<TokenTable> {
  const byHash = new Map((await accounts.tokens(Date.now())).map((token) => [token.hash, token]));
  const live = () => [...byHash.values()].filter(({ expiresAt }) => expiresAt > Date.now());
  return {
    find(token) {
      const row = token.length <= 128 ? byHash.get(hash("sha256", token)) : undefined;
      const owner = row && directory.get(row.user);
      if (!row || !owner || owner.disabled || row.expiresAt <= Date.now()) return undefined;
      const user = { name: owner.name, role: weaker(row.role, owner.role), token: row.id };
      return { user, createdAt: row.createdAt };
    },
    list: live,
    async add(token) {
      const added = await accounts.addToken(token);
      if (added === "taken")
        throw new AppError("conflict", `You have a token named ${token.name} already.`, { details: { field: "name" } });
      const row = { id: added.id, ...token };
      byHash.set(row.hash, row);
      return row;
    },
    async remove(id) {
      const row = [...byHash.values()].find((one) => one.id === id);
      if (row) byHash.delete(row.hash);
      await accounts.removeToken(id);
    },
    forget(user) {
      for (const row of byHash.values()) if (row.user === user) byHash.delete(row.hash);
    },
  };
}

export function createTokenService({ sessions, table }: { sessions: Sessions; table: TokenTable }): TokenService {
  const visible = (user: User) => table.list().filter((row) => user.role === "admin" || row.user === user.name);

  function roleFor(user: User, { role = user.role }: TokenRequest): TokenRow["role"] {
    if (weaker(role, user.role) === role) return role;
    throw new AppError(
      "forbidden",
      `A token of ${user.name} can be ${roles.slice(roles.indexOf(user.role)).join(" or ")} only.`,
      {
        details: { field: "role" },
      },
    );
  }

  return {
    async list(caller) {
      const user = sessions.authenticate(caller);
      authorize(user, "token:list");
      return visible(user).map(shown);
    },
    async create(caller, request) {
      const user = sessions.authenticate(caller);
      authorize(user, "token:create");
      const role = roleFor(user, request);
      if (table.list().filter((row) => row.user === user.name).length >= tokensPerUser)
        throw new AppError("too_many", `${user.name} has ${tokensPerUser} tokens already: revoke one first.`);
      if (request.name !== request.name.trim()) throw invalid("name", "must not begin or end with a space");
      const token = `${tokenPrefix}${randomBytes(32).toString("base64url")}`;
      const createdAt = Date.now();
      const expiresAt = createdAt + (request.days ?? defaultDays) * day;
      const name = request.name;
      const row = await table.add({ hash: hash("sha256", token), user: user.name, name, role, createdAt, expiresAt });
      return { ...shown(row), token };
    },
    async remove(caller, id) {
      const user = sessions.authenticate(caller);
      const row = table.list().find((one) => one.id === id);
      authorize(user, "token:remove", [{ owner: row?.user, name: `token ${id}` }]);
      if (!row) throw new AppError("not_found", `There is no token ${id}.`);
      await table.remove(id);
      return shown(row);
    },
  };
}

function shown({ id, name, role, user, createdAt, expiresAt }: TokenRow): Token {
  const seconds = (milliseconds: number) => Math.floor(milliseconds / 1000);
  return { id, name, role, username: user, created: seconds(createdAt), expires: seconds(expiresAt) };
}
