import assert from "node:assert/strict";
import { test } from "node:test";

import type { Container } from "../../src/engines/engine.ts";
import { debian } from "../support/system-images.ts";
import { run } from "./commands.ts";
import { containerSpec } from "./container-spec.ts";
import { booted } from "./debian-boot.ts";
import { debianBench } from "./lxc-debian-bench.ts";

/** A Debian that is built on this host, with systemd. */
const { engine, lxc, inside } = debianBench();

const ports = [{ host: 8080, container: 80, protocol: "tcp" as const }];

for (const [what, spec] of Object.entries({
  "an address by DHCP": {},
  "a fixed address": { ports },
  limits: { limits: { memory: 512 * 1024 * 1024, cpuTime: 900, cpuWeight: 512 } },
})) {
  test(`Debian boots in LXC until systemd has nothing left to do, with ${what}; and again after a restart`, async () => {
    const id = await engine().containers.create(containerSpec({ image: debian, ...spec }));
    for (const again of [false, true]) {
      if (again) await engine().containers.kill(id);
      await engine().containers.start(id);
      const container = await engine().containers.getById(id);
      assert.ok(container);
      await booted((...argv) => inside(container.name, ...argv));
      await addressed(container);
      assert.equal(await inside(container.name, "hostname"), container.name);
    }
    await engine().containers.remove(id);
  });
}

test("Debian ends by itself when LXC asks it to", async () => {
  const id = await engine().containers.create(containerSpec({ image: debian }));
  await engine().containers.start(id);
  const container = await engine().containers.getById(id);
  assert.ok(container);
  await booted((...argv) => inside(container.name, ...argv));
  await run("lxc-stop", "-P", lxc().path, "-n", id, "--nokill", "-t", "25");
  assert.equal((await engine().containers.getById(id))?.state, "stopped");
  await engine().containers.remove(id);
});

async function addressed(container: Container): Promise<void> {
  const end = performance.now() + 20_000;
  const wanted = container.forward?.address ?? "10.0.3.";
  let seen = "";
  while (performance.now() < end && !seen.includes(` ${wanted}`)) {
    seen = await inside(container.name, "ip", "-4", "-o", "address", "show", "dev", "eth0", "scope", "global");
  }
  assert.ok(seen.includes(` ${wanted}`), seen);
  assert.match(await inside(container.name, "ip", "route"), /^default via 10\.0\.3\.1 dev eth0/m);
  // A fixed address stays the only one, whatever the image's DHCP client does.
  assert.equal(seen.trim().split("\n").length, 1, seen);
}
