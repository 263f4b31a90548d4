import assert from "node:assert/strict";
import { mkdirSync, rmdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { connectionFailure } from "../../src/engines/lxd/failures.ts";
import type { LxdHttp, LxdRequest } from "../../src/engines/lxd/client/http.ts";
import { type Instance, keys } from "../../src/engines/lxd/client/instance.ts";
import { createMoving } from "../../src/engines/lxd/rootfs/move.ts";
import { createOperations } from "../../src/engines/lxd/client/operations.ts";
import { ensureOwnPool } from "../../src/engines/lxd/rootfs/pool.ts";
import { hasCode } from "../../src/errors.ts";
import { killLxd, runLxd } from "../support/lxd.ts";
import { patiently } from "../support/patiently.ts";
import { size } from "../support/proof.ts";
import { collect } from "./engine-checks.ts";
import { lxdBench } from "./lxd-bench.ts";
import { inside, picture, refused } from "./shape-checks.ts";

/** The tests' default pool is a folder, where no size holds: a container with one goes to the station's own pool. */
const { engine, http, launch } = lxdBench();

const mebibyte = 1 << 20;
const change = { size: 256 * mebibyte };

test("what is left of a pool that LXD did not survive making keeps nobody from a size", async () => {
  const pool = (name: string): string => `/1.0/storage-pools/${name}`;
  await http()
    .send({ method: "DELETE", path: pool("gantry") })
    .catch(() => undefined);
  const stray = join(dirname(http().socket), "storage-pools", "gantry");
  mkdirSync(stray);
  try {
    const { id } = await launch();
    await engine().containers.reshape(id, change);
    assert.equal((await engine().containers.shape(id)).size, change.size);
    await engine().containers.remove(id);
  } finally {
    await http().send({ method: "DELETE", path: pool("gantry-1") });
    rmdirSync(stray);
  }
});

test("LXD killed in the middle of a move: called again it is done, nothing is lost, and nothing is left twice", async (t) => {
  const outcomes: string[] = [];
  for (let n = 0, wait = 200; n < size(2, 12); n++, wait += size(400, 60)) {
    const { id, pid } = await launch();
    await inside(engine(), id, "dd", "if=/dev/urandom", "of=/kept", "bs=1M", "count=64");
    const kept = await inside(engine(), id, "md5sum", "/kept");
    const changing = engine()
      .containers.reshape(id, change)
      .then(
        () => true,
        () => false,
      );
    await delay(wait);
    await killLxd();
    const done = await changing;
    await runLxd();
    const there = await http().get<string[]>("/1.0/instances");
    outcomes.push(`${done ? "done" : "cut"} ${there.length > 1 ? "with both" : (there[0]?.split("/").at(-1) ?? "?")}`);
    await again(id);
    const list = await engine().containers.list();
    assert.deepEqual(
      list.map(({ name, state }) => [name, state]),
      [[id, "running"]],
    );
    assert.notEqual(list[0]?.pid, pid);
    assert.equal(await inside(engine(), id, "md5sum", "/kept"), kept);
    assert.equal((await engine().containers.shape(id)).size, change.size);
    assert.deepEqual(await http().get("/1.0/instances"), [`/1.0/instances/${id}`]);
    await engine().containers.remove(id);
  }
  t.diagnostic(outcomes.join("; "));
});

test("who saw a copy before it became the container does not take it for a copy any more", async () => {
  const { id } = await launch();
  await engine().containers.kill(id);
  const path = `/1.0/instances/${id}`;
  const renamed = Promise.withResolvers<void>();
  let removals = 0;
  // Whoever would remove the first one once more would do that when the copy has its name.
  const late: LxdHttp = {
    ...http(),
    async send<T>(request: LxdRequest) {
      if (request.method === "DELETE" && request.path === path) await (++removals === 1 ? delay(300) : renamed.promise);
      return http().send<T>(request);
    },
  };
  const operations = createOperations(late);
  const { find, resolve } = createMoving(late, operations);
  await operations.run({ method: "PATCH", path, body: { config: { [keys.moving]: id } } });
  const source = { type: "copy", source: id };
  const body = { name: `${id}-copy`, profiles: ["default"], source };
  await operations.run({ method: "POST", path: "/1.0/instances", body });
  await operations.run({ method: "PATCH", path, body: { config: { [keys.leaving]: "true" } } });
  const all = await http().get<Instance[]>("/1.0/instances?recursion=1");
  const seen = all.filter(({ name }) => name.startsWith(id));
  const names = async (): Promise<string[]> =>
    (await http().get<string[]>("/1.0/instances")).filter((one) => one.includes(id));
  const both = [resolve(seen), resolve(seen)];
  void Promise.race(both).then(() => renamed.resolve());
  for (const own of await Promise.all(both)) assert.equal(own.length, 1);
  assert.deepEqual(await names(), [path]);
  await resolve(seen);
  assert.deepEqual(await names(), [path]);
  assert.equal((await find(id))?.config[keys.leaving], undefined);
  await engine().containers.remove(id);
});

test("a copy whose sending LXD cuts off is sent again", async () => {
  const { id } = await launch();
  await inside(engine(), id, "sh", "-c", "echo kept >/kept; sync");
  let sent = 0;
  const cutting: LxdHttp = {
    ...http(),
    send<T>(request: LxdRequest) {
      const cut = request.upload !== undefined && request.path === "/1.0/instances" && sent++ === 0;
      const broken = Object.assign(new Error("write EPIPE"), { code: "EPIPE" });
      return cut ? Promise.reject(connectionFailure(broken, http().socket)) : http().send<T>(request);
    },
  };
  const config = { [keys.moving]: id };
  await http().send({ method: "PATCH", path: `/1.0/instances/${id}`, body: { config } });
  const { move } = createMoving(cutting, createOperations(cutting));
  await move(id, await ensureOwnPool(http()), () => engine().containers.kill(id));
  assert.equal(sent, 2);
  await engine().containers.start(id);
  assert.equal(await inside(engine(), id, "cat", "/kept"), "kept");
  assert.deepEqual(await http().get("/1.0/instances"), [`/1.0/instances/${id}`]);
  await engine().containers.remove(id);
});

test("a container that moves keeps the snapshots that it has in LXD", async () => {
  const { id } = await launch();
  const at = `/1.0/instances/${id}/snapshots`;
  await inside(engine(), id, "sh", "-c", "echo first >/kept");
  await ended({ method: "POST", path: at, body: { name: "before" } });
  await inside(engine(), id, "sh", "-c", "echo second >/kept");
  await engine().containers.reshape(id, change);
  assert.deepEqual(await http().get(at), [`${at}/before`]);
  assert.equal(await inside(engine(), id, "cat", "/kept"), "second");
  await engine().containers.kill(id);
  await ended({ method: "PUT", path: `/1.0/instances/${id}`, body: { restore: "before" } });
  await engine().containers.start(id);
  assert.equal(await inside(engine(), id, "cat", "/kept"), "first");
  await engine().containers.remove(id);
});

test("whoever listens or asks is not told that a container is gone while it moves", async () => {
  const { id } = await launch();
  const end = new AbortController();
  const seen: string[] = [];
  const listening = collect(engine().events(end.signal), ({ id: of, action }) => void (of === id && seen.push(action)));
  const moved = engine().containers.reshape(id, change);
  let over = false;
  const done = moved.finally(() => (over = true));
  let missing = 0;
  while (!over) if (!(await engine().containers.getById(id))) missing++;
  await done;
  await patiently("the end of its move", async () => assert.ok(seen.includes("rename"), seen.join(" ")));
  end.abort();
  await listening;
  assert.ok(!seen.includes("destroy"), seen.join(" "));
  assert.equal(missing, 0);
  await engine().containers.remove(id);
});

test("what LXD would not give up, or what would go with it, is not moved", async () => {
  const { id, pid } = await launch();
  const path = `/1.0/instances/${id}`;
  const before = await picture(engine(), id);
  await ended({ method: "PATCH", path, body: { config: { "security.protection.delete": "true" } } });
  await refused(engine(), id, change, "size");
  await ended({ method: "PATCH", path, body: { config: { "security.protection.delete": "" } } });
  await ended({ method: "POST", path: `${path}/backups`, body: { name: "by-hand" } });
  await refused(engine(), id, change, "size");
  assert.deepEqual(await picture(engine(), id), before);
  assert.equal((await engine().containers.getById(id))?.pid, pid);
  assert.deepEqual(await http().get("/1.0/instances"), [path]);
  await engine().containers.remove(id);
});

async function ended(request: LxdRequest): Promise<void> {
  const { type, operation } = await http().send(request);
  if (type !== "async") return;
  const { err } = await http().get<{ err: string }>(`${operation}/wait?timeout=60`);
  assert.equal(err, "");
}

/** LXD may still be at what it was at when it died. */
async function again(id: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    await engine().containers.list();
    try {
      return await engine().containers.reshape(id, change);
    } catch (error) {
      if (!hasCode(error, "engine_failed") || tries === 5) throw error;
    }
  }
}
