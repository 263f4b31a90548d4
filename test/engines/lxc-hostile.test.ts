import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { runInside } from "./commands.ts";
import { found } from "./engine-checks.ts";
import { lxcBench } from "./lxc-bench.ts";
import { inside, nameServers, refusedWhole } from "./shape-checks.ts";

/** What a container's own root may put in the place of its files. */
const { engine, lxc, launch, restarted } = lxcBench();
const mebibyte = 1 << 20;

test("pipes, folders and huge files in the place of its own do not keep it from being changed", async () => {
  const { id, pid } = await launch();
  const traps = [
    "rm -f /etc/hostname /etc/hosts",
    "mkfifo /etc/hosts /etc/resolv.conf",
    "mkdir -p /etc/hostname/full /etc/.gantry-new/full",
  ];
  await inside(engine(), id, "sh", "-c", traps.join("; "));
  await engine().containers.reshape(id, { hostname: "changed", cpuTime: 500, nameServers: ["192.0.2.53"] });
  assert.equal(await runInside(pid, "/bin/hostname"), "changed");
  assert.deepEqual(await nameServers(engine(), id), ["192.0.2.53"]);
  assert.deepEqual(drafts(pid), [".gantry-new"]);
  await inside(engine(), id, "sh", "-c", "rm -r /etc/hosts /etc/resolv.conf; mkdir /etc/resolv.conf");
  await refusedWhole(engine(), id, { cpuTime: 300, nameServers: ["192.0.2.54"] }, "nameServers");
  await engine().containers.remove(id);
});

test("what its full disk does not take is refused, and nothing of it is done; with more room it is done", async () => {
  const { id, pid } = await launch({ limits: { size: 48 * mebibyte } });
  const fill = "dd if=/dev/zero of=/fill bs=1M count=80; dd if=/dev/zero of=/more bs=4k count=1000";
  await inside(engine(), id, "sh", "-c", `(${fill}) 2>/dev/null; true`);
  await refusedWhole(engine(), id, { hostname: "refused", cpuTime: 500 }, "hostname");
  await refusedWhole(engine(), id, { nameServers: ["192.0.2.53"], cpuTime: 500 }, "nameServers");
  assert.deepEqual(drafts(pid), []);
  await engine().containers.reshape(id, { hostname: "roomy", size: 96 * mebibyte });
  assert.equal(await inside(engine(), id, "hostname"), "roomy");
  await engine().containers.remove(id);
});

test("name servers are few, whatever is made of their file inside", async () => {
  // The root of any other has not the rights to make it writable.
  const { id, name } = await launch({ privileged: true });
  await engine().containers.reshape(id, { nameServers: ["192.0.2.53"] });
  await restarted(await found(engine(), id));
  const grow =
    "mount -o remount,rw,bind /etc/resolv.conf; yes 'nameserver 192.0.2.54' | head -c 3000000 >/etc/resolv.conf";
  await inside(engine(), id, "sh", "-c", grow);
  assert.equal(statSync(join(lxc().path, name, "resolv.conf")).size, 3_000_000);
  assert.ok(((await engine().containers.shape(id)).nameServers ?? []).length < 500);
  await engine().containers.reshape(id, { nameServers: ["192.0.2.55"] });
  assert.deepEqual(await nameServers(engine(), id), ["192.0.2.55"]);
  await engine().containers.remove(id);
});

function drafts(pid: number): string[] {
  return readdirSync(`/proc/${pid}/root/etc`).filter((name) => name.includes("gantry"));
}
