import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, renameSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { hasCode } from "../../src/errors.ts";
import { createShares } from "../../src/shares/shares.ts";

const root = mkdtempSync(join(tmpdir(), "shares-"));
const shares = createShares({
  Public: join(root, "public"),
  Gone: join(root, "gone"),
  Linked: join(root, "link"),
  "ü b": join(root, "other"),
});
mkdirSync(join(root, "public/a/b c"), { recursive: true });
symlinkSync("public", join(root, "link"));
/** Returns the identity of what is opened, as `stat` has it. */
async function open(path: string): Promise<{ dev: bigint; ino: bigint }> {
  const { handle, device, inode } = await shares.openFolder(shares.parse(path, "field"));
  await handle.close();
  return { dev: device, ino: inode };
}
function identity(path: string): { dev: bigint; ino: bigint } {
  const { dev, ino } = statSync(path, { bigint: true });
  return { dev, ino };
}

test("paths are taken apart, and nothing in them leads out", () => {
  assert.deepEqual(shares.parse("/Public", "f"), { share: "Public", components: [] });
  assert.deepEqual(shares.parse("/Public/", "f"), { share: "Public", components: [] });
  assert.deepEqual(shares.parse("/ü b/x:y/z w", "f"), { share: "ü b", components: ["x:y", "z w"] });
  const wrong = [
    "",
    "/",
    "//",
    "Public",
    "Public/a",
    "/public",
    "/Publi",
    "/Public//",
    "/Public//a",
    "/Public/./a",
    "/Public/..",
    "/Public/../x",
  ];
  wrong.push(
    "/__proto__",
    "/constructor",
    "/../etc",
    "/Public/a\0",
    "/Public/a\n",
    `/Public/${"x".repeat(256)}`,
    `/Public/${"ü".repeat(128)}`,
  );
  wrong.push(`/Public${"/x".repeat(2048)}`, "/Public\0");
  for (const path of wrong) {
    assert.throws(
      () => shares.parse(path, "volume"),
      (error) => hasCode(error, "invalid") && error.details?.["field"] === "volume",
      JSON.stringify(path),
    );
  }
});

test("a folder of a share is opened, whatever link the share's own folder is given by", async () => {
  assert.deepEqual(await open("/Public/a/b c"), identity(join(root, "public/a/b c")));
  assert.deepEqual(await open("/Public"), identity(join(root, "public")));
  assert.deepEqual(await open("/Linked/a"), identity(join(root, "public/a")));
});

test("links, files, what is missing and other file systems are refused", async () => {
  const at = (...path: string[]) => join(root, "public", ...path);
  symlinkSync("/etc", at("etc"));
  symlinkSync("a", at("inner"));
  symlinkSync("loop", at("loop"));
  writeFileSync(at("file"), "");
  execFileSync("mkfifo", [at("fifo")]);
  mkdirSync(at("mounted"));
  execFileSync("mount", ["-t", "tmpfs", "tmpfs", at("mounted")]);
  mkdirSync(at("mounted/x"));
  try {
    for (const path of [
      "etc",
      "etc/ssl",
      "inner",
      "inner/b c",
      "loop",
      "file",
      "file/x",
      "fifo",
      "mounted",
      "mounted/x",
    ]) {
      await assert.rejects(open(`/Public/${path}`), (error) => hasCode(error, "forbidden"), path);
    }
  } finally {
    execFileSync("umount", [at("mounted")]);
  }
  await assert.rejects(open("/Public/none"), /^AppError: The folder \/Public\/none does not exist; create it first\.$/);
  await assert.rejects(open("/Gone"), /shared folder \/Gone does not exist/);
  await assert.rejects(open("/Gone/a"), /shared folder \/Gone does not exist/);
});

test("exchanged while it is looked at: what is opened is a folder of the share, or nothing", async () => {
  const [place, aside] = [join(root, "public/swapped"), join(root, "public/aside")];
  mkdirSync(join(place, "deep"), { recursive: true });
  mkdirSync(join(root, "outside/deep"), { recursive: true });
  const outside = statSync(join(root, "outside/deep"), { bigint: true }).ino;
  let over = false;
  const swapping = (async () => {
    while (!over) {
      renameSync(place, aside);
      symlinkSync(join(root, "outside"), place);
      await new Promise(setImmediate);
      execFileSync("rm", [place]);
      renameSync(aside, place);
      await new Promise(setImmediate);
    }
  })();
  const found = new Set<bigint | undefined>();
  for (let i = 0; i < 100; i++) {
    found.add((await open("/Public/swapped/deep").catch(() => undefined))?.ino);
  }
  over = true;
  await swapping;
  assert.equal(found.has(outside), false);
});

test("no file descriptor is left open", async () => {
  const count = () => readdirSync("/proc/self/fd").length;
  const before = count();
  for (const path of ["/Public/a/b c", "/Public/none", "/Public/etc/ssl", "/Gone", "/Public/file"])
    await open(path).catch(() => undefined);
  assert.equal(count(), before);
});
