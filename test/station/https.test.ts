import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { copyFileSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { connect } from "node:http2";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { temporaryFolder } from "../certificates/fixture.ts";
import { until } from "../support/daemon.ts";
import { adminPassword, startStation, type TestStation } from "../support/station.ts";

let station: TestStation;
before(async () => {
  station = await startStation({ https: true, flags: ["--tls"] });
});
after(() => station.close());

const authority = () => join(station.dataDir, "tls/current/ca.pem");

/** curl checks the certificate by the authority's. */
function curl(...args: string[]): string {
  return execFileSync("curl", ["-sS", "-m", "20", "--cacert", authority(), ...args], { encoding: "utf8" });
}

function login(...args: string[]): string {
  return curl("-i", ...args, "-d", `username=admin&password=${adminPassword}`, `${station.url}/api/v1/login`);
}

test("HTTPS by HTTP/1.1 and 2: the whole way of a login, the cookie for TLS only", () => {
  for (const [version, line] of [
    ["--http1.1", "HTTP/1.1 200 OK"],
    ["--http2", "HTTP/2 200"],
  ] as const) {
    const answer = login(version);
    assert.ok(answer.startsWith(line), answer);
    assert.match(answer, /^set-cookie: CS_SESS_ID=[^=;]+; Path=\/; HttpOnly; SameSite=Lax; Secure\r$/m);
    const cookie = /CS_SESS_ID=[^;]+/.exec(answer)?.[0] ?? "";
    const get = (path: string) => curl("-i", version, "-b", cookie, `${station.url}/api/v1${path}`);
    assert.match(get("/system/port/tcp/1"), /"used": false/);
    assert.match(get("/nowhere"), /^HTTP\/\S+ 404/);
    assert.match(get("/tls/export/registry"), /BEGIN CERTIFICATE/);
    const bad = curl(
      "-i",
      version,
      "-b",
      cookie,
      "-X",
      "PUT",
      "-d",
      '{"domain_names": "a b"}',
      `${station.url}/api/v1/tls/domain_names`,
    );
    assert.match(bad, /^HTTP\/\S+ 400[\s\S]*"domain_names must be/);
    assert.match(curl("-i", version, "-b", cookie, "-X", "PATCH", `${station.url}/api/v1/system`), /^HTTP\/\S+ 405/);
    assert.match(curl("-i", version, `${station.url}/api/v1/system`), /^HTTP\/\S+ 401/);
    assert.match(
      curl("-i", version, "-b", cookie, "-X", "PUT", `${station.url}/api/v1/logout`),
      /Max-Age=0; Secure\r$/m,
    );
  }
});

test("a body over the limit is refused by both, and a page of another site", () => {
  const file = join(station.folder, "large");
  writeFileSync(file, `{"username": "${"a".repeat(2 << 20)}"}`);
  for (const version of ["--http1.1", "--http2"]) {
    const large = spawnSync("curl", [
      "-s",
      "-i",
      "-m",
      "20",
      version,
      "--cacert",
      authority(),
      "-d",
      `@${file}`,
      `${station.url}/api/v1/login`,
    ]);
    assert.match(large.stdout.toString(), /^HTTP\/\S+ 413/m, version);
    const foreign = login(version, "-H", "Origin: https://evil.example");
    assert.match(foreign, /^HTTP\/\S+ 403/, version);
    const own = login(version, "-H", `Origin: ${station.url}`);
    assert.match(own, /^HTTP\/\S+ 200/, version);
  }
});

test("event streams run by both, and end with the station's orderly end", async (t) => {
  const other = await startStation({ https: true, flags: ["--tls"] });
  t.after(() => other.close());
  const ca = ["--cacert", join(other.dataDir, "tls/current/ca.pem")];
  const answer = execFileSync("curl", [
    "-sSi",
    ...ca,
    "-d",
    `username=admin&password=${adminPassword}`,
    `${other.url}/api/v1/login`,
  ]);
  const cookie = /CS_SESS_ID=[^;]+/.exec(answer.toString())?.[0] ?? "";
  const streams = ["--http1.1", "--http2"].map((version) => {
    const child = spawn("curl", ["-sSNi", version, ...ca, "-b", cookie, `${other.url}/api/v1/event/stream`]);
    const stream = { seen: "", code: undefined as number | null | undefined };
    child.stdout.on("data", (chunk: Buffer) => (stream.seen += chunk.toString()));
    child.once("exit", (code) => (stream.code = code));
    return stream;
  });
  assert.ok(await until(() => streams.every(({ seen }) => seen.includes("text/event-stream")), 60_000));
  const remove = ["-sS", ...ca, "-b", cookie, "-d", '[{"type": "docker", "image": "none", "tag": "1", "id": "none"}]'];
  execFileSync("curl", [...remove, `${other.url}/api/v1/background/image_remove`]);
  const complete = () => streams.every(({ seen }) => seen.includes('"state":"error"'));
  assert.ok(await until(complete, 20_000), JSON.stringify(streams));
  const begun = Date.now();
  assert.equal(await other.stop(), 0);
  assert.ok(Date.now() - begun < 6_000, `${Date.now() - begun} ms`);
  assert.ok(await until(() => streams.every(({ code }) => code !== undefined), 60_000));
});

test("nothing below TLS 1.2 is spoken, and HTTP is not answered", () => {
  const { host } = new URL(station.url);
  const attempt = (...args: string[]) => {
    const { stdout } = spawnSync("openssl", ["s_client", "-connect", host, ...args], { input: "", encoding: "utf8" });
    return /Cipher is (?!\(NONE\))\S+/.test(stdout);
  };
  assert.deepEqual(
    ["-tls1_2", "-tls1_3"].map((version) => attempt(version)),
    [true, true],
  );
  for (const version of ["-tls1", "-tls1_1"])
    assert.equal(attempt(version, "-cipher", "ALL:@SECLEVEL=0"), false, version);
  const plain = spawnSync("curl", ["-sS", "-m", "5", `http://${host}/healthz`], { encoding: "utf8" });
  assert.notEqual(plain.status, 0);
  assert.equal(plain.stdout, "");
});

function shownSerial(): Promise<string> {
  const { hostname, port } = new URL(station.url);
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host: hostname, port: Number(port), rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.serialNumber ?? "");
      socket.destroy();
    });
    socket.once("error", reject);
  });
}

test("a renewed certificate is shown without a restart, and open connections go on", async () => {
  const cookie = /CS_SESS_ID=[^;]+/.exec(login())?.[0] ?? "";
  const before = await shownSerial();
  const session = connect(station.url, { ca: readFileSync(authority()) });
  const ask = () =>
    new Promise<number>((resolve, reject) => {
      const stream = session.request({ ":path": "/healthz" });
      stream.once("response", (headers) => resolve(Number(headers[":status"])));
      stream.once("error", reject).resume().end();
    });
  assert.equal(await ask(), 200);
  curl("-b", cookie, "-X", "PUT", "-d", '{"domain_names": "nas.example"}', `${station.url}/api/v1/tls/domain_names`);
  assert.notEqual(await shownSerial(), before);
  const { port } = new URL(station.url);
  const named = ["--resolve", `nas.example:${port}:127.0.0.1`, `https://nas.example:${port}/healthz`];
  assert.match(curl(...named), /"status": "ok"/);
  assert.equal(await ask(), 200);
  session.close();
});

/** A self-signed pair, as files. */
function makePair(folder: string, name: string): { cert: string; key: string } {
  const [cert, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  const subject = ["-subj", `/CN=${name}`, "-addext", "subjectAltName=IP:127.0.0.1"];
  const request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...subject];
  execFileSync("openssl", [...request, "-out", cert, "-keyout", key], { stdio: "ignore" });
  return { cert, key };
}

test("given files are used, and read again when they change; what is no pair is not", async (t) => {
  const folder = temporaryFolder(t);
  const given = makePair(folder, "given");
  const next = makePair(folder, "next");
  const own = await startStation({ https: true, flags: ["--tls", "--tls-cert", given.cert, "--tls-key", given.key] });
  t.after(() => own.close());
  const works = (ca: string) => spawnSync("curl", ["-s", "-m", "5", "--cacert", ca, `${own.url}/healthz`]).status === 0;
  const first = join(folder, "first.crt");
  copyFileSync(given.cert, first);
  assert.equal(works(first), true);
  // For a moment they do not belong together.
  renameSync(next.cert, given.cert);
  assert.ok(await until(() => own.errors().includes("are no pair"), 15_000));
  assert.equal(works(first), true);
  copyFileSync(given.cert, join(folder, "second.crt"));
  renameSync(next.key, given.key);
  assert.ok(await until(() => works(join(folder, "second.crt")), 15_000));
  assert.equal(works(first), false);
});

test("files that are no pair stop the start with one sentence", async (t) => {
  const folder = temporaryFolder(t);
  const [one, other] = [makePair(folder, "one"), makePair(folder, "other")];
  const start = (cert: string, key: string) =>
    startStation({ https: true, flags: ["--tls", "--tls-cert", cert, "--tls-key", key] });
  await assert.rejects(
    start(one.cert, other.key),
    /ended with 2: The key .*other\.key does not belong to the certificate/,
  );
  await assert.rejects(start(one.cert, join(folder, "none")), /ended with 2: .*none cannot be read/);
  await assert.rejects(start(one.key, one.key), /ended with 2: .* are no certificate and key in PEM/);
});
