import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import type { SystemInfo } from "../../../src/api/system.ts";
import { daemonPid, until } from "../../support/daemon.ts";
import { dockerApi } from "../../support/docker-cli.ts";
import { killDockerd, startDockerd } from "../../support/dockerd.ts";
import { bigImage } from "../../support/images.ts";
import { promised } from "../../support/promised.ts";
import { inDatabase } from "../../support/station-data.ts";
import { requests, startLifeWorld, type LifeWorld, type Verbs } from "./worlds.ts";

/** What is promised to who waits for a verb, over HTTP. */
let world: LifeWorld;
let docker: Verbs;
before(async () => {
  world = await startLifeWorld("awaited-");
  docker = world.on("docker");
  // Its shell does not end by itself: a stop takes as long as it is given.
  await docker.create("awaited-one");
  await world.on("lxc").create("awaited-lxc");
});
after(() => world.close());

interface Row {
  kind: string;
  state: string;
}

/** Of the verbs, oldest first. */
function rows(): Row[] {
  const query = "SELECT kind, state FROM task WHERE kind LIKE 'container_%' ORDER BY id";
  return inDatabase(world.station, (db) => db.prepare(query).all()) as unknown as Row[];
}

function send(path: string, signal: AbortSignal): Promise<Response> {
  const headers = { cookie: world.station.client.cookie() };
  return fetch(`${world.station.url}/api/v1${path}`, { method: "PUT", headers, signal });
}

test("who hangs up: what waits is taken back, what runs is finished", async () => {
  const { length } = rows();
  const [first, second] = [new AbortController(), new AbortController()];
  const stop = send(docker.at("awaited-one", "/stop?timeout=3"), first.signal);
  assert.ok(await until(() => rows()[length]?.state === "running", 60_000));
  const restart = send(docker.at("awaited-one", "/restart?timeout=0"), second.signal);
  assert.ok(await until(() => rows()[length + 1]?.state === "waiting", 60_000));
  second.abort();
  first.abort();
  await Promise.allSettled([stop, restart]);
  assert.ok(await until(() => rows()[length + 1]?.state === "cancelled", 60_000));
  assert.ok(await until(() => rows()[length]?.state === "completed", 60_000));
  assert.equal((await world.look("docker", "awaited-one"))?.pid, 0);
  await docker.start("awaited-one");
});

test("behind a create that is pulling: 409 at once, naming it; a task of its own is none of the lists'", async () => {
  const { client } = world.station;
  const [image = "", tag = ""] = (await bigImage()).split(":");
  const links = { "awaited-one": "one" };
  const task = await client.add("create", {
    ...requests.docker,
    name: "awaited-big",
    image: image.replace("library/", ""),
    tag,
    links,
  });
  const begun = performance.now();
  const { status, body } = await client.send("PUT", docker.at("awaited-one", "/stop"));
  assert.ok(performance.now() - begun < 5_000);
  const { error } = body as { error: { message: string; task: number } };
  assert.deepEqual([status, error.task], [409, task.id]);
  assert.match(error.message, new RegExp(`^Task ${task.id} \\(create\\) of admin is at work on awaited-one`));
  assert.deepEqual(await client.ok("DELETE", `/background/${task.id}`), [task.id]);
  assert.equal((await docker.restart("awaited-one")).state, "running");
});

test("the same key makes one container, also for who waits", async () => {
  const { client } = world.station;
  const body = { ...requests.docker, name: "awaited-key" };
  const headers = { "Idempotency-Key": "awaited" };
  const answers = await Promise.all(
    [1, 2, 3].map(() => client.ok<{ id: string }>("POST", "/container", body, headers)),
  );
  assert.equal(new Set(answers.map(({ id }) => id)).size, 1);
  const again = await client.ok<{ id: string }>("POST", "/container", body, headers);
  assert.equal(again.id, answers[0]?.id);
});

test("a create that fails says why, with its status, and leaves nothing", async () => {
  const { client } = world.station;
  const missing = { ...requests.docker, repository: "local", image: "nothing", name: "awaited-missing" };
  const { status, body } = await client.send("POST", "/container", missing);
  assert.deepEqual(
    [status, body],
    [404, { error: { code: 404, message: "The image nothing:latest is not on this host." } }],
  );
  assert.equal(await world.look("docker", "awaited-missing"), undefined);
});

test("a start that fails says why, with its status", async () => {
  const { client } = world.station;
  const request = { entrypoint: ["/no/such/program"] };
  const { status } = await client.send("POST", "/container", { ...requests.docker, name: "awaited-bad", ...request });
  assert.equal(status, 502);
});

test("a container that goes with its end is stopped in the answer, and gone", async () => {
  const body = { Image: "busybox:latest", Cmd: ["sleep", "600"], HostConfig: { AutoRemove: true } };
  await dockerApi("POST", "/containers/create?name=awaited-auto", body);
  assert.equal((await docker.start("awaited-auto")).state, "running");
  const { name, state } = await docker.stop("awaited-auto");
  assert.deepEqual([name, state], ["awaited-auto", "stopped"]);
  assert.ok(await until(async () => (await world.look("docker", "awaited-auto")) === undefined, 60_000));
});

test("the beginning of an id, as docker ps shows it", async () => {
  const { id } = await docker.start("awaited-one");
  const { status, body } = await world.station.client.send("PUT", docker.at(id.slice(0, 12), "/start"));
  assert.deepEqual([status, (body as { id: string }).id], [200, id]);
  assert.equal((await world.station.client.send("PUT", docker.at(id.slice(0, 11), "/start"))).status, 404);
});

test("what is told of the host and its engines does not wait for an engine that hangs", async () => {
  const { client } = world.station;
  const known = await client.ok<SystemInfo>("GET", "/system");
  assert.notEqual(known.version.dockerVersion, "");
  process.kill(daemonPid("dockerd") ?? 0, "SIGSTOP");
  // Who asked Docker now would find no version.
  assert.deepEqual((await client.ok<SystemInfo>("GET", "/system")).version, known.version);
  for (const path of ["/system/resource", "/system/bridge", "/system/port/tcp/1"]) await client.ok("GET", path);
  assert.equal((await fetch(`${world.station.url}/healthz`)).status, 200);
});

test("another container of the name is not meant", async () => {
  const { client } = world.station;
  await docker.create("awaited-old");
  const { id } = await docker.start("awaited-old");
  await docker.remove("awaited-old", "?force=true");
  await docker.create("awaited-old");
  const { status } = await client.send("PUT", docker.at(id, "/stop?timeout=0"));
  assert.equal(status, 404);
  assert.ok(((await world.look("docker", "awaited-old"))?.pid ?? 0) > 0);
});

for (const [what, end] of [
  ["is gone", killDockerd],
  ["hangs", async () => process.kill(daemonPid("dockerd") ?? 0, "SIGSTOP")],
] as const) {
  test(`an engine that ${what}: 503 within 2 s, and the others serve`, async () => {
    const { client } = world.station;
    await end();
    for (const [method, rest] of [
      ["GET", "/inspect"],
      ["GET", "/logs"],
      ["GET", "/all"],
      ["PUT", "/stop?timeout=0"],
      ["PUT", "/autostart/on"],
    ] as const) {
      const begun = performance.now();
      const { status, body } = await client.send(method, docker.at("awaited-one", rest));
      assert.equal(status, 503, `${rest}: ${JSON.stringify(body)}`);
      assert.ok(performance.now() - begun < promised.twoSeconds, `${rest} took ${performance.now() - begun} ms`);
    }
    assert.equal((await world.on("lxc").restart("awaited-lxc")).state, "running");
  });
}

afterEach(async () => {
  const pid = daemonPid("dockerd");
  if (pid !== undefined) process.kill(pid, "SIGCONT");
  await startDockerd();
  assert.ok(
    await until(
      async () => (await world.station.client.send("GET", docker.at("awaited-one", "/all"))).status === 200,
      20_000,
    ),
  );
});
