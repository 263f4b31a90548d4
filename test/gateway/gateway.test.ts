import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { TLSSocket } from "node:tls";
import { until } from "../support/daemon.ts";
import { freePort } from "../support/free-port.ts";
import { startStation, type TestStation } from "../support/station.ts";
import { exportBundle, open, ping, type Pem } from "./bundle.ts";
import { forge } from "./intruders.ts";

let station: TestStation;
let port: number;
before(async () => {
  port = await freePort();
  station = await startStation({ flags: ["--docker-tls", `127.0.0.1:${port}`] });
});
after(() => station.close());

const clientAuth = "1.3.6.1.5.5.7.3.2";
const serverAuth = "1.3.6.1.5.5.7.3.1";

function present(name: string): { certificate: string; key: string } {
  const read = (file: string) => readFileSync(join(station.dataDir, "tls/current", file), "utf8");
  return { certificate: read(`${name}.pem`), key: read(`${name}-key.pem`) };
}

function pemOf({ certificate, key }: { certificate: string; key: string }): Pem {
  return { cert: certificate, key };
}

/** In both versions: in 1.3 a client sees the refusal only after its own handshake. */
async function assertRefused(pem: Pem, who: string): Promise<void> {
  for (const versions of [{}, { maxVersion: "TLSv1.2" as const }])
    assert.match(await ping(port, pem, versions), /^refused/, `${who} ${JSON.stringify(versions)}`);
}

async function assertAdmitted(pem: Pem): Promise<void> {
  for (const versions of [{}, { maxVersion: "TLSv1.2" as const }])
    assert.match(await ping(port, pem, versions), /^HTTP\/1\.1 200 OK/);
}

test("DK-01: only the present client certificate is admitted", async () => {
  const old = pemOf(present("client"));
  await assertAdmitted(old);
  await station.client.ok("POST", "/tls/rotation");
  await assertAdmitted(pemOf(present("client")));
  await assertRefused(old, "the one before the rotation");
  await assertRefused({}, "none");
  await assertRefused(await forge({ usage: clientAuth }), "self-signed");
  await assertRefused(pemOf(present("server")), "the server's");
});

test("the audit log has admitted and refused connections, and a flood of refusals only once", async () => {
  const before = await gatewayEntries();
  for (let n = 0; n < 20; n++) {
    await assertAdmitted(pemOf(present("client")));
    await assertRefused({}, "none");
  }
  const entries = await gatewayEntries();
  assert.ok(entries.length > 0 && entries.length - before.length <= 4, `${entries.length} entries`);
  for (const text of [/^docker gateway: connected/, /^docker gateway: .*certificate/])
    assert.ok(
      entries.some(({ message }) => text.test(message)),
      `${text}: ${JSON.stringify(entries)}`,
    );
});

interface Entry {
  level: string;
  user: string;
  message: string;
}

function gatewayEntries(): Promise<Entry[]> {
  return station.client.ok<Entry[]>("GET", "/log?limit=100&text=docker%20gateway");
}

test("TL-05: a certificate that only resembles the client's is refused, even if the authority signed it", async () => {
  const authority = present("ca");
  const name = [{ CN: ["Gantry client"] }];
  const intruders: Record<string, Parameters<typeof forge>[0]> = {
    "right in everything, but another": { authority, usage: clientAuth },
    "CA:TRUE": { authority, usage: clientAuth, isAuthority: true },
    "wrong use": { authority, usage: serverAuth },
    "no use": { authority },
    expired: { authority, usage: clientAuth, from: -20, to: -10 },
    future: { authority, usage: clientAuth, from: 10 },
    newline: { authority, usage: clientAuth, subject: [{ CN: ["Gantry client\nadmin"] }] },
    NUL: { authority, usage: clientAuth, subject: [{ CN: ["Gantry client\0.evil"] }] },
    path: { authority, usage: clientAuth, subject: [{ CN: ["../../Gantry client"] }] },
  };
  for (const [who, wish] of Object.entries(intruders)) await assertRefused(await forge(wish), who);
  // Another authority of the same name.
  const subject = execFileSync("openssl", ["x509", "-noout", "-subject", "-nameopt", "multiline"], {
    input: authority.certificate,
    encoding: "utf8",
  });
  const common = /commonName\s+= (.*)/.exec(subject)?.[1] ?? "";
  const twin = await forge({ subject: [{ CN: [common] }], isAuthority: true });
  const twinAuthority = { certificate: twin.cert ?? "", key: twin.key ?? "" };
  await assertRefused(await forge({ authority: twinAuthority, usage: clientAuth, subject: name }), "same name");
  await assertAdmitted(pemOf(present("client")));
});

test("DK-02: the Docker API is not served without TLS on any port", async () => {
  const listening = execFileSync("ss", ["-Hltnp"], { encoding: "utf8" });
  const ports = [...listening.matchAll(/^LISTEN\s+\S+\s+\S+\s+(\S+):(\d+)\s.*pid=(\d+)/gm)];
  const own = ports.filter(([, , , pid]) => Number(pid) === station.pid()).map(([, , number]) => Number(number));
  const http = Number(new URL(station.url).port);
  assert.deepEqual(new Set(own), new Set([port, http]));
  assert.equal(
    ports.some(([, , number]) => number === "2375"),
    false,
  );
  const plain = spawnSync("curl", ["-s", "-m", "5", `http://127.0.0.1:${port}/_ping`], { encoding: "utf8" });
  assert.notEqual(plain.status, 0);
  assert.equal(plain.stdout, "");
});

test("DK-03: openssl finds nothing below TLS 1.2, no weak cipher, no renegotiation and no compression", async () => {
  const bundle = await exportBundle(station, "scan");
  const files = ["-cert", join(bundle, "cert.pem"), "-key", join(bundle, "key.pem"), "-CAfile", join(bundle, "ca.pem")];
  const attempt = (...args: string[]) => {
    const client = ["s_client", "-connect", `127.0.0.1:${port}`, ...files, ...args];
    const { stdout, stderr } = spawnSync("openssl", client, { input: "", encoding: "utf8", timeout: 20_000 });
    return `${stdout}${stderr}`;
  };
  const agreed = /Cipher is (?!\(NONE\))\S+/;
  for (const version of ["-tls1_2", "-tls1_3"]) assert.match(attempt(version), agreed, version);
  // Level 0 lets openssl itself offer what it usually would not.
  for (const version of ["-tls1", "-tls1_1"])
    assert.doesNotMatch(attempt(version, "-cipher", "ALL:@SECLEVEL=0"), agreed, version);
  const weak = ["AES128-SHA", "AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384"];
  for (const cipher of [...weak, "DES-CBC3-SHA", "NULL", "aNULL", "RC4", "EXPORT"])
    assert.doesNotMatch(attempt("-tls1_2", "-cipher", `${cipher}:@SECLEVEL=0`), agreed, cipher);
  const open = attempt("-tls1_2");
  assert.match(open, /Secure Renegotiation IS supported/);
  assert.match(open, /Compression: NONE/);
  assert.doesNotMatch(open, /TLS session ticket:/);
  for (const version of ["-tls1_2", "-tls1_3"])
    assert.doesNotMatch(attempt(version, "-reconnect"), /^Reused/m, version);
  const renegotiated = spawnSync("openssl", ["s_client", "-connect", `127.0.0.1:${port}`, ...files, "-tls1_2"], {
    input: "R\n",
    encoding: "utf8",
    timeout: 20_000,
  });
  assert.match(`${renegotiated.stderr}${renegotiated.stdout}`, /no renegotiation|renegotiation.*(fail|not)/i);
});

test("an upgraded connection passes both ways: BuildKit speaks HTTP/2 on it", async (t) => {
  const socket = open(port, pemOf(present("client")));
  t.after(() => socket.destroy());
  await once(socket, "secureConnect");
  const head = ["POST /session HTTP/1.1", "Host: docker", "Connection: Upgrade", "Upgrade: h2c"];
  socket.write(
    `${[...head, "X-Docker-Expose-Session-Uuid: 1", "X-Docker-Expose-Session-Name: t"].join("\r\n")}\r\n\r\n`,
  );
  let bytes = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => (bytes = Buffer.concat([bytes, chunk])));
  // Docker is the client of what follows, and begins with HTTP/2's own first words.
  assert.ok(await until(() => bytes.includes("PRI * HTTP/2.0"), 10_000), bytes.toString());
  assert.match(bytes.toString(), /^HTTP\/1\.1 101 /);
});

test("300 silent connections do not keep out a client that has a certificate", async (t) => {
  const silent = Array.from({ length: 300 }, () => connect(port, "127.0.0.1").on("error", () => undefined));
  t.after(() => silent.forEach((socket) => socket.destroy()));
  await Promise.all(silent.map((socket) => once(socket, "connect")));
  await assertAdmitted(pemOf(present("client")));
  assert.ok(await until(() => silent.filter((socket) => socket.destroyed).length >= 100, 5_000));
});

test("if another program uses the port, the message names the flag", async () => {
  const failing = startStation({ flags: ["--docker-tls", `127.0.0.1:${port}`] });
  await assert.rejects(
    failing,
    /ended with 2: .* is in use by another program: stop it, or choose another with --docker-tls\./,
  );
  const none = startStation({ engines: ["lxc"], flags: ["--docker-tls", "127.0.0.1:0"] });
  await assert.rejects(none, /ended with 2: --docker-tls needs the engine docker/);
});

test("TL-03: a rotation ends 50 open connections at once, and only the new bundle works", async (t) => {
  const old = pemOf(present("client"));
  const sockets: TLSSocket[] = [];
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  for (let n = 0; n < 50; n++) {
    const socket = open(port, old);
    sockets.push(socket);
    socket.on("error", () => undefined);
    await once(socket, "secureConnect");
    // An event stream stays open as long as it is let.
    socket.write("GET /events HTTP/1.1\r\nHost: docker\r\n\r\n");
  }
  let answered = 0;
  for (const socket of sockets) socket.once("data", () => answered++);
  assert.ok(await until(() => answered === 50, 20_000), String(answered));
  const begun = performance.now();
  await station.client.ok("POST", "/tls/rotation");
  const closed = () => sockets.every((socket) => socket.destroyed || socket.readableEnded);
  sockets.forEach((socket) => socket.resume());
  assert.ok(await until(closed, 2_000), "some go on");
  t.diagnostic(`rotation and end of 50 connections: ${Math.round(performance.now() - begun)} ms`);
  await assertRefused(old, "old");
  await assertAdmitted(pemOf(present("client")));
});

test("after a kill in the middle of a rotation exactly one bundle works at the next start", async (t) => {
  let kept = 0;
  const rounds = 8;
  for (let round = 0; round < rounds; round++) {
    const before = pemOf(present("client"));
    const rotation = station.client.send("POST", "/tls/rotation").catch(() => undefined);
    // The first rotation of a process takes about 150 ms here.
    await sleep(30 + round * 30);
    await station.kill();
    await rotation;
    await station.start();
    const now = pemOf(present("client"));
    await assertAdmitted(now);
    if (now.cert === before.cert) kept++;
    else await assertRefused(before, "before");
    await station.client.login();
  }
  t.diagnostic(
    `killed ${rounds} times in a rotation: ${kept} times the old bundle, ${rounds - kept} times the new one`,
  );
});
