import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { readBoot } from "../../src/host/boot.ts";
import { createAccounts } from "../../src/services/accounts/accounts.ts";
import { ensureAdmin } from "../../src/services/accounts/first-admin.ts";
import { createStationClock } from "../../src/services/accounts/station-clock.ts";
import { openSecrets } from "../../src/services/secrets/secrets.ts";
import { sessionHash } from "../../src/services/accounts/session-table.ts";
import type { AccountStore } from "../../src/storage/account-store.ts";
import type { Database } from "../../src/storage/sqlite/database.ts";
import { openTemporary } from "../storage/temporary.ts";
import { silentLog } from "../../src/util/log.ts";

/** Accounts on a real database, with what else happens at one moment of a call of the store. */

const [first, second] = ["the first password", "the second password"];
const address = "127.0.0.1";

async function openAccounts(
  context: TestContext,
  meanwhile: Partial<Record<keyof AccountStore, () => Promise<unknown>>>,
) {
  const { database, folder, close } = await openTemporary();
  context.after(close);
  await ensureAdmin(database.accounts, first, () => undefined);
  return start(database, folder, meanwhile);
}

async function start(
  { accounts, audit, clock: clockStore }: Database,
  folder: string,
  meanwhile: Partial<Record<keyof AccountStore, () => Promise<unknown>>>,
) {
  const store = new Proxy(accounts, {
    get(target, verb: keyof AccountStore) {
      const once = meanwhile[verb];
      if (!once) return target[verb];
      return async (argument: never) => {
        delete meanwhile[verb];
        await once();
        return (target[verb] as (given: never) => Promise<unknown>)(argument);
      };
    },
  });
  const clock = await createStationClock({ store: clockStore, boot: readBoot, log: silentLog });
  const { services } = await createAccounts({
    accounts: store,
    audit,
    secrets: openSecrets(folder, true),
    loginLimits: { tries: 100, perMinute: 100 },
    openPort: false,
    clock,
    log: silentLog,
  });
  const login = async (password: string) =>
    (await services.sessions.login({ sid: undefined, address }, { username: "admin", password })).sid;
  return { ...services, login, accounts };
}

test("a login with the old password that ends after the new one was set gets no session", async (context) => {
  const meanwhile: Parameters<typeof openAccounts>[1] = {};
  const { login, users, sessions } = await openAccounts(context, meanwhile);
  const caller = { sid: await login(first), address };
  meanwhile.addSession = () => users.changePassword(caller, { current: first, password: second });
  await assert.rejects(login(first), { code: "unauthenticated" });
  assert.equal((await sessions.list(caller)).length, 1);
  assert.notEqual(await login(second), "");
});

test("a token that is made while the password is reset ends with the others", async (context) => {
  const meanwhile: Parameters<typeof openAccounts>[1] = {};
  const { login, users, tokens, accounts } = await openAccounts(context, meanwhile);
  const caller = { sid: await login(first), address };
  const other = { sid: await login(first), address };
  let made: Promise<unknown> | undefined;
  // The password is stored, and the sessions have not ended yet.
  meanwhile.getUser = async () => (made = tokens.create(other, { name: "late" }));
  await users.changePassword(caller, { current: first, password: second });
  await made;
  assert.deepEqual(await tokens.list(caller), []);
  assert.deepEqual(await accounts.tokens(0), []);
});

test("a user has a hundred tokens at most, however many are asked for at once", async (context) => {
  const { login, tokens, accounts } = await openAccounts(context, {});
  const caller = { sid: await login(first), address };
  const asked = Array.from({ length: 120 }, (_, n) => tokens.create(caller, { name: `t${n}` }));
  const refused = (await Promise.allSettled(asked)).flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  assert.deepEqual([refused.length, ...new Set(refused.map(({ code }) => code))], [20, "too_many"]);
  assert.equal((await accounts.tokens(0)).length, 100);
  const [{ id } = { id: 0 }] = await tokens.list(caller);
  await tokens.remove(caller, id);
  await tokens.create(caller, { name: "room" });
});

test("the store ends sessions and tokens with the password that they came from, but those that are kept", async (context) => {
  const { login, tokens, accounts } = await openAccounts(context, {});
  const kept = await login(first);
  await login(first);
  await tokens.create({ sid: kept, address }, { name: "old" });
  const change = { name: "admin", change: { passwordHash: "x" } };
  const rows = async () => {
    const sessions = await accounts.sessions({ idleSince: 0, begunSince: 0, now: Number.MAX_SAFE_INTEGER });
    return [sessions.map(({ hash }) => hash === sessionHash(kept)), (await accounts.tokens(0)).length];
  };
  await accounts.changeUser({ name: "admin", change: { role: "admin" } });
  assert.equal((await rows())[1], 1, "another change ends nothing");
  await accounts.changeUser({ ...change, keeps: { session: sessionHash(kept), tokens: true } });
  assert.deepEqual(await rows(), [[true], 1]);
  await accounts.changeUser(change);
  assert.deepEqual(await rows(), [[], 0]);
});

test("a password that is configured anew ends the sessions and tokens of the old one", async (context) => {
  const { login, tokens, accounts } = await openAccounts(context, {});
  await tokens.create({ sid: await login(first), address }, { name: "old" });
  await ensureAdmin(accounts, first, () => undefined);
  const rows = () =>
    Promise.all([accounts.sessions({ idleSince: 0, begunSince: 0, now: Number.MAX_SAFE_INTEGER }), accounts.tokens(0)]);
  assert.deepEqual(
    (await rows()).map(({ length }) => length),
    [1, 1],
    "the same one ends nothing",
  );
  await ensureAdmin(accounts, second, () => undefined);
  assert.deepEqual(
    (await rows()).map(({ length }) => length),
    [0, 0],
  );
});
