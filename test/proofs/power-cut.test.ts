import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Task } from "../../src/api/task.ts";
import { createCuttableDisk } from "../support/power-cut.ts";
import { createRandom, size } from "../support/proof.ts";
import { startStation, type TestStation } from "../support/station.ts";

const cuts = size(2, 20);
const controlCuts = size(6, 20);
const random = createRandom(4);

test(`${cuts} power cuts: no acknowledged task is lost`, { timeout: 900_000 }, async (context) => {
  for (let cut = 0; cut < cuts; cut++) {
    const { acknowledged, found, integrity, lost } = await cutPower("FULL");
    context.diagnostic(`cut ${cut + 1}: acknowledged ${acknowledged}, found ${found}, lost ${lost.length}`);
    assert.ok(acknowledged > 100, "there was work to lose");
    assert.deepEqual(lost, []);
    assert.equal(integrity, "ok");
  }
});

test("the control: with synchronous=NORMAL an acknowledged task is lost", { timeout: 900_000 }, async (context) => {
  let lostAll = 0;
  for (let cut = 0; cut < controlCuts && lostAll === 0; cut++) {
    const { acknowledged, found, lost } = await cutPower("NORMAL");
    context.diagnostic(`control cut ${cut + 1}: acknowledged ${acknowledged}, found ${found}, lost ${lost.length}`);
    lostAll += lost.length;
  }
  assert.ok(lostAll > 0, "the power cut does not cut: it proves nothing");
});

/** One cut at a random moment of a station at work; its clients are outside of the disk. */
async function cutPower(synchronous: "FULL" | "NORMAL") {
  const disk = await createCuttableDisk();
  const dataDir = join(disk.mount, "data");
  const station = await startStation({
    dataDir,
    flags: ["--synchronous", synchronous, "--heavy", "0", "--quick", "0"],
  });
  try {
    const acknowledged: number[] = [];
    const over = new AbortController();
    const clients = Array.from({ length: 8 }, (_, client) => post(station, client, acknowledged, over.signal));
    await sleep(1000 + random(1500));
    await disk.cut();
    await sleep(300);
    over.abort();
    await station.kill();
    await Promise.all(clients);
    disk.reboot();
    const integrity = checkIntegrity(dataDir);
    await station.start();
    await station.client.login();
    const found = new Set((await station.client.tasks()).map(({ id }) => id));
    return {
      acknowledged: acknowledged.length,
      found: found.size,
      integrity,
      lost: acknowledged.filter((id) => !found.has(id)),
    };
  } finally {
    await station.close();
    await disk.remove();
  }
}

async function post(station: TestStation, client: number, acknowledged: number[], over: AbortSignal): Promise<void> {
  const limit = () => AbortSignal.any([over, AbortSignal.timeout(5_000)]);
  for (let n = 0; !over.aborted; n++) {
    const body = JSON.stringify({ type: "docker", repository: "dockerhub", image: `cut${client}`, tag: `t${n}` });
    try {
      const response = await fetch(`${station.url}/api/v1/background/image_download`, {
        method: "POST",
        body,
        headers: { cookie: station.client.cookie() },
        signal: limit(),
      });
      if (response.status === 200) acknowledged.push(((await response.json()) as Task).id);
    } catch {
      // The station went with its disk.
      return;
    }
  }
}

function checkIntegrity(dataDir: string): unknown {
  const db = new DatabaseSync(join(dataDir, "gantry.db"));
  const row = db.prepare("PRAGMA integrity_check").get();
  db.close();
  return row?.["integrity_check"];
}
