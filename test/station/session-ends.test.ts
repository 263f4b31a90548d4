import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { inDatabase, whileDown } from "../support/station-data.ts";
import { admin, cookieOf, hashOf, sessionWorld } from "./session-world.ts";
import { openStream } from "./streams.ts";

/** What a session outlives, and when it is over. */
const { station, login, good, status } = sessionWorld();

test("sessions outlive a restart and a crash", async () => {
  const sid = await good();
  for (const end of [station().stop, station().kill]) {
    await end();
    await station().start();
    assert.equal(await status(sid), 200);
  }
});

test("SE-06: a user has 20 sessions at most: the oldest go, another user's stay", async () => {
  await whileDown(station(), (db) => {
    db.exec("DELETE FROM session");
    db.exec("INSERT INTO user (name, role, password_hash) SELECT 'viewer', 'viewer', password_hash FROM user");
  });
  const viewer = (await login({ ...admin, username: "viewer" })).sid;
  const oldest = await good();
  const second = (await login({ sid: oldest })).sid;
  await Promise.all(Array.from({ length: 18 }, () => login({ sid: second })));
  assert.deepEqual([await status(oldest), await status(second)], [200, 200]);
  const newest = (await login({ sid: second })).sid;
  assert.deepEqual([await status(oldest), await status(second), await status(newest)], [401, 200, 200]);
  await Promise.all(Array.from({ length: 300 }, () => login({ sid: newest })));
  assert.deepEqual([await status(second), await status(viewer)], [401, 200]);
  const count =
    "SELECT group_concat(user || ' ' || count, ', ') AS counts FROM (SELECT user, count(*) AS count FROM session GROUP BY user)";
  assert.equal(inDatabase(station(), (db) => db.prepare(count).get())?.["counts"], "admin 20, viewer 1");
});

test("a session ends after 30 minutes without a request, and after 12 hours whatever is asked", async () => {
  const minute = 60_000;
  const ages: Record<string, [seen: number, begun: number, expected: number]> = {
    "just idle long enough": [30 * minute + 5_000, 31 * minute, 401],
    "not yet idle": [28 * minute, 29 * minute, 200],
    "old, and used": [minute, 12 * 60 * minute + 5_000, 401],
    "not yet old": [minute, 11 * 60 * minute, 200],
    "used later than now": [-minute, 60 * minute, 401],
    "begun later than now": [minute, -minute, 401],
  };
  const sids = new Map<string, string>();
  // Some of this has passed when the station has started; where more than half has, it is tried again with more.
  let soon = 6_000;
  let over = 0;
  do {
    for (const name of [...Object.keys(ages), "idle soon", "streaming", "old soon"]) sids.set(name, await good());
    await station().stop();
    inDatabase(station(), (db) => {
      const age = db.prepare("UPDATE session SET seen_at = ?, login_at = ? WHERE hash = ?");
      const set = (name: string, seen: number, begun: number) =>
        age.run(Date.now() - seen, Date.now() - begun, hashOf(sids.get(name) ?? ""));
      for (const [name, [seen, begun]] of Object.entries(ages)) set(name, seen, begun);
      set("idle soon", 30 * minute - soon, 30 * minute);
      set("streaming", 0, 12 * 60 * minute - soon);
      set("old soon", 0, 12 * 60 * minute - soon);
    });
    over = Date.now() + soon + 100;
    await station().start();
    soon *= 3;
  } while (Date.now() > over - soon / 6);
  const stream = await openStream(station().url, cookieOf(sids.get("streaming") ?? ""));
  for (const [name, [, , expected]] of Object.entries(ages))
    assert.equal(await status(sids.get(name) ?? ""), expected, name);
  assert.equal(await status(sids.get("old soon") ?? ""), 200);
  while (Date.now() < over) {
    await sleep(200);
    if (Date.now() < over - 500) assert.equal(await status(sids.get("old soon") ?? ""), 200, "asked for all the time");
  }
  assert.equal(await status(sids.get("old soon") ?? ""), 401);
  assert.equal(await status(sids.get("idle soon") ?? ""), 401);
  await stream.endsWithin(5_500);
});

test("OP-10: a clock that is set back while the station is down makes no session and no token live longer", async () => {
  const [minute, back] = [60_000, 40 * 60_000];
  const [idle, old] = [await good(), await good()];
  const headers = { cookie: cookieOf(old) };
  const token = async (name: string): Promise<string> => {
    const body = JSON.stringify({ name, days: 1 });
    const response = await fetch(`${station().url}/api/v1/tokens`, { method: "POST", headers, body });
    return ((await response.json()) as { token: string }).token;
  };
  const tokens = [await token("ends"), await token("lives"), await token("later")] as const;
  const worth = async (sent: string) =>
    (await fetch(`${station().url}/api/v1/background`, { headers: { authorization: `Bearer ${sent}` } })).status;
  for (const one of tokens) assert.equal(await worth(one), 200);
  await station().stop();
  inDatabase(station(), (db) => {
    // As it would be if the clock had shown so much more until then.
    const mark = JSON.parse(db.prepare("SELECT value FROM setting WHERE name = 'clock'").get()?.["value"] as string);
    const before = JSON.stringify({ ...mark, time: mark.time + back });
    db.prepare("UPDATE setting SET value = ? WHERE name = 'clock'").run(before);
    const age = db.prepare("UPDATE session SET seen_at = ?, login_at = ? WHERE hash = ?");
    const time = Date.now() + back;
    age.run(time - 50 * minute, time - 60 * minute, hashOf(idle));
    age.run(Date.now(), time - 12 * 60 * minute - 5_000, hashOf(old));
    const life = db.prepare("UPDATE api_token SET created_at = ?, expires_at = ? WHERE name = ?");
    life.run(time - 24 * 60 * minute, time - 1_000, "ends");
    life.run(time - minute, time + 24 * 60 * minute, "lives");
    life.run(time + minute, time + 24 * 60 * minute, "later");
  });
  await station().start();
  assert.equal(await status(idle), 401, "50 minutes ago, 10 by the clock");
  for (const [index, expected] of [401, 200, 401].entries())
    assert.equal(await worth(tokens[index] as string), expected, `token ${index}`);
  assert.equal(await status(old), 401, "begun 12 hours ago");
});
