import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { ContainerInfo } from "../../src/api/container-info.ts";
import { dockerApi, listContainers, removeContainers } from "../support/docker-cli.ts";
import { startDockerProxy } from "../support/docker-proxy.ts";
import { killDockerd, startDockerd } from "../support/dockerd.ts";
import { startStation } from "../support/station.ts";
import { startSystemWorld, systemTypes, type SystemWorld } from "../support/system-station.ts";
import { promised } from "../support/promised.ts";
import { eventually } from "./number-checks.ts";

const images = {
  docker: { repository: "dockerhub", image: "busybox", tag: "latest" },
  lxc: { repository: "qnap", image: "ubuntu-bionic", tag: "latest" },
  lxd: { repository: "lxd", image: "ubuntu", tag: "bionic" },
} as const;
const types = ["docker", "lxc", "lxd"] as const;

let world: SystemWorld;
before(async () => {
  world = await startSystemWorld();
  for (const type of types) {
    const network = { port: [[18_000 + types.indexOf(type), 80, "tcp"] as const, [18_100, 80, "udp"] as const] };
    const ports = type === "docker" ? { network } : { network: { port: network.port.slice(0, 1) } };
    const { id } = await world.station.client.add("create", { type, name: `list-${type}`, ...images[type], ...ports });
    const { state, error } = await world.station.client.ended(id);
    assert.equal(state, "completed", error);
  }
});
after(async () => {
  await startDockerd();
  await world.close();
  await removeContainers("list-");
});

const get = (path: string) => world.station.client.send("GET", `/container${path}`);
/** What tests of other files have left is none of this file's. */
const list = async () =>
  (await world.station.client.ok<ContainerInfo[]>("GET", "/container")).filter(({ name }) => name.startsWith("list-"));
const named = async (name: string) => (await list()).find((container) => container.name === name);

function make(name: string): Promise<{ Id: string }> {
  const body = { Image: "busybox:latest", Cmd: ["sleep", "1000"] };
  return dockerApi<{ Id: string }>("POST", `/containers/create?name=${name}`, body);
}

test("all engines are in one list, in a steady order, each with its own fields", async () => {
  await eventually(async () => (await list()).every(({ ipaddress = [] }) => ipaddress.length > 0));
  const all = await list();
  assert.deepEqual(
    all.map(({ name }) => name),
    types.map((type) => `list-${type}`),
  );
  for (const [index, container] of all.entries()) {
    assert.equal(container.type, types[index]);
    assert.equal(container.state, "running");
    assert.deepEqual(container.tcpPort, [18_000 + index], "udp is no tcpPort");
    assert.ok(container.memory !== undefined && container.memory > 0 && Number.isInteger(container.memory));
  }
  assert.deepEqual(
    all.map(({ image }) => image),
    ["busybox:latest", "ubuntu-bionic:latest", "ubuntu:bionic"],
    "as documented",
  );
  const settings = await Promise.all(
    types.map((type) => world.station.client.ok<Record<string, any>>("GET", `/container/${type}/list-${type}/all`)),
  );
  assert.deepEqual(
    settings.map(({ image, version, network }) => [image, version, network.mode]),
    [
      ["busybox", "latest", "nat"],
      ["ubuntu-bionic", "latest", ""],
      ["ubuntu", "bionic", "nat"],
    ],
  );
});

test("one container by type and id, by name, and by the beginning of docker's id", async () => {
  for (const type of types) {
    const found = await named(`list-${type}`);
    assert.ok(found);
    const answers = [
      await get(`/${type}/${found.id}`),
      await get(`/${type}/list-${type}`),
      await get(`/list-${type}/`),
    ];
    if (type === "docker") answers.push(await get(`/docker/${found.id.slice(0, 12)}`));
    for (const { status, body } of answers) {
      assert.equal(status, 200);
      assert.equal((body as ContainerInfo).id, found.id);
    }
  }
});

test("getid answers the bare id, as text", async () => {
  const { id } = (await named("list-docker")) as ContainerInfo;
  const url = `${world.station.url}/containerstation/api/v1/container/docker/getid/list-docker`;
  const response = await fetch(url, { headers: { cookie: world.station.client.cookie() } });
  assert.match(response.headers.get("content-type") ?? "", /^text\/plain/);
  assert.equal(await response.text(), id);
});

test("what is not there is 404 with type and id; another type is 400", async () => {
  for (const type of types) {
    const { status, body } = await get(`/${type}/nobody`);
    assert.equal(status, 404);
    const message = `There is no ${type} container nobody.`;
    assert.deepEqual(body, { error: { code: 404, message, type, id: "nobody" } });
  }
  assert.equal((await get("/docker/getid/nobody")).status, 404);
  assert.equal((await get("/nobody")).status, 404);
  assert.equal((await get("/docker/list-lxc")).status, 404);
  assert.equal((await get("/podman/nobody")).status, 400);
  assert.equal((await get(`/docker/${"0".repeat(12)}`)).status, 404);
});

test("what is done behind the station's back shows within a second", async () => {
  const { Id } = await make("list-behind");
  await eventually(async () => (await named("list-behind"))?.state === "stopped", promised.oneSecond);
  await dockerApi("POST", `/containers/${Id}/start`);
  await eventually(async () => (await named("list-behind"))?.state === "running", promised.oneSecond);
  await dockerApi("POST", `/containers/${Id}/rename?name=list-other`);
  await eventually(
    async () => (await named("list-other"))?.id === Id && !(await named("list-behind")),
    promised.oneSecond,
  );
  await dockerApi("POST", `/containers/${Id}/kill`);
  await eventually(async () => (await named("list-other"))?.state === "stopped", promised.oneSecond);
  await dockerApi("DELETE", `/containers/${Id}`);
  await eventually(async () => (await named("list-other")) === undefined, promised.oneSecond);
});

test("a name that is used again belongs to the new container within a second", async () => {
  const { Id: first } = await make("list-again");
  await eventually(async () => (await named("list-again"))?.id === first, promised.oneSecond);
  await dockerApi("DELETE", `/containers/${first}`);
  const { Id: second } = await make("list-again");
  await eventually(async () => (await named("list-again"))?.id === second, promised.oneSecond);
  await dockerApi("DELETE", `/containers/${second}`);
});

test("an engine that is away: 503 within 2 s for itself, and all others list on", async () => {
  await killDockerd();
  await eventually(async () => (await get("/docker/list-docker")).status === 503, promised.twoSeconds);
  const all = await list();
  assert.equal(all.find(({ type }) => type === "docker")?.unavailable, true);
  for (const type of systemTypes) {
    assert.equal(all.find((container) => container.type === type)?.unavailable, undefined);
    assert.equal((await get(`/${type}/list-${type}`)).status, 200);
  }
  await startDockerd();
  await eventually(async () => (await get("/docker/list-docker")).status === 200);
  await eventually(async () => (await list()).every(({ unavailable }) => unavailable === undefined));
});

test("500 events in a burst while the station is cut off: a second after it is back the list is right", async () => {
  const socket = join(world.station.folder, "proxy.sock");
  let proxy = await startDockerProxy(socket, () => undefined);
  const cut = await startStation({ docker: proxy.address });
  try {
    const burst = "list-burst";
    const old = await Promise.all(Array.from({ length: 10 }, (_, n) => make(`${burst}-old-${n}`)));
    const seen = async () =>
      (await cut.client.ok<ContainerInfo[]>("GET", "/container")).map(({ id, name }) => `${id} ${name}`);
    await eventually(async () => (await seen()).filter((text) => text.includes(burst)).length === 10);
    await proxy.close();
    await eventually(async () => (await cut.client.send("GET", "/container/docker/nobody")).status === 503);
    // One event each: made, renamed again and again, some of them removed.
    const made = await Promise.all(Array.from({ length: 40 }, (_, n) => make(`${burst}-new-${n}`)));
    for (let round = 0; round < 11; round++) {
      await Promise.all(
        made.map(({ Id }, n) => dockerApi("POST", `/containers/${Id}/rename?name=${burst}-${round}-${n}`)),
      );
    }
    await Promise.all([...old, ...made.slice(0, 10)].map(({ Id }) => dockerApi("DELETE", `/containers/${Id}`)));
    const expected = (await listContainers()).map(({ Id, Names }) => `${Id} ${Names[0]?.slice(1)}`).sort();
    assert.equal(expected.filter((text) => text.includes(burst)).length, 30);

    proxy = await startDockerProxy(socket, () => undefined);
    const back = performance.now();
    await eventually(async () => (await seen()).sort().join() === expected.join(), promised.oneSecond);
    console.log(`right after ${Math.round(performance.now() - back)} ms`);
  } finally {
    await cut.close();
    await proxy.close();
    await removeContainers("list-burst");
  }
});
