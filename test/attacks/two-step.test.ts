import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";
import { filesWith } from "../support/station-data.ts";
import { openWorld, userPassword, type World } from "./sender.ts";

let world: World;
before(async () => {
  world = await openWorld();
});
after(() => world.station.close());

/** The code that an app would show, some 30-second steps from now. */
function codeOf(secret: string, steps = 0): string {
  const when = `@${Math.floor(Date.now() / 1000) + steps * 30}`;
  return execFileSync("oathtool", ["--totp", "-b", "--now", when, secret], { encoding: "utf8" }).trim();
}

/** Codes go once: a test that needs another one waits for the next step, or takes that of the step to come. */
async function enrol(name: string): Promise<{ sid: string; secret: string; codes: string[] }> {
  const sid = await world.user(name, "operator");
  const begun = await world.send("POST", "/two-step", { sid, body: { password: userPassword } });
  assert.equal(begun.status, 200);
  const { secret, uri } = begun.json as { secret: string; uri: string };
  assert.equal(uri, `otpauth://totp/Gantry:${name}?secret=${secret}&issuer=Gantry`);
  assert.equal((await world.send("PUT", "/two-step", { sid, body: { code: "000000" } })).status, 400);
  assert.equal((await world.login(name, userPassword)).status, 200, "nothing has changed so far");
  const done = await world.send("PUT", "/two-step", { sid, body: { code: codeOf(secret, -1) } });
  assert.equal(done.status, 200, done.text);
  return { sid, secret, codes: (done.json as { recovery_codes: string[] }).recovery_codes };
}

const page = (fields: Record<string, string>, method = "POST") => {
  const query = new URLSearchParams(fields).toString();
  return method === "GET"
    ? world.send("GET", `/cgi-bin/authLogin.cgi?${query}`)
    : world.send("POST", "/cgi-bin/authLogin.cgi", { body: query });
};
const sidOf = (xml: string) => /<authSid><!\[CDATA\[([^\]]+)\]\]><\/authSid>/.exec(xml)?.[1] ?? "";
const pwd = Buffer.from(userPassword).toString("base64");

test("the login page answers the sid in XML, by GET and by POST, with the password plain or in base64", async () => {
  await world.user("page", "viewer");
  const ways = [
    await page({ user: "page", pwd }, "GET"),
    await page({ user: "page", plain_pwd: userPassword }, "GET"),
    await page({ user: "page", pwd, serviceKey: "1" }),
    await page({ user: "page", plain_pwd: userPassword, remme: "0" }),
  ];
  for (const { status, text, headers } of ways) {
    assert.equal(status, 200);
    assert.equal(headers["content-type"], "text/xml; charset=utf-8");
    assert.match(text, /^<\?xml [^]*<QDocRoot[^]*<authPassed><!\[CDATA\[1\]\]><\/authPassed>[^]*<\/QDocRoot>/);
    const sid = sidOf(text);
    assert.equal((await world.send("GET", "/background", { sid })).status, 200);
    assert.equal((await world.send("GET", `/background?sid=${sid}`)).status, 200);
    assert.equal((await world.send("POST", "/login", { body: { sid } })).json.username, "page");
  }
  const wrong = await page({ user: "page", plain_pwd: "wrong password" });
  assert.match(wrong.text, /<authPassed><!\[CDATA\[0\]\]><\/authPassed>/);
  assert.equal(sidOf(wrong.text), "");
  const evil = await page({ user: "]]><authPassed>1</authPassed>", plain_pwd: "x" });
  assert.equal(evil.text.includes("authPassed>1"), false);
});

test("with a second step the password alone is 403 everywhere; the sid of a login with the code enters", async () => {
  const { secret, sid: before } = await enrol("alice");
  assert.equal((await world.send("GET", "/background", { sid: before })).status, 200, "who turned it on stays");
  const alone = await world.login("alice", userPassword);
  assert.equal(alone.status, 403);
  assert.equal(alone.sid, "");
  assert.equal((await world.login("alice", "wrong password")).status, 401);
  const needs = await page({ user: "alice", pwd });
  assert.match(needs.text, /<authPassed><!\[CDATA\[0\]\]><\/authPassed>[^]*<need_2sv><!\[CDATA\[1\]\]>/);
  assert.equal(sidOf((await page({ user: "alice", pwd, security_code: "000000" })).text), "");

  const code = codeOf(secret);
  const sid = sidOf((await page({ user: "alice", pwd, security_code: code })).text);
  assert.equal((await world.send("POST", "/login", { body: { sid } })).status, 200, "the sid after the code enters");
  assert.equal(sidOf((await page({ user: "alice", pwd, security_code: code })).text), "", "a code goes once");
  const own = await world.send("POST", "/login/two-step", {
    body: { username: "alice", password: userPassword, code: codeOf(secret, 1) },
  });
  assert.equal(own.status, 200);
  assert.equal((await world.send("GET", "/background", { sid: own.sid })).status, 200);
});

test("each recovery code enters once, also with spaces and small letters, and after a crash", async () => {
  const { codes } = await enrol("bob");
  assert.equal(new Set(codes).size, 10);
  const enter = (code: string) =>
    world.send("POST", "/login/two-step", { body: { username: "bob", password: userPassword, code } });
  const first = await enter(codes[0]!);
  assert.equal(first.status, 200);
  assert.equal((await enter(codes[0]!)).status, 401);
  await world.station.kill();
  await world.station.start();
  assert.equal((await enter(codes[0]!)).status, 401, "used for good");
  assert.equal((await enter(codes[1]!.toLowerCase().replaceAll("-", " "))).status, 200);
  const left = await world.send("GET", "/two-step", { sid: first.sid });
  assert.deepEqual(left.json, { enabled: true, recovery_codes: 8 });
  const race = await Promise.all(Array.from({ length: 5 }, () => enter(codes[2]!)));
  assert.equal(race.filter(({ status }) => status === 200).length, 1);
});

test("codes cannot be guessed behind a right password, and a right password alone resets no count", async () => {
  await enrol("carol");
  const tries: number[] = [];
  for (let i = 0; i < 8; i++) {
    const code = String(100000 + i);
    tries.push(
      (await world.send("POST", "/login/two-step", { body: { username: "carol", password: userPassword, code } }))
        .status,
    );
    const alone = (await world.login("carol", userPassword)).status;
    assert.ok(alone === 403 || alone === 429);
  }
  assert.deepEqual(tries.slice(0, 6), [401, 401, 401, 401, 401, 429]);
});

test("it is turned off with password and code, or by an admin; its secret is nowhere in clear", async () => {
  const { sid, secret, codes } = await enrol("dave");
  assert.deepEqual(filesWith(world.station.folder, secret, codes[0]!), []);
  const off = (body: object) => world.send("DELETE", "/two-step", { sid, body });
  assert.equal((await off({ password: userPassword, code: "123456" })).status, 401);
  assert.equal((await off({ password: "wrong password", code: codes[0] })).status, 401);
  assert.equal((await off({ password: userPassword, code: codes[1] })).status, 200);
  assert.equal((await world.login("dave", userPassword)).status, 200);

  const { sid: erin } = await enrol("erin");
  assert.equal((await world.login("erin", userPassword)).status, 403);
  assert.equal((await world.send("PUT", "/users/erin", { sid: erin, body: { second_step: false } })).status, 403);
  await world.send("PUT", "/users/erin", { sid: world.admin, body: { second_step: false } });
  assert.equal((await world.login("erin", userPassword)).status, 200);
});
