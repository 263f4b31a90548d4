import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { AppError } from "../../src/errors.ts";
import { bytesOfTask } from "../../src/storage/task-quota.ts";
import { newTask } from "./contract-fixture.ts";
import { openAt, openTemporary } from "./temporary.ts";

const conflict = (words: RegExp) => (error: unknown) =>
  error instanceof AppError && error.code === "conflict" && words.test(error.message);

test("a database of a newer version is refused and not changed", async (context) => {
  const { database, path, close } = await openTemporary();
  context.after(close);
  await database.tasks.accept(newTask());
  await database.close();
  const raw = new DatabaseSync(path);
  const own = raw.prepare("PRAGMA user_version").get()?.["user_version"];
  raw.exec("PRAGMA user_version = 4711");
  await assert.rejects(openAt(path), conflict(/newer version/));
  assert.equal(raw.prepare("PRAGMA user_version").get()?.["user_version"], 4711);
  raw.exec(`PRAGMA user_version = ${String(own)}`);
  raw.close();
  const again = await openAt(path, { context });
  assert.equal((await again.database.tasks.active()).length, 1);
});

test("a file that is no database is refused and not changed", async (context) => {
  const { folder, close } = await openTemporary();
  context.after(close);
  const path = join(folder, "other.db");
  writeFileSync(path, "no database at all, but a letter of some length\n".repeat(100));
  const { mtimeMs, size } = statSync(path);
  await assert.rejects(openAt(path), conflict(/cannot be opened/));
  assert.deepEqual([statSync(path).mtimeMs, statSync(path).size], [mtimeMs, size]);
  await assert.rejects(openAt(join(folder, "missing", "gantry.db")), conflict(/cannot be opened/));
});

test("the station keeps its id, and each host counts its starts", async (context) => {
  const { database, path, close } = await openTemporary();
  context.after(close);
  const { station, host, epoch } = database.identity;
  assert.deepEqual([host, epoch], ["test", 1]);
  const second = await openAt(path, { context });
  const elsewhere = await openAt(path, { context, host: "elsewhere" });
  assert.deepEqual(second.database.identity, { station, host, epoch: 2 });
  assert.deepEqual(elsewhere.database.identity, { station, host: "elsewhere", epoch: 1 });
  await Promise.all([second.database.close(), elsewhere.database.close()]);
});

test("after another start the former process's next write fails as fatal and is not done", async (context) => {
  const first = await openTemporary();
  context.after(first.close);
  await first.database.tasks.accept(newTask({ name: "before" }));
  const second = await openAt(first.path, { context });
  await assert.rejects(first.database.tasks.accept(newTask({ name: "after" })));
  assert.match(first.fatal[0] ?? "", /took over/);
  const names = (await second.database.tasks.active()).map(({ task }) => task.name);
  assert.deepEqual([names, second.fatal], [["before"], []]);
  await second.database.close();
});

test("a damaged database is fatal", async (context) => {
  const first = await openTemporary();
  context.after(first.close);
  for (let n = 0; n < 20; n++) await first.database.tasks.accept(newTask({ params: JSON.stringify("x".repeat(1000)) }));
  await first.database.close();
  const bytes = readFileSync(first.path);
  for (let page = 4096; page < bytes.length; page += 4096) {
    if (bytes.subarray(page, page + 4096).includes("xxxx")) bytes.fill(0xa5, page, page + 4096);
  }
  writeFileSync(first.path, bytes);
  const { database, fatal } = await openAt(first.path, { context });
  await assert.rejects(database.tasks.list({ kind: null, limit: 9, before: null }));
  assert.match(fatal[0] ?? "", /malformed/);
  await database.close();
});

test("after an I/O error nothing is acknowledged", async (context) => {
  const { path, close } = await openTemporary();
  context.after(close);
  const writer = startWriter(path);
  await writer.acknowledged(100);
  // No file may grow beyond this: the next write to the log fails with EFBIG.
  await once(spawn("prlimit", ["--pid", String(writer.pid), `--fsize=${statSync(`${path}-wal`).size}`]), "exit");
  assert.equal(await writer.ended, 3);
  const lines = writer.lines();
  assert.match(lines.at(-1) ?? "", /^fatal Error: disk I\/O error/);
  await assertKept(path, lines.slice(1, -1));
});

test("after kill -9 of a writer everything that it acknowledged is found whole", async (context) => {
  const { path, close } = await openTemporary();
  context.after(close);
  for (const enough of [1, 60, 300]) {
    const writer = startWriter(path);
    await writer.acknowledged(enough);
    process.kill(writer.pid, "SIGKILL");
    assert.equal(await writer.ended, null);
    await assertKept(path, writer.lines().slice(1));
    clear(path);
  }
});

function startWriter(path: string) {
  const child = spawn(process.execPath, [fileURLToPath(new URL("./writer.ts", import.meta.url)), path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const ended = once(child, "close").then(([code]) => code as number | null);
  const lines = () => text.split("\n").slice(0, -1);
  return {
    pid: child.pid as number,
    ended,
    lines,
    async acknowledged(count: number): Promise<void> {
      while (lines().length <= count)
        await Promise.race([once(child.stdout, "data"), ended.then(() => assert.fail("it ended"))]);
    },
  };
}

/** Acknowledged ⊆ found, and each found one with all its rows. */
async function assertKept(path: string, acknowledged: readonly string[]): Promise<void> {
  const { database } = await openAt(path);
  const { events } = await database.events.read({ after: 0, limit: 100_000 });
  const active = await database.tasks.active();
  await database.close();
  const found = new Set(active.map(({ task }) => task.name));
  assert.deepEqual(
    acknowledged.filter((name) => !found.has(name)),
    [],
  );
  assert.ok(active.every(({ task, locks }) => locks[0]?.[0] === task.name));
  assert.equal(events.length, found.size, "one event each");
  const raw = new DatabaseSync(path);
  assert.equal(raw.prepare("SELECT count(*) AS n FROM port_claim").get()?.["n"], found.size);
  const counted = raw.prepare("SELECT user, tasks, bytes FROM task_usage").all();
  const sums = `SELECT user, count(*) AS tasks, sum(octet_length(params) + ${bytesOfTask}) AS bytes FROM task GROUP BY user`;
  assert.deepEqual(counted, raw.prepare(sums).all(), "what each user has is counted in the same commit");
  assert.equal(raw.prepare("PRAGMA integrity_check").get()?.["integrity_check"], "ok");
  raw.close();
}

function clear(path: string): void {
  const raw = new DatabaseSync(path);
  raw.exec("DELETE FROM task; DELETE FROM task_lock; DELETE FROM port_claim; DELETE FROM event");
  raw.close();
}
