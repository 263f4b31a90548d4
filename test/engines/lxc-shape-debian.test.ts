import assert from "node:assert/strict";
import { test } from "node:test";

import { debian } from "../support/system-images.ts";
import { run } from "./commands.ts";
import { containerSpec } from "./container-spec.ts";
import { booted } from "./debian-boot.ts";
import { holdsShape, keepsAddresses } from "./debian-shape.ts";
import { debianBench } from "./lxc-debian-bench.ts";

/** Changes of a Debian with systemd, whose networkd and resolved have opinions of their own. */
const { engine, lxc, inside } = debianBench();

const foreign = "198.51.100.91";
const mebibyte = 1 << 20;

test("a Debian's name, addresses and name servers are changed as it runs, and hold over restarts", async () => {
  const id = await engine().containers.create(containerSpec({ image: debian, limits: { size: 512 * mebibyte } }));
  await engine().containers.start(id);
  const program = (...argv: string[]): Promise<string> => inside(id, ...argv);
  await booted(program);
  await keepsAddresses(program, "10.0.3.1", ([address = "", ...others]) => {
    assert.match(address, /^10\.0\.3\./);
    assert.deepEqual(others, []);
  });
  for (const change of [
    { hostname: "first", addresses: ["10.0.3.195", foreign], nameServers: ["192.0.2.53"] },
    { hostname: "second", addresses: [foreign], nameServers: ["192.0.2.54", "192.0.2.55"] },
  ]) {
    await engine().containers.reshape(id, change);
    await holdsShape(program, change, "10.0.3.1");
    await run("lxc-stop", "-P", lxc().path, "-k", "-n", id);
    await run("lxc-start", "-P", lxc().path, "-n", id, "-d");
    await booted(program);
    await holdsShape(program, change, "10.0.3.1");
  }
  await engine().containers.remove(id);
});
