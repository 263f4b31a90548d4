import assert from "node:assert/strict";
import { test } from "node:test";
import type { User } from "../../src/services/access/policy.ts";
import type { Sessions } from "../../src/services/accounts/sessions.ts";
import { createTaskList } from "../../src/services/tasks/list.ts";
import { accept } from "../storage/contract-fixture.ts";
import { openTemporary } from "../storage/temporary.ts";

const caller = { sid: "", address: "" };
const admin: User = { name: "admin", role: "admin" };

test("a page ends before its limit when the requests on it are a megabyte, and leads to the next one", async (context) => {
  const { database, close } = await openTemporary();
  context.after(close);
  const { tasks } = database;
  const params = JSON.stringify({ note: "x".repeat(5000) });
  const made = await Promise.all(Array.from({ length: 300 }, () => accept(tasks, { params })));
  const sessions = { authenticate: () => admin } as Partial<Sessions> as Sessions;
  const quota = { take: () => undefined };
  const list = createTaskList({ sessions, tasks, machine: { live: () => undefined }, quota });
  const first = await list.page(caller, { category: undefined, limit: 1000 });
  assert.equal(first.tasks.length, 256, "each counts with 4 KiB, because lists cut it");
  const second = await list.page(caller, { category: undefined, limit: 1000, before: first.next });
  assert.equal(second.next, undefined);
  assert.deepEqual(
    [...first.tasks, ...second.tasks].map(({ id }) => id),
    made.toSorted((a, b) => b - a),
  );
});
