import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { ContainerInfo } from "../../src/api/container-info.ts";
import { dockerApi, removeContainers } from "../support/docker-cli.ts";
import { startSystemWorld, type SystemWorld } from "../support/system-station.ts";
import { compareFields, type FieldCheck } from "./field-types.ts";
import { eventually } from "./number-checks.ts";

/** The documented answers of these endpoints, as they are. */
const examples = JSON.parse(readFileSync(join(import.meta.dirname, "../fixtures/list-examples.json"), "utf8")) as {
  endpoint: string;
  answers: unknown[];
}[];

const images = {
  docker: { repository: "dockerhub", image: "busybox", tag: "latest" },
  lxc: { repository: "qnap", image: "ubuntu-bionic", tag: "latest" },
} as const;

let world: SystemWorld;
const total: FieldCheck = { wanted: 0, met: 0, faults: [] };
before(async () => {
  world = await startSystemWorld();
  const { client } = world.station;
  const done = async (category: string, body: object) => {
    const { state, error } = await client.ended((await client.add(category, body)).id);
    assert.equal(state, "completed", error);
  };
  for (const type of ["docker", "lxc"] as const)
    await done("create", { type, name: `fields-${type}`, ...images[type] });
  await dockerApi("POST", "/containers/create?name=fields-stopped", { Image: "busybox:latest" });
  const { Id: id } = await dockerApi<{ Id: string }>("GET", "/images/busybox:latest/json");
  await dockerApi("POST", "/images/busybox:latest/tag?repo=fields&tag=1");
  await done("image_remove", { type: "docker", image: "fields", tag: "1", id });
  await done("image_download", { type: "docker", ...images.docker });
  await eventually(async () => (await list()).some(({ name }) => name === "fields-stopped"));
});
after(async () => {
  console.log(`${total.met} of ${total.wanted} documented fields, ${total.faults.length} faults`);
  await world.close();
  await removeContainers("fields-");
});

const list = () => world.station.client.ok<ContainerInfo[]>("GET", "/container");

function answersOf(endpoint: string): unknown[] {
  const found = examples.find((example) => example.endpoint === endpoint);
  assert.ok(found && found.answers.length > 0, endpoint);
  return found.answers;
}

function check(example: unknown, answer: unknown, at: string): void {
  const { wanted, met, faults } = compareFields(example, answer, at);
  total.wanted += wanted;
  total.met += met;
  total.faults.push(...faults);
  assert.deepEqual(faults, []);
  assert.equal(met, wanted);
}

test("the list shows each documented kind of container as documented", async () => {
  const answer = await list();
  for (const example of answersOf("GET /api/v1/container").flat() as ContainerInfo[]) {
    const { type, state } = example;
    const same = answer.find((container) => container.type === type && container.state === state);
    check(example, same, `${type} ${state}`);
  }
});

test("basic information, and the wait's answer", async () => {
  const basic = "GET /api/v1/container/(string: container_type)/(string: container_id)";
  const wait = "GET /api/v1/event/wait/(string: container_type)/(string: container_id)/(string: state)";
  const ask = (path: string) => world.station.client.ok("GET", path);
  for (const example of answersOf(basic)) check(example, await ask("/container/lxc/fields-lxc"), "basic");
  const path = "/event/wait/lxc/fields-lxc/stopped?duration=1";
  for (const example of answersOf(wait)) check(example, await ask(path), "wait");
});

interface Events {
  index: number;
  offset: number;
  messages: string[];
}

test("the event list, and each documented kind of message", async () => {
  const answer = await world.station.client.ok<Events>("GET", "/event?index=0");
  for (const example of answersOf("GET /api/v1/event") as Events[]) {
    check(example, answer, "event");
    for (const message of example.messages) {
      const documented = parse(message);
      const same = answer.messages.map(parse).find((one) => kindOf(one) === kindOf(documented));
      check(documented, same, kindOf(documented));
    }
  }
});

interface Message {
  category: string;
  user: string;
  time: number;
  data: Record<string, unknown>;
}

function parse(message: string): Message {
  const [, category = "", user = "", time, data = ""] = /^(\w+):([^:]*):(\d+):(\{.*\})$/.exec(message) ?? [];
  return { category, user, time: Number(time), data: JSON.parse(data) as Record<string, unknown> };
}

function kindOf({ category, data }: Message): string {
  return [category, data["action"] ?? data["state"]].join(" ");
}
