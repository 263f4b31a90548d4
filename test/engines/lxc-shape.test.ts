import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import type { Container } from "../../src/engines/engine.ts";
import type { Shape } from "../../src/engines/shape.ts";
import { patiently } from "../support/patiently.ts";
import { run, runInside } from "./commands.ts";
import { collect, fails, found } from "./engine-checks.ts";
import { lxcBench } from "./lxc-bench.ts";
import { addresses, page, refused } from "./shape-checks.ts";
import { shapeTests } from "./system-shape.ts";

/** Changes of a container as it is: what LXD does too (`system-shape.ts`), and what only LXC's driver can get wrong. */
const bench = lxcBench();
const { engine, lxc, launch, restarted } = bench;
const mebibyte = 1 << 20;
const foreign = "198.51.100.90";
const home = ({ name }: Container): string => join(lxc().path, name);

shapeTests(bench, {
  foreign,
  route: new RegExp(`^${foreign} dev lxcbr0 scope link$`),
  // As after a restart of the bridge.
  spoil: async () => void (await run("ip", "route", "del", `${foreign}/32`)),
  record: async (container) => readFileSync(join(home(container), "config"), "utf8"),
  wrong: [[{ size: 1024 }, "size"]],
});

test("who asks for an address in it gets the one that it was given, and writes no other name servers", async () => {
  const container = await launch();
  const clients = (): Promise<string> => runInside(container.pid, "/bin/pidof", "udhcpc").catch(() => "none");
  await patiently("its DHCP client", async () => assert.notEqual(await clients(), "none"));
  await engine().containers.reshape(container.id, { addresses: ["10.0.3.191"], nameServers: ["192.0.2.53"] });
  // At its renewal it would take away what its server has not given.
  assert.equal(await clients(), "none");
  const { pid } = await restarted(container);
  await runInside(pid, "/bin/udhcpc", "-i", "eth0", "-s", "/etc/udhcpc.sh", "-q", "-n", "-t", "5");
  await page("10.0.3.191");
  const overwrite = "echo nameserver 192.0.2.99 >/etc/resolv.conf; rm -f /etc/resolv.conf; cat /etc/resolv.conf";
  assert.equal(await runInside(pid, "/bin/sh", "-c", overwrite), "nameserver 192.0.2.53");
  // While it is mounted it is changed all the same.
  await engine().containers.reshape(container.id, { nameServers: ["192.0.2.54"] });
  assert.equal(await runInside(pid, "/bin/cat", "/etc/resolv.conf"), "nameserver 192.0.2.54");
  await engine().containers.remove(container.id);
});

test("the address of a container that is gone can be given, though its lease goes on; of one that is there it cannot", async () => {
  const former = await launch();
  const container = await launch();
  const [address = ""] = await addresses(engine(), former.id);
  await engine().containers.kill(former.id);
  await refused(engine(), container.id, { addresses: [address] }, "addresses");
  await engine().containers.remove(former.id);
  await engine().containers.reshape(container.id, { addresses: [address] });
  await page(address);
  await engine().containers.remove(container.id);
});

test("the address of a container that somebody else has removed can be given, and what LXC gives by it is forgotten", async () => {
  const former = await launch();
  const container = await launch();
  const address = "10.0.3.194";
  await engine().containers.reshape(former.id, { addresses: [address] });
  await run("lxc-destroy", "-P", lxc().path, "-f", "-n", former.name);
  await engine().containers.reshape(container.id, { addresses: [address] });
  await page(address);
  await engine().containers.remove(container.id);
  const again = await launch();
  await engine().containers.reshape(again.id, { addresses: [address] });
  await engine().containers.remove(again.id);
});

test("the host's name in /etc/hosts is changed, and nothing else there", async () => {
  const container = await launch({ hostname: "old.name" });
  const hosts = "127.0.0.1 localhost\n127.0.1.1\told.name old.name.example\n192.0.2.1 old.name\n";
  writeFileSync(join(home(container), "rootfs/etc/hosts"), hosts);
  await engine().containers.reshape(container.id, { hostname: "new" });
  assert.equal(
    await runInside(container.pid, "/bin/cat", "/etc/hosts"),
    "127.0.0.1 localhost\n127.0.1.1\tnew old.name.example\n192.0.2.1 old.name",
  );
  await engine().containers.remove(container.id);
});

test("links in a root file system lead nowhere", async () => {
  const trap = mkdtempSync(join(tmpdir(), "trap-"));
  const files = ["hostname", "resolv.conf", "hosts", "05-gantry.network"].map((name) => join(trap, name));
  for (const file of files) writeFileSync(file, "the host's\n");
  for (const kind of ["files", "folders", "etc", "root"] as const) {
    for (const size of [undefined, 64 * mebibyte]) {
      const container = await launch(size === undefined ? {} : { limits: { size } });
      await runInside(container.pid, "/bin/sh", "-c", snares(kind, trap));
      for (const running of [true, false]) {
        if (!running) await engine().containers.kill(container.id);
        const change: Shape = { hostname: `caught-${kind}`, addresses: ["10.0.3.193", foreign] };
        await engine().containers.reshape(container.id, change);
        const named = engine().containers.reshape(container.id, { nameServers: ["192.0.2.53"] });
        if (kind === "files" || kind === "folders") await named;
        else await fails(named, "conflict", /has no folder \/etc/);
      }
      await engine().containers.remove(container.id);
    }
  }
  for (const file of files) assert.equal(readFileSync(file, "utf8"), "the host's\n");
  rmSync(trap, { recursive: true });
  for (const file of ["/etc/systemd/network/05-gantry.network", "/hostname", "/resolv.conf"])
    assert.ok(!existsSync(file), file);
});

/** What a container may do to its own files: lead to the host's, by the host's paths. */
function snares(kind: "files" | "folders" | "etc" | "root", trap: string): string {
  const all = `mkdir -p ${trap}`;
  if (kind === "etc") return `${all}; mv /etc /was; ln -s ${trap} /etc`;
  if (kind === "root") return `${all}; mv /etc /was; ln -s / /etc`;
  if (kind === "folders") return `${all}; mkdir -p /etc/systemd; ln -s ${trap} /etc/systemd/network`;
  const links = ["hostname", "resolv.conf", "hosts"].map((name) => `ln -sf ${trap}/${name} /etc/${name}`);
  return [all, ...links].join("; ");
}

test("a link in the place of a draft is not written through", async () => {
  const container = await launch();
  const trap = mkdtempSync(join(tmpdir(), "trap-"));
  symlinkSync(join(trap, "caught"), join(home(container), "rootfs/etc/.gantry-new"));
  await engine().containers.reshape(container.id, { hostname: "drafted" });
  assert.equal(await runInside(container.pid, "/bin/cat", "/etc/hostname"), "drafted");
  assert.ok(!existsSync(join(trap, "caught")));
  await engine().containers.remove(container.id);
});

test("two that want one address at once do not both get it", async () => {
  const both = [await launch(), await launch()];
  const tries = both.map(({ id }) => engine().containers.reshape(id, { addresses: [foreign] }));
  const ends = await Promise.allSettled(tries);
  assert.deepEqual(ends.map(({ status }) => status).toSorted(), ["fulfilled", "rejected"]);
  for (const { id } of both) await engine().containers.remove(id);
});

test("an address that another engine has a route to stays that one's", async () => {
  const container = await launch();
  await run("ip", "route", "add", `${foreign}/32`, "dev", "lo");
  await fails(engine().containers.reshape(container.id, { addresses: [foreign] }), "conflict", /in use/);
  assert.match(await run("ip", "route", "show", foreign), /dev lo/);
  await run("ip", "route", "del", `${foreign}/32`);
  await engine().containers.remove(container.id);
});

for (const privileged of [false, true]) {
  const kind = privileged ? "a privileged container" : "a container with ids of its own";
  test(`what a killed copy has left beside the root file system of ${kind} is cleared away`, async () => {
    const container = await launch({ privileged });
    const stray = join(home(container), "rootfs.img");
    writeFileSync(stray, "half");
    await engine().recover(container.mark?.station ?? "");
    assert.ok(!existsSync(stray));
    await engine().containers.reshape(container.id, { size: 64 * mebibyte });
    const folder = join(home(container), "rootfs");
    mkdirSync(join(folder, "etc"), { recursive: true });
    await engine().recover(container.mark?.station ?? "");
    // The file is mounted there for the moment of a start, but where LXC does that itself.
    assert.deepEqual(existsSync(folder) && readdirSync(folder), privileged ? false : []);
    assert.equal((await found(engine(), container.id)).state, "running");
    await engine().containers.remove(container.id);
  });
}

test("who listens is told of a change", async () => {
  const container = await launch();
  const end = new AbortController();
  const seen = collect(engine().events(end.signal), ({ action }) => void (action === "update" && end.abort()));
  await engine().containers.reshape(container.id, { cpuTime: 500 });
  assert.deepEqual((await seen).at(-1), { resource: "container", action: "update", id: container.id });
  await engine().containers.remove(container.id);
});
