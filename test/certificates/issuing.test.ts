import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { test } from "node:test";
import { openCertificates } from "../../src/certificates/certificates.ts";
import { openssl, temporaryFolder } from "./fixture.ts";

const day = 24 * 3600_000;

test("TL-06: keys are P-256, signatures SHA-256, serials 127 bits and unique, and validity is within the limit", async (t) => {
  const folder = temporaryFolder(t);
  const certificates = await openCertificates({ folder });
  const serials = new Set<string>();
  const rotations = 20;
  for (let n = 0; n < rotations; n++) {
    await certificates.rotate();
    const { authority, server, client } = certificates.current();
    for (const { certificate } of [authority, server, client])
      serials.add(new X509Certificate(certificate).serialNumber);
    for (const { certificate } of [server, client]) {
      const { validFromDate, validToDate } = new X509Certificate(certificate);
      assert.ok(validToDate.getTime() - validFromDate.getTime() <= 825 * day);
      assert.ok(Date.now() - validFromDate.getTime() < day);
    }
  }
  assert.equal(serials.size, 2 * rotations + 1);
  for (const serial of serials) assert.match(serial, /^[4-7][0-9A-F]{31}$/);
  for (const name of ["ca", "server", "client"]) {
    const text = openssl("x509", "-in", join(folder, "current", `${name}.pem`), "-noout", "-text");
    assert.match(text, /Signature Algorithm: ecdsa-with-SHA256/);
    assert.match(text, /ASN1 OID: prime256v1/);
    assert.doesNotMatch(text, /SHA1|rsaEncryption/i);
  }
});

test("TL-06: a certificate never begins before its authority, even if the clock was set back", async (t) => {
  const folder = temporaryFolder(t);
  let now = Date.now();
  const certificates = await openCertificates({ folder, now: () => now });
  now = 0;
  await certificates.rotate();
  const { authority, server, client } = certificates.current();
  const from = (certificate: string) => new X509Certificate(certificate).validFromDate.getTime();
  for (const { certificate } of [server, client]) assert.equal(from(certificate), from(authority.certificate));
  openssl("verify", "-CAfile", join(folder, "current/ca.pem"), join(folder, "current/client.pem"));
});

test("a rotation near the authority's end replaces the authority, so that no certificate outlives it", async (t) => {
  const folder = temporaryFolder(t);
  let now = Date.now();
  const certificates = await openCertificates({ folder, now: () => now });
  const first = certificates.current().authority.certificate;
  const end = (certificate: string) => new X509Certificate(certificate).validToDate.getTime();
  now += 2800 * day;
  await certificates.rotate();
  assert.equal(certificates.current().authority.certificate, first);
  now += 100 * day;
  await certificates.rotate();
  const { authority, client, server } = certificates.current();
  assert.notEqual(authority.certificate, first);
  for (const { certificate } of [server, client]) assert.ok(end(certificate) <= end(authority.certificate));
  assert.notEqual(new X509Certificate(first).subject, new X509Certificate(authority.certificate).subject);
});

test("TL-05: only the authority may sign, and each other certificate has exactly one purpose", async (t) => {
  const folder = temporaryFolder(t);
  await openCertificates({ folder });
  const purposes = (name: string) =>
    openssl("x509", "-in", join(folder, "current", `${name}.pem`), "-noout", "-purpose", "-subject");
  assert.match(purposes("client"), /^SSL client : Yes$/m);
  assert.match(purposes("client"), /^SSL server : No$/m);
  assert.match(purposes("client"), /^subject=CN = Gantry client$/m);
  assert.match(purposes("server"), /^SSL client : No$/m);
  assert.match(purposes("server"), /^SSL server : Yes$/m);
  for (const name of ["client", "server"]) assert.match(purposes(name), /^SSL server CA : No$/m);
  assert.match(purposes("ca"), /^SSL client CA : Yes$/m);
});
