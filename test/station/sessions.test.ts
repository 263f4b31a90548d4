import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { adminPassword, startStation, type TestStation } from "../support/station.ts";
import { openStream } from "./streams.ts";

/** 1,000 characters, of which the last one counts too. */
const longPassword = `pä ${"x".repeat(995)} !`;

/** Guessing has tests of its own. */
const noLimits = ["--login-tries", "100000", "--login-rate", "100000"];

let station: TestStation;
let other: TestStation;
before(async () => {
  station = await startStation({ flags: noLimits });
  other = await startStation({ flags: noLimits, env: { GANTRY_ADMIN_PASSWORD: longPassword } });
});
after(async () => {
  await station.close();
  await other.close();
});

interface Login {
  status: number;
  text: string;
  sid: string;
  headers: Headers;
}

async function login(body: object | string, { url = station.url, cookie = "" } = {}): Promise<Login> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const { status, headers, ...response } = await post(`${url}/api/v1/login`, text, cookie);
  return {
    status,
    headers,
    text: response.text,
    sid: /^CS_SESS_ID=([^;]*)/.exec(headers.get("set-cookie") ?? "")?.[1] ?? "",
  };
}

async function post(
  url: string,
  body: string,
  cookie: string,
): Promise<{ status: number; headers: Headers; text: string }> {
  const response = await fetch(url, { method: "POST", body, headers: { cookie } });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const admin = { username: "admin", password: adminPassword };

async function status(sid: string, { url = station.url } = {}): Promise<number> {
  const response = await fetch(`${url}/api/v1/login_refresh`, { headers: { cookie: `CS_SESS_ID=${sid}` } });
  await response.arrayBuffer();
  return response.status;
}

async function good(): Promise<string> {
  const { status: code, sid } = await login(admin);
  assert.equal(code, 200);
  return sid;
}

function database<T>(use: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(join(station.dataDir, "gantry.db"));
  try {
    return use(db);
  } finally {
    db.close();
  }
}

const hashOf = (sid: string) => createHash("sha256").update(sid).digest("hex");

test("by JSON, by form and by sid: the same answer, each a session of its own", async () => {
  const json = await login(admin);
  const form = await login(new URLSearchParams(admin).toString());
  const sid = await login({ sid: json.sid });
  for (const answer of [json, form, sid]) {
    assert.equal(answer.status, 200);
    const { logintime, ...session } = JSON.parse(answer.text) as Record<string, unknown>;
    assert.deepEqual(session, { anonymous: false, isAdmin: true, username: "admin" });
    assert.match(String(logintime), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    assert.equal(answer.headers.get("set-cookie"), `CS_SESS_ID=${answer.sid}; Path=/; HttpOnly; SameSite=Lax`);
    assert.equal(await status(answer.sid), 200);
  }
  assert.equal(new Set([json.sid, form.sid, sid.sid]).size, 3);
});

test("a wrong password and an unknown user: the same answer, in the same time", async (context) => {
  const times: Record<string, number[]> = { admin: [], nobody: [] };
  const answers = new Set<string>();
  for (let i = 0; i < 40; i++) {
    for (const username of ["admin", "nobody"]) {
      const begun = performance.now();
      const { status: code, text, headers } = await login({ username, password: `wrong ${i}` });
      times[username]?.push(performance.now() - begun);
      answers.add(JSON.stringify([code, text, headers.get("set-cookie")]));
    }
  }
  assert.equal(answers.size, 1, [...answers].join());
  assert.match([...answers].join(), /^\[401,/);
  const median = (values: number[] = []) => values.toSorted((a, b) => a - b)[values.length / 2] ?? 0;
  const [known, unknown] = [median(times["admin"]), median(times["nobody"])];
  context.diagnostic(`median: known ${known.toFixed(1)} ms, unknown ${unknown.toFixed(1)} ms`);
  assert.ok(Math.abs(known - unknown) < 0.2 * Math.max(known, unknown));
});

test("what is no user name and password: 400 naming the field", async () => {
  const wrong: [body: object | string, field: RegExp][] = [
    [{ username: "admin", password: { $ne: 1 } }, /password must be a text/],
    [{ username: "admin", password: [adminPassword] }, /password must be a text/],
    [{ username: "admin", password: null }, /password must be a text/],
    [{ username: "admin", password: 5 }, /password must be a text/],
    [{ username: "admin", password: "" }, /password is empty/],
    [{ username: "admin" }, /password is missing/],
    [{ username: ["admin"], password: adminPassword }, /username must be a text/],
    [{ password: adminPassword }, /username is missing/],
    [{ username: "admin", password: "x".repeat(1025) }, /password must have at most 1024/],
    [{ username: "admin", password: "ü".repeat(1024) }, /password is longer than 1024 bytes/],
    [{ username: "x".repeat(129), password: adminPassword }, /username must have at most 128/],
    [{ sid: { $gt: "" } }, /sid must be a text/],
    [{ ...admin, isAdmin: true }, /isAdmin is not a known field/],
    [`username=admin&password=x&password=${adminPassword}`, /password is given twice/],
    [`username[]=admin&password=${adminPassword}`, /username\[\].* is not a known field|username/],
    ["[]", /must be an object/],
    ["", /body is missing/],
  ];
  for (const [body, field] of wrong) {
    const answer = await login(body);
    assert.equal(answer.status, 400, JSON.stringify(body).slice(0, 100));
    assert.match(answer.text, field);
    assert.equal(answer.sid, "");
    assert.equal(answer.text.includes(adminPassword), false);
  }
});

test("a password of 1,000 characters, umlauts and spaces at its end counts to the last character", async () => {
  const { url } = other;
  assert.equal(longPassword.length, 1000);
  const { status: code, sid } = await login({ username: "admin", password: longPassword }, { url });
  assert.equal(code, 200);
  assert.equal(await status(sid, { url }), 200);
  assert.equal(await status(sid), 401, "of another station");
  for (const near of [
    longPassword.slice(0, -1),
    `${longPassword}x`,
    `${longPassword.slice(0, -1)}?`,
    `${longPassword} `,
    longPassword.toUpperCase(),
    longPassword.normalize("NFD"),
  ]) {
    assert.equal((await login({ username: "admin", password: near }, { url })).status, 401);
  }
  for (const guess of ["admin", " correct horse", "correct horse\0", "correct horse "]) {
    assert.equal((await login({ username: "admin", password: guess })).status, 401, guess);
  }
  assert.equal((await login({ username: "root", password: adminPassword })).status, 401);
  assert.equal((await login({ username: "Admin", password: adminPassword })).status, 401);
});

test("an id that the client chose is not taken; a login ends the session that was sent along; so does logout", async () => {
  const chosen = "attacker-attacker-attacker-attacker-attacker";
  const first = await login(admin, { cookie: `CS_SESS_ID=${chosen}` });
  assert.notEqual(first.sid, chosen);
  assert.equal(await status(chosen), 401);
  const second = await login(admin, { cookie: `CS_SESS_ID=${first.sid}` });
  assert.equal(await status(first.sid), 401);
  const failed = await login({ ...admin, password: "wrong" }, { cookie: `CS_SESS_ID=${second.sid}` });
  assert.equal(failed.status, 401);
  assert.equal(await status(second.sid), 200, "a wrong password ends nothing");

  const third = await login(admin);
  const out = await fetch(`${station.url}/api/v1/logout`, {
    method: "PUT",
    headers: { cookie: `CS_SESS_ID=${second.sid}` },
  });
  assert.deepEqual(await out.json(), { username: "admin" });
  assert.match(out.headers.get("set-cookie") ?? "", /^CS_SESS_ID=; .*Max-Age=0/);
  assert.equal(await status(second.sid), 401);
  assert.equal((await login({ sid: second.sid })).status, 401);
  assert.equal(await status(third.sid), 200, "the others go on");
  await station.kill();
  await station.start();
  for (const sid of [first.sid, second.sid]) assert.equal(await status(sid), 401, "also after a crash");
});

test("SE-03: 10,000 ids: all different, 256 bits each, and in the database their hashes only", async () => {
  const ids = new Set<string>();
  let ones = 0;
  let sid = "";
  const chain = async () => {
    let last = await good();
    for (let i = 0; i < 1000; i++) {
      last = (await login({ sid: last }, { cookie: `CS_SESS_ID=${last}` })).sid;
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
  const stored = database((db) => db.prepare("SELECT hash FROM session").all()) as { hash: string }[];
  assert.ok(stored.some(({ hash }) => hash === hashOf(sid)));
  const found = execFileSync("sh", ["-c", 'grep -rlaF "$1" "$0" || true', station.dataDir, sid], { encoding: "utf8" });
  assert.equal(found, "");
  assert.equal(station.errors().includes(sid), false);
});

test("sessions outlive a restart and a crash", async () => {
  const sid = await good();
  for (const end of [station.stop, station.kill]) {
    await end();
    await station.start();
    assert.equal(await status(sid), 200);
  }
});

test("SE-06: a user has 20 sessions at most: the oldest go, another user's stay", async () => {
  await station.stop();
  database((db) => {
    db.exec("DELETE FROM session");
    db.exec("INSERT INTO user (name, role, password_hash) SELECT 'viewer', 'viewer', password_hash FROM user");
  });
  await station.start();
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
  assert.equal(database((db) => db.prepare(count).get())?.["counts"], "admin 20, viewer 1");
});

test("a session ends after 30 minutes without a request, and after 12 hours whatever is asked", async () => {
  const minute = 60_000;
  const ages: Record<string, [seen: number, begun: number, expected: number]> = {
    "just idle long enough": [30 * minute + 5_000, 31 * minute, 401],
    "not yet idle": [28 * minute, 29 * minute, 200],
    "old, and used": [minute, 12 * 60 * minute + 5_000, 401],
    "not yet old": [minute, 11 * 60 * minute, 200],
    "a clock that was put back": [-60 * minute, -60 * minute, 200],
  };
  const sids = new Map<string, string>();
  for (const name of [...Object.keys(ages), "idle soon", "streaming", "old soon"]) sids.set(name, await good());
  await station.stop();
  const soon = 3_000;
  database((db) => {
    const age = db.prepare("UPDATE session SET seen_at = ?, login_at = ? WHERE hash = ?");
    const set = (name: string, seen: number, begun: number) =>
      age.run(Date.now() - seen, Date.now() - begun, hashOf(sids.get(name) ?? ""));
    for (const [name, [seen, begun]] of Object.entries(ages)) set(name, seen, begun);
    set("idle soon", 30 * minute - soon, 30 * minute);
    set("streaming", 0, 12 * 60 * minute - soon);
    set("old soon", 0, 12 * 60 * minute - soon);
  });
  const over = Date.now() + soon + 100;
  await station.start();
  const stream = await openStream(station.url, `CS_SESS_ID=${sids.get("streaming")}`);
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

test(
  "AU-06: 500 logins at once: most are told to come back, and everything else still answers",
  { timeout: 60_000 },
  async (context) => {
    const sid = await good();
    const slowest = { ms: 0 };
    let over = false;
    const others = (async () => {
      while (!over) {
        const begun = performance.now();
        assert.equal(await status(sid), 200);
        slowest.ms = Math.max(slowest.ms, performance.now() - begun);
        await sleep(10);
      }
    })();
    const answers = await Promise.all(
      Array.from({ length: 500 }, (_, i) =>
        login({ username: i % 2 ? "admin" : "nobody", password: i % 50 === 1 ? adminPassword : "wrong" }),
      ),
    ).finally(() => (over = true));
    await others;
    const count = (code: number) => answers.filter((answer) => answer.status === code).length;
    context.diagnostic(
      `200: ${count(200)}, 401: ${count(401)}, 429: ${count(429)}; slowest other answer ${Math.round(slowest.ms)} ms`,
    );
    assert.equal(count(200) + count(401) + count(429), 500);
    assert.ok(count(429) > 200 && count(401) > 0 && count(200) > 0);
    for (const { headers } of answers.filter((answer) => answer.status === 429))
      assert.equal(headers.get("retry-after"), "1");
    assert.ok(slowest.ms < 1000);
    assert.equal((await login(admin)).status, 200, "nobody is locked out");
    assert.doesNotMatch(station.errors(), new RegExp(adminPassword));
  },
);
