import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { purgeAll } from "../../src/storage/task-pages.ts";
import type { Role } from "../../src/storage/account-store.ts";
import { bytesOfTask, type TaskQuota } from "../../src/storage/task-quota.ts";
import type { Database } from "../../src/storage/sqlite/database.ts";
import { migrate } from "../../src/storage/sqlite/migrations/migrations.ts";
import { accept, completed, day, hour, newTask, noon } from "./contract-fixture.ts";
import { openAt, openTemporary } from "./temporary.ts";

const limits = { maxAge: 30 * day, minAge: day, maxCount: 1000, maxEvents: 1000 };
const purge = ({ tasks }: Database) => purgeAll(tasks, { ...limits, now: noon + 40 * day });
const ownersOf = (database: Database, ids: number[]) => Promise.all(ids.map((id) => database.tasks.ownerOf(id)));
const making = (user: string, n: number) => ({ user, creates: `docker/c/${n}` });

async function open(context: TestContext): Promise<Database> {
  const { database, close } = await openTemporary();
  context.after(close);
  return database;
}

async function addUser({ accounts }: Database, name: string, role: Role): Promise<void> {
  await accounts.addUser({ name, role, passwordHash: "x", source: "local", createdAt: noon });
}

test("the owner of a task's container is known with and without the task's row", async (context) => {
  const database = await open(context);
  const { tasks } = database;
  const ids = [await completed(tasks, making("eva", 1)), await accept(tasks, making("adam", 2))];
  const other = await completed(tasks, { kind: "image_download", user: "eva" });
  assert.deepEqual(await ownersOf(database, [...ids, other, 999]), ["eva", "adam", undefined, undefined]);
  assert.ok((await purge(database)) >= 2);
  assert.equal(await tasks.row(ids[0] as number), undefined, "the row is gone");
  assert.deepEqual(await ownersOf(database, [...ids, other]), ["eva", "adam", undefined]);
});

test("containers of a removed or demoted user belong to nobody, with and without their tasks' rows", async (context) => {
  const database = await open(context);
  const { tasks, accounts } = database;
  await addUser(database, "boss", "admin");
  await addUser(database, "eva", "admin");
  await addUser(database, "adam", "operator");
  const old = [await completed(tasks, making("eva", 1)), await completed(tasks, making("adam", 2))];
  await purge(database);
  const young = [await accept(tasks, making("eva", 3)), await accept(tasks, making("adam", 4))];
  assert.deepEqual(await ownersOf(database, [...old, ...young]), ["eva", "adam", "eva", "adam"]);
  await accounts.changeUser({ name: "eva", change: { role: "operator" } });
  assert.deepEqual(await ownersOf(database, [...old, ...young]), [undefined, "adam", undefined, "adam"]);
  await accounts.removeUser("adam");
  assert.deepEqual(await ownersOf(database, [...old, ...young]), [undefined, undefined, undefined, undefined]);
  await purge(database);
  assert.deepEqual(await ownersOf(database, [...old, ...young]), [undefined, undefined, undefined, undefined]);
});

test("owners and active tasks of an older database are found as they were", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "store-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "gantry.db");
  const db = new DatabaseSync(path);
  migrate(db, "test", 2);
  const add = db.prepare(
    `INSERT INTO task (id, host, kind, lane, name, user, params, state, init, "end", debt)
     VALUES (?, 'test', 'create', 'heavy', 'n', ?, '{}', ?, ${noon}, ?, ?)`,
  );
  add.run(1, "eva", "completed", noon, 0);
  add.run(2, "eva", "error", noon, 1);
  add.run(3, "gone (removed)", "completed", noon, 0);
  add.run(4, "eva", "running", null, 0);
  add.run(5, "eva", "waiting", null, 0);
  for (const id of [1, 2, 4, 7]) db.exec(`INSERT INTO task_owner (host, task, user) VALUES ('test', ${id}, 'eva')`);
  db.close();
  const { database } = await openAt(path, { context });
  const owners = ["eva", "eva", undefined, "eva", undefined, "eva"];
  assert.deepEqual(await ownersOf(database, [1, 2, 3, 4, 5, 7]), owners);
  const active = await database.tasks.active();
  assert.deepEqual(
    active.map(({ task, undoFailed }) => [task.id, undoFailed]),
    [
      [2, true],
      [4, false],
      [5, false],
    ],
  );
  await purgeAll(database.tasks, { ...limits, now: noon + 40 * day + hour });
  assert.equal(await database.tasks.row(1), undefined);
  assert.deepEqual(await ownersOf(database, [1, 2, 3, 4, 5, 7]), owners);
});

test("what a user has is counted over restarts and in an older database, and goes with the user", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "store-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "gantry.db");
  const db = new DatabaseSync(path);
  migrate(db, "test", 6);
  const add = db.prepare(
    `INSERT INTO task (id, host, kind, lane, name, user, params, state, init, "end")
     VALUES (?, 'test', 'create', 'heavy', 'n', 'eva', ?, ?, ${noon}, ?)`,
  );
  add.run(1, "é".repeat(5000), "completed", noon);
  add.run(2, "{}", "waiting", null);
  db.close();
  const used = 10_002 + 2 * bytesOfTask;
  const over = async ({ tasks }: Database, quota: TaskQuota) =>
    ((await tasks.accept(newTask({ user: "eva", params: "{}", quota }))) as { over?: string }).over;
  for (let start = 0; start < 2; start++) {
    const { database } = await openAt(path, { context });
    assert.equal(await over(database, { tasks: 1, bytes: 1e9 }), "tasks");
    assert.equal(await over(database, { tasks: 9, bytes: used + bytesOfTask + 1 }), "bytes");
    await database.close();
  }
  const { database } = await openAt(path, { context });
  await addUser(database, "eva", "operator");
  await database.accounts.removeUser("eva");
  assert.equal(await over(database, { tasks: 1, bytes: bytesOfTask + 2 }), undefined, "a later user has a quota anew");
  await purge(database);
  assert.equal(await database.tasks.row(1), undefined, "the removed user's task is purged as others");
  assert.equal(await over(database, { tasks: 1, bytes: 1e9 }), "tasks");
});
