import { hash, randomBytes, timingSafeEqual } from "node:crypto";
import type { User } from "../access/policy.ts";
import type { StationClock } from "./station-clock.ts";
import { reservedNames } from "./reserved-names.ts";
import { tokenPrefix, type TokenTable } from "./token-table.ts";

/** The user of the port without authentication, as the audit log shows it. No other user can have this name. */
const openPortUser: User = { name: reservedNames.openPort, role: "admin", token: 0 };

export interface OpenPort {
  /** The token that the port's server sends with each request. It exists in this process only. */
  token: string;
  /** Returns the table of tokens with this one added. */
  with(table: TokenTable): TokenTable;
  /** Returns the user of the port if this is its name; undefined for every other name. */
  userNow(name: string): User | undefined;
}

/** Makes the token and the user of the port without authentication, for this start of the station. */
export function createOpenPort(clock: StationClock): OpenPort {
  const token = `${tokenPrefix}${randomBytes(32).toString("base64url")}`;
  const expected = hash("sha256", token, "buffer");
  const openedAt = clock.now();
  const isToken = (given: string): boolean => timingSafeEqual(hash("sha256", given, "buffer"), expected);
  return {
    token,
    with: (table) => ({
      ...table,
      find: (given) => (isToken(given) ? { user: openPortUser, createdAt: openedAt } : table.find(given)),
    }),
    userNow: (name) => (name === openPortUser.name ? openPortUser : undefined),
  };
}
