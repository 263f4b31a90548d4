import assert from "node:assert/strict";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Task } from "../../src/api/task.ts";
import { until } from "../support/daemon.ts";
import { listContainers, removeContainers } from "../support/docker-cli.ts";
import { killDockerd, startDockerd } from "../support/dockerd.ts";
import { leftovers } from "../support/leftovers.ts";
import { killLxd, runLxd } from "../support/lxd.ts";
import { createRandom, size } from "../support/proof.ts";
import { startSystemWorld, systemTypes, type SystemWorld } from "../support/system-station.ts";
import { createStubbornly, interruptedSteps, settled } from "./creates.ts";

const creates = size(24, 300);
const rounds = size(6, 40);
const prefix = "mix-";
const types = ["docker", "lxc", "lxd"] as const;

interface Asked {
  type: (typeof types)[number];
  name: string;
  /** Of LXC and LXD; Docker publishes its ports itself, and has its own proof. */
  port: number | undefined;
}

const images = {
  docker: { repository: "dockerhub", image: "busybox", tag: "latest" },
  lxc: { repository: "qnap", image: "ubuntu-big", tag: "latest" },
  lxd: { repository: "lxd", image: "ubuntu", tag: "bionic" },
};

test(
  `${creates} creates in three engines, ${rounds} kills of all that can die`,
  { timeout: 1_800_000 },
  async (context) => {
    const random = createRandom(22);
    const share = mkdtempSync(join(tmpdir(), "mixed-"));
    chmodSync(share, 0o711);
    mkdirSync(join(share, "folder"));
    const world = await startSystemWorld({ big: true, flags: ["--share", `test=${share}`] });
    const { station } = world;
    const clean = await leftovers(world);
    const histogram = new Map<string, number>();
    const killed = new Map<string, number>();
    const stopped = new Set<string>();
    let areSent = false;
    const isOver = async () => areSent && (await station.client.tasks()).every(({ end }) => end);
    try {
      const all = Array.from({ length: creates }, (_, n) => askedFor(n));
      const sent = Promise.all(
        all.map(async (asked, n) => {
          await sleep(n * size(250, 350));
          return createStubbornly(station, bodyOf(asked));
        }),
      );
      void sent.then(() => (areSent = true));
      for (let round = 0; round < rounds; round++) {
        // The first one meets the first container that is unpacked.
        if (round > 0) await sleep(300 + random(1200));
        const victim = victims[round % victims.length] as (typeof victims)[number];
        const fell = await victim.kill({ world, random, isOver });
        for (const step of fell.interrupted) histogram.set(step, (histogram.get(step) ?? 0) + 1);
        if (fell.stopped !== undefined) stopped.add(fell.stopped);
        if (fell.met) killed.set(victim.name, (killed.get(victim.name) ?? 0) + 1);
      }
      const ids = await sent;
      const tasks = await settled(station, 600_000);
      await assertAllThere(world, { all, ids, tasks, stopped });
      await assertNothingBeside(world, all);
      context.diagnostic(`killed: ${JSON.stringify(Object.fromEntries(killed))}`);
      context.diagnostic(`interrupted: ${JSON.stringify(Object.fromEntries(histogram))}`);
      for (const name of ["station", "lxd", "dockerd", "helper", "monitor"])
        assert.ok(killed.has(name), `${name} was never killed`);
      // Removed behind the station's back: it lets go of what it kept for them.
      await removeAll(world);
      const same = async () => JSON.stringify(await leftovers(world)) === JSON.stringify(clean);
      if (!(await until(same, 90_000))) assert.deepEqual(await leftovers(world), clean);
    } finally {
      await startDockerd();
      await runLxd().catch(() => undefined);
      await world.close();
      await removeContainers(prefix);
    }
  },
);

function askedFor(n: number): Asked {
  const type = types[n % types.length] as Asked["type"];
  return { type, name: `${prefix}${n}`, port: type !== "docker" && n % 2 === 0 ? 21_000 + n : undefined };
}

function bodyOf({ type, name, port }: Asked): object {
  const network = port === undefined ? {} : { network: { port: [[port, 80, "tcp"]] } };
  const volume = port === undefined ? {} : { volume: { host: { "/test/folder": { bind: "/mnt" } } } };
  return { type, name, ...images[type], ...network, ...volume };
}

interface Fell {
  /** Something was there to kill. */
  met: boolean;
  interrupted: string[];
  /** A container that goes down with it, and stays so. */
  stopped?: string;
}

interface Run {
  world: SystemWorld;
  random(below: number): number;
  /** Whether all was asked for and has ended. */
  isOver(): Promise<boolean>;
}

interface Victim {
  name: string;
  /** Waits for one that is there, as long as one can come. */
  kill(run: Run): Promise<Fell>;
}

/** Milliseconds. Only what never comes takes so long, also on a slow machine. */
const patience = 120_000;
const nothing: Fell = { met: false, interrupted: [] };

const victims: readonly Victim[] = [
  { name: "helper", kill: killHelper },
  { name: "station", kill: ({ world }) => killStation(world, false) },
  { name: "lxd", kill: async () => (await restartAfter(killLxd, runLxd), { ...nothing, met: true }) },
  { name: "group", kill: ({ world }) => killStation(world, true) },
  { name: "dockerd", kill: async () => (await restartAfter(killDockerd, startDockerd), { ...nothing, met: true }) },
  { name: "monitor", kill: killMonitor },
];

async function restartAfter(kill: () => Promise<void>, start: () => Promise<void>): Promise<void> {
  await kill();
  await sleep(300);
  await start();
}

async function killStation({ station }: SystemWorld, group: boolean): Promise<Fell> {
  if (group) process.kill(-station.pid(), "SIGKILL");
  await station.kill();
  const interrupted = interruptedSteps(station);
  await station.start();
  return { met: true, interrupted };
}

/** The program that unpacks an LXC container. */
async function killHelper({ world: { lxc }, isOver }: Run): Promise<Fell> {
  const find = () => processes("tar").find((id) => argvOf(id).some((word) => word.startsWith(lxc.path)));
  let met = false;
  await until(async () => (met = endProcess(find())) || (await isOver()), patience, 5);
  return { ...nothing, met };
}

/** Returns whether it was there. */
function endProcess(pid: string | undefined): boolean {
  try {
    return pid !== undefined && process.kill(Number(pid), "SIGKILL");
  } catch {
    return false;
  }
}

/** LXC's process that watches over one of our containers, which goes down with it. */
async function killMonitor({ world, random, isOver }: Run): Promise<Fell> {
  let up: string[] = [];
  const isThere = async () => (up = await completedAndUp(world)).length > 0;
  await until(async () => (await isThere()) || ((await isOver()) && !(await isThere())), patience);
  const name = up[random(Math.max(1, up.length))];
  if (name === undefined) return nothing;
  await world.killMonitor(name);
  return { ...nothing, met: true, stopped: name };
}

/** LXC's containers whose creates have completed and whose monitor was not killed yet. */
async function completedAndUp(world: SystemWorld): Promise<string[]> {
  const tasks = await world.station.client.tasks();
  const done = new Set(tasks.filter(({ state }) => state === "completed").map(({ name }) => name));
  const names = (await world.names("lxc")).filter((name) => name.startsWith(prefix) && done.has(name));
  const pids = await Promise.all(names.map((name) => world.pid("lxc", name)));
  return names.filter((_, n) => (pids[n] ?? 0) > 0);
}

function processes(program: string): string[] {
  return readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && argvOf(pid)[0]?.split("/").at(-1) === program);
}

function argvOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0");
  } catch {
    return [];
  }
}

interface Result {
  all: readonly Asked[];
  ids: readonly number[];
  tasks: readonly Task[];
  /** Containers whose monitor was killed after they were completed. */
  stopped: ReadonlySet<string>;
}

async function assertAllThere(world: SystemWorld, { all, ids, tasks, stopped }: Result): Promise<void> {
  assert.deepEqual(tasks.map(({ id }) => id).sort(ascending), [...ids].sort(ascending), "tasks = acknowledged ones");
  const unfinished = tasks
    .filter(({ state }) => state !== "completed")
    .map(({ id, name, error }) => ({ id, name, error }));
  assert.deepEqual(unfinished, [], "every task completed");
  const namesOf = (type: Asked["type"]) =>
    all
      .filter((asked) => asked.type === type)
      .map(({ name }) => name)
      .toSorted();
  const docker = (await listContainers()).flatMap(({ Names }) => Names.map((name) => name.slice(1)));
  assert.deepEqual(docker.filter((name) => name.startsWith(prefix)).toSorted(), namesOf("docker"));
  for (const type of systemTypes) {
    assert.deepEqual((await world.names(type)).toSorted(), namesOf(type), `one ${type} container for each task`);
    for (const name of namesOf(type)) {
      const up = (await world.pid(type, name)) > 0;
      assert.ok(up || stopped.has(name), `${name} runs`);
      if (!up) await world.startLxc(name);
    }
  }
}

async function assertNothingBeside(world: SystemWorld, all: readonly Asked[]): Promise<void> {
  const ports = all.flatMap(({ port }) => port ?? []);
  const now = await leftovers(world);
  assert.deepEqual(
    { staging: now.staging, mounts: now.mounts, children: now.children, operations: now.operations },
    { staging: [], mounts: [], children: [], operations: [] },
  );
  assert.deepEqual(now.rules.map((rule) => Number(rule.split(" ")[0])).sort(ascending), ports.toSorted(ascending));
  assert.deepEqual(
    now.claims.map((claim) => Number(claim.split(" ").at(-1))).sort(ascending),
    ports.toSorted(ascending),
  );
}

const ascending = (a: number, b: number): number => a - b;

async function removeAll(world: SystemWorld): Promise<void> {
  for (const type of systemTypes) {
    for (const name of await world.names(type)) await world.remove(type, name);
  }
  await removeContainers(prefix);
}
