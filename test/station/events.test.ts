import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Task } from "../../src/api/task.ts";
import { startSlowRegistry, type SlowRegistry } from "../engines/slow-registry.ts";
import { removeContainers } from "../support/docker-cli.ts";
import { createClient } from "../support/client.ts";
import { busybox } from "../support/images.ts";
import { adminPassword, startStation, type TestStation } from "../support/station.ts";
import { whileDown } from "../support/station-data.ts";
import { idsOf, openStream, statesOf, type Stream } from "./streams.ts";

let station: TestStation;
let slow: SlowRegistry;
before(async () => {
  station = await startStation();
  slow = await startSlowRegistry();
});
after(async () => {
  await station.close();
  await slow.close();
  await removeContainers("events-");
});

const order = ["waiting", "running", "completed"];
let serial = 0;

function open(lastEventId?: number): Promise<Stream> {
  return openStream(station.url, station.client.cookie(), lastEventId);
}

function create(): Promise<Task> {
  const name = `events-${++serial}`;
  return station.client.add("create", { ...busybox, name });
}

/** A task that is over quickly, with its three events. */
async function quickTask(): Promise<Task> {
  const body = { type: "docker", repository: "local", image: "busybox", tag: "latest" };
  const { id } = await station.client.add("image_download", body);
  return station.client.ended(id);
}

const whole = (tid: number) => (items: Stream["items"]) => statesOf(items, tid).length === order.length;

test("a create's events come in order, with ascending ids and what the documents say", async () => {
  const stream = await open();
  const task = await create();
  await stream.until(whole(task.id));
  assert.deepEqual(statesOf(stream.items, task.id), order);
  const ids = idsOf(stream.items);
  assert.deepEqual(
    ids,
    [...new Set(ids)].toSorted((a, b) => a - b),
  );
  const last = stream.items.findLast(({ id }) => id !== undefined);
  assert.ok(last);
  const { ts, ...event } = last.data as { ts: number };
  assert.ok(Math.abs(ts - Date.now() / 1000) < 10);
  const data = { category: "create", state: "completed", container: task.name, tid: task.id, result: 0 };
  assert.deepEqual(event, { seq: last.id, kind: "background", user: "admin", data });
  stream.close();
});

test("Last-Event-ID: what was missed comes once, then what is new; also after a restart and a crash", async () => {
  const first = await open();
  const task = await create();
  await first.until((items) => statesOf(items, task.id).length > 0);
  first.close();
  // An engine may tell of an earlier container only now.
  const { id: seen = 0 } = first.items.find(({ data }) => data.data?.tid === task.id) ?? {};
  await station.client.ended(task.id);

  const restarts = [
    () => Promise.resolve(),
    () => station.stop().then(() => station.start()),
    () => station.kill().then(() => station.start()),
  ];
  for (const restart of restarts) {
    await restart();
    const stream = await open(seen);
    const next = await quickTask();
    await stream.until(whole(next.id));
    assert.deepEqual(statesOf(stream.items, task.id), order.slice(1), "without the one that was seen");
    assert.deepEqual(statesOf(stream.items, next.id), order);
    const ids = idsOf(stream.items);
    assert.deepEqual(
      ids,
      ids.map((_, index) => seen + 1 + index),
      "each once, none left out",
    );
    assert.equal(
      stream.items.some(({ event }) => event === "reset"),
      false,
    );
    stream.close();
  }
});

test("a stream that ends with the station is taken up where it was", async () => {
  const stream = await open();
  const task = await quickTask();
  await stream.until(whole(task.id));
  const [stopped] = await Promise.all([station.stop(), stream.endsWithin(10_000)]);
  assert.equal(stopped, 0);
  await station.start();
  const next = await quickTask();
  const again = await open(idsOf(stream.items).at(-1));
  await again.until(whole(next.id));
  assert.equal(idsOf(again.items)[0], (idsOf(stream.items).at(-1) ?? 0) + 1);
  again.close();
});

test("an id from before the tail, and one of the future: reset, then what is there", async () => {
  for (let i = 0; i < 3; i++) await quickTask();
  const last = await whileDown(station, (db) => {
    const newest = Number(db.prepare("SELECT max(seq) AS last FROM event").get()?.["last"]);
    db.exec(`DELETE FROM event WHERE seq <= ${newest - 4}`);
    return newest;
  });

  const old = await open(1);
  await old.until((items) => items.length === 5);
  assert.deepEqual({ ...old.items[0] }, { id: undefined, event: "reset", data: { seq: last - 4 } });
  assert.deepEqual(idsOf(old.items), [last - 3, last - 2, last - 1, last]);
  const edge = await open(last - 4);
  const future = await open(last + 1000);
  const task = await quickTask();
  for (const stream of [old, edge, future]) await stream.until(whole(task.id));
  assert.deepEqual(idsOf(edge.items)[0], last - 3, "the last one that is gone was seen: nothing is missing");
  assert.equal(edge.items[0]?.event, "background");
  assert.deepEqual(future.items[0], { id: undefined, event: "reset", data: { seq: last } });
  assert.deepEqual(idsOf(future.items), [last + 1, last + 2, last + 3]);
  for (const stream of [old, edge, future]) stream.close();
});

test("a long pull tells its progress, which never goes back and is not stored", async () => {
  const registry = { name: "slow", url: `http://${slow.host}`, enableTrustCert: false };
  await station.client.ok("POST", "/registry", { method: "add", ...registry });
  const stream = await open();
  const body = { type: "docker", repository: "private", registry_name: "slow", image: "slow", tag: "1" };
  const begun = performance.now();
  const { id } = await station.client.add("image_download", body);
  await stream.until(whole(id));
  const took = performance.now() - begun;
  const progress = stream.items.filter(({ event }) => event === "progress");
  const percents = progress.map(({ data }) => data.progress ?? -2);
  assert.ok(percents.filter((percent) => percent > 0 && percent < 100).length >= 5, percents.join());
  assert.deepEqual(
    percents,
    percents.toSorted((a, b) => a - b),
  );
  assert.ok(percents.length <= took / 100 + 2, "at most ten a second");
  for (const { id: eventId, data } of progress) {
    assert.equal(eventId, undefined);
    assert.equal(data.tid, id);
    assert.equal(data.detail_state, data.progress === -1 ? "Download image" : `Download image:${data.progress}%`);
  }
  const replayed = await open((idsOf(stream.items)[0] ?? 0) - 1);
  await replayed.until(whole(id));
  assert.equal(
    replayed.items.some(({ event }) => event === "progress"),
    false,
  );
  for (const one of [stream, replayed]) one.close();
});

test("a stream ends within 5 s of its session's logout, and shows nothing that came after", async () => {
  const other = createClient(station.url, adminPassword);
  await other.login();
  const [quiet, busy, kept] = [
    await openStream(station.url, other.cookie()),
    await openStream(station.url, other.cookie()),
    await open(),
  ];
  assert.equal((await other.send("PUT", "/logout")).status, 200);
  const task = await quickTask();
  await kept.until(whole(task.id));
  await Promise.all([quiet.endsWithin(5_500), busy.endsWithin(5_500)]);
  assert.deepEqual(statesOf([...quiet.items, ...busy.items], task.id), []);
  kept.close();
});

test("a quiet stream, too, ends within 5 s", async () => {
  const other = createClient(station.url, adminPassword);
  await other.login();
  const quiet = await openStream(station.url, other.cookie());
  assert.equal((await other.send("PUT", "/logout")).status, 200);
  await quiet.endsWithin(5_500);
});

test("a stream needs a session", async () => {
  await assert.rejects(openStream(station.url, ""), /401/);
  await assert.rejects(openStream(station.url, "CS_SESS_ID=garbage"), /401/);
});

test("200 streams at once get all events, the same ones, and nothing is left of them", async () => {
  const streams = await Promise.all(Array.from({ length: 200 }, () => open()));
  const made = await Promise.all(Array.from({ length: 10 }, () => quickTask()));
  for (const stream of streams) await stream.until((items) => made.every(({ id }) => whole(id)(items)));
  const expected = idsOf(streams[0]?.items ?? []);
  assert.ok(expected.length >= 30);
  for (const stream of streams) assert.deepEqual(idsOf(stream.items), expected);
  for (const { id } of made) assert.deepEqual(statesOf(streams[199]?.items ?? [], id), order);
  for (const stream of streams) stream.close();
  assert.equal((await quickTask()).state, "completed");
  assert.doesNotMatch(station.errors(), /Warning|Error/);
});
