import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, symlinkSync } from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { RegistryList } from "../../src/api/registry.ts";
import { mine, registryWorld } from "./registry-world.ts";

/** The list of registries: what is added, changed and deleted, and what cannot be. */
const { station, save, refused } = registryWorld();
const hub = {
  enableTrustCert: true,
  id: 1,
  metadata: "",
  name: "Docker Hub",
  password: "",
  url: "https://registry.hub.docker.com",
  username: "",
  version: "",
};

test("Docker Hub alone, to begin with", async () => {
  assert.deepEqual(await station().client.ok("GET", "/registry"), { privateRegistry: 1, registries: [hub] });
});

test("the documents' add, edit with a new name, and delete", async () => {
  const added = await save("add", {
    name: "test",
    enableTrustCert: true,
    setToDefault: true,
    version: "v1",
    url: "https://test.registry.com",
    username: "my_user",
    password: "my_pass",
  });
  const [, row] = added.registries;
  const { id } = row as { id: number };
  const shown = { enableTrustCert: true, id, metadata: { crypt: true }, name: "test", password: "" };
  const expected = { ...shown, url: "https://test.registry.com", username: "my_user", version: "v1" };
  assert.deepEqual(added, { privateRegistry: id, registries: [hub, expected] });
  assert.ok(id > 1);

  const edited = await save("edit", {
    oldname: "test",
    name: "new_test",
    enableTrustCert: false,
    setToDefault: false,
    url: "https://new_test.registry.com",
    username: "my_new_user",
    password: "my_new_pass",
  });
  const change = {
    name: "new_test",
    enableTrustCert: false,
    url: "https://new_test.registry.com",
    username: "my_new_user",
  };
  assert.deepEqual(edited, { privateRegistry: 1, registries: [hub, { ...expected, ...change }] });
  assert.deepEqual(await station().client.ok("DELETE", "/registry/new_test"), {
    privateRegistry: 1,
    registries: [hub],
  });
  const again = await save("add", mine);
  assert.ok((again.registries[1]?.id ?? 0) > id, "an id is not used again");
  assert.equal(again.registries[1]?.metadata, "", "no password");
  assert.deepEqual(await station().client.ok("DELETE", "/registry", { name: "mine" }), {
    privateRegistry: 1,
    registries: [hub],
  });
});

test("names: taken, unknown, Docker Hub's", async () => {
  await save("add", mine);
  await save("add", { ...mine, name: "other" });
  assert.deepEqual(await refused("POST", "/registry", { method: "add", ...mine }), [
    409,
    "A registry named mine exists already.",
  ]);
  const rename = { method: "edit", ...mine, oldname: "mine", name: "other" };
  assert.deepEqual(await refused("POST", "/registry", rename), [409, "A registry named other exists already."]);
  assert.equal((await refused("POST", "/registry", { ...rename, oldname: "nobody" }))[0], 404);
  assert.equal((await refused("DELETE", "/registry/nobody"))[0], 404);
  const protectedName = /Docker Hub: that registry is built in/;
  for (const body of [
    { method: "add", ...mine, name: "Docker Hub" },
    { method: "edit", ...mine, name: "Docker Hub" },
    { method: "edit", ...mine, name: "x", oldname: "Docker Hub" },
    { method: "edit", ...mine, oldname: "mine", name: "Docker Hub" },
  ]) {
    const [status, message] = await refused("POST", "/registry", body);
    assert.equal(status, 400);
    assert.match(message, protectedName);
  }
  assert.match((await refused("DELETE", "/registry/Docker%20Hub"))[1], protectedName);
  assert.match((await refused("DELETE", "/registry", { name: "Docker Hub" }))[1], protectedName);
});

test("URLs that are no registry's", async () => {
  const { registries } = await station().client.ok<RegistryList>("GET", "/registry");
  for (const url of [
    "file:///etc/passwd",
    "unix:///var/run/docker.sock",
    "ftp://example.com",
    "javascript://example.com",
    "example.com",
    "",
    "https://",
    "https:example.com",
    "https://user@example.com",
    "https://user:secret@example.com",
    "https://@example.com",
    "https://example.com/path",
    "https://example.com/v2/",
    "https://example.com?a=b",
    "https://example.com#x",
    "https://example.com\r\nX-Evil: 1",
    "https://example.com\r\n",
    "https://exa\tmple.com",
    " https://example.com",
    "https:\\\\example.com",
    "https://example.com:99999",
    "https://[::1",
  ]) {
    const [status, message] = await refused("POST", "/registry", { method: "add", ...mine, url });
    assert.equal(status, 400, url);
    assert.match(message, /^url /);
  }
  assert.deepEqual((await station().client.ok<RegistryList>("GET", "/registry")).registries, registries);
  for (const [url, kept] of [
    ["HTTPS://Example.COM/", "https://example.com"],
    ["http://127.0.0.1:5001", "http://127.0.0.1:5001"],
    ["https://[::1]:5000", "https://[::1]:5000"],
  ] as const) {
    await save("add", { ...mine, name: "url", url });
    const listed = await station().client.ok<RegistryList>("GET", "/registry");
    assert.equal(listed.registries[1]?.url, kept);
    await station().client.ok("DELETE", "/registry/url");
  }
});

test("a registry leads to no port of the station or an engine on any address of this host, and to no address that is set aside", async (context) => {
  const own = new URL(station().url).port;
  const engine = await listening("dockerd", context);
  const other = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address));
  const ours = ["127.0.0.1", "localhost", "127.9.9.9", "2130706433", "0x7f.1", "127.1", "[::1]", "[::ffff:127.0.0.1]"];
  const hosts = [...ours, ...other.filter((address) => address.includes("."))];
  const { registries } = await station().client.ok<RegistryList>("GET", "/registry");
  for (const url of [
    ...hosts.map((host) => `http://${host}:${own}`),
    ...["2375", "2376", "8443", engine].map((port) => `https://127.1:${port}`),
    ...["169.254.169.254", "169.254.1.2:5000", "[fe80::1]", "[fd00:ec2::254]", "100.100.100.200", "0.0.0.0:5000"].map(
      (host) => `http://${host}`,
    ),
    ...["[::]:5000", "0:5000", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]"].map((host) => `http://${host}`),
  ]) {
    const [status, message] = await refused("POST", "/registry", { method: "add", ...mine, url });
    assert.equal(status, 400, url);
    assert.match(message, /^url must not lead to /, url);
  }
  assert.deepEqual((await station().client.ok<RegistryList>("GET", "/registry")).registries, registries);
  await save("add", { ...mine, url: `http://127.0.0.1:${await listening("other", context)}` });
});

/** Starts a program of this name that listens on a port of this host; answers the port. */
async function listening(name: string, context: TestContext): Promise<string> {
  const program = join(mkdtempSync(join(tmpdir(), "program-")), name);
  symlinkSync("/usr/bin/perl", program);
  const script =
    '$| = 1; $s = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1"); print $s->sockport; sleep 600';
  const child = spawn(program, ["-MIO::Socket::INET", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  context.after(() => void child.kill());
  const [port] = (await once(child.stdout, "data")) as [Buffer];
  return port.toString().trim();
}
