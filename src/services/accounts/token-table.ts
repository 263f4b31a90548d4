import { hash } from "node:crypto";
import { AppError } from "../../errors.ts";
import type { AccountStore, TokenRow } from "../../storage/account-store.ts";
import { weaker, type User } from "../access/policy.ts";
import type { StationClock } from "./station-clock.ts";
import type { Directory } from "./directory.ts";

/** Tells tokens from ids of sessions, and lets tools find leaked ones. */
export const tokenPrefix = "gantry_";
/** The store counts them, so that many requests at once make no more. */
const tokensPerUser = 100;

/** Tokens of programs, in memory and, by their hash only, in the store. */
export interface TokenTable {
  /** Returns the user of a token. Its role is no more than its owner's is now. */
  find(token: string): { user: User; createdAt: number } | undefined;
  /** Lists all tokens. */
  list(): TokenRow[];
  /** Adds a token to the store and the table. Throws `conflict` if its user has one of this name, and `too_many` if he has 100. */
  add(token: Omit<TokenRow, "id">): Promise<TokenRow>;
  /** Removes a token from the store and the table. */
  remove(id: number): Promise<void>;
  /** Ends all of a user, also one that is being made; returns how many there were. */
  endOf(user: string): Promise<number>;
}

/** Tells whether a token may be valid. One that was made later than now is not: its age is unknown. */
function isWithinLife({ createdAt, expiresAt }: TokenRow, now: number): boolean {
  return createdAt <= now && now < expiresAt;
}

/** Reads the tokens into memory. */
export async function createTokenTable(
  accounts: AccountStore,
  directory: Directory,
  clock: StationClock,
): Promise<TokenTable> {
  const byHash = new Map((await accounts.tokens(clock.now())).map((token) => [token.hash, token]));
  const live = () => [...byHash.values()].filter(({ expiresAt }) => expiresAt > clock.now());
  return {
    find(token) {
      const row = token.length <= 128 ? byHash.get(hash("sha256", token)) : undefined;
      const owner = row && directory.get(row.user);
      if (!row || !owner || owner.disabled || !isWithinLife(row, clock.now())) return undefined;
      const user = { name: owner.name, role: weaker(row.role, owner.role), ownerRole: owner.role, token: row.id };
      return { user, createdAt: row.createdAt };
    },
    list: live,
    async add(token) {
      const added = await accounts.addToken({ token, most: tokensPerUser });
      if (added === "taken")
        throw new AppError("conflict", `You have a token named ${token.name} already.`, { details: { field: "name" } });
      if (added === "full")
        throw new AppError("too_many", `${token.user} has ${tokensPerUser} tokens already: revoke one first.`);
      const row = { id: added.id, ...token };
      byHash.set(row.hash, row);
      return row;
    },
    async remove(id) {
      const row = [...byHash.values()].find((one) => one.id === id);
      if (row) byHash.delete(row.hash);
      await accounts.removeToken(id);
    },
    async endOf(user) {
      const ended = live().filter((row) => row.user === user);
      for (const row of byHash.values()) if (row.user === user) byHash.delete(row.hash);
      await accounts.removeTokensOf(user);
      return ended.length;
    },
  };
}
