import assert from "node:assert/strict";
import { createCipheriv } from "node:crypto";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { hasCode } from "../../src/errors.ts";
import { openSecrets } from "../../src/services/secrets/secrets.ts";

const folder = () => mkdtempSync(join(tmpdir(), "secrets-"));

test("SC-06: what was sealed opens for the same context only, and with the same key only", () => {
  const place = folder();
  const secrets = openSecrets(place, true);
  for (const plain of ["password", "ü \0\n ü", "p".repeat(5000)]) {
    const sealed = secrets.seal(plain, "registry a");
    assert.equal(openSecrets(place, false).open(sealed, "registry a"), plain);
    assert.equal(Buffer.from(sealed, "base64").includes(plain), false);
    assert.notEqual(secrets.seal(plain, "registry a"), sealed, "a new nonce each time");
    for (const context of ["registry b", "", "registry A"]) assert.throws(() => secrets.open(sealed, context), refused);
    assert.throws(() => openSecrets(folder(), true).open(sealed, "registry a"), refused);
  }
  assert.equal(secrets.seal("", "x"), "");
  assert.equal(secrets.open("", "x"), "");
});

function refused(error: unknown): boolean {
  assert.ok(hasCode(error, "conflict"), String(error));
  assert.match(error.message, /^The stored secret of .* cannot be opened; enter it again\.$/);
  return true;
}

test("SC-06: a change of any byte is seen, and so is what was cut or is no ciphertext", () => {
  const secrets = openSecrets(folder(), true);
  const sealed = Buffer.from(secrets.seal("password", "c"), "base64");
  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.throws(() => secrets.open(changed.toString("base64"), "c"), refused, `byte ${at}`);
  }
  // Also a shortened tag, of which GCM would otherwise check only what is there.
  for (const length of [1, 11, 12, 16, 20, 27, 28, sealed.length - 1]) {
    assert.throws(() => secrets.open(sealed.subarray(0, length).toString("base64"), "c"), refused, `${length} bytes`);
  }
  for (const text of ["AAAA", "not base64 at all!", "ü"]) assert.throws(() => secrets.open(text, "c"), refused, text);
});

test("a true tag that was shortened does not count", () => {
  const place = folder();
  const secrets = openSecrets(place, true);
  const nonce = Buffer.alloc(12, 7);
  const cipher = createCipheriv("aes-256-gcm", readFileSync(join(place, "secret.key")), nonce).setAAD(Buffer.from("c"));
  cipher.final();
  const tag = cipher.getAuthTag();
  assert.equal(secrets.open(Buffer.concat([nonce, tag]).toString("base64"), "c"), "", "the whole one counts");
  for (const length of [4, 8, 12, 15]) {
    const short = Buffer.concat([nonce, tag.subarray(0, length)]).toString("base64");
    assert.throws(() => secrets.open(short, "c"), refused, `${length} bytes`);
  }
});

test("SC-07: the key is made once, for its user only; one that is missing, damaged or readable is an error", () => {
  const place = folder();
  openSecrets(place, true);
  const file = join(place, "secret.key");
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const key = readFileSync(file);
  assert.equal(key.length, 32);
  openSecrets(place, true);
  assert.deepEqual(readFileSync(file), key, "an old key is not replaced");

  for (const mode of [0o640, 0o604, 0o602]) {
    chmodSync(file, mode);
    assert.throws(() => openSecrets(place, false), /can be read by others: chmod 600/);
  }
  for (const damaged of [key.subarray(1), Buffer.concat([key, key]), Buffer.alloc(0)]) {
    rmSync(file);
    writeFileSync(file, damaged, { mode: 0o600 });
    assert.throws(() => openSecrets(place, true), /is damaged/);
  }
  rmSync(file);
  assert.throws(() => openSecrets(place, false), /is missing: put it back/);
  writeFileSync(join(place, "elsewhere"), key, { mode: 0o600 });
  symlinkSync("elsewhere", file);
  assert.throws(() => openSecrets(place, false), /is damaged/);
});
