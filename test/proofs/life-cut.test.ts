import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { killDockerd, startDockerd } from "../support/dockerd.ts";
import { until } from "../support/daemon.ts";
import { killLxd, runLxd } from "../support/lxd.ts";
import { createCuttableDisk, type CuttableDisk } from "../support/power-cut.ts";
import { createRandom, size } from "../support/proof.ts";
import { engineTypes, startLifeWorld, type LifeWorld } from "../station/life/worlds.ts";

/**
 * The station ends in the middle of stops, starts and restarts, some under way and most of them waiting. When it is back
 * nothing is stopped or started: what was asked for is looked at, and never done later.
 */
const kills = size(2, 20);
const cuts = size(1, 5);
const random = createRandom(11);
const perEngine = 6;
/** A moment in which nothing changes any more. */
const quiet = 1_500;

let disk: CuttableDisk;
let world: LifeWorld;
const places = engineTypes.flatMap((type) =>
  Array.from({ length: perEngine }, (_, n) => ({ type, name: `cut-${n}`, runs: n % 3 !== 0 })),
);

before(async () => {
  disk = await createCuttableDisk();
  // Two at once: most of what is asked for waits when the station ends.
  world = await startLifeWorld("cut-", { dataDir: join(disk.mount, "data"), flags: ["--quick", "2"] });
  for (const { type, name } of places) await world.on(type).create(name);
});
after(async () => {
  // One that did not start leaves the disk, whose processes would keep this file from ending.
  try {
    await world?.close();
  } finally {
    await disk?.remove();
  }
});

/** First processes, by container. */
async function picture(): Promise<Record<string, number>> {
  const entries = await Promise.all(
    places.map(async ({ type, name }) => [`${type} ${name}`, (await world.look(type, name))?.pid ?? -1] as const),
  );
  return Object.fromEntries(entries);
}

/** Engines finish what they were asked, whoever has died. */
async function quietPicture(): Promise<Record<string, number>> {
  const end = Date.now() + 60_000;
  for (let last = await picture(), since = Date.now(); ;) {
    await sleep(100);
    const now = await picture();
    if (JSON.stringify(now) !== JSON.stringify(last)) [last, since] = [now, Date.now()];
    if (Date.now() - since > quiet) return now;
    assert.ok(Date.now() < end, "the engines do not come to rest");
  }
}

/** What somebody waited for: how much of it there was, and how it ended, by its error. */
function settled(): { total: number; active: number; completed: number; restarted: number } {
  const db = new DatabaseSync(join(disk.mount, "data/gantry.db"), { readOnly: true });
  try {
    const rows = db.prepare("SELECT state, coalesce(error, '') AS error FROM task WHERE kind LIKE 'container_%'").all();
    const count = (fits: (row: Record<string, unknown>) => boolean) => rows.filter(fits).length;
    return {
      total: rows.length,
      active: count(({ state }) => ["waiting", "running", "undoing"].includes(String(state))),
      completed: count(({ state }) => state === "completed"),
      restarted: count(({ error }) => String(error).startsWith("The station was restarted")),
    };
  } finally {
    db.close();
  }
}

/**
 * Half of them run, and each is asked for a change. Resolves when some changes have ended, two are under way and most of
 * the others wait.
 */
async function beginChanges(): Promise<void> {
  for (const { type, name, runs } of places) await (runs ? world.on(type).start(name) : world.on(type).stop(name));
  const before = settled().total;
  for (const [n, { type, name, runs }] of places.entries()) {
    const verbs = world.on(type);
    const change = runs ? (n % 2 === 0 ? verbs.stop(name) : verbs.restart(name)) : verbs.start(name);
    change.catch(() => undefined);
  }
  const ended = before + random(perEngine);
  const isReached = () => {
    const { active, total } = settled();
    return active >= perEngine && total - active >= ended;
  };
  assert.ok(await until(isReached, 60_000, 2), JSON.stringify(settled()));
}

async function goesOn(context: TestContext, what: string): Promise<number> {
  const before = await quietPicture();
  const { restarted: earlier } = settled();
  await world.station.start();
  await world.station.client.login();
  const end = Date.now() + 60_000;
  while (settled().active > 0) {
    assert.ok(Date.now() < end, JSON.stringify(settled()));
    await sleep(50);
  }
  assert.deepEqual(await quietPicture(), before, "nothing was stopped or started");
  const now = settled();
  context.diagnostic(`${what}: ${JSON.stringify(now)}`);
  return now.restarted - earlier;
}

test(`the station killed ${kills} times`, { timeout: 600_000 }, async (context) => {
  let restarted = 0;
  for (let kill = 0; kill < kills; kill++) {
    await beginChanges();
    await world.station.kill();
    restarted += await goesOn(context, `kill ${kill + 1}`);
  }
  assert.ok(restarted > kills, "requests were under way and waiting");
});

test(`the power cut ${cuts} times`, { timeout: 600_000 }, async (context) => {
  let restarted = 0;
  for (let cut = 0; cut < cuts; cut++) {
    await beginChanges();
    await disk.cut();
    await world.station.kill();
    await Promise.all([killDockerd(), killLxd()]);
    await endAllContainers();
    disk.reboot();
    await Promise.all([startDockerd(), runLxd()]);
    restarted += await goesOn(context, `cut ${cut + 1}`);
  }
  assert.ok(restarted > cuts, "requests were under way and waiting");
});

/** As without power. The engines are down, so only the kernel knows what is in a container. */
async function endAllContainers(): Promise<void> {
  const inContainer = /\/lxc\.payload|\/[0-9a-f]{64}/;
  const left = () =>
    readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && inContainer.test(readOf(`/proc/${pid}/cgroup`)));
  const end = Date.now() + 20_000;
  for (let pids = left(); pids.length > 0; pids = left()) {
    assert.ok(Date.now() < end, `containers live on: ${pids.join(" ")}`);
    for (const pid of pids) endProcess(Number(pid));
    await sleep(100);
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It had ended.
  }
}

function readOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
