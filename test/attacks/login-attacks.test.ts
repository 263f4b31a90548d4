import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { adminPassword } from "../support/station.ts";
import { guess } from "./guesser.ts";
import { openWorld, userPassword, type Answer, type World } from "./sender.ts";

let world: World;
let unlimited: World;
before(async () => {
  world = await openWorld();
  unlimited = await openWorld({ flags: ["--login-tries", "100000", "--login-rate", "100000"] });
});
after(async () => {
  await world.station.close();
  await unlimited.station.close();
});

const count = (answers: readonly Answer[], status: number) => answers.filter((one) => one.status === status).length;
const form = (fields: Record<string, string>) => new URLSearchParams(fields).toString();

test("AU-01: JSON, form and login page have the same rules, the same limits and the same audit", async () => {
  const ways: ((username: string, password: string) => Promise<Answer>)[] = [
    (username, password) => world.login(username, password, "127.1.1.1"),
    (username, password) => world.send("POST", "/login", { body: form({ username, password }), from: "127.1.2.1" }),
    (user, plain_pwd) =>
      world.send("POST", "/cgi-bin/authLogin.cgi", { body: form({ user, plain_pwd }), from: "127.1.3.1" }),
  ];
  for (const [index, way] of ways.entries()) {
    const name = `au01-${index}`;
    await world.user(name, "viewer");
    assert.equal((await way(name, userPassword)).status, 200);
    const tries: number[] = [];
    for (let i = 0; i < 6; i++) tries.push((await way(name, "wrong password")).status);
    // The page answers a wrong password as a NAS does.
    assert.deepEqual(tries, index === 2 ? [200, 200, 200, 200, 200, 429] : [401, 401, 401, 401, 401, 429]);
    const { json } = await world.send("GET", `/log?text=${name}&limit=100`, { sid: world.admin });
    const logins = (json as { action: string; result: string }[]).filter(({ action }) => action === "login");
    const results = logins.map(({ result }) => result);
    assert.ok(results.includes("done") && results.includes("refused"), JSON.stringify(results));
  }
});

test("AU-02: what is no text is no password, and the hash never sees more than 1 KiB", async () => {
  const wrong: unknown[] = [
    { username: "admin", password: { $ne: 1 } },
    { username: "admin", password: [adminPassword] },
    { username: "admin", password: null },
    { username: "admin", password: 1 },
    { username: "admin", password: "" },
    { username: "admin", password: "x".repeat(1025) },
    { username: "admin", password: "ü".repeat(1000) },
    `username[]=admin&password=${adminPassword}`,
    `username=admin&password=a&password=${adminPassword}`,
  ];
  for (const body of wrong) assert.equal((await world.send("POST", "/login", { body })).status, 400);
  const large = await world.send("POST", "/login", { body: { username: "admin", password: "x".repeat(1 << 20) } });
  assert.equal(large.status, 413);
  const pages = ["user=admin", "pwd=YQ==", "user=&plain_pwd=x", "user=admin&pwd=", "user=admin&user=b&plain_pwd=x"];
  for (const body of pages)
    assert.equal((await world.send("POST", "/cgi-bin/authLogin.cgi", { body })).status, 400, body);
});

test("AU-03: 1,000 guesses from one address, one user from 200 networks, one password for 200 users", async (context) => {
  await world.user("victim", "viewer");
  const known = "127.9.9.9";
  assert.equal((await world.login("victim", userPassword, known)).status, 200);
  const flood = await Promise.all(
    Array.from({ length: 1000 }, (_, i) => world.login("victim", `guess ${i}`, "127.2.0.1")),
  );
  assert.equal(count(flood, 401), 5);
  assert.equal(count(flood, 429), 995);
  for (const { status, headers } of flood) if (status === 429) assert.ok(Number(headers["retry-after"]) >= 1);

  const spread = await Promise.all(
    Array.from({ length: 200 }, (_, i) => world.login("victim", `far ${i}`, `127.3.${i}.1`)),
  );
  assert.ok(count(spread, 401) <= 1, "all networks that are not known count as one");
  const blocked = await world.login("victim", userPassword, "127.4.0.1");
  assert.equal(blocked.status, 429, "the right password has to wait elsewhere");
  assert.equal((await world.login("victim", userPassword, known)).status, 200, "but not where the user is known");

  const spray = await Promise.all(
    Array.from({ length: 200 }, (_, i) => world.login(`user-${i}`, "Summer2026", "127.5.0.1")),
  );
  assert.ok(count(spray, 401) <= 50, String(count(spray, 401)));
  context.diagnostic(
    `flood 401: ${count(flood, 401)}; spread 401: ${count(spread, 401)}; spray 401: ${count(spray, 401)}`,
  );

  await sleep(Number(blocked.headers["retry-after"]) * 1000);
  const late = await world.login("victim", userPassword, "127.4.0.1");
  assert.equal(late.status, 200, "after the wait");
});

test("AU-03: each further wrong password waits twice as long, the admin too, whom nobody can lock out for good", async () => {
  const waits: number[] = [];
  for (let i = 0; waits.length < 3; i++) {
    const answer = await world.login("admin", "wrong password", "127.6.0.1");
    if (answer.status === 401) continue;
    assert.equal(answer.status, 429);
    waits.push(Number(answer.headers["retry-after"]));
    assert.ok(i < 50);
    await sleep(Number(answer.headers["retry-after"]) * 1000);
  }
  assert.deepEqual(waits, [1, 2, 4]);
  assert.equal((await world.login("admin")).status, 200, "from an address that has logged in before");
});

test("AU-05: a user that does not exist takes as long as a wrong password", async (context) => {
  const times: Record<string, number[]> = { admin: [], nobody: [] };
  const answers = new Set<string>();
  for (let i = 0; i < 200; i++) {
    for (const username of i % 2 ? ["admin", "nobody"] : ["nobody", "admin"]) {
      const { status, text, took } = await unlimited.login(username, `wrong ${i}`);
      times[username]?.push(took);
      answers.add(`${status} ${text}`);
    }
  }
  assert.equal(answers.size, 1);
  const median = (values: number[] = []) => values.toSorted((a, b) => a - b)[values.length / 2] ?? 0;
  const [known, unknown] = [median(times["admin"]), median(times["nobody"])];
  const chance = sameChance(times["admin"] ?? [], times["nobody"] ?? []);
  context.diagnostic(
    `median of 200: known ${known.toFixed(2)} ms, unknown ${unknown.toFixed(2)} ms; Mann-Whitney p ${chance.toFixed(3)}`,
  );
  assert.ok(Math.abs(known - unknown) < 0.05 * Math.max(known, unknown) || chance > 0.01);
});

/** Mann-Whitney: how likely two samples differ so much by chance. */
function sameChance(a: number[], b: number[]): number {
  const ranks = [...a.map((value) => ({ value, own: true })), ...b.map((value) => ({ value, own: false }))];
  ranks.sort((x, y) => x.value - y.value);
  const sum = ranks.reduce((total, { own }, index) => total + (own ? index + 1 : 0), 0);
  const u = sum - (a.length * (a.length + 1)) / 2;
  const z = (u - (a.length * b.length) / 2) / Math.sqrt((a.length * b.length * (a.length + b.length + 1)) / 12);
  // The normal distribution's tail, after Abramowitz and Stegun 26.2.17.
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const tail = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return (2 * tail * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI);
}

test("AU-07: every byte of a password counts", async () => {
  const password = `pä\0 ${"x".repeat(90)} 🔑 `;
  const { status } = await unlimited.send("POST", "/users", {
    sid: unlimited.admin,
    body: { username: "au07", role: "viewer", password },
  });
  assert.equal(status, 200);
  const at = (index: number) => `${password.slice(0, index)}?${password.slice(index + 1)}`;
  for (const near of [
    password.trimEnd(),
    password.slice(0, 72),
    at(72),
    at(2),
    password.replace("\0", ""),
    `${password} `,
  ])
    assert.equal((await unlimited.login("au07", near)).status, 401);
  assert.equal((await unlimited.login("au07", password)).status, 200);
});

test("AU-08: no default account works", async () => {
  const guesses = [
    ["admin", "admin"],
    ["admin", "password"],
    ["root", adminPassword],
    ["root", "root"],
    ["gantry", "gantry"],
    ["Admin", adminPassword],
  ] as const;
  for (const [name, password] of guesses) assert.equal((await unlimited.login(name, password)).status, 401, name);
  for (const body of [
    { username: "short", role: "viewer", password: "1234567" },
    { username: "samesame", role: "viewer", password: "SameSame" },
    { username: "-rf", role: "viewer", password: userPassword },
    { username: "a b", role: "viewer", password: userPassword },
    { username: "a\nb", role: "viewer", password: userPassword },
    { username: "ADMIN ", role: "viewer", password: userPassword },
  ])
    assert.equal((await unlimited.send("POST", "/users", { sid: unlimited.admin, body })).status, 400, body.username);
  const admins = (await unlimited.send("GET", "/users", { sid: unlimited.admin })).text;
  for (const username of [
    "system",
    "System",
    "SYSTEM",
    "sys.tem",
    "5ystem",
    "syst3m_",
    "\u0455ystem",
    "\uff53ystem",
    "client-certificate",
    "openvz-no-login",
    "eva (removed)",
  ]) {
    const body = { username, role: "viewer", password: userPassword };
    const { status, json } = await unlimited.send("POST", "/users", { sid: unlimited.admin, body });
    assert.deepEqual([status, json.error.field], [400, "username"], username);
  }
  assert.equal((await unlimited.send("GET", "/users", { sid: unlimited.admin })).text, admins);
  const twin = { username: "ADMIN", role: "viewer", password: userPassword };
  assert.equal((await unlimited.send("POST", "/users", { sid: unlimited.admin, body: twin })).status, 409);
});

test("AU-09: there is nothing that sets the station up a second time", async () => {
  for (const path of ["/setup", "/install", "/init", "/first-run", "/register", "/users/admin/password", "/reset"]) {
    for (const method of ["GET", "POST", "PUT"])
      assert.equal(
        (await world.send(method, path, { body: { username: "admin", password: userPassword } })).status,
        404,
        path,
      );
  }
  const first = { username: "admin", password: userPassword, role: "admin" };
  assert.equal((await world.send("POST", "/users", { body: first })).status, 401);
  const race = await Promise.all(
    Array.from({ length: 5 }, () =>
      world.send("POST", "/users", {
        sid: world.admin,
        body: { username: "twin", password: userPassword, role: "viewer" },
      }),
    ),
  );
  assert.deepEqual([count(race, 200), count(race, 409)], [1, 4]);
});

test("AU-11: headers that say where a request comes from, or what it is, say nothing", async () => {
  const headers = {
    "x-forwarded-for": "10.9.8.7",
    "x-real-ip": "10.9.8.7",
    forwarded: "for=10.9.8.7",
    "x-original-url": "/healthz",
    "x-rewrite-url": "/healthz",
    "x-http-method-override": "GET",
    referer: "http://localhost/",
  };
  assert.equal((await world.send("GET", "/background", { headers })).status, 401);
  assert.equal((await world.send("DELETE", "/background/1", { headers })).status, 401);
  const tries: number[] = [];
  for (let i = 0; i < 6; i++) {
    const from = { ...headers, "x-forwarded-for": `10.9.${i}.7`, "x-real-ip": `10.9.${i}.7` };
    const body = { username: "au11", password: "wrong" };
    tries.push((await world.send("POST", "/login", { body, headers: from, from: "127.7.0.1" })).status);
  }
  assert.deepEqual(tries, [401, 401, 401, 401, 401, 429]);
  const { text } = await world.send("GET", "/log?limit=9999", { sid: world.admin });
  assert.equal(text.includes("10.9."), false);
  assert.ok(text.includes("127.7.0.1"));
});

test("2,000 guesses: few reach the hash, others are answered, the right password enters after the wait", async (context) => {
  await world.user("proof5", "viewer");
  const { statuses, others } = await guess(world, "proof5", 2000);
  const reached = statuses.get(401) ?? 0;
  context.diagnostic(`${reached} of 2,000 guesses reached the hash; ${others.length} requests of others meanwhile`);
  assert.equal(reached + (statuses.get(429) ?? 0), 2000);
  // Five, and one after each wait that was over in the meantime.
  assert.ok(reached >= 5 && reached <= 10, String(reached));
  const wait = await world.login("proof5", userPassword, "127.8.1.1");
  if (wait.status === 429) await sleep(Number(wait.headers["retry-after"]) * 1000);
  assert.equal((await world.login("proof5", userPassword, "127.8.1.1")).status, 200);
});
