import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { listAudit, purgeAudit } from "../../src/storage/audit-pages.ts";
import type { AuditStore } from "../../src/storage/audit-store.ts";
import { openTemporary } from "./temporary.ts";

const count = 10_000;
const entry = { level: "INFO", category: "system", address: "", action: "a", target: "", result: "done" } as const;

/** Entries 1 to 10,000 at these milliseconds; every 100th is of eva, and the oldest alone has a text of its own. */
async function fill(context: TestContext): Promise<{ audit: AuditStore; calls: (verb: "list" | "purge") => number }> {
  const { database, close } = await openTemporary();
  context.after(close);
  const message = (n: number) => (n === 1 ? "a needle" : "hay");
  const add = (n: number) =>
    database.audit.add({ ...entry, ts: n, user: n % 100 === 0 ? "eva" : "adam", message: message(n) });
  await Promise.all(Array.from({ length: count }, (_, n) => add(n + 1)));
  const counts = { list: 0, purge: 0 };
  const audit: AuditStore = {
    ...({} as AuditStore),
    list: (part) => (counts.list++, database.audit.list(part)),
    purge: (limits) => (counts.purge++, database.audit.purge(limits)),
  };
  return { audit, calls: (verb) => counts[verb] };
}

test("entries are found newest first, whole and in order, however far apart they are", async (context) => {
  const { audit, calls } = await fill(context);
  const ids = async (filter: Partial<Parameters<typeof listAudit>[1]>) =>
    (await listAudit(audit, { limit: 20, offset: 0, ...filter })).map(({ id }) => id);
  assert.deepEqual(await ids({ limit: 3 }), [10_000, 9_999, 9_998]);
  assert.equal(calls("list"), 1, "what is found in the first part needs no other");
  assert.deepEqual(await ids({ text: "NEEDLE" }), [1]);
  assert.ok(calls("list") > 5, "the store's thread was free in between");
  assert.deepEqual(await ids({ user: "eva", limit: 3, offset: 50 }), [5_000, 4_900, 4_800]);
  assert.deepEqual(
    await ids({ user: "eva", limit: 100 }),
    Array.from({ length: 100 }, (_, n) => count - 100 * n),
  );
  assert.deepEqual(await ids({ limit: 3, offset: 9_998 }), [2, 1]);
  assert.deepEqual(await ids({ limit: 3, offset: 10_000 }), []);
  assert.deepEqual(await ids({ end: 2, limit: 5 }), [2, 1]);
});

test("old entries and those beyond the number that is kept are deleted in stretches", async (context) => {
  const { audit, calls } = await fill(context);
  assert.equal(await purgeAudit(audit, { before: 2_501, maxRows: 1_000_000 }), 2_500);
  assert.ok(calls("purge") > 2, "the store's thread was free in between");
  assert.equal(await purgeAudit(audit, { before: 0, maxRows: 100 }), 7_400);
  const left = await listAudit(audit, { limit: 1000, offset: 0 });
  assert.deepEqual([left.length, left[0]?.id, left.at(-1)?.id], [100, 10_000, 9_901]);
});
