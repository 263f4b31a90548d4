import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openCertificates } from "../../src/certificates/certificates.ts";
import { hasCode } from "../../src/errors.ts";
import { keysOf, openssl, temporaryFolder } from "./fixture.ts";

test("TL-04: a rotation on a full disk leaves the old certificates intact, and the next one with room succeeds", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "small-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k,mode=700", "tmpfs", folder]);
  t.after(() => {
    execFileSync("umount", ["-l", folder]);
    rmdirSync(folder);
  });
  const tls = join(folder, "tls");
  const certificates = await openCertificates({ folder: tls });
  const before = certificates.current();
  // Room for a few more files, and for all of them: every place to fail is met.
  for (let free = 0; ; free++) {
    fill(join(folder, "filler"), free);
    const outcome = await certificates.rotate().then(
      () => "rotated",
      (error: unknown) => error,
    );
    if (outcome === "rotated") break;
    assert.ok(hasCode(outcome, "disk_full"), String(outcome));
    assert.deepEqual(certificates.current(), before);
    assert.deepEqual((await openCertificates({ folder: tls })).current(), before);
    assert.equal(readdirSync(tls).length, 2, "nothing is left of it");
    assert.ok(free < 20);
  }
  assert.notDeepEqual(certificates.current(), before);
});

/** Fills the disk but for so many pages. */
function fill(path: string, pages: number): void {
  execFileSync("rm", ["-f", "--", path]);
  const free = execFileSync("stat", ["-f", "-c", "%a", "--", join(path, "..")], { encoding: "utf8" });
  const size = Math.max(0, Number(free) - pages) * 4096;
  writeFileSync(path, Buffer.alloc(size, 1));
}

test("files that others can read, or that do not belong together, stop the start with advice", async (t) => {
  const folder = temporaryFolder(t);
  await openCertificates({ folder });
  const key = join(folder, "current", "server-key.pem");
  chmodSync(key, 0o640);
  await assert.rejects(openCertificates({ folder }), /server-key\.pem can be read by others: chmod 600 it first\.$/);
  chmodSync(key, 0o600);
  const good = readFileSync(key, "utf8");
  copyFileSync(join(folder, "current", "client-key.pem"), key);
  const damaged = /are damaged: put them back, or remove that folder/;
  await assert.rejects(openCertificates({ folder }), damaged);
  writeFileSync(key, good.slice(0, 100));
  await assert.rejects(openCertificates({ folder }), damaged);
  writeFileSync(key, good);
  await openCertificates({ folder });
});

test("domain names are added to the server's certificate, and the client's pair stays", async (t) => {
  const folder = temporaryFolder(t);
  const certificates = await openCertificates({ folder });
  const { client, server } = certificates.current();
  await certificates.setDomainNames(["user.example.org", "*.lan.example", "192.0.2.77", "2001:db8::7"]);
  assert.equal(certificates.current().client.certificate, client.certificate);
  assert.notEqual(certificates.current().server.certificate, server.certificate);
  const file = join(folder, "current", "server.pem");
  const check = (...args: string[]) => openssl("x509", "-in", file, "-noout", ...args);
  for (const name of ["user.example.org", "a.lan.example", "localhost"])
    assert.match(check("-checkhost", name), /does match certificate/, name);
  for (const ip of ["192.0.2.77", "2001:db8::7", "127.0.0.1", "::1"])
    assert.match(check("-checkip", ip), /does match certificate/, ip);
  assert.match(check("-checkhost", "a.b.lan.example"), /does NOT match/);
  await certificates.setDomainNames([]);
  assert.match(check("-checkhost", "user.example.org"), /does NOT match/);
  assert.deepEqual(Object.values(keysOf(join(folder, "current"), "server")).length, 2);
});

test("the server's certificate is renewed only shortly before its end and if the host has a new address", async (t) => {
  const folder = temporaryFolder(t);
  let now = Date.now();
  const certificates = await openCertificates({ folder, now: () => now });
  const first = certificates.current();
  await certificates.renew();
  assert.equal(certificates.current(), first);
  execFileSync("ip", ["address", "add", "198.51.100.9/32", "dev", "lo"]);
  t.after(() => execFileSync("ip", ["address", "del", "198.51.100.9/32", "dev", "lo"]));
  await certificates.renew();
  const second = certificates.current();
  assert.notEqual(second.server.certificate, first.server.certificate);
  now += 800 * 24 * 3600_000;
  await certificates.renew();
  const third = certificates.current();
  assert.notEqual(third.server.certificate, second.server.certificate);
  assert.equal(third.client.certificate, first.client.certificate);
});
