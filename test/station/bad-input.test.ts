import assert from "node:assert/strict";
import { createServer } from "node:net";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Task } from "../../src/api/task.ts";
import { dockerApi, hasContainer, listContainers, removeContainers } from "../support/docker-cli.ts";
import { killDockerd, startDockerd } from "../support/dockerd.ts";
import { patiently, until } from "../support/patiently.ts";
import { promised } from "../support/promised.ts";
import { freePort } from "../support/free-port.ts";
import { startStation, type TestStation } from "../support/station.ts";

const create = { type: "docker", repository: "dockerhub", name: "badinput", image: "busybox", tag: "latest" };

let station: TestStation;
before(async () => {
  station = await startStation();
});
after(async () => {
  await startDockerd();
  await station.close();
  await removeContainers("badinput");
});

/** All that a refused request could have changed. */
async function snapshot(): Promise<unknown> {
  const [containers, images, volumes, networks] = await Promise.all([
    listContainers(),
    dockerApi<{ Id: string }[]>("GET", "/images/json?all=1"),
    dockerApi<unknown>("GET", "/volumes"),
    dockerApi<{ Name: string }[]>("GET", "/networks"),
  ]);
  const names = containers.map(({ Names, State }) => [Names, State]);
  return {
    names,
    images: images.toSorted((a, b) => a.Id.localeCompare(b.Id)),
    volumes,
    networks: networks.map(({ Name }) => Name).sort(),
    tasks: await station.client.tasks(),
  };
}

async function refused(category: string, body: unknown): Promise<{ status: number; message: string }> {
  const answer = await station.client.send("POST", `/background/${category}`, body);
  const { error } = answer.body as { error: { code: number; message: string } };
  assert.equal(error.code, answer.status);
  return { status: answer.status, message: error.message };
}

const wrong: [what: string, body: unknown, status: number, message: RegExp][] = [
  ["a missing field", { ...create, image: undefined }, 400, /image is missing/],
  ["a wrong type of field", { ...create, name: 5 }, 400, /name must be/],
  ["an unknown field", { ...create, privilegde: true }, 400, /privilegde/],
  ["an unknown field inside", { ...create, network: { prot: [] } }, 400, /network\.prot/],
  ["a name of one letter", { ...create, name: "x" }, 400, /name must be/],
  ["a name like an option", { ...create, name: "--privileged" }, 400, /name must be/],
  ["a name with a command", { ...create, name: "a;touch /tmp/canary" }, 400, /name must be/],
  ["a name with a newline at its end", { ...create, name: "name\n" }, 400, /name must be/],
  ["an image with a command", { ...create, image: "busybox$(id)" }, 400, /image must be/],
  ["an image like an option", { ...create, image: "-h" }, 400, /image must be/],
  ["an image that is a URL", { ...create, image: "https://evil/x" }, 400, /image must be/],
  [
    "a Docker Hub image that names another registry",
    { ...create, image: "127.0.0.1:2375/x" },
    400,
    /image must not name a registry/,
  ],
  ["a tag with a space", { ...create, tag: "la test" }, 400, /tag must be/],
  ["an unknown type", { ...create, type: "vm" }, 400, /type must be/],
  ["a repository that is not docker's", { ...create, repository: "qnap" }, 400, /repository must be/],
  ["private without a registry", { ...create, repository: "private" }, 400, /registry_name is missing/],
  [
    "an unknown registry",
    { ...create, repository: "private", registry_name: "nobody" },
    400,
    /registry_name names no registry/,
  ],
  ["too little memory", { ...create, resource: { limit: { memory: "64m" } } }, 400, /memory must be .*more than 64/],
  ["too much CPU time", { ...create, resource: { limit: { cputime: 1000 } } }, 400, /cputime must be/],
  ["an unknown device", { ...create, resource: { device: [["allow", "sda", "rw"]] } }, 400, /is no device/],
  [
    "a device access that is none",
    { ...create, resource: { device: [["allow", "Input_(13)", "rx"]] } },
    400,
    /resource\.device\[0\]\[2\]/,
  ],
  ["a port out of range", { ...create, network: { port: [[70000, 80, "tcp"]] } }, 400, /network\.port\[0\]\[0\]/],
  [
    "a host port twice",
    {
      ...create,
      network: {
        port: [
          [7000, 80, "tcp"],
          [7000, 81, "tcp"],
        ],
      },
    },
    400,
    /network\.port\[1\].*second time/,
  ],
  [
    "a host name on the host's network",
    { ...create, network: { mode: "host", hostname: "x" } },
    400,
    /network\.hostname/,
  ],
  [
    "an interface that is none",
    { ...create, network: { mode: "bridge", interface: "nosuch0" } },
    400,
    /network\.interface.*nosuch0/,
  ],
  [
    "a volume outside the shares",
    { ...create, volume: { host: { "/etc": { bind: "/mnt" } } } },
    400,
    /no shared folder/,
  ],
  [
    "a volume that climbs out",
    { ...create, volume: { host: { "/Public/../../etc": { bind: "/mnt" } } } },
    400,
    /must not contain empty parts/,
  ],
  [
    "a bind that climbs",
    { ...create, volume: { host: { "/Public/a": { bind: "/mnt/../.." } } } },
    400,
    /must not contain \.\./,
  ],
  ["a quote left open", { ...create, command: "sh -c 'x" }, 400, /command has a quote/],
  ["a GPU where there is none", { ...create, gpu: true }, 400, /gpu cannot be given/],
  ["a list in place of an object", [create], 400, /must be/],
  ["broken JSON", '{"type": "docker",', 400, /JSON/],
  ["neither JSON nor a form", "hello", 400, /neither JSON nor a form/],
  ["a prototype key", '{"__proto__": {"admin": true}}', 400, /./],
  ["over 1 MiB", JSON.stringify({ ...create, description: "x".repeat(1 << 20) }), 413, /./],
  ["lxc, which this station has not", { ...create, type: "lxc", repository: "qnap" }, 501, /lxc/],
];

test("every wrong request is refused by name, and nothing of it remains", async (context) => {
  const before = await snapshot();
  for (const [what, body, status, message] of wrong) {
    await context.test(what, async () => {
      const answer = await refused("create", body);
      assert.equal(answer.status, status, answer.message);
      assert.match(answer.message, message);
    });
  }
  assert.deepEqual(await snapshot(), before);
});

test("categories: unknown 404, of later issues 501", async () => {
  assert.equal((await refused("nonsense", create)).status, 404);
  for (const category of [
    "application",
    "application_upgrade",
    "image_push",
    "image_export",
    "container_import",
    "container_export",
  ]) {
    const { status, message } = await refused(category, {});
    assert.equal(status, 501);
    assert.match(message, new RegExp(category));
  }
  const answer = await station.client.send("GET", "/background/?category=nonsense");
  assert.equal(answer.status, 400);
});

test("tasks that are not there: DELETE answers 404", async () => {
  for (const target of ["99999", "nonsense"])
    assert.equal((await station.client.send("DELETE", `/background/${target}`)).status, 404);
});

test("an unknown image is the task's error in plain words", async () => {
  const task = await station.client.add("create", { ...create, image: "nosuchimage" });
  const ended = await station.client.ended(task.id);
  assert.equal(ended.state, "error");
  assert.match(String(ended.error), /Docker Hub has no image nosuchimage:latest/);
  assert.equal(await hasContainer("badinput"), false);
});

test("a folder that is not there is the task's error, naming it", async () => {
  const task = await station.client.add("create", {
    ...create,
    volume: { host: { "/Public/none": { bind: "/mnt" } } },
  });
  assert.match(String((await station.client.ended(task.id)).error), /\/Public\/none does not exist/);
});

test("a name that is taken: 409 saying by whom", async () => {
  const body = { ...create, name: "badinput-taken" };
  const task = await station.client.add("create", body);
  const second = await station.client.send("POST", "/background/create", body);
  assert.equal(second.status, 409);
  assert.match(
    JSON.stringify(second.body),
    new RegExp(`Task ${task.id} of admin|container named badinput-taken exists`),
  );
  await station.client.ended(task.id);
  const third = await refused("create", body);
  assert.equal(third.status, 409);
  assert.match(third.message, /container named badinput-taken exists already/);
});

test("a container made behind the station's back is seen", async () => {
  await dockerApi("POST", "/containers/create?name=badinput-foreign", { Image: "busybox" });
  await until(async () =>
    (await station.client.ok<{ name: string }[]>("GET", "/container")).some(({ name }) => name === "badinput-foreign"),
  );
  const answer = await refused("create", { ...create, name: "badinput-foreign" });
  assert.equal(answer.status, 409);
});

test("a port that is taken: 409 saying by whom, a container, a waiting task or a program", async () => {
  const port = await freePort();
  const body = (name: string) => ({ ...create, name: `badinput-${name}`, network: { port: [[port, 80, "tcp"]] } });
  const task = await station.client.add("create", body("port1"));
  const claimed = await refused("create", body("port2"));
  assert.equal(claimed.status, 409);
  assert.match(claimed.message, new RegExp(`Port ${port}/tcp is taken by docker container badinput-port1`));
  assert.equal((await station.client.ended(task.id)).state, "completed");
  assert.match((await refused("create", body("port2"))).message, /docker container badinput-port1/);
  await removeContainers("badinput-port1");
  // The station learns of the removal by Docker's event.
  let id = 0;
  await patiently("the port is free again", async () => {
    ({ id } = await station.client.add("create", body("port2")));
  });
  assert.equal((await station.client.ended(id)).state, "completed");

  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port: held } = server.address() as { port: number };
  const program = await refused("create", {
    ...create,
    name: "badinput-port3",
    network: { port: [[held, 80, "tcp"]] },
  });
  assert.equal(program.status, 409);
  assert.match(program.message, new RegExp(`process ${process.pid}`));
  server.close();
});

test("the same idempotency key: same body same task, other body 422", async () => {
  const headers = { "Idempotency-Key": "one" };
  const body = { ...create, name: "badinput-key" };
  const first = await station.client.add("create", body, headers);
  const again = await station.client.add("create", body, headers);
  assert.equal(again.id, first.id);
  await station.client.ended(first.id);
  assert.equal((await station.client.add("create", body, headers)).id, first.id, "also when it has ended");
  const other = await station.client.send("POST", "/background/create", { ...body, name: "badinput-key2" }, headers);
  assert.equal(other.status, 422);
});

test("50 equal creates at once: one wins", async () => {
  const body = { ...create, name: "badinput-race" };
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => station.client.send("POST", "/background/create", body)),
  );
  assert.equal(answers.filter(({ status }) => status === 200).length, 1);
  assert.equal(answers.filter(({ status }) => status === 409).length, 49);
  const winner = answers.find(({ status }) => status === 200)?.body as Task;
  assert.equal((await station.client.ended(winner.id)).state, "completed");
});

test("the engine away: 503 at once, the station goes on, and picks the engine up again", async () => {
  const available = async (expected: boolean): Promise<void> => {
    const end = Date.now() + 60_000;
    for (;;) {
      const { engines } = (await (await fetch(`${station.url}/healthz`)).json()) as { engines: unknown[] };
      if (JSON.stringify(engines) === JSON.stringify([{ type: "docker", available: expected }])) return;
      assert.ok(Date.now() < end, JSON.stringify(engines));
      await sleep(20);
    }
  };
  const headers = { "Idempotency-Key": "away" };
  const known = await station.client.add("create", { ...create, name: "badinput-known" }, headers);
  await station.client.ended(known.id);
  await killDockerd();
  await available(false);
  const repeated = await station.client.add("create", { ...create, name: "badinput-known" }, headers);
  assert.equal(repeated.id, known.id, "a repeated key is answered all the same");
  const begun = performance.now();
  const answer = await refused("create", { ...create, name: "badinput-away" });
  assert.equal(answer.status, 503);
  assert.ok(performance.now() - begun < promised.twoSeconds);
  assert.equal((await station.client.send("GET", "/background/")).status, 200);
  await startDockerd();
  await available(true);
  const task = await station.client.add("create", { ...create, name: "badinput-back" });
  assert.equal((await station.client.ended(task.id)).state, "completed");
});
