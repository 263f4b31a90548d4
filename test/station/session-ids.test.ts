import assert from "node:assert/strict";
import { test } from "node:test";
import { filesWith, inDatabase } from "../support/station-data.ts";
import { admin, cookieOf, hashOf, sessionWorld } from "./session-world.ts";

/** The ids of sessions: nobody else chooses, guesses or reads them, and each is over when it is ended. */
const { station, login, good, status } = sessionWorld();

test("an id that the client chose is not taken; a login ends the session that was sent along; so does logout", async () => {
  const chosen = "attacker-attacker-attacker-attacker-attacker";
  const first = await login(admin, cookieOf(chosen));
  assert.notEqual(first.sid, chosen);
  assert.equal(await status(chosen), 401);
  const second = await login(admin, cookieOf(first.sid));
  assert.equal(await status(first.sid), 401);
  const failed = await login({ ...admin, password: "wrong" }, cookieOf(second.sid));
  assert.equal(failed.status, 401);
  assert.equal(await status(second.sid), 200, "a wrong password ends nothing");

  const third = await login(admin);
  const out = await fetch(`${station().url}/api/v1/logout`, {
    method: "PUT",
    headers: { cookie: cookieOf(second.sid) },
  });
  assert.deepEqual(await out.json(), { username: "admin" });
  assert.match(out.headers.get("set-cookie") ?? "", /^CS_SESS_ID=; .*Max-Age=0/);
  assert.equal(await status(second.sid), 401);
  assert.equal((await login({ sid: second.sid })).status, 401);
  assert.equal(await status(third.sid), 200, "the others go on");
  await station().kill();
  await station().start();
  for (const sid of [first.sid, second.sid]) assert.equal(await status(sid), 401, "also after a crash");
});

test("SE-03: 10,000 ids: all different, 256 bits each, and in the database their hashes only", async () => {
  const ids = new Set<string>();
  let ones = 0;
  let sid = "";
  const chain = async () => {
    let last = await good();
    for (let i = 0; i < 1000; i++) {
      last = (await login({ sid: last }, cookieOf(last))).sid;
      ids.add(last);
      const bytes = Buffer.from(last, "base64url");
      assert.equal(bytes.length, 32);
      for (const byte of bytes) ones += byte.toString(2).replaceAll("0", "").length;
    }
    sid = last;
  };
  await Promise.all(Array.from({ length: 10 }, chain));
  assert.equal(ids.size, 10_000);
  assert.ok(Math.abs(ones / (10_000 * 256) - 0.5) < 0.002, String(ones));
  const stored = inDatabase(station(), (db) => db.prepare("SELECT hash FROM session").all()) as { hash: string }[];
  assert.ok(stored.some(({ hash }) => hash === hashOf(sid)));
  assert.deepEqual(filesWith(station().dataDir, sid), []);
  assert.equal(station().errors().includes(sid), false);
});
