import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import type { Engine } from "../../src/engines/engine.ts";
import type { ContainerSpec } from "../../src/engines/container-spec.ts";
import type { PullProgress } from "../../src/engines/images.ts";
import { createLxdHttp, type LxdHttp } from "../../src/engines/lxd/client/http.ts";
import { createLxdEngine } from "../../src/engines/lxd/lxd.ts";
import { testEngines } from "../support/engines.ts";
import { startLxd } from "../support/lxd.ts";
import { until } from "../support/patiently.ts";
import { debianImages, nowhere } from "../support/system-images.ts";
import { run } from "./commands.ts";
import { containerSpec } from "./container-spec.ts";
import { fails, removeOwn } from "./engine-checks.ts";

const never = new AbortController().signal;
const image = "debian/bookworm";
let engine: Engine;
let http: LxdHttp;

before(async () => {
  const { socket } = await startLxd();
  const systemImages = await debianImages();
  http = createLxdHttp(socket);
  engine = createLxdEngine({
    socket,
    imageServer: nowhere,
    imageServers: { named: "http://127.0.0.1:10" },
    systemImages,
  });
  // Of the files before.
  await removeImages();
});
after(async () => {
  await removeOwn(engine);
  await removeImages();
  engine.close();
  http.close();
});

async function removeImages(): Promise<void> {
  for (const { id } of await engine.images.list()) await engine.images.remove(id);
}

test("a pull of Debian that is stopped leaves nothing in LXD, whenever that comes", async () => {
  let stopped = 0;
  for (const moment of [0, 20, 60, 120, 200, 300, 400, 500]) {
    const pulling = engine.images.pull(image, { signal: AbortSignal.timeout(moment) });
    const done = await pulling.then(
      () => true,
      () => false,
    );
    if (done) {
      await engine.images.remove(image);
      continue;
    }
    stopped++;
    await fails(pulling, "cancelled");
    await delay(200);
    assert.deepEqual(await engine.images.list(), []);
    const files = globSync(join(testEngines().folder, "lxd/images/*"));
    assert.deepEqual(files, [], `left after ${moment} ms`);
  }
  assert.ok(stopped > 2, "too few were caught on their way");
});

test("while no image server is in reach, LXD has Debian from the station, and it boots", async () => {
  const steps: PullProgress[] = [];
  await engine.images.pull(image, { signal: never, onProgress: (step) => void steps.push(step) });
  assert.equal(steps.at(-1)?.percent, 100);
  const { name, inside } = await boot();
  assert.equal(await inside("hostname"), name);
  await until(async () => /inet 10\.99\.0\.\d+/.test(await inside("ip", "-4", "address", "show", "eth0")));
  // The bridge's own resolver knows its containers.
  const resolves = (): Promise<boolean> => inside("getent", "hosts", `${name}.lxd`).then(Boolean, () => false);
  await until(resolves);
});

test("an address that is given from outside stays, and its route comes first", async () => {
  await engine.images.pull(image, { signal: never });
  const address = { by: "static", address: "10.99.0.77/24", gateway: "10.99.0.1" } as const;
  const { inside } = await boot({ network: { mode: "bridge", interface: "lxdbr0", join: true, address } });
  const addresses = (): Promise<string> => inside("ip", "-4", "address", "show", "eth0");
  // Only when DHCP has answered too could it have been taken away.
  await until(async () => /inet .* dynamic /.test(await addresses()), addresses);
  assert.match(await addresses(), /inet 10\.99\.0\.77\/24 /);
  assert.match(await inside("ip", "route", "get", "192.0.2.1"), /via 10\.99\.0\.1 dev eth0 src 10\.99\.0\.77 /);
});

interface Booted {
  name: string;
  inside(...argv: string[]): Promise<string>;
}

async function boot(changes: Partial<ContainerSpec> = {}): Promise<Booted> {
  const name = await engine.containers.create(containerSpec({ image, ...changes }));
  await engine.containers.start(name);
  const pid = (await engine.containers.getByName(name))?.pid ?? 0;
  assert.ok(pid > 0);
  // As the container's own root, whom its services trust.
  const inside = (...argv: string[]): Promise<string> => run("nsenter", "-t", String(pid), "-a", ...argv);
  const begun = performance.now();
  let state = "";
  while (performance.now() - begun < 60_000 && state !== "running") {
    const looked = inside("systemctl", "is-system-running");
    state = await looked.catch((error: { stdout?: string }) => `${error.stdout}`.trim());
    await delay(200);
  }
  if (state !== "running") assert.fail(`${state}: ${await inside("systemctl", "--failed", "--no-legend")}`);
  return { name, inside };
}

test("the same image is not sent twice, and each name is its own", async () => {
  await engine.images.pull(image, { signal: never });
  const first = await engine.images.get(image);
  await engine.images.pull("debian-bookworm", { signal: never });
  const second = await engine.images.get("debian-bookworm");
  assert.equal(second?.id, first?.id);
  assert.deepEqual(second?.tags.toSorted(), ["debian-bookworm", image]);
  await engine.images.remove("debian-bookworm");
  assert.ok(await engine.images.get(image));
});

test("only what the main server would have is taken from the station, and only Debian", async () => {
  await fails(engine.images.pull("ubuntu/jammy", { signal: never }), "remote_failed");
  await fails(engine.images.pull("named:debian/bookworm", { signal: never }), "remote_failed");
  await fails(engine.images.pull("debian/potato", { signal: never }), "remote_failed");
});

test("the beginning of a fingerprint is enough", async () => {
  await engine.images.pull(image, { signal: never });
  const { id = "" } = (await engine.images.get(image)) ?? {};
  assert.equal((await engine.images.get(id.slice(0, 12)))?.id, id);
  assert.equal(await engine.images.get(id.slice(0, 11)), undefined);
  await engine.images.remove(id.slice(0, 12));
  assert.deepEqual(await engine.images.list(), []);
});
