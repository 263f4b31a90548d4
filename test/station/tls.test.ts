import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openCertificates } from "../../src/certificates/certificates.ts";
import { hasCode } from "../../src/errors.ts";
import { createCertificateService } from "../../src/services/system/certificates.ts";
import type { Caller } from "../../src/services/contract/services.ts";
import { roles, type Role } from "../../src/storage/account-store.ts";
import { temporaryFolder } from "../certificates/fixture.ts";
import { download } from "../gateway/bundle.ts";
import { startStation, type TestStation } from "../support/station.ts";
import { silentLog } from "../../src/util/log.ts";

let station: TestStation;
before(async () => {
  station = await startStation();
});
after(() => station.close());

function openssl(file: string, ...args: string[]): string {
  const path = join(station.dataDir, "tls/current", file);
  return execFileSync("openssl", ["x509", "-in", path, "-noout", ...args], { encoding: "utf8" });
}

const dateOf = (line: string) => new Date(line.split("=")[1] ?? "").toISOString().slice(0, 10);

test("the documented answers, beside openssl", async () => {
  const { client } = station;
  assert.deepEqual(await client.ok("GET", "/tls"), {
    enddate: dateOf(openssl("client.pem", "-enddate")),
    outdatedNotify: false,
    startdate: dateOf(openssl("client.pem", "-startdate")),
  });
  assert.deepEqual(await client.ok("POST", "/tls", { outdatedNotify: false }), { result: true });
  assert.deepEqual(await client.ok("GET", "/tls/domain_names"), { domain_names: "" });
  const names = { domain_names: "user.myqnapcloud.com" };
  assert.deepEqual(await client.ok("PUT", "/tls/domain_names", names), { result: true });
  assert.deepEqual(await client.ok("GET", "/tls/domain_names"), names);
  assert.match(openssl("server.pem", "-ext", "subjectAltName"), /DNS:user\.myqnapcloud\.com/);
  assert.deepEqual(await client.ok("POST", "/tls/rotation"), { result: true });
  assert.deepEqual(await client.ok("GET", "/tls/domain_names"), names, "a rotation keeps them");
  assert.match(openssl("server.pem", "-ext", "subjectAltName"), /DNS:user\.myqnapcloud\.com/);
  assert.deepEqual(await client.ok("PUT", "/tls/domain_names", { domain_names: "" }), { result: true });
  assert.doesNotMatch(openssl("server.pem", "-ext", "subjectAltName"), /myqnapcloud/);
});

test("a bad domain name is 400 naming it, and changes nothing", async () => {
  const before = openssl("server.pem", "-serial");
  for (const name of ["a b.example", "a.example\n", "*", "a.*.example", "https://x", "fe80::1%eth0", "1.2.3"]) {
    const answer = await station.client.send("PUT", "/tls/domain_names", { domain_names: `ok.example,${name}` });
    assert.equal(answer.status, 400, name);
    const { message } = (answer.body as { error: { message: string } }).error;
    assert.ok(message.startsWith("domain_names") && message.includes(JSON.stringify(name)), message);
  }
  for (const body of [{}, { domain_names: 5 }, { domain_names: "a", more: 1 }, { domain_names: null }])
    assert.equal((await station.client.send("PUT", "/tls/domain_names", body)).status, 400);
  for (const body of [{}, { outdatedNotify: "no" }, { outdatedNotify: null }])
    assert.equal((await station.client.send("POST", "/tls", body)).status, 400);
  assert.equal(openssl("server.pem", "-serial"), before);
});

test("EX-05 the zip has three fixed names, for their owner only; the registry's file is the authority as it is", async () => {
  const zip = join(station.folder, "export.zip");
  writeFileSync(zip, await download(station, "/tls/export"));
  const lines = execFileSync("unzip", ["-Z", zip], { encoding: "utf8" }).split("\n");
  const entries = lines
    .filter((line) => line.endsWith(".pem"))
    .map((line) => [line.split(" ")[0], line.split(" ").at(-1)]);
  assert.deepEqual(
    entries,
    ["ca.pem", "cert.pem", "key.pem"].map((name) => ["-rw-------", name]),
  );
  const content = (name: string) => execFileSync("unzip", ["-p", zip, name], { encoding: "utf8" });
  const present = (name: string) => readFileSync(join(station.dataDir, "tls/current", name), "utf8");
  assert.deepEqual(
    ["ca.pem", "cert.pem", "key.pem"].map(content),
    ["ca.pem", "client.pem", "client-key.pem"].map(present),
  );
  assert.equal((await download(station, "/tls/export/registry")).toString(), present("ca.pem"));
});

test("TL-07 an export is stored nowhere, and opens to nobody who guesses its address", async () => {
  for (const path of ["/tls/export", "/tls/export/registry"]) {
    const answer = await fetch(`${station.url}/api/v1${path}`, { headers: { cookie: station.client.cookie() } });
    assert.equal(answer.headers.get("cache-control"), "no-store");
    assert.match(answer.headers.get("content-disposition") ?? "", /^attachment; filename="[a-z-]+\.(zip|pem)"$/);
    await answer.arrayBuffer();
    assert.equal((await fetch(`${station.url}/api/v1${path}`)).status, 401);
    assert.equal((await fetch(`${station.url}/api/v1${path}?sid=guess`)).status, 401);
  }
  for (const path of [
    "/docker-tls.zip",
    "/tls/export.zip",
    "/tls/export/key.pem",
    "/tls/current/client-key.pem",
    "/tls/export/..",
  ])
    assert.notEqual((await fetch(`${station.url}/api/v1${path}`)).status, 200, path);
});

test("TL-01 nothing in the data folder is open to others, whatever the umask of the start", async (t) => {
  const before = process.umask(0);
  t.after(() => process.umask(before));
  const other = await startStation({ flags: ["--docker-tls", "127.0.0.1:0"] });
  t.after(() => other.close());
  process.umask(before);
  await other.client.ok("POST", "/tls/rotation");
  // Shares are for containers, whose users must get as far as there.
  const rules = ["-path", join(other.dataDir, "shares"), "-prune", "-o", "!", "-type", "l"];
  const open = execFileSync("find", [other.dataDir, "-mindepth", "1", ...rules, "-perm", "/077", "-print"]);
  assert.equal(open.toString(), "");
  const files = execFileSync("find", [join(other.dataDir, "tls/"), "-type", "f", "-printf", "%m %u\n"], {
    encoding: "utf8",
  });
  assert.deepEqual(new Set(files.trim().split("\n")), new Set(["600 root"]));
});

const caller: Caller = { sid: undefined, address: "192.0.2.1" };

test("DK-04 who is no admin gets no client certificate, and changes none: 403", async (t) => {
  const certificates = await openCertificates({ folder: temporaryFolder(t) });
  const before = certificates.current();
  const serviceFor = (role: Role) =>
    createCertificateService({ sessions: { authenticate: () => ({ name: "x", role }) }, certificates, log: silentLog });
  for (const role of roles.filter((one) => one !== "admin")) {
    const service = serviceFor(role);
    const calls = {
      exportClient: service.exportClient(caller),
      exportAuthority: service.exportAuthority(caller),
      rotate: service.rotate(caller),
      get: service.get(caller),
      setNotify: service.setNotify(caller, { outdatedNotify: false }),
      domainNames: service.domainNames(caller),
      setDomainNames: service.setDomainNames(caller, { domain_names: "a.example" }),
    };
    for (const [name, call] of Object.entries(calls))
      await assert.rejects(call, (error) => hasCode(error, "forbidden"), `${role} ${name}`);
  }
  assert.equal(certificates.current(), before);
  assert.equal((await serviceFor("admin").exportClient(caller)).name, "docker-tls.zip");
});

test("outdatedNotify turns true 30 days before the end, until it is silenced or there is a new certificate", async (t) => {
  const folder = temporaryFolder(t);
  const day = 24 * 3600_000;
  // Made so long ago that 29 days are left of its 825; the last one had 31.
  const ago = (days: number) => () => Date.now() - (825 - days) * day;
  for (const [days, expected] of [
    [31, false],
    [29, true],
  ] as const) {
    const certificates = await openCertificates({ folder: join(folder, String(days)), now: ago(days) });
    const sessions = { authenticate: () => ({ name: "admin", role: "admin" as const }) };
    const service = createCertificateService({ sessions, certificates, log: silentLog });
    const notify = async () => (await service.get(caller)).outdatedNotify;
    assert.equal(await notify(), expected);
    if (!expected) continue;
    await service.setNotify(caller, { outdatedNotify: false });
    assert.equal(await notify(), false);
    const reopened = await openCertificates({ folder: join(folder, String(days)), now: ago(days) });
    await reopened.setDomainNames(["a.example"]);
    const again = createCertificateService({ sessions, certificates: reopened, log: silentLog });
    assert.equal((await again.get(caller)).outdatedNotify, false, "of the same certificate");
    await again.setNotify(caller, { outdatedNotify: true });
    assert.equal((await again.get(caller)).outdatedNotify, true);
    await again.setNotify(caller, { outdatedNotify: false });
    // By this clock the next one ends as soon.
    await again.rotate(caller);
    assert.equal((await again.get(caller)).outdatedNotify, true, "of the next certificate");
  }
});
