import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { chooseHostIds, ensureHostIds, type IdFiles } from "../../src/engines/lxc/id-map/host-ids.ts";
import { idsPerContainer, mappedRanges, overlaps } from "../../src/engines/lxc/id-map/id-range.ts";
import { chooseRange } from "../../src/engines/lxc/id-map/id-ranges.ts";
import { createLxcEngine } from "../../src/engines/lxc/lxc.ts";
import { run, runInside } from "./commands.ts";
import { containerSpec } from "./container-spec.ts";
import { fails, running } from "./engine-checks.ts";
import { image, lxcBench, withImage } from "./lxc-bench.ts";

/** The ids that containers of LXC have on the host. */
const { engine, images, lxc, launch } = lxcBench();
const mebibyte = 1 << 20;

test("the ids of LXC's containers are nobody else's: not LXD's, nor those of any entry", () => {
  const lxd = { start: 100_000, count: 10_000_001 };
  const usual = chooseHostIds([`root:${lxd.start}:${lxd.count}\n`, "ann:2147418112:65536\n"]);
  assert.deepEqual(usual, { start: 1_879_048_192, count: 268_435_456 - idsPerContainer });
  // The usual ones are taken: the largest gap that is left.
  const other = chooseHostIds(["ann:1879048192:400000000\nbob:1002000000:5\n", ""]);
  assert.ok(!overlaps(other, { start: 1_879_048_192, count: 400_000_000 }));
  assert.ok(other.start > 1_002_000_005 && other.count === 268_435_456);
  assert.throws(() => chooseHostIds(["ann:0:4294967295\n"]), /needs 65536 ids/);
});

test("the ids are written down once, in a way that LXD passes over", async () => {
  const folder = mkdtempSync(join(tmpdir(), "ids-"));
  const files: IdFiles = [join(folder, "subuid"), join(folder, "subgid")];
  writeFileSync(files[0], "root:100000:65536");
  const all = await Promise.all([1, 2, 3].map(() => ensureHostIds(files)));
  assert.deepEqual(all, [all[0], all[0], all[0]]);
  const line = `0:${all[0]?.start}:${all[0]?.count}\n`;
  assert.equal(readFileSync(files[0], "utf8"), `root:100000:65536\n${line}`);
  assert.equal(readFileSync(files[1], "utf8"), line);
});

test("each container has a range of its own as long as there are any, then all others share one", () => {
  const all = { start: idsPerContainer, count: 3 * idsPerContainer };
  const first = chooseRange(all, [], "a");
  const second = chooseRange(all, [first], "a");
  const shared = chooseRange(all, [first, second], "b");
  assert.ok(!overlaps(first, second) && !overlaps(first, shared) && !overlaps(second, shared));
  assert.deepEqual(chooseRange(all, [first, second, shared], "c"), shared);
  assert.deepEqual(chooseRange({ ...all, count: idsPerContainer }, [], "a"), {
    start: idsPerContainer,
    count: idsPerContainer,
  });
});

test("root of a container is nobody on the host, and each container is somebody else; a privileged one is root", async () => {
  const [one, other] = await Promise.all([launch(), launch()]);
  const privileged = await launch({ privileged: true });
  const roots = [one, other].map(({ pid }) => statSync(`/proc/${pid}`).uid);
  assert.equal(new Set(roots).size, 2);
  for (const root of roots) assert.ok(root >= 1_879_048_192, `${root}`);
  assert.equal(statSync(`/proc/${privileged.pid}`).uid, 0);
  assert.deepEqual(
    [one, other, privileged].map((container) => container.privileged),
    [undefined, undefined, true],
  );
  assert.equal(await runInside(one.pid, "stat", "-c", "%u:%g", "/etc/hostname"), "0:0");
  assert.equal(statSync(lxc().path).mode & 0o001, 0o001);
  assert.equal(statSync(join(lxc().path, one.name)).mode & 0o007, 0, "what its root makes setuid is out of reach");
  for (const { id } of [one, other, privileged]) await engine().containers.remove(id);
});

test("folders of containers are closed before LXC's own folder is opened", async () => {
  const path = mkdtempSync(join(tmpdir(), "closed-"));
  const left = join(path, "made-by-hand");
  mkdirSync(left, { mode: 0o755 });
  const closed = createLxcEngine({ path, images: images() });
  const spec = containerSpec({ image });
  await closed.containers.create(spec);
  assert.equal(statSync(path).mode & 0o777, 0o701);
  assert.equal(statSync(left).mode & 0o777, 0o750);
  await closed.containers.remove(spec.name);
});

test("a device node of an image is no way to the host's disk", async () => {
  const device = statSync("/dev/null").rdev;
  assert.ok(device > 0);
  const evil = withImage(images(), "evil:latest", (root) => {
    execFileSync("cp", ["-a", "/bin/busybox", join(root, "busybox")]);
    for (const folder of ["bin", "sbin", "dev", "proc", "sys", "etc", "root"]) mkdirSync(join(root, folder));
    for (const name of ["sh", "cat", "stat"]) execFileSync("ln", ["-s", "/busybox", join(root, "bin", name)]);
    writeFileSync(join(root, "sbin/init"), "#!/bin/sh\nwhile :; do /busybox sleep 1000; done\n", { mode: 0o755 });
    // One that its device rules let through.
    execFileSync("mknod", [join(root, "root/zero"), "c", "1", "5"]);
    chmodSync(join(root, "root/zero"), 0o666);
  });
  const other = createLxcEngine({ path: lxc().path, images: evil });
  for (const limits of [{}, { size: 64 * mebibyte }]) {
    const id = await other.containers.create(containerSpec({ image: "evil:latest", limits }));
    const { pid } = await running(other, id);
    await assert.rejects(runInside(pid, "sh", "-c", ": </root/zero"), /Permission denied/);
    await other.containers.remove(id);
  }
  other.close();
});

for (const limits of [{}, { size: 64 * mebibyte }]) {
  const what = limits.size === undefined ? "without a size" : "with a size";
  test(`lxc-copy makes a container ${what} that starts with the files of the other one`, async () => {
    const { id, pid, name } = await launch({ limits });
    await runInside(pid, "sh", "-c", "echo kept >/root/file");
    await engine().containers.kill(id);
    const copy = `${name}-copy`;
    await run("lxc-copy", "-P", lxc().path, "-n", name, "-N", copy);
    const copied = await running(engine(), copy);
    assert.equal(await runInside(copied.pid, "cat", "/root/file"), "kept");
    assert.equal(copied.privileged, undefined);
    const again = await running(engine(), id);
    assert.equal(await runInside(again.pid, "cat", "/root/file"), "kept");
    await engine().containers.remove(copy);
    await engine().containers.remove(id);
  });
}

test("a start that was killed in the middle hides no root file system from the next one", async () => {
  const { id, name } = await launch({ limits: { size: 64 * mebibyte } });
  await engine().containers.kill(id);
  const home = join(lxc().path, name);
  const leave = () => run("mount", "-o", "loop", join(home, "rootfs.img"), join(home, "rootfs"));
  await leave();
  await running(engine(), id);
  await engine().containers.kill(id);
  await leave();
  await engine().containers.reshape(id, { size: 48 * mebibyte });
  await leave();
  await engine().containers.remove(id);
});

test("where a file system cannot be mounted with other owners, the files have them on the disk", async () => {
  const path = join(lxc().path, "..", "lxc-ramfs");
  mkdirSync(path);
  await run("mount", "-t", "ramfs", "-o", "mode=711", "ramfs", path);
  const plain = createLxcEngine({ path, images: images() });
  try {
    const mounts = [{ source: path, target: "/made/deep", readOnly: true }];
    const spec = containerSpec({ image });
    const id = await plain.containers.create(spec);
    const [range] = mappedRanges(readFileSync(join(path, id, "config"), "utf8"));
    assert.equal(statSync(join(path, id, "rootfs/bin/busybox")).uid, range?.start);
    const { pid } = await running(plain, id);
    assert.equal(await runInside(pid, "stat", "-c", "%u:%g", "/etc/hostname"), "0:0");
    await plain.containers.reshape(id, { hostname: "renamed" });
    assert.equal(await runInside(pid, "cat", "/etc/hostname"), "renamed");
    await plain.containers.remove(id);
    // A folder of the host cannot be given there, and the refusal names it.
    const refused = await plain.containers.create(containerSpec({ image, mounts }));
    await fails(plain.containers.start(refused), "invalid", /^\/made\/deep cannot be mounted: its file system/);
    await plain.containers.remove(refused);
  } finally {
    plain.close();
    await run("umount", "-l", path);
  }
});
