import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, test } from "node:test";
import { dockerApi, listContainers } from "../../support/docker-cli.ts";
import { engineTypes, startLifeWorld, systemNames, type LifeWorld } from "./worlds.ts";

/** Requests that must be refused, on every engine: with the right status, a sentence, and nothing changed. */
const canary = "/tmp/life-canary";
let world: LifeWorld;
before(async () => {
  world = await startLifeWorld("bad-");
  for (const type of engineTypes) await world.on(type).create("bad-one");
});
after(() => world.close());

async function snapshot(): Promise<unknown> {
  const images = await dockerApi<{ Id: string; RepoTags: string[] }[]>("GET", "/images/json?all=1");
  return {
    docker: (await listContainers()).map(({ Names, State }) => [Names, State]),
    images: images.map(({ Id, RepoTags }) => `${Id} ${RepoTags?.join()}`).toSorted(),
    system: await systemNames(world),
    looks: await Promise.all(engineTypes.map((type) => world.look(type, "bad-one"))),
    tasks: (await world.station.client.tasks()).length,
  };
}

const hostile = [
  `a;touch ${canary}`,
  `$(touch ${canary})`,
  "`id`",
  "a|id",
  "a\nid",
  "--privileged",
  "-f",
  "../../etc",
  "..",
  "a/b",
  "local:x",
  "\u0000",
  "x".repeat(65),
  "\u202e",
  "",
];

test("a container of a hostile name is not there, or no name", async () => {
  const before = await snapshot();
  for (const type of engineTypes) {
    for (const name of hostile.filter((one) => one !== "" && one !== "..")) {
      const path = `/container/${type}/${encodeURIComponent(name)}`;
      for (const [method, rest] of [
        ["PUT", "/start"],
        ["DELETE", "?force=true"],
        ["GET", "/inspect"],
      ] as const) {
        const { status } = await world.station.client.send(method, `${path}${rest}`);
        assert.ok([400, 404].includes(status), `${method} ${path}${rest}: ${status}`);
      }
    }
  }
  assert.deepEqual(await snapshot(), before);
  assert.equal(existsSync(canary), false);
});

test("a hostile new name is refused", async () => {
  const before = await snapshot();
  for (const type of engineTypes) {
    for (const name of hostile) {
      const { status, body } = await world.station.client.send("POST", world.on(type).at("bad-one", "/rename"), {
        name,
      });
      assert.equal(status, 400, `${type} ${JSON.stringify(name)}: ${JSON.stringify(body)}`);
    }
  }
  assert.deepEqual(await snapshot(), before);
});

const wrong: [what: string, method: string, rest: string, body?: unknown][] = [
  ["a stop that takes too long", "PUT", "/stop?timeout=61"],
  ["a negative time", "PUT", "/stop?timeout=-1"],
  ["a time that is no number", "PUT", "/restart?timeout=1e1"],
  ["an unknown query", "PUT", "/start?forct=1"],
  ["a flag that is none", "DELETE", "?force=yes"],
  ["lines that are none", "GET", "/logs?tail=all"],
  ["too many lines", "GET", "/logs?tail=9999999"],
  ["an unknown state", "PUT", "/autostart/ON"],
  ["no name", "POST", "/rename", {}],
  ["a name and more", "POST", "/rename", { name: "bad-two", force: true }],
  ["no program", "POST", "/exec", {}],
  ["a program of numbers", "POST", "/exec", { command: [1] }],
  ["NUL in a program", "POST", "/exec", { command: ["a\u0000b"] }],
  ["an option as user", "POST", "/exec", { command: ["id"], user: "--root" }],
  ["a folder that is none", "POST", "/exec", { command: ["id"], working_dir: "etc" }],
  ["an environment that is none", "POST", "/exec", { command: ["id"], environment: ["=x"] }],
  ["a privileged program", "POST", "/exec", { command: ["id"], privileged: true }],
  ["too long a time", "POST", "/exec", { command: ["id"], timeout: 111 }],
  ["a list", "POST", "/exec", ["id"]],
];

test("wrong requests are 400, with a sentence, and nothing changes", async () => {
  const before = await snapshot();
  for (const type of engineTypes) {
    for (const [what, method, rest, body] of wrong) {
      const answer = await world.station.client.send(method, world.on(type).at("bad-one", rest), body);
      const { error } = answer.body as { error: { code: number; message: string } };
      assert.deepEqual([answer.status, error.code], [400, 400], `${what} on ${type}: ${JSON.stringify(answer.body)}`);
      assert.ok(error.message.length > 5 && !/\bat .*:\d+:\d+|undefined/.test(error.message), error.message);
    }
  }
  assert.deepEqual(await snapshot(), before);
});

test("no such engine", async () => {
  for (const type of ["vm", "Docker", "openvz", "..", "a%2fb"]) {
    const { status } = await world.station.client.send("PUT", `/container/${type}/bad-one/start`);
    assert.ok([400, 404].includes(status), type);
  }
});

test("a wrong synchronous create makes nothing", async () => {
  const before = await snapshot();
  for (const change of [{ name: "--x" }, { image: "x;id" }, { type: "vm" }, { forct: 1 }, { repository: "evil" }]) {
    const request = { type: "docker", image: "busybox", tag: "latest", name: "bad-new", ...change };
    assert.equal((await world.station.client.send("POST", "/container", request)).status, 400, JSON.stringify(change));
  }
  assert.deepEqual(await snapshot(), before);
});
