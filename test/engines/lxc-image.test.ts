import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { createLxcEngine } from "../../src/engines/lxc/lxc.ts";
import { fillBusybox } from "../support/images.ts";
import { run } from "./commands.ts";
import { containerSpec } from "./container-spec.ts";
import { fails } from "./engine-checks.ts";
import { leftovers, lxcBench, nothing, withImage } from "./lxc-bench.ts";

/** What an image brings, good and bad. */
const { images, lxc } = lxcBench();

test("owners, modes, links, devices and attributes come out as they were", async () => {
  const root = await unpacked((folder) => {
    fillBusybox(folder);
    writeFileSync(join(folder, "bin/tool"), "x");
    chownSync(join(folder, "bin/tool"), 1234, 5678);
    chmodSync(join(folder, "bin/tool"), 0o6755);
    execFileSync("setfattr", ["-n", "security.capability", "-v", capability, join(folder, "bin/busybox")]);
    execFileSync("setfattr", ["-n", "user.note", "-v", "kept", join(folder, "bin/tool")]);
    linkSync(join(folder, "bin/tool"), join(folder, "bin/same"));
    execFileSync("mknod", ["-m", "620", join(folder, "dev/node"), "c", "1", "3"]);
    mkdirSync(join(folder, "var/closed"), { mode: 0o500 });
  });
  const tool = lstatSync(join(root, "bin/tool"));
  assert.deepEqual([tool.uid, tool.gid, tool.mode & 0o7777, tool.nlink], [1234, 5678, 0o6755, 2]);
  assert.equal(await attribute(join(root, "bin/busybox"), "security.capability"), capability);
  assert.match(await run("getfattr", "--absolute-names", "-n", "user.note", join(root, "bin/tool")), /"kept"/);
  const node = lstatSync(join(root, "dev/node"));
  assert.ok(node.isCharacterDevice() && (node.mode & 0o777) === 0o620);
  assert.equal(lstatSync(join(root, "var/closed")).mode & 0o777, 0o500);
  // Others on the host, who could run what is setuid in there, do not get in.
  assert.equal(lstatSync(join(root, "..")).mode & 0o007, 0);
});

test("an image's links lead nowhere on the host", async () => {
  const outside = mkdtempSync(join(tmpdir(), "outside-"));
  writeFileSync(join(outside, "hostname"), "the host's\n");
  const before = snapshot(outside);
  const up = "../".repeat(20);
  const attacks: ((folder: string) => void)[] = [
    (folder) => symlinkSync(outside, join(folder, "etc")),
    (folder) => symlinkSync(`${up}${outside}`, join(folder, "etc")),
    (folder) => symlinkSync("/etc", join(folder, "etc")),
    (folder) => {
      mkdirSync(join(folder, "etc"));
      symlinkSync(join(outside, "hostname"), join(folder, "etc/hostname"));
    },
    (folder) => {
      mkdirSync(join(folder, "etc"));
      execFileSync("mkfifo", [join(folder, "etc/hostname")]);
    },
    (folder) => mkdirSync(join(folder, "etc/hostname"), { recursive: true }),
    (folder) => writeFileSync(join(folder, "etc"), ""),
  ];
  for (const attack of attacks) {
    const root = await unpacked(
      (folder) => {
        fillBusybox(folder);
        rmSync(join(folder, "etc"), { recursive: true });
        symlinkSync(outside, join(folder, "mnt/link"));
        symlinkSync(`${up}${outside}`, join(folder, "mnt/other"));
        attack(folder);
      },
      ["/mnt/link/new", "/mnt/other/new", "/mnt/link"],
    );
    assert.deepEqual(snapshot(outside), before);
    assert.ok(lstatSync(join(root, outside, "new")).isDirectory(), "it is made where the container will see it");
  }
});

test("what cannot be mounted on, what is no archive, and an image that is gone", async () => {
  const source = mkdtempSync(join(tmpdir(), "source-"));
  const mounts = [{ source, target: "/etc/passwd", readOnly: false }];
  const stored = withImage(images(), "made:1", fillBusybox);
  const engine = createLxcEngine({ path: lxc().path, images: stored });
  await fails(engine.containers.create(containerSpec({ image: "made:1", mounts })), "invalid", /\/etc\/passwd/);
  const { archive = "" } = (await stored.rootfs("made:1")) ?? {};
  writeFileSync(archive, "no archive");
  await fails(engine.containers.create(containerSpec({ image: "made:1" })), "engine_failed");
  rmSync(archive);
  await fails(engine.containers.create(containerSpec({ image: "made:1" })), "engine_failed");
  const others = (await engine.containers.list()).map(({ name }) => name);
  assert.deepEqual(leftovers(lxc(), others), nothing);
});

test("a full disk says so, and leaves nothing", async () => {
  const path = mkdtempSync(join(tmpdir(), "full-"));
  await run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", path);
  const stored = withImage(images(), "made:1", fillBusybox);
  const engine = createLxcEngine({ path, images: stored });
  await fails(engine.containers.create(containerSpec({ image: "made:1" })), "disk_full");
  assert.deepEqual(readdirSync(path), [".gantry-staging"]);
  assert.deepEqual(readdirSync(join(path, ".gantry-staging")), []);
  await run("umount", path);
});

test("an init of systemd is told to halt in its own way", async () => {
  const config = async (fill: (folder: string) => void): Promise<string> =>
    readFileSync(join(await unpacked(fill), "../config"), "utf8");
  assert.doesNotMatch(await config(fillBusybox), /signal\.halt/);
  const systemd = await config((folder) => {
    for (const name of ["usr/lib/systemd", "usr/sbin"]) mkdirSync(join(folder, name), { recursive: true });
    symlinkSync("usr/lib", join(folder, "lib"));
    symlinkSync("usr/sbin", join(folder, "sbin"));
    symlinkSync("/lib/systemd/systemd", join(folder, "usr/sbin/init"));
    writeFileSync(join(folder, "usr/lib/systemd/systemd"), "");
  });
  assert.match(systemd, /^lxc\.signal\.halt = SIGRTMIN\+3$/m);
});

/** cap_net_raw=ep, as the kernel keeps it. */
const capability = "0x0100000200200000000000000000000000000000";

let last: (() => Promise<void>) | undefined;

/** A container of such an image; the one before is removed. Answers where its root file system is. */
async function unpacked(fill: (folder: string) => void, targets: readonly string[] = []): Promise<string> {
  await last?.();
  const { path } = lxc();
  const engine = createLxcEngine({ path, images: withImage(images(), "made:1", fill) });
  const source = mkdtempSync(join(tmpdir(), "source-"));
  const mounts = targets.map((target) => ({ source, target, readOnly: false }));
  const name = await engine.containers.create(containerSpec({ image: "made:1", mounts }));
  last = () => engine.containers.remove(name);
  return join(path, name, "rootfs");
}

async function attribute(file: string, name: string): Promise<string> {
  return /=(0x\w+)/.exec(await run("getfattr", "--absolute-names", "-e", "hex", "-n", name, file))?.[1] ?? "";
}

function snapshot(folder: string): string[] {
  return readdirSync(folder, { recursive: true }).map((name) => {
    const file = join(folder, String(name));
    return `${String(name)} ${lstatSync(file).isFile() ? readFileSync(file, "utf8") : ""}`;
  });
}
