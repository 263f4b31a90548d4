import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { freePort } from "../support/free-port.ts";
import { startStation, type TestStation } from "../support/station.ts";
import { senderTo, type Send } from "./sender.ts";

/** The port of the containers-and-jobs API that asks nobody who he is: who may come, and what is there. */
let station: TestStation;
let send: Send;
let door: string;
before(async () => {
  door = `127.0.0.1:${await freePort()}`;
  station = await startStation({ flags: ["--openvz-listen", door, "--openvz-auth", "none"] });
  send = senderTo(`http://${door}`);
});
after(() => station.close());

const list = "/v0.1/containers/";

test("it is said loudly at the start, and acts as an admin of its own, by whose name it is in the audit log", async () => {
  assert.match(station.errors(), new RegExp(`WARNING: http://${door} asks nobody .*: whoever reaches it is root`));
  assert.equal((await send("GET", list)).status, 200);
  // This station has no LXC; what matters is that nobody was asked who he is.
  assert.equal((await send("POST", list, { body: { name: "ct1", ostemplate: "a" } })).status, 501);
  const main = senderTo(station.url);
  assert.equal((await main("GET", list)).status, 401, "the station's own port asks");
  assert.equal((await main("GET", list)).json.code, 100);
  const cookie = station.client.cookie();
  assert.equal((await main("GET", list, { headers: { cookie } })).status, 200);
});

test("there is nothing but that API", async () => {
  for (const path of ["/healthz", "/openapi.json", "/users", "/log", "/background", "/container", "/login_refresh"]) {
    const { status, json } = await send("GET", path);
    assert.equal(status, 404, path);
    assert.deepEqual(Object.keys(json), ["code", "message"]);
  }
  for (const path of ["/login", "/users", "/tokens"])
    assert.equal((await send("POST", path, { body: {} })).status, 404);
});

test("no page of a browser comes in, neither of another site nor under another name", async () => {
  const strangers: [Record<string, string>, number][] = [
    [{ origin: "http://evil.example" }, 403],
    [{ origin: "null" }, 403],
    [{ "sec-fetch-site": "cross-site" }, 403],
    [{ "sec-fetch-site": "same-site" }, 403],
    [{ host: "evil.example" }, 421],
    [{ host: `evil.example:${door.split(":")[1]}` }, 421],
  ];
  for (const [headers, expected] of strangers)
    for (const method of ["GET", "POST", "PATCH", "DELETE"]) {
      const { status, json } = await send(method, method === "POST" ? list : `${list}x`, {
        headers,
        ...(method !== "GET" && { body: { name: "ct1", ostemplate: "a" } }),
      });
      assert.equal(status, expected, `${method} ${JSON.stringify(headers)}`);
      assert.equal(json.code, 100);
    }
  const log = await station.client.ok<{ message: string; user: string }[]>("GET", "/log?text=another%20site");
  assert.ok(log.length > 0, "the refusals are in the audit log");
});

test("what a caller says he is changes nothing, and the door's own token is in no answer", async () => {
  const claims: Record<string, string>[] = [{ authorization: "Bearer gantry_x" }, { cookie: "CS_SESS_ID=x" }];
  for (const headers of claims) {
    const { status, text } = await send("GET", list, { headers });
    assert.equal(status, 200);
    assert.doesNotMatch(text, /gantry_/);
  }
  assert.doesNotMatch(station.errors(), /gantry_/);
});

test("with tokens it asks as everywhere; without a loopback address it does not open to everybody", async () => {
  const other = `127.0.0.1:${await freePort()}`;
  const asking = await startStation({ flags: ["--openvz-listen", other] });
  try {
    const ask = senderTo(`http://${other}`);
    assert.deepEqual([(await ask("GET", list)).status, (await ask("GET", list)).json.code], [401, 100]);
    const { token } = await asking.client.ok<{ token: string }>("POST", "/tokens", { name: "panel" });
    assert.equal((await ask("GET", list, { token })).status, 200);
    assert.doesNotMatch(asking.errors(), /WARNING/);
  } finally {
    await asking.close();
  }
  const root = join(import.meta.dirname, "../..");
  for (const host of ["0.0.0.0", "192.0.2.1", "[::]"]) {
    const flags = ["--no-setup", "--openvz-listen", `${host}:5050`, "--openvz-auth", "none"];
    const child = spawn("sh", [join(root, "scripts/station.sh"), ...flags]);
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const [code] = await once(child, "exit");
    assert.equal(code, 2);
    assert.match(said, /^--openvz-auth none makes whoever reaches .* root of this host: give .*\n$/);
  }
});
