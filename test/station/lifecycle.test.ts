import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { testEngines } from "../support/engines.ts";
import { startStation, type TestStation } from "../support/station.ts";

const root = join(import.meta.dirname, "../..");
let station: TestStation;
let folder: string;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "lifecycle-"));
  station = await startStation();
});
after(async () => {
  await station.close();
  rmSync(folder, { recursive: true });
});

interface Ended {
  code: number | null;
  output: string;
  errors: string;
}

/** Starts a station that is expected to end by itself. */
async function ending(...flags: string[]): Promise<Ended> {
  const base = [
    "--no-setup",
    "--docker",
    testEngines().docker,
    "--listen",
    "127.0.0.1:0",
    "--data",
    join(folder, "data"),
    "--run",
    join(folder, "run"),
  ];
  const child = spawn("sh", [join(root, "scripts/station.sh"), ...base, ...flags], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
    if (output.includes("ready at")) child.kill("SIGTERM");
  });
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output, errors };
}

function assertRefused(ended: Ended, sentence: RegExp): void {
  assert.equal(ended.code, 2, ended.errors);
  assert.match(ended.errors, sentence);
  assert.equal(ended.errors.trim().split("\n").length, 1, "one sentence");
}

test("ready: one line, healthz 200; SIGTERM: exit 0 within 10 s and nothing left", async () => {
  const own = await startStation();
  const health = await fetch(`${own.url}/healthz`);
  assert.equal(health.status, 200);
  const pid = own.pid();
  const begun = performance.now();
  assert.equal(await own.stop(), 0);
  assert.ok(performance.now() - begun < 10_000);
  const group = execFileSync("ps", ["-eo", "pgid="], { encoding: "utf8" }).split("\n").map(Number);
  assert.equal(group.includes(pid), false, "no process of its group is left");
  await own.close();
});

test("the first password is random and shown once", async () => {
  const first = await ending();
  assert.equal(first.code, 0);
  assert.match(
    first.output,
    /^The password of admin is \S{20,} \(shown only now\)\nGantry is ready at http:\/\/127\.0\.0\.1:\d+\n$/,
  );
  const second = await ending();
  assert.match(second.output, /^Gantry is ready at/);
});

test("a first start that fails has shown the password, and the next one goes on from there", async () => {
  const data = ["--data", join(folder, "first")];
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const failed = await ending(...data, "--listen", `127.0.0.1:${port}`);
  server.close();
  assertRefused(failed, /in use/);
  assert.match(failed.output, /^The password of admin is \S{20,} /);
  assert.match((await ending(...data)).output, /^Gantry is ready at/);
});

test("a first start that is cut off before there is a database can be made again", async () => {
  const data = join(folder, "cut");
  mkdirSync(data);
  writeFileSync(join(data, "secret.key.new"), "half", { mode: 0o600 });
  assert.equal((await ending("--data", data)).code, 0);
  for (const name of ["gantry.db", "gantry.db-wal", "gantry.db-shm"]) rmSync(join(data, name), { force: true });
  assert.equal((await ending("--data", data)).code, 0, "the key is there, the database is not yet");
});

test("files of the station are its user's only", () => {
  for (const [path, mode] of [
    ["data", 0o711],
    ["data/gantry.db", 0o600],
    ["data/secret.key", 0o600],
    ["data/host-id", 0o600],
  ] as const) {
    assert.equal(statSync(join(folder, path)).mode & 0o777, mode, path);
  }
});

test("a bad flag, a bad value", async () => {
  assertRefused(await ending("--lisen", "x"), /no flag --lisen/);
  assertRefused(await ending("--quick", "many"), /--quick must be a number/);
});

test("a second station on the same data folder, or on the same host", async () => {
  assertRefused(await ending("--data", station.dataDir), /Another station uses the data folder/);
  assertRefused(await ending("--run", join(station.folder, "run")), /Another station runs on this host/);
});

test("a port that is taken", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  assertRefused(await ending("--listen", `127.0.0.1:${port}`), new RegExp(`127.0.0.1:${port} is in use`));
  server.close();
});

test("a data folder of a newer version", async () => {
  await ending("--data", join(folder, "newer"));
  const db = new DatabaseSync(join(folder, "newer/gantry.db"));
  db.exec("PRAGMA user_version = 9999");
  db.close();
  assertRefused(await ending("--data", join(folder, "newer")), /newer version of Gantry/);
});

test("a key that others can read, or that is gone", async () => {
  const key = join(folder, "data/secret.key");
  chmodSync(key, 0o644);
  assertRefused(await ending(), /secret\.key can be read by others/);
  chmodSync(key, 0o600);
  const bytes = readFileSync(key);
  rmSync(key);
  assertRefused(await ending(), /secret\.key is missing/);
  writeFileSync(key, bytes, { mode: 0o600 });
  assert.equal((await ending()).code, 0);
});

test("a share that would hold the data folder, a short password", async () => {
  assertRefused(await ending("--share", `all=${folder}`), /share all would contain/);
  writeFileSync(join(folder, "password"), "admin\n", { mode: 0o600 });
  assertRefused(await ending("--admin-password-file", join(folder, "password")), /fewer than 8/);
});

test("an engine that is down does not stop the start", async () => {
  const ended = await ending("--docker", `unix://${join(folder, "nothing.sock")}`);
  assert.equal(ended.code, 0);
  assert.match(ended.output, /ready at/);
});

test("the admin's password lies nowhere in the data folder", () => {
  const found = execFileSync("sh", ["-c", 'grep -rlF "correct horse" "$0" || true', station.dataDir], {
    encoding: "utf8",
  });
  assert.equal(found, "");
});
