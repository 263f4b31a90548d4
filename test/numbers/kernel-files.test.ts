import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { findCgroupMounts } from "../../src/numbers/cgroup-mounts.ts";
import { createUsageReader } from "../../src/numbers/cgroup.ts";
import { sortByDefaultRoute, parseIpv4Addresses, parseIpv6Addresses, parseTraffic } from "../../src/numbers/network.ts";

// A test machine has one version of control groups. These files are written as the kernel writes them for both.

/** Writes files by path into a new folder, which stands for a mount point. */
function tree(context: TestContext, files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), "kernel-"));
  context.after(() => rmSync(root, { recursive: true }));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(join(root, file, ".."), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  return root;
}

const id = "5b4b96c56fd7990fdc2ac65578677d4178a510a470e14e756b0d73e099b28535";

const mount = (root: string, of: string, rest: string) => `31 23 0:28 ${of} ${root} rw,relatime shared:9 - ${rest}\n`;

function readUsageV2(context: TestContext, group: string, owner = { id, idInGroup: true }, mounted = "/") {
  const memory = "anon 40000000\nfile 9000000\ninactive_anon 1\ninactive_file 5000000\nactive_file 4000000\n";
  const folder = mounted === "/" ? `system.slice/docker-${id}.scope` : ".";
  const root = tree(context, {
    [`${folder}/cpu.stat`]: "usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\n",
    [`${folder}/memory.current`]: "49000000\n",
    [`${folder}/memory.stat`]: memory,
  });
  const mounts = findCgroupMounts(mount(root, mounted, "cgroup2 cgroup2 rw,nsdelegate"));
  return createUsageReader(mounts, `0::${group}\n`, owner);
}

test("control groups v2: CPU time is in nanoseconds, and memory excludes inactive page cache", (context) => {
  const read = readUsageV2(context, `/system.slice/docker-${id}.scope`);
  assert.deepEqual(read?.(), { cpu: 2.5e9, memory: 44_000_000 });
});

test("the group of an init system inside a container counts as the container's group", (context) => {
  const read = readUsageV2(context, `/system.slice/docker-${id}.scope/init.scope`);
  assert.deepEqual(read?.(), { cpu: 2.5e9, memory: 44_000_000 });
});

test("the group names of Podman are recognised", (context) => {
  const root = tree(context, {
    [`machine.slice/libpod-${id}.scope/cpu.stat`]: "usage_usec 1000\n",
    [`machine.slice/libpod-${id}.scope/memory.current`]: "2000\n",
    [`machine.slice/libpod-${id}.scope/memory.stat`]: "inactive_file 500\n",
  });
  const mounts = findCgroupMounts(mount(root, "/", "cgroup2 cgroup2 rw"));
  const read = createUsageReader(mounts, `0::/machine.slice/libpod-${id}.scope/container\n`, { id, idInGroup: true });
  assert.deepEqual(read?.(), { cpu: 1e6, memory: 1500 });
});

test("a group is found in a mount of a part of the hierarchy", (context) => {
  const group = `/system.slice/docker-${id}.scope`;
  assert.deepEqual(readUsageV2(context, group, { id, idInGroup: true }, group)?.(), { cpu: 2.5e9, memory: 44_000_000 });
  assert.equal(readUsageV2(context, `/other/docker-${id}.scope`, { id, idInGroup: true }, group), undefined);
});

test("a process whose group is not the container's is not counted", (context) => {
  assert.equal(readUsageV2(context, "/system.slice/ssh.service"), undefined);
  assert.equal(readUsageV2(context, "/", { id: "web", idInGroup: false }), undefined);
});

test("control groups v1: each controller has its own path, to which LXC adds a number after a killed monitor", (context) => {
  const root = tree(context, {
    "cpu,cpuacct/lxc.payload.web-1/cpuacct.usage": "1500000000\n",
    "memory/lxc.payload.web-2/memory.usage_in_bytes": "30000000\n",
    "memory/lxc.payload.web-2/memory.stat": "cache 9\ninactive_file 1\ntotal_inactive_file 10000000\n",
  });
  const info =
    mount(`${root}/cpu,cpuacct`, "/", "cgroup cgroup rw,cpu,cpuacct") +
    mount(`${root}/memory`, "/", "cgroup cgroup rw,memory");
  const groups =
    "9:name=systemd:/lxc.payload.web-1/init.scope\n4:memory:/lxc.payload.web-2/init.scope\n2:cpu,cpuacct:/lxc.payload.web-1\n0::/\n";
  const read = createUsageReader(findCgroupMounts(info), groups, { id: "web", idInGroup: false });
  assert.deepEqual(read?.(), { cpu: 1.5e9, memory: 20_000_000 });
});

test("memory is 0 in a group without the memory controller", (context) => {
  const root = tree(context, { [`docker/${id}/cpu.stat`]: "usage_usec 1000\n" });
  const mounts = findCgroupMounts(mount(root, "/", "cgroup2 cgroup2 rw"));
  assert.deepEqual(createUsageReader(mounts, `0::/docker/${id}\n`, { id, idInGroup: true })?.(), {
    cpu: 1e6,
    memory: 0,
  });
});

test("reading throws if the group is gone", (context) => {
  const root = tree(context, {});
  const mounts = findCgroupMounts(mount(root, "/", "cgroup2 cgroup2 rw"));
  const read = createUsageReader(mounts, `0::/docker/${id}\n`, { id, idInGroup: true });
  assert.throws(() => read?.(), /ENOENT/);
});

test("traffic counts all interfaces except the loopback, also where a long number leaves no space", () => {
  const text = [
    "Inter-|   Receive                                                |  Transmit",
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed",
    "    lo: 999999       9    0    0    0     0          0         0   999999       9    0    0    0     0       0          0",
    "  eth0:123456789012     10    0    0    0     0          0         0     2000      20    0    0    0     0       0          0",
    "  eth1:     100       1    0    0    0     0          0         0       30       1    0    0    0     0       0          0",
    "",
  ].join("\n");
  assert.deepEqual(parseTraffic(text), { rx: 123456789112, tx: 2030 });
});

const fib = `Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 10.0.3.0/24 2 0 2
        |-- 10.0.3.0
           /24 link UNICAST
        |-- 10.0.3.239
           /32 host LOCAL
Local:
  +-- 0.0.0.0/0 3 0 5
     +-- 10.0.3.0/24 2 0 2
        |-- 10.0.3.239
           /32 host LOCAL
        |-- 10.0.3.255
           /32 link BROADCAST
     |-- 10.0.2.1
        /32 host LOCAL
     |-- 127.0.0.1
        /32 host LOCAL
     |-- 192.0.2.9
        /32 link UNICAST
`;
const head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";
const routes = `${head}docker0\t0002000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\neth0\t00000000\t0103000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\neth0\t0003000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n`;

test("each own address is listed once, the address of the default route first", () => {
  assert.deepEqual(parseIpv4Addresses(fib), ["10.0.3.239", "10.0.2.1"]);
  assert.deepEqual(sortByDefaultRoute(["10.0.2.1", "10.0.3.239"], routes), ["10.0.3.239", "10.0.2.1"]);
  assert.deepEqual(
    sortByDefaultRoute(["10.0.2.1", "10.0.3.239"], head),
    ["10.0.2.1", "10.0.3.239"],
    "without a default route",
  );
  assert.deepEqual(sortByDefaultRoute(["200.1.2.3"], routes.replaceAll("0003000A", "000201C8")), ["200.1.2.3"]);
});

test("global IPv6 addresses are listed in their short form", () => {
  const text = [
    "00000000000000000000000000000001 01 80 10 80       lo",
    "fe800000000000000216fffffe000001 02 40 20 80     eth0",
    "fd420000000000000000000000000005 02 40 00 80     eth0",
    "20010db8000000010000000000000001 02 40 00 80     eth0",
    "",
  ].join("\n");
  assert.deepEqual(parseIpv6Addresses(text), ["fd42::5", "2001:db8:0:1::1"]);
});
