import assert from "node:assert/strict";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { createLxcEngine } from "../../src/engines/lxc/lxc.ts";
import { isMounted } from "../../src/engines/lxc/rootfs/root-location.ts";
import { runningContainers } from "../../src/engines/lxc/process/running-containers.ts";
import type { Rootfs } from "../../src/engines/system-images/system-images.ts";
import type { Shape } from "../../src/engines/shape.ts";
import { patiently } from "../support/patiently.ts";
import { run, runInside } from "./commands.ts";
import { containerSpec } from "./container-spec.ts";
import { fails, found, removeOwn } from "./engine-checks.ts";
import { cgroupFile, cgroupV2 } from "./kernel.ts";
import { image, leftovers, loopFiles, nothing } from "./lxc-bench.ts";
import { helpers, large, largeBench } from "./lxc-large.ts";
import { untilCaught } from "./moments.ts";

/** File systems of a limited size, and a station that is killed while it makes one or changes a container. */
const { engine, images, lxc, launch, restarted, slow, archive, killedWhile, making, recovered } = largeBench(20, {
  root(path) {
    // Its first process ends as soon as it is asked to.
    rmSync(join(path, "bin/init"));
    writeFileSync(join(path, "bin/init"), "#!/bin/sh\ntrap 'exit 0' PWR\nwhile :; do sleep 3600 & wait $!; done\n");
    chmodSync(join(path, "bin/init"), 0o755);
  },
});
const mebibyte = 1 << 20;

/** So that one that fails takes none of those after it with it. */
afterEach(async () => {
  await recovered();
  await removeOwn(slow());
});

test("the size is the file system's own, and is that after a start by hand", async () => {
  const container = await launch({ limits: { size: 64 * mebibyte } });
  const sized = async (pid: number): Promise<void> => {
    const [, kibibytes = "0"] = (await runInside(pid, "/bin/df", "-k", "/")).split("\n").at(-1)?.split(/\s+/) ?? [];
    assert.ok(Number(kibibytes) > 50 * 1024 && Number(kibibytes) <= 64 * 1024, kibibytes);
  };
  await sized(container.pid);
  assert.deepEqual(
    await engine()
      .containers.settings(container.id)
      .then(({ limits }) => limits),
    {
      size: 64 * mebibyte,
    },
  );
  await sized((await restarted(container)).pid);
  // What is not written takes no room on the host.
  const { blocks } = statSync(join(lxc().path, container.name, "rootfs.img"));
  assert.ok(blocks * 512 < 16 * mebibyte, `${blocks} blocks`);
  await engine().containers.remove(container.id);
  assert.deepEqual(leftovers(lxc()), nothing);
});

test("more containers with a size than a host has loop devices at first start at once", async () => {
  const specs = Array.from({ length: 10 }, () => containerSpec({ image, limits: { size: 32 * mebibyte } }));
  await Promise.all(specs.map((spec) => engine().containers.create(spec)));
  await Promise.all(specs.map(({ name }) => engine().containers.start(name)));
  for (const { name } of specs) assert.equal((await found(engine(), name)).state, "running");
  assert.equal(loopFiles().filter((file) => file.startsWith(`${lxc().path}/`)).length, specs.length);
  await Promise.all(specs.map(({ name }) => engine().containers.remove(name)));
  assert.deepEqual(leftovers(lxc()), nothing);
});

test("a create whose image does not fit says so and leaves nothing", async () => {
  const spec = containerSpec({ image: large, limits: { size: 24 * mebibyte } });
  await fails(slow().containers.create(spec), "invalid", /^size is too small/);
  assert.deepEqual(leftovers(lxc()), nothing);
});

test("a full disk is said; nothing is left, and what was there runs on", async () => {
  const path = join(lxc().path, "..", "narrow");
  mkdirSync(path);
  await run("mount", "-t", "tmpfs", "-o", "size=60m", "tmpfs", path);
  const narrow = createLxcEngine({ path, images: { ...images(), rootfs: async () => rootfsOf(archive()) } });
  const spec = containerSpec({ image: large });
  await narrow.containers.create(spec);
  await narrow.containers.start(spec.name);
  await fails(narrow.containers.reshape(spec.name, { size: 80 * mebibyte }), "disk_full");
  const { state } = await found(narrow, spec.name);
  const { size } = await narrow.containers.shape(spec.name);
  assert.deepEqual([state, size], ["running", undefined]);
  const sized = containerSpec({ image: large, limits: { size: 80 * mebibyte } });
  await fails(narrow.containers.create(sized), "disk_full");
  assert.deepEqual(leftovers({ ...lxc(), path }, [spec.name]), nothing);
  await narrow.containers.remove(spec.name);
  narrow.close();
  await patiently("nothing holds it", async () => void (await run("umount", path)));
  rmdirSync(path);
});

function rootfsOf(file: string): Rootfs {
  return { id: "f".repeat(64), archive: file, architecture: "x86_64", description: "", created: 0 };
}

test("a copy to a file system of its own loses nothing", async () => {
  // Only there device nodes can be made, and file capabilities are as they were set.
  const container = await launch({ privileged: true });
  const script = [
    "cd /root",
    "echo a >a; ln a hard; ln -s a soft; mkfifo pipe; mknod null c 1 3; chmod 4751 a; chown 12:34 a",
    "dd if=/dev/zero of=holes bs=1 count=1 seek=20M",
    "touch -d '2001-02-03 04:05:06' a; mkdir -m 1777 dir; touch -h -d '2001-02-03 04:05:06' dir",
  ];
  await runInside(container.pid, "/bin/sh", "-c", script.join("; "));
  const root = join(lxc().path, container.name, "rootfs/root");
  await run("setfattr", "-n", "user.gantry", "-v", "kept", join(root, "a"));
  await run("setfattr", "-n", "security.capability", "-v", capability, join(root, "a"));
  const before = await listing(container.pid);
  await engine().containers.reshape(container.id, { size: 64 * mebibyte });
  const after = await found(engine(), container.id);
  assert.notEqual(after.pid, container.pid);
  assert.equal(await listing(after.pid), before);
  const inside = `/proc/${after.pid}/root/root/a`;
  const attributes = await run("getfattr", "-d", "-m", "-", "-e", "hex", "--absolute-names", inside);
  assert.match(attributes, new RegExp(`security.capability=${capability}`));
  assert.match(attributes, /user\.gantry=0x6b657074/);
  assert.ok(statSync(`/proc/${after.pid}/root/root/holes`).blocks < 100);
  assert.deepEqual(
    readdirSync(join(lxc().path, container.name)).filter((name) => name.startsWith("rootfs")),
    ["rootfs.img"],
  );
  await engine().containers.remove(container.id);
});

/** cap_net_raw=ep */
const capability = "0x0100000200200000000000000000000000000000";

function listing(pid: number): Promise<string> {
  const facts = "stat -c '%n %F %a %u %g %h %s %t:%T %Y' $(find /root /etc /bin | sort)";
  return runInside(pid, "/bin/sh", "-c", facts);
}

test("a create with a size that is killed at any moment leaves nothing", async () => {
  const spec = containerSpec({ image: large, limits: { size: 80 * mebibyte } });
  await untilCaught([0, 50, ...making(spec)], async (moment) => {
    await killedWhile({ verb: "create", spec }, moment);
    const isHalf = leftovers(lxc(), [spec.name]).folders.length > 0;
    await recovered();
    if (!(await slow().containers.getByName(spec.name))) await slow().containers.create(spec);
    await slow().containers.start(spec.name);
    await slow().containers.remove(spec.name);
    assert.deepEqual(leftovers(lxc()), nothing);
    return isHalf;
  });
});

test("a change of size that is killed at any moment leaves the old one or the new one, and can be made again", async () => {
  const spec = containerSpec({ image: large });
  const moments = [
    0,
    // It is stopped,
    async () => !(await runningContainers(lxc().path)).has(spec.name),
    // the new file is in the place of the old folder,
    () => existsSync(home(spec, "rootfs.img")),
    // it is being started,
    () => isMounted(home(spec, "rootfs")),
    // its files are being copied.
    () => helpers().some(({ name }) => name === "cp"),
  ];
  await untilCaught(moments, async (moment) => {
    await slow().containers.create(spec);
    await slow().containers.start(spec.name);
    await slow().attachNetwork(await found(slow(), spec.name));
    const change = { size: 96 * mebibyte, hostname: "changed" };
    await killedWhile({ verb: "reshape", spec, change }, moment);
    await recovered();
    assert.deepEqual(leftovers(lxc(), [spec.name]), nothing);
    const { size } = await slow().containers.shape(spec.name);
    const { state } = await found(slow(), spec.name);
    await slow().containers.reshape(spec.name, change);
    const after = await found(slow(), spec.name);
    assert.equal(after.state, "running");
    assert.equal(await runInside(after.pid, "/bin/hostname"), "changed");
    assert.equal((await slow().containers.shape(spec.name)).size, change.size);
    await slow().containers.remove(spec.name);
    assert.deepEqual(leftovers(lxc()), nothing);
    return size === undefined && state === "stopped";
  });
});

test("a change that is killed at any moment, and made again, is as if made once", async () => {
  const change: Shape = {
    hostname: "changed",
    cpuTime: 400,
    memory: 64 * mebibyte,
    addresses: ["10.0.3.196/24", "198.51.100.96/32"],
    nameServers: ["192.0.2.53"],
  };
  const spec = containerSpec({ image: large });
  const isNamed = () => readFileSync(home(spec, "rootfs/etc/hostname"), "utf8") === "changed\n";
  const isKept = () => readFileSync(home(spec, "config"), "utf8").includes("changed");
  const shapes = new Set<string>();
  for (const { moment, held = false } of [
    { moment: 5 },
    { moment: () => existsSync(home(spec, "resolv.conf")) },
    // Before it is for good: there it waits until somebody reads its name servers, which nobody does.
    { moment: isNamed, held: true },
    { moment: isKept },
  ]) {
    await slow().containers.create(spec);
    await slow().containers.start(spec.name);
    await slow().containers.reshape(spec.name, { addresses: ["198.51.100.95"] });
    if (held) await run("mkfifo", home(spec, "resolv.conf"));
    await killedWhile({ verb: "reshape", spec, change }, moment);
    if (held) rmSync(home(spec, "resolv.conf"));
    await recovered();
    shapes.add(JSON.stringify(await slow().containers.shape(spec.name)));
    await slow().containers.reshape(spec.name, change);
    assert.deepEqual(await slow().containers.shape(spec.name), change);
    const { pid } = await found(slow(), spec.name);
    assert.equal(await runInside(pid, "/bin/hostname"), "changed");
    assert.equal(await runInside(pid, "/bin/cat", "/etc/resolv.conf"), "nameserver 192.0.2.53");
    const card = await run("nsenter", "-t", String(pid), "-n", "--", "ip", "-4", "-o", "addr", "show", "dev", "eth0");
    assert.deepEqual([...card.matchAll(/inet (\S+)/g)].map(([, address]) => address ?? "").toSorted(), [
      "10.0.3.196/24",
      "198.51.100.96/32",
    ]);
    assert.equal(cgroupFile(pid, "memory", cgroupV2 ? "memory.max" : "memory.limit_in_bytes"), String(64 * mebibyte));
    assert.equal(
      await run("ip", "-4", "route", "show", "root", "198.51.100.0/24"),
      "198.51.100.96 dev lxcbr0 scope link",
    );
    await slow().containers.remove(spec.name);
    assert.deepEqual(leftovers(lxc()), nothing);
  }
  assert.ok(shapes.size > 1, "killed before and after it was for good");
});

test("a start that goes on when its station is killed keeps its mount, and is over when the next one has begun", async () => {
  const spec = containerSpec({ image: large, limits: { size: 80 * mebibyte } });
  const gate = join(lxc().path, "..", "gate");
  const begin = async (): Promise<void> => {
    writeFileSync(gate, "");
    await killedWhile({ verb: "start", spec }, () => isMounted(home(spec, "rootfs")));
  };
  // As LXC says it: it does not answer while a hook runs, and the engine asks it again only some seconds later.
  const state = () => run("lxc-info", "-P", lxc().path, "-n", spec.name, "-sH");
  await slow().containers.create(spec);
  const hook = `lxc.hook.pre-start = sh -c 'while [ -e ${gate} ]; do sleep 0.05; done' #\n`;
  appendFileSync(home(spec, "config"), hook);
  await begin();
  await fails(slow().containers.rename(spec.name, "renamed"), "conflict");
  await slow().containers.reshape(spec.name, { cpuTime: 400 });
  const recovering = recovered();
  await delay(300);
  rmSync(gate);
  await recovering;
  assert.deepEqual(leftovers(lxc(), [spec.name]), nothing);
  assert.equal(await state(), "RUNNING");
  await slow().containers.kill(spec.name);

  await begin();
  // What the engine knows from here on for some seconds: it has no first process yet.
  assert.equal((await found(slow(), spec.name)).pid, 0);
  const stopping = slow().containers.stop(spec.name);
  await delay(300);
  rmSync(gate);
  await stopping;
  assert.equal((await runningContainers(lxc().path)).has(spec.name), false);
  assert.deepEqual(leftovers(lxc(), [spec.name]), nothing);
  await slow().containers.remove(spec.name);
});

function home({ name }: { name: string }, file: string): string {
  return join(lxc().path, name, file);
}
