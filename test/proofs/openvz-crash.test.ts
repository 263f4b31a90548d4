import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { runInside } from "../engines/commands.ts";
import { size } from "../support/proof.ts";
import type { SystemType } from "../support/system-station.ts";
import { startOpenvz, type OpenvzWorld } from "../station/openvz-world.ts";
import { interruptedSteps } from "./creates.ts";
import { killInStep, letStepsEnd } from "./step-killer.ts";

/** `kill -9` in each journalled step of each kind of job. All of them are carried out to their end, once. */
interface Case {
  kind: "create" | "update" | "remove" | "start" | "stop" | "restart";
  step: string;
  delay?: number;
  /** Of a create. */
  template?: string;
}

const rounds = size(1, 5);
/** As soon as the step is under way, and in the full size some milliseconds later as well. */
const deep = (kind: Case["kind"], step: string, delays: number[]) =>
  delays.slice(0, size(1, delays.length)).map((delay) => ({ kind, step, delay }));
/** Before the first step: only in the full size, because it is like the beginning of any of them. */
const claimed: readonly Case[] = (["create", "update", "remove", "restart"] as const).map((kind) => ({
  kind,
  step: "claimed",
}));
const everywhere: readonly Case[] = [
  { kind: "create", step: "pull", template: "test/slow" },
  ...deep("create", "container", [0, 15]),
  ...deep("create", "start", [15, 60, 0]),
  { kind: "create", step: "record" },
  ...deep("update", "reshape", [20, 0, 80]),
  { kind: "update", step: "record" },
  { kind: "stop", step: "claimed" },
  { kind: "start", step: "claimed" },
  { kind: "restart", step: "before" },
  ...deep("restart", "restart", [0, 40]),
  ...deep("remove", "remove", [0, 15]),
  { kind: "remove", step: "record" },
  ...claimed.slice(0, size(0, claimed.length)),
];
/** What LXD does otherwise than LXC. */
const reduced: readonly Case[] = [
  ...deep("create", "container", [100, 0]),
  ...deep("update", "reshape", [50, 0]),
  ...deep("remove", "remove", [0, 50]),
];

for (const [type, cases] of [
  ["lxc", everywhere],
  ["lxd", reduced],
] as const)
  suite(`kill -9 on ${type}`, () => {
    let world: OpenvzWorld;
    before(async () => {
      world = await startOpenvz(type);
      await world.make("warm");
    });
    after(() => world.system.close());

    test(`${cases.length * rounds} kills in the steps of jobs`, { timeout: 900_000 }, async (context) => {
      const met: string[] = [];
      for (let round = 0; round < rounds; round++)
        for (const [n, one] of cases.entries())
          met.push(...(await killedIn(world, type, { ...one, name: `kill-${round}-${n}` })));
      context.diagnostic(`interrupted: ${met.join(" ")}`);
      for (const { kind, step } of cases)
        assert.ok(met.includes(`openvz_${kind}.${step}`), `${kind} was never killed in ${step}`);
      const { containers } = (await world.send("GET", "/containers/")).json;
      assert.deepEqual(
        containers.map(({ name }: { name: string }) => name).toSorted(),
        (await world.system.names(type)).toSorted(),
        "one record for each container",
      );
    });
  });

/** Kills the station in a step of one job. Returns the steps that were under way; the job is carried out all the same. */
async function killedIn(world: OpenvzWorld, type: SystemType, one: Case & { name: string }): Promise<string[]> {
  const { kind, name, template = "small" } = one;
  const { station } = world.system;
  const id = kind === "create" ? "" : await world.make(name);
  if (kind === "start") await world.ended((await world.send("POST", `/containers/${id}/stop`)).json.job_id);
  const before = await world.system.pid(type, name);
  const known = new Set((await jobs(world)).map((job) => job["id"]));
  const path = join(station.dataDir, "gantry.db");
  const { step, delay = 0 } = one;
  const killing = killInStep({ path, pid: station.pid(), kind: `openvz_${kind}`, step, delay });
  const asked = request(world, { kind, id, name, template }).catch(() => undefined);
  await killing;
  await station.kill();
  await asked;
  const interrupted = interruptedSteps(station);
  letStepsEnd(path);
  await station.start();
  const job = (await jobs(world)).find((row) => !known.has(row["id"]));
  const end = await world.ended(job?.["id"] ?? "");
  assert.deepEqual([job?.["action"], end["status"]], [kind, "done"], JSON.stringify(end));
  const entity = end["entity_id"] ?? "";
  const names = (await world.system.names(type)).filter((one) => one === name);
  assert.equal(names.length, kind === "remove" ? 0 : 1);
  const shown = await world.send("GET", `/containers/${entity}`);
  assert.equal(shown.status, kind === "remove" ? 404 : 200);
  await assertDone(world, type, { kind, name, before, shown: shown.json.container });
  if (kind !== "remove") await world.ended((await world.send("DELETE", `/containers/${entity}`)).json.job_id);
  assert.equal((await world.system.names(type)).includes(name), false);
  return interrupted;
}

interface Asked {
  kind: Case["kind"];
  id: string;
  name: string;
  template: string;
}

/** What is asked for; the station may be gone before it answers. */
async function request(world: OpenvzWorld, { kind, id, name, template }: Asked): Promise<void> {
  if (kind === "create") await world.send("POST", "/containers/", { name, ostemplate: template });
  else if (kind === "remove") await world.send("DELETE", `/containers/${id}`);
  else if (kind === "update") await world.update(id, change);
  else await world.send("POST", `/containers/${id}/${kind}`);
}

const change = { hostname: "killed", cpus: "0.5", memsize: "64", memsize_units: "M", size: "64", size_units: "M" };

interface Done {
  kind: Case["kind"];
  name: string;
  /** The first process, before the job. */
  before: number;
  shown: Record<string, any> | undefined;
}

async function assertDone(world: OpenvzWorld, type: SystemType, { kind, name, before, shown }: Done): Promise<void> {
  const pid = await world.system.pid(type, name);
  if (kind === "stop" || kind === "remove") return assert.equal(pid, 0);
  assert.ok(pid > 0, `${name} runs`);
  if (kind === "restart") assert.notEqual(pid, before);
  if (kind !== "update") return;
  assert.deepEqual(shown?.["parameters"], change);
  const { ipadd: _addresses, nameserver: _servers, ...effective } = shown?.["effective"] ?? {};
  assert.deepEqual(effective, change);
  assert.equal(await runInside(pid, "hostname"), "killed");
}

async function jobs(world: OpenvzWorld): Promise<Record<string, string>[]> {
  return (await world.send("GET", "/jobs/")).json.jobs;
}
