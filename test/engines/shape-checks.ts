import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { get } from "node:http";
import { text } from "node:stream/consumers";

import type { Engine } from "../../src/engines/engine.ts";
import type { ContainerSpec } from "../../src/engines/container-spec.ts";
import type { Shape } from "../../src/engines/shape.ts";
import { AppError } from "../../src/errors.ts";
import { patiently } from "../support/patiently.ts";
import { run } from "./commands.ts";
import { containerSpec } from "./container-spec.ts";
import type { EngineEnv } from "./engine-env.ts";
import { found } from "./engine-checks.ts";
import { cgroupFile, cgroupV2 } from "./kernel.ts";

const mebibyte = 1 << 20;

/** What is seen of a container's shape from inside, by the kernel and from this host; of any engine. */

type Body = (engine: Engine, id: string) => Promise<void>;
export type WithContainer = (changes: Partial<ContainerSpec>, body: Body) => Promise<void>;

/** Gives one that runs, and removes it at the end. */
export function lender(env: () => EngineEnv): WithContainer {
  return async (changes, body) => {
    const { engine, images } = env();
    const id = await engine.containers.create(containerSpec({ image: images.base, ...changes }));
    try {
      await started(engine, id);
      await body(engine, id);
    } finally {
      await engine.containers.remove(id);
    }
  };
}

export async function started(engine: Engine, id: string): Promise<void> {
  await engine.containers.start(id);
  await engine.attachNetwork(await found(engine, id));
}

export async function restarted(engine: Engine, id: string): Promise<void> {
  await engine.containers.kill(id);
  await started(engine, id);
}

export async function inside(engine: Engine, id: string, ...command: [string, ...string[]]): Promise<string> {
  const { signal } = new AbortController();
  const result = await engine.containers.exec(id, { command, environment: [] }, signal);
  assert.equal(result.exitCode, 0, `${command.join(" ")}: ${result.stderr}`);
  return result.stdout.trim();
}

/** Refused both when it is asked about and when it is to be done. */
export async function refused(engine: Engine, id: string, change: Shape, field: keyof Shape): Promise<void> {
  for (const call of ["planReshape", "reshape"] as const) {
    await assert.rejects(engine.containers[call](id, change), (error: unknown) => {
      assert.ok(error instanceof AppError, String(error));
      assert.ok(["invalid", "conflict"].includes(error.code), `${error.code}: ${error.message}`);
      assert.equal(error.details?.["field"], field, error.message);
      return true;
    });
  }
}

/** Refused, and nothing of it done. */
export async function refusedWhole(engine: Engine, id: string, change: Shape, field: keyof Shape): Promise<void> {
  const before = await picture(engine, id);
  await refused(engine, id, change, field);
  assert.deepEqual(await picture(engine, id), before);
}

/** All that a refused change could have changed. */
export async function picture(engine: Engine, id: string): Promise<unknown> {
  const { pid, state } = await found(engine, id);
  const files = ["memory.limit_in_bytes", "memory.max", "cpu.cfs_quota_us", "cpu.max"];
  return {
    pid,
    state,
    shape: await engine.containers.shape(id),
    settings: await engine.containers.settings(id),
    cgroup: files.map((file) => cgroupFile(pid, file.split(".")[0] ?? "", file)),
    hostname: await inside(engine, id, "hostname"),
    size: (await inside(engine, id, "df", "-k", "/")).split("\n").at(-1)?.split(/\s+/)[1],
  };
}

export async function checkLimits(engine: Engine, id: string, { cpuTime, memory }: Shape): Promise<void> {
  const { pid } = await found(engine, id);
  const control = (controller: string, file: string): string => cgroupFile(pid, controller, file) ?? "";
  if (memory !== undefined) {
    assert.equal(control("memory", cgroupV2 ? "memory.max" : "memory.limit_in_bytes"), String(memory));
  }
  if (cpuTime === undefined) return;
  const [quota, period] = cgroupV2
    ? control("cpu", "cpu.max").split(" ")
    : [control("cpu", "cpu.cfs_quota_us"), control("cpu", "cpu.cfs_period_us")];
  assert.equal((Number(quota) * 1000) / Number(period), cpuTime);
}

/** As it says, and without a restart that it did not say. */
export async function resized(engine: Engine, id: string, mebibytes: number): Promise<void> {
  const change = { size: mebibytes * mebibyte };
  const { pid } = await found(engine, id);
  const { restarts } = await engine.containers.planReshape(id, change);
  await engine.containers.reshape(id, change);
  const after = await found(engine, id);
  assert.equal(after.state, "running");
  assert.equal(after.pid !== pid, restarts);
  assert.equal((await engine.containers.shape(id)).size, change.size);
}

/** Whether so many more MiB can be written; they are gone again at the end, and btrfs counts them no more after a sync. */
export async function holds(engine: Engine, id: string, mebibytes: number): Promise<boolean> {
  const write = `dd if=/dev/zero of=/fill bs=1M count=${mebibytes} 2>/dev/null && sync -f /fill; said=$?; rm -f /fill; sync -f /; echo $said`;
  return (await inside(engine, id, "sh", "-c", write)) === "0";
}

export async function nameServers(engine: Engine, id: string): Promise<string[]> {
  const text = await inside(engine, id, "cat", "/etc/resolv.conf");
  return [...text.matchAll(/^nameserver (\S+)$/gm)].map(([, server]) => server ?? "");
}

/** Of its card, sorted, as soon as it has some. */
export async function addresses(engine: Engine, id: string): Promise<string[]> {
  let seen: string[] = [];
  await patiently("its addresses", async () => {
    const text = await inside(engine, id, "ip", "-4", "-o", "addr", "show", "dev", "eth0");
    seen = [...text.matchAll(/inet ([\d.]+)/g)].map(([, address]) => address ?? "").toSorted();
    assert.ok(seen.length > 0, text);
  });
  return seen;
}

/** The page of a container, read from this host. */
export async function page(address: string): Promise<void> {
  await patiently(`${address} from this host`, async () => {
    assert.equal(await read(address), "hello\n");
  });
}

/** Returns what a web server says, on a connection of its own; rejects after 2 s without an answer. */
function read(host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = get({ host, agent: false, signal: AbortSignal.timeout(2_000) }, (response) => {
      text(response).then(resolve, reject);
    });
    asked.once("error", reject);
  });
}

/** The address is its own, and its page is read there. */
export async function reached(engine: Engine, id: string, address: string): Promise<void> {
  await page(address);
  const { pid } = await found(engine, id);
  const table = await run("nsenter", "-t", String(pid), "-n", "--", "ip", "-4", "-o", "addr");
  assert.ok(table.includes(` ${address}/`), table);
}

export async function bridgeAddress(engine: Engine, id: string): Promise<string> {
  await addresses(engine, id);
  let gateway = "";
  await patiently("its default route", async () => {
    gateway = /default via ([\d.]+)/.exec(await inside(engine, id, "ip", "route"))?.[1] ?? "";
    assert.ok(gateway !== "");
  });
  return gateway;
}

/** Two that nobody has: of networks for documents. The engines' tests run beside each other. */
export function foreignTo({ type }: Engine): readonly [string, string] {
  const own = { docker: 71, lxc: 72, lxd: 73 }[type];
  return [`198.51.100.${own}`, `203.0.113.${own}`];
}

/**
 * A bridge as another engine has it, and a network of this host's with a gateway and somebody else in it. Calls with
 * addresses that are theirs, and with one of that network that nobody has.
 */
export async function amongNeighbours(body: (theirs: string[], nobodys: string) => Promise<void>): Promise<void> {
  const holder = spawn("unshare", ["--net", "--", "sh", "-c", "echo; exec cat"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  await once(holder.stdout, "data");
  const ip = (words: string): Promise<string> => run("ip", ...words.split(" "));
  const there = (words: string): Promise<string> =>
    run("nsenter", "-t", String(holder.pid), "-n", "--", "ip", ...words.split(" "));
  try {
    await ip("link add gt-other type bridge");
    await ip("address add 10.77.0.1/24 dev gt-other");
    await ip("link set gt-other up");
    await ip(`link add gt-lan type veth peer name gt-far netns ${holder.pid}`);
    await ip("address add 10.78.0.1/24 dev gt-lan");
    await ip("link set gt-lan up");
    await there("address add 10.78.0.9/24 dev gt-far");
    await there("link set gt-far up");
    await ip("route add 10.79.0.0/24 via 10.78.0.254");
    await body(["10.77.0.9", "10.77.0.255", "10.78.0.9", "10.78.0.254", "10.78.0.255"], "10.78.0.10");
  } finally {
    await ip("link del gt-other").catch(() => undefined);
    await ip("link del gt-lan").catch(() => undefined);
    holder.stdin.end();
  }
}

let last = 200;

/** An address of the bridge's network that was not given before. */
export async function free(engine: Engine, id: string): Promise<string> {
  return `${(await bridgeAddress(engine, id)).replace(/\.\d+$/, "")}.${++last}`;
}

export function plainAddress(address: string): string {
  return address.replace(/\/\d+$/, "");
}
