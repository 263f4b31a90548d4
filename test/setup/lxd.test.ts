import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { type Host, startHost } from "./host.ts";

let host: Host;
beforeEach(async () => {
  host = await startHost();
});
afterEach(() => host.end());

const lxd = ["--engines", "lxd"];
const socket = "/var/lib/lxd/unix.socket";

interface Pool {
  driver: string;
  config: Record<string, string>;
}

interface Profile {
  devices: Record<string, Record<string, string>>;
}

async function ask<T>(path: string, method = "GET", body = ""): Promise<T> {
  const argv = ["curl", "-sS", "--unix-socket", socket, "-X", method, "-d", body, `http://lxd${path}`];
  return (JSON.parse(await host.run(...argv)) as { metadata: T }).metadata;
}

test("LXD is started and initialised once, found again, and stopped completely", async () => {
  const { code, text } = await host.engines("start", ...lxd);
  assert.equal(code, 0, text);
  const pool = await ask<Pool>("/1.0/storage-pools/default");
  assert.equal(pool.driver, "btrfs", `sizes hold: ${text}`);
  assert.deepEqual((await ask<Profile>("/1.0/profiles/default")).devices, {
    root: { type: "disk", path: "/", pool: "default" },
    eth0: { type: "nic", name: "eth0", network: "lxdbr0" },
  });
  assert.match(await host.run("ip", "-br", "addr", "show", "lxdbr0"), /\d+\.\d+\.\d+\.1\/24/);
  assert.match(await host.run("cat", "/etc/subuid"), /^root:1000000:1000000000$/m);

  const pids = await host.pids("lxd");
  const again = await host.engines("start", ...lxd);
  assert.equal(again.text, "The engines run already.");
  assert.deepEqual(await host.pids("lxd"), pids);

  const stop = await host.engines("stop", ...lxd);
  assert.match(stop.text, /^Stopped lxd, lxcfs\.$/);
  for (const name of ["lxd", "lxcfs", "dnsmasq"]) assert.deepEqual(await host.pids(name), [], name);
  assert.doesNotMatch(await host.run("cat", "/proc/self/mountinfo"), / \/var\/lib\/lxd\/storage-pools|lxcfs/);

  const third = await host.engines("start", ...lxd);
  assert.equal(third.code, 0, third.text);
  assert.doesNotMatch(third.text, /first storage pool/, "it is not initialised anew");
  assert.equal((await ask<Pool>("/1.0/storage-pools/default")).config["source"], pool.config["source"]);
});

test("an engine that was not chosen, or whose address is configured, is left alone", async () => {
  for (const flags of [
    ["--engines", "lxd", "--lxd", "/run/other.socket"],
    ["--engines", "lxc"],
  ]) {
    assert.equal((await host.engines("start", ...flags)).code, 0);
    assert.deepEqual(await host.pids("lxd"), []);
  }
});

test("without loop devices the pool is a folder, and the user is told", async () => {
  await host.run("sh", "-c", 'for file in /dev/loop*; do mount --bind /dev/null "$file"; done');
  const { code, text } = await host.engines("start", ...lxd);
  assert.equal(code, 0, text);
  assert.match(text, /LXD's pool is a folder, so that no size of a container holds/);
  assert.equal((await ask<Pool>("/1.0/storage-pools/default")).driver, "dir");
});

test("an LXD that somebody has initialised is left alone, and an interrupted initialisation is completed", async () => {
  await host.engines("start", ...lxd);
  // As it is between the pool and the profile.
  await ask("/1.0/profiles/default", "PUT", JSON.stringify({ devices: {} }));
  const resumed = await host.engines("start", ...lxd);
  assert.match(resumed.text, /first storage pool/);
  assert.ok((await ask<Profile>("/1.0/profiles/default")).devices["root"]);

  await ask("/1.0/profiles/default", "PUT", JSON.stringify({ devices: {} }));
  await ask("/1.0/storage-pools", "POST", JSON.stringify({ name: "own", driver: "dir" }));
  const owned = await host.engines("start", ...lxd);
  assert.equal(owned.text, "The engines run already.");
  assert.deepEqual((await ask<Profile>("/1.0/profiles/default")).devices, {});
});

test("a killed LXD is started again", async () => {
  await host.engines("start", ...lxd);
  await host.run("kill", "-KILL", ...(await host.pids("lxd")), ...(await host.pids("lxcfs")));
  const { code, text } = await host.engines("start", ...lxd);
  assert.equal(code, 0, text);
  assert.equal((await host.pids("lxd")).length, 1);
  assert.equal((await host.pids("lxcfs")).length, 1);
});
