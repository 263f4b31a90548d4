import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { adminPassword } from "../support/station.ts";
import { admin, sessionWorld } from "./session-world.ts";

/** Who gets a session, and what everybody else is told. */

/** 1,000 characters, of which the last one counts too. */
const longPassword = `pä ${"x".repeat(995)} !`;
const { station, login, good, status } = sessionWorld();
const other = sessionWorld({ GANTRY_ADMIN_PASSWORD: longPassword });

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
  // The quickest of many says what is computed; the others say what else the machine did.
  const [known, unknown] = [Math.min(...(times["admin"] ?? [])), Math.min(...(times["nobody"] ?? []))];
  context.diagnostic(`quickest: known ${known.toFixed(1)} ms, unknown ${unknown.toFixed(1)} ms`);
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
  assert.equal(longPassword.length, 1000);
  const { status: code, sid } = await other.login({ username: "admin", password: longPassword });
  assert.equal(code, 200);
  assert.equal(await other.status(sid), 200);
  assert.equal(await status(sid), 401, "of another station");
  for (const near of [
    longPassword.slice(0, -1),
    `${longPassword}x`,
    `${longPassword.slice(0, -1)}?`,
    `${longPassword} `,
    longPassword.toUpperCase(),
    longPassword.normalize("NFD"),
  ]) {
    assert.equal((await other.login({ username: "admin", password: near })).status, 401);
  }
  for (const guess of ["admin", " correct horse", "correct horse\0", "correct horse "]) {
    assert.equal((await login({ username: "admin", password: guess })).status, 401, guess);
  }
  assert.equal((await login({ username: "root", password: adminPassword })).status, 401);
  assert.equal((await login({ username: "Admin", password: adminPassword })).status, 401);
});

test("AU-06: 500 logins at once: most are told to come back, and everything else still answers", async (context) => {
  const sid = await good();
  let [others, over] = [0, false];
  const asking = (async () => {
    while (!over) {
      assert.equal(await status(sid), 200);
      others++;
      await sleep(10);
    }
  })();
  const answers = await Promise.all(
    Array.from({ length: 500 }, (_, i) =>
      login({ username: i % 2 ? "admin" : "nobody", password: i % 50 === 1 ? adminPassword : "wrong" }),
    ),
  ).finally(() => (over = true));
  await asking;
  const count = (code: number) => answers.filter((answer) => answer.status === code).length;
  context.diagnostic(`200: ${count(200)}, 401: ${count(401)}, 429: ${count(429)}; others meanwhile: ${others}`);
  assert.equal(count(200) + count(401) + count(429), 500);
  assert.ok(count(429) > 200 && count(401) > 0 && count(200) > 0);
  for (const { headers } of answers.filter((answer) => answer.status === 429))
    assert.equal(headers.get("retry-after"), "1");
  // Behind 500 logins there would be one.
  assert.ok(others > 3);
  assert.equal((await login(admin)).status, 200, "nobody is locked out");
  assert.doesNotMatch(station().errors(), new RegExp(adminPassword));
});
