import assert from "node:assert/strict";
import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openCertificates } from "../../src/certificates/certificates.ts";
import type { Generation } from "../../src/certificates/generations.ts";
import { keysOf, openssl, rotateUntil, temporaryFolder } from "./fixture.ts";

/** Checks by openssl, not by the station's own code, that keys fit their certificates and the authority signed them. */
function assertWhole(folder: string): void {
  const current = join(folder, "current");
  for (const name of ["ca", "server", "client"]) {
    const { certificate, key } = keysOf(current, name);
    assert.equal(certificate, key, name);
  }
  for (const name of ["server", "client"])
    openssl("verify", "-CAfile", join(current, "ca.pem"), join(current, `${name}.pem`));
}

function certificatesOf({ server, client }: Generation): [string, string] {
  return [server.certificate, client.certificate];
}

test("a rotation replaces the server's and the client's pair and keeps the authority", async (t) => {
  const folder = temporaryFolder(t);
  const certificates = await openCertificates({ folder });
  let changes = 0;
  certificates.onChange(() => changes++);
  const before = certificates.current();
  await certificates.rotate();
  const after = certificates.current();
  assert.equal(after.authority.certificate, before.authority.certificate);
  assert.notEqual(after.server.certificate, before.server.certificate);
  assert.notEqual(after.client.certificate, before.client.certificate);
  assert.equal(changes, 1);
  assertWhole(folder);
  assert.deepEqual((await openCertificates({ folder })).current(), after);
  assert.deepEqual(readdirSync(folder).toSorted(), ["current", "generation-2"]);
});

test("if the station is killed at any step of a rotation, the old or the new pairs are there, whole and never mixed", async (t) => {
  const folder = temporaryFolder(t);
  const base = join(folder, "base");
  const before = (await openCertificates({ folder: base })).current();
  let step = 1;
  const seen = { old: 0, new: 0 };
  for (; ; step++) {
    const trial = join(folder, `trial-${step}`);
    cpSync(base, trial, { recursive: true, verbatimSymlinks: true });
    const { output, signal } = await rotateUntil(trial, step);
    assertWhole(trial);
    const found = await openCertificates({ folder: trial });
    const [server, client] = certificatesOf(found.current());
    const [oldServer, oldClient] = certificatesOf(before);
    assert.equal(server === oldServer, client === oldClient, `step ${step} mixes`);
    seen[server === oldServer ? "old" : "new"]++;
    if (signal === null) {
      assert.equal(output, `rotated in ${step - 1} calls\n`);
      break;
    }
    assert.equal(signal, "SIGKILL");
    // Files that the killed process left behind do not disturb the next rotation.
    await found.rotate();
    assertWhole(trial);
    assert.equal(readdirSync(trial).length, 2);
  }
  assert.ok(seen.old > 10 && seen.new > 2, JSON.stringify({ step, ...seen }));
  t.diagnostic(`killed at ${step - 1} steps: ${seen.old} times the old pairs, ${seen.new} times the new ones`);
});

test("if the station is killed at any step of its first start, the next start has whole certificates", async (t) => {
  const folder = temporaryFolder(t);
  let step = 1;
  for (; ; step++) {
    const trial = join(folder, `trial-${step}`);
    mkdirSync(trial);
    const { signal } = await rotateUntil(trial, step);
    await openCertificates({ folder: trial });
    assertWhole(trial);
    // The first start is over; the test before covers the rotation that follows.
    if (signal === null || existsSync(join(trial, "generation-2"))) break;
  }
  assert.ok(step > 10, String(step));
});

test("TL-01: folders have mode 0700 and files 0600, whatever the umask", async (t) => {
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
