import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { runCommand, systemEnvironment } from "../../src/setup/command.ts";
import { type DaemonFolders, daemonPid, startDaemon, stopDaemon } from "../../src/setup/daemon.ts";
import { dockerRequirements, lxcRequirements, lxdRequirements, systemTools } from "../../src/setup/requirements.ts";
import { freeSubnet } from "../../src/setup/free-subnet.ts";
import { raiseInotifyLimit } from "../../src/setup/inotify-limit.ts";
import { ensureIdRanges } from "../../src/setup/lxd/id-ranges.ts";
import { listMissingPackages } from "../../src/setup/packages.ts";
import { pingDocker } from "../../src/setup/sockets.ts";
import { testEngines } from "../support/engines.ts";

const env = systemEnvironment(process.env);
let folders: DaemonFolders;
before(() => {
  const folder = mkdtempSync(join(tmpdir(), "setup-"));
  folders = { pids: join(folder, "pids"), logs: join(folder, "logs"), stopCommand: "" };
});
after(() => rmSync(join(folders.pids, ".."), { recursive: true }));

test("a daemon is found by its pid file and is stopped once", async () => {
  await startDaemon(["sleep", "1000"], { ...folders, env });
  const pid = daemonPid("sleep", folders);
  assert.ok(pid);
  assert.equal(readFileSync(`/proc/${pid}/stat`, "utf8").split(" ")[5], String(pid), "it has a session of its own");
  assert.equal(await stopDaemon("sleep", { ...folders, timeout: 5000 }), true);
  assert.equal(daemonPid("sleep", folders), undefined);
  assert.equal(await stopDaemon("sleep", { ...folders, timeout: 5000 }), false);
});

test("another process with the recorded pid is left alone", async () => {
  writeFileSync(join(folders.pids, "sleep.pid"), `${process.pid} 1\n`);
  assert.equal(daemonPid("sleep", folders), undefined);
  assert.equal(await stopDaemon("sleep", { ...folders, timeout: 5000 }), false);
});

test("a daemon that ignores SIGTERM is killed", async () => {
  await startDaemon(["sh", "-c", "trap '' TERM; while :; do sleep 1; done"], { ...folders, env });
  assert.ok(daemonPid("sh", folders));
  assert.equal(await stopDaemon("sh", { ...folders, timeout: 300 }), true);
  assert.equal(daemonPid("sh", folders), undefined);
});

test("a command that fails shows the last lines that it printed", async () => {
  const script = "for n in $(seq 100); do echo line $n; done; exit 3";
  await assert.rejects(runCommand(["sh", "-c", script], env), /sh -c ended with exit code 3:\nline 89\n[^]*line 100$/);
  await assert.rejects(runCommand(["no-such-program"], env), /no-such-program cannot be run/);
});

test("programs of the host see proxies, but no secret of the station", () => {
  const seen = systemEnvironment({
    GANTRY_ADMIN_PASSWORD: "x",
    npm_config_x: "x",
    https_proxy: "http://p",
    PATH: "/x",
  });
  assert.equal(seen["https_proxy"], "http://p");
  assert.deepEqual(Object.keys(seen).toSorted(), ["LC_ALL", "PATH", "https_proxy"]);
});

test("a ping distinguishes a Docker that answers from one that does not run", async () => {
  assert.equal(await pingDocker(testEngines().dockerSocket), "up");
  assert.equal(await pingDocker(join(folders.pids, "none.sock")), "down");
});

test("only missing packages are named, each once", () => {
  const none = (): boolean => false;
  assert.deepEqual(listMissingPackages([lxcRequirements, systemTools], none), [
    "lxc",
    "dnsmasq-base",
    "iptables",
    "iproute2",
    "nftables",
    "conntrack",
    "mmdebstrap",
    "debian-archive-keyring",
    "tar",
    "zstd",
    "xz-utils",
    "e2fsprogs",
    "mount",
  ]);
  assert.ok(listMissingPackages([lxdRequirements], none).includes("btrfs-progs"));
  const all = listMissingPackages([dockerRequirements, lxcRequirements, lxdRequirements, systemTools], none);
  assert.equal(all.length, new Set(all).size);
  assert.deepEqual(
    listMissingPackages([lxcRequirements], (need) => need !== "dnsmasq"),
    ["dnsmasq-base"],
  );
});

test("a subnet is free if no route except the default one leads there", () => {
  const route = (device: string, address: string, length: number) => ({ device, address, length });
  const free = (...routes: ReturnType<typeof route>[]): string => freeSubnet(routes, "10.0.3.0/24", "lxcbr0");
  assert.equal(free(route("eth0", "0.0.0.0", 0), route("lxcbr0", "10.0.3.0", 24)), "10.0.3.0/24");
  assert.equal(free(route("eth0", "10.0.3.128", 25)), "10.0.4.0/24");
  assert.equal(free(route("vpn", "10.0.0.0", 8)), "172.30.0.0/24");
  assert.equal(free(route("vpn", "10.0.0.0", 8), route("lan", "172.16.0.0", 12)), "192.168.200.0/24");
});

test("root gets a range of IDs that nobody else has, once", () => {
  const file = join(folders.pids, "subuid");
  writeFileSync(file, "one:100000:65536\ntwo:2000000:5");
  ensureIdRanges([file]);
  ensureIdRanges([file]);
  assert.equal(readFileSync(file, "utf8"), "one:100000:65536\ntwo:2000000:5\nroot:2000005:1000000000\n");
});

test("the limit of inotify instances is raised where it is small, which the user is told, and never lowered", () => {
  const file = join(folders.pids, "max_user_instances");
  const lines: string[] = [];
  for (const [before, after] of [
    ["128", "1024"],
    ["8192", "8192"],
  ] as const) {
    writeFileSync(file, `${before}\n`);
    raiseInotifyLimit((line) => lines.push(line), file);
    assert.equal(readFileSync(file, "utf8"), `${after}\n`);
  }
  assert.deepEqual(lines, ["Raised fs.inotify.max_user_instances from 128 to 1024: each system container needs some."]);
});
