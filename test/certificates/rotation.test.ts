import assert from "node:assert/strict";
import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openCertificates } from "../../src/certificates/certificates.ts";
import type { Generation } from "../../src/certificates/generations.ts";
import { keysOf, openssl, rotateUntil, temporaryFolder } from "./fixture.ts";

/** Every key is its certificate's, and every certificate the authority's: by openssl, not by the station's own code. */
function assertWhole(folder: string): void {
  const current = join(folder, "current");
  for (const name of ["ca", "server", "client"]) {
    const { certificate, key } = keysOf(current, name);
    assert.equal(certificate, key, name);
  }
  for (const name of ["server", "client"])
    openssl("verify", "-CAfile", join(current, "ca.pem"), join(current, `${name}.pem`));
}

function halvesOf({ server, client }: Generation): [string, string] {
  return [server.certificate, client.certificate];
}

test("a rotation replaces the server's and the client's pair; the authority stays", async (t) => {
  const folder = temporaryFolder(t);
  const certificates = await openCertificates({ folder });
  let told = 0;
  certificates.onChange(() => told++);
  const before = certificates.current();
  await certificates.rotate();
  const after = certificates.current();
  assert.equal(after.authority.certificate, before.authority.certificate);
  assert.notEqual(after.server.certificate, before.server.certificate);
  assert.notEqual(after.client.certificate, before.client.certificate);
  assert.equal(told, 1);
  assertWhole(folder);
  assert.deepEqual((await openCertificates({ folder })).current(), after);
  assert.deepEqual(readdirSync(folder).toSorted(), ["current", "generation-2"]);
});

test("killed at every step of a rotation: the old pairs or the new ones, whole and never mixed", async (t) => {
  const folder = temporaryFolder(t);
  const base = join(folder, "base");
  const before = (await openCertificates({ folder: base })).current();
  let step = 1;
  const seen = { old: 0, new: 0 };
  for (; ; step++) {
    const trial = join(folder, `trial-${step}`);
    cpSync(base, trial, { recursive: true, verbatimSymlinks: true });
    const { said, signal } = await rotateUntil(trial, step);
    assertWhole(trial);
    const found = await openCertificates({ folder: trial });
    const [server, client] = halvesOf(found.current());
    const [oldServer, oldClient] = halvesOf(before);
    assert.equal(server === oldServer, client === oldClient, `step ${step} mixes`);
    seen[server === oldServer ? "old" : "new"]++;
    if (signal === null) {
      assert.equal(said, `rotated in ${step - 1} calls\n`);
      break;
    }
    assert.equal(signal, "SIGKILL");
    // What the kill left is in nobody's way.
    await found.rotate();
    assertWhole(trial);
    assert.equal(readdirSync(trial).length, 2);
  }
  assert.ok(seen.old > 10 && seen.new > 2, JSON.stringify({ step, ...seen }));
  t.diagnostic(`killed at ${step - 1} steps: ${seen.old} times the old pairs, ${seen.new} times the new ones`);
});

test("killed at every step of the first start: the next start has whole certificates", async (t) => {
  const folder = temporaryFolder(t);
  let step = 1;
  for (; ; step++) {
    const trial = join(folder, `trial-${step}`);
    mkdirSync(trial);
    const { signal } = await rotateUntil(trial, step);
    await openCertificates({ folder: trial });
    assertWhole(trial);
    // The rotation that follows is another test's.
    if (signal === null || existsSync(join(trial, "generation-2"))) break;
  }
  assert.ok(step > 10, String(step));
});

test("TL-01 folders are 0700 and files 0600, whatever the umask", async (t) => {
  const folder = temporaryFolder(t);
  for (const mask of [0o000, 0o022, 0o077]) {
    const before = process.umask(mask);
    t.after(() => process.umask(before));
    const trial = join(folder, String(mask));
    const certificates = await openCertificates({ folder: trial });
    await certificates.rotate();
    process.umask(before);
    const mode = (path: string) => (lstatSync(path).mode & 0o777).toString(8);
    assert.equal(mode(trial), "700");
    const present = join(trial, "generation-2");
    assert.equal(mode(present), "700");
    const names = readdirSync(present);
    assert.equal(names.length, 7);
    for (const name of names) assert.equal(mode(join(present, name)), "600", name);
  }
});
