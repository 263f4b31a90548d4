import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import type { Engine } from "../../src/engines/engine.ts";
import { createLxcEngine } from "../../src/engines/lxc/lxc.ts";
import { startLxc, type TestLxc } from "../support/lxc.ts";
import { patiently } from "../support/patiently.ts";
import { debian, debianImages } from "../support/system-images.ts";
import { run } from "./commands.ts";
import { containerSpec } from "./container-spec.ts";
import { booted } from "./debian-boot.ts";
import { removeOwn } from "./engine-checks.ts";

/** Changes of a Debian with systemd, whose networkd and resolved have opinions of their own. */
let engine: Engine;
let lxc: TestLxc;
before(async () => {
  lxc = await startLxc();
  engine = createLxcEngine({ path: lxc.path, images: await debianImages() });
});
after(() => removeOwn(engine));

const foreign = "198.51.100.91";
const mebibyte = 1 << 20;

test("a Debian's name, addresses and name servers are changed as it runs, and hold over restarts", async () => {
  const id = await engine.containers.create(containerSpec({ image: debian, limits: { size: 512 * mebibyte } }));
  await engine.containers.start(id);
  await booted((...argv) => inside(id, ...argv));
  await addressed(id, [/^10\.0\.3\./]);
  for (const change of [
    { hostname: "first", addresses: ["10.0.3.195", foreign], nameServers: ["192.0.2.53"] },
    { hostname: "second", addresses: [foreign], nameServers: ["192.0.2.54", "192.0.2.55"] },
  ]) {
    await engine.containers.reshape(id, change);
    await holds(id, change);
    await run("lxc-stop", "-P", lxc.path, "-k", "-n", id);
    await run("lxc-start", "-P", lxc.path, "-n", id, "-d");
    await booted((...argv) => inside(id, ...argv));
    await holds(id, change);
  }
  await engine.containers.remove(id);
});

async function holds(
  id: string,
  change: { hostname: string; addresses: string[]; nameServers: string[] },
): Promise<void> {
  assert.equal(await inside(id, "hostname"), change.hostname);
  await addressed(id, change.addresses);
  for (const address of change.addresses) {
    await patiently(
      `${address} from this host`,
      async () => void (await run("busybox", "ping", "-c", "1", "-W", "1", address)),
    );
  }
  const text = await inside(id, "cat", "/etc/resolv.conf");
  assert.equal(text, change.nameServers.map((server) => `nameserver ${server}`).join("\n"));
}

/** These, and no others; still so when systemd has had a second for it. */
async function addressed(id: string, wanted: readonly (string | RegExp)[]): Promise<void> {
  await patiently("its addresses", async () => {
    for (let looks = 0; looks < 5; looks++) {
      const text = await inside(id, "ip", "-4", "-o", "address", "show", "dev", "eth0", "scope", "global");
      const seen = [...text.matchAll(/inet ([\d.]+)/g)].map(([, address]) => address ?? "");
      assert.equal(seen.length, wanted.length, text);
      for (const one of wanted)
        assert.ok(
          seen.some((address) => (one instanceof RegExp ? one.test(address) : one === address)),
          text,
        );
    }
    assert.match(await inside(id, "ip", "route"), /^default via 10\.0\.3\.1 dev eth0/m);
  });
}

function inside(name: string, ...argv: string[]): Promise<string> {
  return run("lxc-attach", "-P", lxc.path, "-n", name, "--clear-env", "--", ...argv);
}
