import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import { readHostId, writeHostId } from "../../src/host/host-id.ts";
import { openDatabase, type Database } from "../../src/storage/sqlite/database.ts";
import { migrate } from "../../src/storage/sqlite/migrations/migrations.ts";
import { newTask } from "./contract-fixture.ts";

/** The last version whose rows had the constant `this` as their host. */
const versionBefore = 6;
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function temporaryFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "host-id-"));
  context.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Opens the database of a data folder as the station does. */
async function withDatabase<T>(dataDir: string, use: (database: Database) => Promise<T> | T): Promise<T> {
  const fatal = (reason: string): void => assert.fail(reason);
  const path = join(dataDir, "gantry.db");
  const database = await openDatabase({ path, host: readHostId(dataDir), synchronous: "NORMAL" }, fatal);
  try {
    return await use(database);
  } finally {
    await database.close();
  }
}

const hostOf = ({ identity }: Database): string => identity.host;
const activeTasks = async ({ tasks }: Database): Promise<number> => (await tasks.active()).length;

function tablesWithHost(db: DatabaseSync): string[] {
  const query = `SELECT t.name FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table' AND c.name = 'host'`;
  return db
    .prepare(query)
    .all()
    .map(({ name }) => name as string);
}

/** Adds a row of the host `this`; its other columns have any value. */
function addOldRow(db: DatabaseSync, table: string): void {
  const columns = db
    .prepare("SELECT name, type, dflt_value AS preset FROM pragma_table_info(?)")
    .all(table)
    .filter(({ preset }) => preset === null);
  const names = columns.map(({ name }) => `"${String(name)}"`);
  const values = columns.map(({ name, type }) => (name === "host" ? "this" : type === "INTEGER" ? 7 : "x"));
  db.prepare(`INSERT INTO ${table} (${names.join()}) VALUES (${values.map(() => "?").join()})`).run(...values);
}

test("rows of a version without host ids belong to this host afterwards, in every table", async (context) => {
  const folder = temporaryFolder(context);
  const old = new DatabaseSync(join(folder, "gantry.db"));
  migrate(old, "unused", versionBefore);
  const tables = tablesWithHost(old);
  for (const table of tables) addOldRow(old, table);
  old.close();
  const host = await withDatabase(folder, hostOf);
  assert.match(host, uuid);
  const db = new DatabaseSync(join(folder, "gantry.db"));
  const hosts = tables.map((table) => [table, ...db.prepare(`SELECT DISTINCT host FROM ${table}`).all()]);
  assert.deepEqual(
    hosts,
    tables.map((table) => [table, Object.assign(Object.create(null), { host })]),
  );
  assert.equal(db.prepare("SELECT epoch FROM worker").get()?.["epoch"], 8, "starts are counted on");
  assert.throws(() => db.exec("UPDATE audit SET host = 'other'"), /append only/);
  db.close();
});

test("a host id is a random one that the data folder keeps, and a copy of the folder has it too", async (context) => {
  const folder = temporaryFolder(context);
  const [data, copy] = [join(folder, "data"), join(folder, "copy")];
  cpSync(temporaryFolder(context), data, { recursive: true });
  assert.equal(readHostId(data), undefined);
  const host = await withDatabase(data, async (database) => {
    await database.tasks.accept(newTask());
    return database.identity.host;
  });
  assert.match(host, uuid);
  writeHostId(data, host);
  assert.equal(readHostId(data), host);
  assert.equal(statSync(join(data, "host-id")).mode & 0o777, 0o600);
  cpSync(data, copy, { recursive: true });
  assert.deepEqual(await withDatabase(copy, async (database) => [hostOf(database), await activeTasks(database)]), [
    host,
    1,
  ]);
  assert.notEqual(await withDatabase(temporaryFolder(context), hostOf), host);
});

test("a host id whose file was lost, or not written any more, is found in the database", async (context) => {
  const folder = temporaryFolder(context);
  const host = await withDatabase(folder, hostOf);
  assert.equal(readHostId(folder), undefined);
  assert.equal(await withDatabase(folder, hostOf), host);
});

test("a damaged file of the host id is refused", (context) => {
  const folder = temporaryFolder(context);
  writeFileSync(join(folder, "host-id"), "this\n");
  assert.throws(() => readHostId(folder), { code: "conflict", message: /host-id has no host id in it/ });
});
