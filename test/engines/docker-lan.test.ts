import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { createDockerEngine } from "../../src/engines/docker/docker.ts";
import type { Container } from "../../src/engines/engine.ts";
import type { LanAddress } from "../../src/engines/container-spec.ts";
import { testEngines } from "../support/engines.ts";
import { until } from "../support/patiently.ts";
import { run } from "./commands.ts";
import { containerSpec } from "./container-spec.ts";
import { fails, removeOwn } from "./engine-checks.ts";
import { startLan, type LanWorld } from "./lan-world.ts";

/** Network mode bridge, with a real cable, a router and its DHCP server. */
const engine = createDockerEngine({ address: testEngines().docker });
const image = "busybox:latest";
const entrypoint = ["sh", "-c", "mkdir -p /w; echo of $(hostname) >/w/index.html; exec busybox httpd -f -p 80 -h /w"];
let lan: LanWorld;

before(async () => {
  await engine.images.pull(image, { signal: new AbortController().signal });
  lan = await startLan();
});
afterEach(() => removeOwn(engine));
after(async () => {
  engine.close();
  await lan.close();
});

const dhcp: LanAddress = { by: "dhcp" };
const fixed: LanAddress = { by: "static", address: "192.168.77.20/24", gateway: "192.168.77.1" };

for (const join of [false, true]) {
  const way = join ? "joined to a bridge" : "on an interface";

  test(`${way}: an address by DHCP, the same again after a restart`, async () => {
    await lan.bridged(join);
    const container = await launch(join, dhcp);
    await engine.attachNetwork(container);
    const address = await addressOf(container);
    assert.match(address, /^192\.168\.77\.1[0-4]\d\/24$/);
    await reaches(container);
    await engine.attachNetwork(container);
    assert.equal(await addressOf(container), address, "attaching again changes nothing");
    await Promise.all([engine.attachNetwork(container), engine.attachNetwork(container)]);
    const again = await restarted(container);
    await engine.attachNetwork(again);
    assert.equal(await addressOf(again), address);
    await reaches(again);
    await engine.containers.remove(again.id);
  });

  test(`${way}: a fixed address, with the MAC address that was asked for`, async () => {
    await lan.bridged(join);
    const container = await launch(join, fixed, "02:42:ac:11:00:77");
    await engine.attachNetwork(container);
    await engine.attachNetwork(container);
    assert.equal(await addressOf(container), "192.168.77.20/24");
    const card = await inside(container, "ip", "link", "show", "eth0");
    assert.match(card, /link\/ether 02:42:ac:11:00:77/);
    assert.match(await inside(container, "ip", "route"), /^default via 192\.168\.77\.1 dev eth0/m);
    await reaches(container);
    await engine.containers.remove(container.id);
  });
}

test("nobody answers DHCP: an error that says so, and a later try finds the server", async () => {
  await lan.bridged(false);
  await lan.dhcp(false);
  const container = await launch(false, dhcp);
  await fails(
    engine.attachNetwork(container),
    "engine_failed",
    new RegExp(`No DHCP server answered container ${container.name} `),
  );
  const stopped = AbortSignal.timeout(500);
  const begun = performance.now();
  await fails(engine.attachNetwork(container, stopped), "cancelled");
  assert.ok(performance.now() - begun < 5_000);
  await until(async () => !(await run("ps", "-eo", "args")).includes("udhcpc"));
  await lan.dhcp(true);
  await engine.attachNetwork(container);
  await reaches(container);
  await engine.containers.remove(container.id);
});

test("a lease is renewed while the container runs", async () => {
  await lan.bridged(false);
  const container = await launch(false, dhcp);
  await engine.attachNetwork(container);
  const address = await addressOf(container);
  await inside(container, "ip", "address", "add", "192.168.77.99/24", "dev", "eth0");
  // Leases of the test's server are 10 s long; a renewal sets the address as it should be.
  const end = Date.now() + 60_000;
  while ((await inside(container, "ip", "address", "show", "eth0")).includes("192.168.77.99")) {
    assert.ok(Date.now() < end, "it is renewed at half its time");
    await delay(250);
  }
  assert.equal(await addressOf(container), address);
  await engine.containers.remove(container.id);
});

test("an interface that is not there", async () => {
  const network = { mode: "bridge", interface: "absent0", join: false, address: dhcp } as const;
  const id = await engine.containers.create(containerSpec({ image, network }));
  await engine.containers.start(id);
  const container = await engine.containers.getById(id);
  assert.ok(container);
  await fails(engine.attachNetwork(container), "engine_failed", /absent0/);
  await engine.containers.remove(id);
  await engine.attachNetwork(container);
});

async function launch(join: boolean, address: LanAddress, macAddress?: string): Promise<Container> {
  const network = { mode: "bridge", interface: join ? lan.bridge : lan.cable, join, address } as const;
  const id = await engine.containers.create(
    containerSpec({ image, entrypoint, network, ...(macAddress && { macAddress }) }),
  );
  await engine.containers.start(id);
  const container = await engine.containers.getById(id);
  assert.ok(container);
  return container;
}

/** As after a crash of its process, or `docker restart`: the network namespace is another. */
async function restarted(container: Container): Promise<Container> {
  process.kill(container.pid, "SIGKILL");
  while ((await engine.containers.getById(container.id))?.state === "running") await delay(20);
  await engine.containers.start(container.id);
  const again = await engine.containers.getById(container.id);
  assert.ok(again && again.pid !== container.pid);
  return again;
}

/** From the LAN: the router reads the container's page. */
async function reaches(container: Container): Promise<void> {
  const address = (await addressOf(container)).split("/")[0];
  assert.match(await lan.onRouter("curl", "-sf", "-m", "5", `http://${address}/`), /^of /);
}

async function addressOf(container: Container): Promise<string> {
  const text = await inside(container, "ip", "-4", "-o", "address", "show", "dev", "eth0");
  const addresses = [...text.matchAll(/inet (\S+)/g)].map((match) => match[1]);
  assert.equal(addresses.length, 1, text);
  return addresses[0] ?? "";
}

function inside(container: Container, ...argv: string[]): Promise<string> {
  return run("nsenter", "-t", String(container.pid), "-n", "--", ...argv);
}
