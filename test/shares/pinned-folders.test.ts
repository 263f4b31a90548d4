import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createPinnedFolders } from "../../src/shares/pinned-folders.ts";
import { mountFolder, readMounts } from "../../src/shares/mounts.ts";
import { createShares } from "../../src/shares/shares.ts";

const folder = mkdtempSync(join(tmpdir(), "pins-"));
const at = (...path: string[]) => join(folder, ...path);
const root = at("run/station");
mkdirSync(at("public/op/d"), { recursive: true });
mkdirSync(at("run"));
writeFileSync(at("public/op/d/mark"), "of the share");
mkdirSync(at("secret"));
writeFileSync(at("secret/key"), "of the host");
const shares = createShares({ Public: at("public") });
const pins = createPinnedFolders(shares, root);
const place = shares.parse("/Public/op/d", "f");

after(async () => {
  for (const { point } of (await readMounts()).toReversed()) {
    if (point.startsWith(`${folder}/`)) execFileSync("umount", ["-l", point]);
  }
  rmSync(folder, { recursive: true });
});

async function mountsAt(point: string): Promise<number> {
  return (await readMounts()).filter((mount) => mount.point === point).length;
}

test("a pin shows the folder, without power for setuid programs and devices, and goes again", async () => {
  const [pin = ""] = await pins.pin("docker", 7, [place]);
  assert.equal(pin, join(root, "docker/7/Public%2Fop%2Fd"));
  assert.equal(readFileSync(join(pin, "mark"), "utf8"), "of the share");
  const mount = (await readMounts()).find(({ point }) => point === pin);
  assert.ok(mount?.options.has("nosuid") && mount.options.has("nodev"));
  assert.equal(statSync(join(root, "docker")).mode & 0o777, 0o700, "nobody but root reaches it");
  assert.deepEqual(pins.placeOf(pin), place);
  assert.equal(pins.taskOf(pin), 7);
  await pins.release("docker", 7);
  assert.deepEqual(readdirSync(join(root, "docker")), []);
  assert.equal(readFileSync(at("public/op/d/mark"), "utf8"), "of the share", "the folder itself is untouched");
  await pins.release("docker", 7);
});

test("pinning again mounts nothing twice", async () => {
  const [pin = ""] = await pins.pin("docker", 8, [place, place]);
  await pins.pin("docker", 8, [place]);
  assert.equal(await mountsAt(pin), 1);
  await pins.release("docker", 8);
});

test("a folder that is exchanged between its opening and its mounting is mounted all the same", async () => {
  const opened = await shares.openFolder(place);
  renameSync(at("public/op/d"), at("public/op/old"));
  symlinkSync(at("secret"), at("public/op/d"));
  mkdirSync(at("target"));
  await mountFolder(opened.handle, at("target"));
  await opened.handle.close();
  assert.deepEqual(readdirSync(at("target")), ["mark"]);
  await assert.rejects(pins.pin("docker", 9, [place]), /leads through a link/);
  rmSync(at("public/op/d"));
  renameSync(at("public/op/old"), at("public/op/d"));
});

test("mount(8) gives the kernel the descriptor and resolves no path", async () => {
  const trace = at("trace");
  const script = `exec 3<${at("public/op/d")}; exec strace -f -o ${trace} -e trace=mount,move_mount,open_tree \
    mount --no-canonicalize --bind -o nosuid,nodev -- /proc/self/fd/3 ${at("traced")}`;
  mkdirSync(at("traced"));
  execFileSync("sh", ["-c", script]);
  assert.match(readFileSync(trace, "utf8"), /^\d+ +(?:mount|open_tree)\([^\n]*"\/proc\/self\/fd\/3"/m);
});

test("after a reboot a pin is missing until it is restored", async () => {
  const [pin = ""] = await pins.pin("lxd", 10, [place]);
  assert.deepEqual(await pins.restore([pin]), [], "it is there");
  execFileSync("umount", ["-l", pin]);
  execFileSync("umount", ["-l", root]);
  assert.equal(existsSync(pin), false);
  assert.deepEqual(await pins.missing([pin, "/other", at("public")]), [pin]);
  assert.deepEqual(await pins.restore([pin, "/other"]), [pin]);
  assert.deepEqual(readdirSync(pin), ["mark"]);
  assert.deepEqual(await pins.tasks("lxd"), [10]);
  await pins.release("lxd", 10);
});

test("a start takes the folder that lies in the share by now; a link there is not followed", async () => {
  const [pin = ""] = await pins.pin("docker", 11, [place]);
  renameSync(at("public/op/d"), at("public/op/old"));
  symlinkSync(at("secret"), at("public/op/d"));
  assert.deepEqual(await pins.restore([pin], { anew: true }), []);
  assert.deepEqual(readdirSync(pin), ["mark"], "what was pinned stays");
  rmSync(at("public/op/d"));
  mkdirSync(at("public/op/d"));
  await pins.restore([pin], { anew: true });
  assert.deepEqual(readdirSync(pin), []);
  assert.equal(await mountsAt(pin), 1);
  await pins.release("docker", 11);
  rmSync(at("public/op/d"), { recursive: true });
  renameSync(at("public/op/old"), at("public/op/d"));
});

test("names of every kind and length come back from a pin", async () => {
  const long = Array.from({ length: 4 }, (_, index) => `${"ü".repeat(120)}${index}`);
  for (const components of [["a:b", "c%2Fd"], ["with space", "ende:"], long]) {
    mkdirSync(at("public", ...components), { recursive: true });
    const odd = shares.parse(`/Public/${components.join("/")}`, "f");
    const [pin = ""] = await pins.pin("lxc", 12, [odd]);
    assert.deepEqual(pins.placeOf(pin), odd);
  }
  await pins.release("lxc", 12);
  assert.deepEqual(await pins.tasks("lxc"), []);
});
