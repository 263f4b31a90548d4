import { hash, randomBytes, timingSafeEqual } from "node:crypto";
import type { User } from "../access/policy.ts";
import type { StationClock } from "./station-clock.ts";
import { signatures } from "./signatures.ts";
import { tokenPrefix, type TokenTable } from "./token-table.ts";

/** Who comes in by a port that asks nobody who he is. No user can have this name; the audit log shows it. */
const openPortUser: User = { name: signatures.openPort, role: "admin", token: 0 };

export interface OpenPort {
  /** What that port's own server sends with each request; it is known in this process only, and to this start. */
  token: string;
  /** The table of tokens, with this one. */
  with(table: TokenTable): TokenTable;
  /** Returns the user of the port if this is its name; undefined for every other name. */
  userNow(name: string): User | undefined;
}

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
