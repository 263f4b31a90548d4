import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openStream } from "../station/streams.ts";
import { dockerApi, hasContainer, removeContainers } from "../support/docker-cli.ts";
import { openWorld, userPassword, type World } from "./sender.ts";

const folder = mkdtempSync(join(tmpdir(), "roles-"));
const shares = ["Public", "Archive"];
let world: World;
let alice: string;
let bob: string;
let eve: string;
before(async () => {
  for (const name of shares) mkdirSync(join(folder, name));
  const flags = shares.flatMap((name) => ["--share", `${name}=${join(folder, name)}`]);
  world = await openWorld({ flags: [...flags, "--read-only-share", "Archive"] });
  alice = await world.user("alice", "operator");
  bob = await world.user("bob", "operator");
  eve = await world.user("eve", "viewer");
});
after(async () => {
  await removeContainers("roles-");
  await world.station.close();
});

const base = { type: "docker", repository: "dockerhub", image: "busybox", tag: "latest" };
const create = (sid: string, name: string, more: object = {}) =>
  world.send("POST", "/background/create", { sid, body: { ...base, name, ...more } });
const tasks = async (sid: string, query = "") =>
  (await world.send("GET", `/background${query}`, { sid })).json as { id: number; user: string; name: string }[];

async function ended(sid: string, name: string, more: object = {}): Promise<number> {
  const answer = await create(sid, name, more);
  assert.equal(answer.status, 200, answer.text);
  assert.equal((await world.station.client.ended(answer.json.id)).state, "completed");
  return answer.json.id as number;
}

test("an operator makes a container of his own, with ports, limits and a folder of a share", async () => {
  await ended(alice, "roles-own", {
    network: { port: [[40123, 80, "tcp"]] },
    resource: { limit: { memory: "128m" } },
    volume: { host: { "/Public": { bind: "/data" } } },
    command: "sleep 600",
  });
  assert.equal(await hasContainer("roles-own"), true);
});

test("PE-01, PE-05, RB: privileged, devices, the GPU, the host's networks: 403 naming the field, and nothing is made", async () => {
  const refused: [field: string, more: object][] = [
    ["privileged", { privileged: true }],
    ["resource.device", { resource: { device: [["allow", "video4linux_(81)", "rw"]] } }],
    ["network.mode", { network: { mode: "host" } }],
    [
      "network.mode",
      {
        network: {
          mode: "bridge",
          interface: "lo",
          bridge: { mode: "static", ip: "10.1.2.3", netmask: "255.255.255.0" },
        },
      },
    ],
  ];
  for (const [field, more] of refused) {
    const { status, json } = await create(alice, "roles-refused", more);
    assert.deepEqual([status, json.error.field], [403, field], JSON.stringify(json));
    assert.match(json.error.message, new RegExp(field.replace(".", "\\.")));
    assert.equal(await hasContainer("roles-refused"), false);
  }
  for (const more of [{ Privileged: true }, { cap_add: ["ALL"] }, { volume: { host: { "/etc": { bind: "/data" } } } }])
    assert.equal((await create(alice, "roles-refused", more)).status, 400);
  const twice = `{"type":"docker","repository":"dockerhub","image":"busybox","tag":"latest","name":"roles-refused","privileged":false,"privileged":true}`;
  assert.equal(
    (await world.send("POST", "/background/create", { sid: alice, body: twice })).status,
    403,
    "PE-07: the last key counts",
  );
  assert.equal((await create(eve, "roles-refused")).status, 403, "a viewer makes nothing");
  assert.equal(await hasContainer("roles-refused"), false);
});

test("PE-01: what was accepted of an admin is refused when he is one no more", async () => {
  const held = await openWorld({ flags: ["--heavy", "1"] });
  try {
    const boss = await held.user("boss", "admin");
    const slow = { ...base, name: "roles-slow" };
    // The lane is held by an image that nobody has: the next one waits.
    const ids: number[] = [];
    for (let i = 0; i < 4; i++)
      ids.push(
        (
          await held.send("POST", "/background/create", {
            sid: boss,
            body: { ...slow, name: `roles-boss-${i}`, privileged: i > 0 },
          })
        ).json.id,
      );
    await held.station.client.ended(ids[0]!);
    await held.send("PUT", "/users/boss", { sid: held.admin, body: { role: "operator" } });
    const last = await held.station.client.ended(ids[3]!);
    assert.equal(last.state, "error");
    assert.match(String(last.error), /boss \(operator\) may not set privileged/);
    assert.equal(await hasContainer("roles-boss-3"), false);
    assert.equal(await hasContainer("roles-boss-0"), true);
    const { sid } = await held.login("boss", userPassword);
    const exec = await held.send("POST", "/container/docker/roles-boss-0/exec", { sid, body: { command: ["id"] } });
    assert.equal(exec.status, 404, "what he made as admin is his no more");
  } finally {
    await held.station.close();
  }
});

test("RB-03, RB-04, RB-06: others' tasks are in no list, and neither cancelled, cleared nor told", async () => {
  const id = await ended(alice, "roles-hidden");
  const all = await tasks(world.admin);
  assert.ok(all.some((task) => task.id === id));
  assert.ok(
    (await tasks(eve)).some((task) => task.id === id),
    "a viewer reads",
  );
  for (const query of ["", "?limit=100", "?category=create", `?before=${id + 1}`])
    assert.deepEqual(
      (await tasks(bob, query)).filter(({ user }) => user !== "bob"),
      [],
      query,
    );
  for (let guess = 1; guess <= id + 2; guess++)
    assert.equal((await world.send("DELETE", `/background/${guess}`, { sid: bob })).status, 404, String(guess));
  for (const path of ["/background", "/background/create"])
    assert.deepEqual((await world.send("DELETE", path, { sid: bob })).json, []);
  assert.equal((await world.send("DELETE", `/background/${id}`, { sid: eve })).status, 403);
  assert.deepEqual(await tasks(world.admin), all);
  assert.deepEqual((await world.send("DELETE", `/background/${id}`, { sid: alice })).json, [id], "his own");
});

test("RB-06: the event stream of an operator tells of his tasks only, from the start and from the store", async () => {
  const live = await openStream(world.station.url, `CS_SESS_ID=${bob}`);
  const viewer = await openStream(world.station.url, `CS_SESS_ID=${eve}`);
  const foreignId = await ended(alice, "roles-event-a");
  const ownId = await ended(bob, "roles-event-b");
  await live.until((items) => items.some(({ data }) => data.data?.tid === ownId && data.data.state === "completed"));
  await viewer.until((items) => items.some(({ data }) => data.data?.tid === ownId && data.data.state === "completed"));
  const replay = await openStream(world.station.url, `CS_SESS_ID=${bob}`, 0);
  await replay.until((items) => items.some(({ data }) => data.data?.tid === ownId && data.data.state === "completed"));
  for (const stream of [live, replay])
    for (const { data } of stream.items) assert.equal(data.data?.tid ?? data.tid ?? ownId, ownId);
  assert.ok(viewer.items.some(({ data }) => data.data?.tid === foreignId));
  for (const stream of [live, viewer, replay]) stream.close();
});

test("RB-03: a link to, or the volumes of, somebody else's container: 404; one's own are fine", async () => {
  await ended(alice, "roles-target", { command: "sleep 600", volume: { new: ["/data"] } });
  await dockerApi("POST", "/containers/create?name=roles-foreign", {
    Image: "busybox:latest",
    // What an image or a container says of itself makes nobody its owner.
    Labels: { "gantry.task": "00000000-0000-0000-0000-000000000000/1", "gantry.user": "bob" },
  });
  await world.station.client.ok("GET", "/background");
  for (const name of ["roles-target", "roles-foreign", "roles-nothing"]) {
    for (const more of [{ volume: { container: [name] } }, { links: { [name]: "alias" } }]) {
      const { status, json } = await create(bob, "roles-thief", more);
      assert.equal(status, 404, JSON.stringify(json));
      assert.equal(json.error.message, `There is no docker container ${name}.`);
    }
  }
  assert.equal(await hasContainer("roles-thief"), false);
  await ended(alice, "roles-friend", { volume: { container: ["roles-target"] }, links: { "roles-target": "alias" } });
});

test("RB-03, PE-08: every verb of a container is its owner's and an admin's; to others there is none, in the same words", async () => {
  await ended(alice, "roles-verbs", { command: "sh -c 'trap exit TERM; while :; do sleep 0.1; done'" });
  const at = (name: string) => `/container/docker/${name}`;
  const verbs: [method: string, rest: string, body?: object][] = [
    ["GET", ""],
    ["GET", "/inspect"],
    ["GET", "/logs"],
    ["GET", "/all"],
    ["POST", "/exec", { command: ["id"] }],
    ["POST", "/pause"],
    ["POST", "/unpause"],
    ["PUT", "/restart"],
    ["PUT", "/autostart/on"],
    ["PUT", "/stop"],
    ["PUT", "/start"],
    ["POST", "/rename", { name: "roles-verbs2" }],
    ["DELETE", ""],
  ];
  const listed = async (sid: string) =>
    ((await world.send("GET", "/container", { sid })).json as { name: string }[]).map(({ name }) => name);
  assert.equal((await listed(bob)).includes("roles-verbs"), false);
  assert.ok((await listed(alice)).includes("roles-verbs"));
  assert.ok((await listed(eve)).includes("roles-verbs"), "a viewer reads");
  for (const [method, rest, body] of verbs) {
    const sent = { sid: bob, ...(body && { body }) };
    const foreign = await world.send(method, `${at("roles-verbs")}${rest}`, sent);
    const nothing = await world.send(method, `${at("roles-none")}${rest}`, sent);
    assert.equal(foreign.status, 404, `${method} ${rest}: ${foreign.text}`);
    assert.equal(foreign.text.replaceAll("roles-verbs", "roles-none"), nothing.text);
  }
  assert.equal((await world.send("GET", "/container/roles-verbs", { sid: bob })).status, 404);
  assert.equal((await world.send("GET", "/event/wait/docker/roles-verbs/running", { sid: bob })).status, 404);
  const { messages } = (await world.send("GET", "/event?index=0", { sid: bob })).json as { messages: string[] };
  for (const message of messages) assert.match(message, /^[a-z]+:bob:/);
  for (const [method, rest, body] of verbs) {
    const name = method === "DELETE" ? "roles-verbs2" : "roles-verbs";
    const { status, text } = await world.send(method, `${at(name)}${rest}${method === "DELETE" ? "?force=true" : ""}`, {
      sid: alice,
      ...(body && { body }),
    });
    assert.equal(status, 200, `${method} ${rest}: ${text}`);
  }
  assert.equal(await hasContainer("roles-verbs2"), false);
});

test("RB: a removed user's things are nobody's, also not of the next one of his name", async () => {
  const carol = await world.user("carol", "operator");
  const id = await ended(carol, "roles-carol", { command: "sleep 600" });
  assert.equal((await world.send("DELETE", "/users/carol", { sid: world.admin })).status, 200);
  const next = await world.user("carol", "operator");
  assert.deepEqual(await tasks(next), []);
  assert.equal((await world.send("DELETE", `/background/${id}`, { sid: next })).status, 404);
  assert.equal((await create(next, "roles-next", { volume: { container: ["roles-carol"] } })).status, 404);
});

test("RB-05: a read-only share is mounted read-only only, whoever asks", async () => {
  const mount = (ro?: boolean) => ({
    volume: { host: { "/Archive": { bind: "/data", ...(ro !== undefined && { ro }) } } },
  });
  for (const sid of [alice, world.admin]) {
    for (const more of [mount(), mount(false)]) {
      const { status, json } = await create(sid, "roles-archive", more);
      assert.deepEqual([status, json.error.field], [403, 'volume.host["/Archive"].ro']);
    }
  }
  assert.equal(await hasContainer("roles-archive"), false);
  await ended(alice, "roles-archive", { ...mount(true), command: "sleep 600" });
  const { Mounts } = await dockerApi<{ Mounts: { RW: boolean }[] }>("GET", "/containers/roles-archive/json");
  assert.deepEqual(
    Mounts.map(({ RW }) => RW),
    [false],
  );
});

test("RB-02: paths of the engine's own API lead nowhere", async () => {
  for (const path of [
    "/plugins/pull",
    "/swarm/init",
    "/build",
    "/session",
    "/grpc",
    "/containers/json",
    "/v1.41/info",
  ]) {
    for (const method of ["GET", "POST"])
      assert.equal((await world.send(method, path, { sid: world.admin, body: "{}" })).status, 404, path);
  }
});

test("SC-05: a registry's stored login is not an operator's to use", async () => {
  const registry = {
    method: "add",
    name: "closed",
    url: "http://127.0.0.1:5001",
    enableTrustCert: false,
    username: "test",
    password: "secret",
  };
  await world.station.client.ok("POST", "/registry", registry);
  const body = { type: "docker", repository: "private", registry_name: "closed", image: "private/app", tag: "1" };
  const { status, json } = await world.send("POST", "/background/image_download", { sid: bob, body });
  assert.deepEqual([status, json.error.field], [403, "registry_name"]);
  assert.equal((await world.send("GET", "/registry", { sid: bob })).text.includes("secret"), false);
});
