import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { senderTo, userPassword, type Send } from "../attacks/sender.ts";
import { adminPassword } from "../support/station.ts";
import { startOpenvz, type OpenvzWorld } from "./openvz-world.ts";

/** On the station's own address, which asks who somebody is: to each his own containers and jobs. */
let world: OpenvzWorld;
let send: Send;
const sids: Record<string, string> = {};
before(async () => {
  world = await startOpenvz("lxc");
  send = senderTo(world.system.station.url);
  const login = async (username: string, password: string) =>
    (await send("POST", "/login", { body: { username, password } })).sid;
  sids["admin"] = await login("admin", adminPassword);
  for (const [username, role] of [
    ["anna", "operator"],
    ["bert", "operator"],
    ["vera", "viewer"],
  ] as const) {
    await send("POST", "/users", { sid: sids["admin"], body: { username, role, password: userPassword } });
    sids[username] = await login(username, userPassword);
  }
});
after(() => world.system.close());

test("an operator has his own containers and jobs, and sees no others; a viewer looks; the admin has all", async () => {
  const as = (user: string, method: string, path: string, body?: unknown) =>
    send(method, `/v0.1${path}`, { sid: sids[user] ?? "", ...(body !== undefined && { body }) });
  const asked = await as("anna", "POST", "/containers/", { name: "of-anna", ostemplate: "small" });
  assert.equal(asked.status, 202, asked.text);
  const { job_id: job } = asked.json;
  const { entity_id: id } = await world.ended(job);
  await world.make("of-nobody");

  const names = async (user: string) =>
    (await as(user, "GET", "/containers/")).json.containers.map(({ name }: { name: string }) => name);
  assert.deepEqual(await names("anna"), ["of-anna"]);
  assert.deepEqual(await names("bert"), []);
  assert.deepEqual(await names("vera"), ["of-anna", "of-nobody"]);
  assert.deepEqual(await names("admin"), ["of-anna", "of-nobody"]);
  assert.equal((await as("bert", "GET", "/jobs/")).json.jobs.length, 0);
  assert.equal((await as("anna", "GET", "/jobs/")).json.jobs.length, 1);

  const update = { parameters: { hostname: "changed" } };
  for (const [method, path, body] of [
    ["GET", `/containers/${id}`],
    ["PATCH", `/containers/${id}`, update],
    ["PATCH", `/containers/${job}`, update],
    ["DELETE", `/containers/${id}`],
    ["POST", `/containers/${id}/stop`],
    ["GET", `/jobs/${job}`],
  ] as const) {
    const foreign = await as("bert", method, path, body);
    assert.equal(foreign.status, 404, `${method} ${path}: ${foreign.text}`);
    assert.match(foreign.json.message, /^no such (container|job)$/, "as for what does not exist");
    const viewer = await as("vera", method, path, body);
    assert.equal(viewer.status, method === "GET" ? 200 : 403, `${method} ${path}: ${viewer.text}`);
  }
  assert.equal((await as("anna", "PATCH", `/containers/${job}`, update)).status, 200);
  // This host would lead its own traffic to that address into her container.
  const hijack = await as("anna", "PATCH", `/containers/${id}`, { parameters: { ipadd: "192.0.2.53" } });
  assert.equal(hijack.status, 403, hijack.text);
  assert.match(hijack.json.message, /ipadd/);
  assert.equal((await as("admin", "PATCH", `/containers/${id}`, { parameters: { ipadd: "192.0.2.53" } })).status, 200);
  // A token has its own role, up to its owner's, and is no key to his account.
  const bearer = async (role: string) =>
    (await send("POST", "/tokens", { sid: sids["anna"] ?? "", body: { name: role, role } })).json.token as string;
  const byToken = (token: string, method: string, path: string, body?: unknown) =>
    send(method, path, { headers: { authorization: `Bearer ${token}` }, ...(body !== undefined && { body }) });
  for (const [role, status] of [
    ["operator", 200],
    ["viewer", 403],
  ] as const) {
    const token = await bearer(role);
    assert.equal((await byToken(token, "PATCH", `/v0.1/containers/${id}`, update)).status, status, role);
    const address = { parameters: { ipadd: "192.0.2.53" } };
    assert.equal((await byToken(token, "PATCH", `/v0.1/containers/${id}`, address)).status, 403, role);
    const listed = (await byToken(token, "GET", "/v0.1/containers/")).json.containers as { name: string }[];
    assert.deepEqual(
      listed.map(({ name }) => name),
      ["of-anna"],
      role,
    );
    for (const path of ["/tokens", "/sessions", "/log"])
      assert.equal((await byToken(token, "GET", path)).status, 403, role);
  }
  const { user, message } = (
    await world.system.station.client.ok<{ user: string; message: string }[]>("GET", "/log?text=openvz_create,%20of-n")
  )[0] ?? { user: "", message: "" };
  assert.deepEqual([user, message.includes("of-nobody")], ["openvz (no login)", true]);
  const removed = await as("anna", "DELETE", `/containers/${id}`);
  assert.equal((await world.ended(removed.json.job_id))["status"], "done");
  assert.deepEqual(await names("admin"), ["of-nobody"]);
});
