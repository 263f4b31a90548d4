import { hash, randomBytes } from "node:crypto";
import type { Token, TokenRequest } from "../../api/account.ts";
import { AppError, invalid } from "../../errors.ts";
import { roles, type TokenRow } from "../../storage/account-store.ts";
import { authorize, weaker, type User } from "../access/policy.ts";
import type { TokenService } from "../contract/services.ts";
import type { Sessions } from "./sessions.ts";
import type { StationClock } from "./station-clock.ts";
import { tokenPrefix, type TokenTable } from "./token-table.ts";

const day = 24 * 3600_000;
const defaultDays = 90;

export interface TokenOptions {
  /** Tells who calls. */
  sessions: Sessions;
  /** The tokens, in memory. */
  table: TokenTable;
  /** The clock by which sessions and tokens expire. */
  clock: StationClock;
}

/** Makes the service of tokens. */
export function createTokenService({ sessions, table, clock }: TokenOptions): TokenService {
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
      return visible(user).map((row) => tokenAnswer(row, clock));
    },
    async create(caller, request) {
      const user = sessions.authenticate(caller);
      authorize(user, "token:create");
      const role = roleFor(user, request);
      if (request.name !== request.name.trim()) throw invalid("name", "must not begin or end with a space");
      const token = `${tokenPrefix}${randomBytes(32).toString("base64url")}`;
      const createdAt = clock.now();
      const expiresAt = createdAt + (request.days ?? defaultDays) * day;
      const name = request.name;
      const row = await table.add({ hash: hash("sha256", token), user: user.name, name, role, createdAt, expiresAt });
      return { ...tokenAnswer(row, clock), token };
    },
    async remove(caller, id) {
      const user = sessions.authenticate(caller);
      const row = table.list().find((one) => one.id === id);
      authorize(user, "token:remove", [{ owner: row?.user, name: `token ${id}` }]);
      if (!row) throw new AppError("not_found", `There is no token ${id}.`);
      await table.remove(id);
      return tokenAnswer(row, clock);
    },
  };
}

function tokenAnswer({ id, name, role, user, createdAt, expiresAt }: TokenRow, clock: StationClock): Token {
  const seconds = (time: number) => Math.floor(clock.shown(time) / 1000);
  return { id, name, role, username: user, created: seconds(createdAt), expires: seconds(expiresAt) };
}
