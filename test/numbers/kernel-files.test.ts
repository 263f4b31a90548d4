import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { findCgroupMounts } from "../../src/numbers/cgroup-mounts.ts";
import { usageReader } from "../../src/numbers/cgroup.ts";
import { mainFirst, parseAddresses, parseAddresses6, parseTraffic } from "../../src/numbers/network.ts";

// The machine of a test has one version of control groups; texts as the kernel writes them stand for the other.

/** Folders that stand for mounts, and what is in their files. */
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

function usageOn2(context: TestContext, group: string, owner = { id, named: true }, shown = "/") {
  const memory = "anon 40000000\nfile 9000000\ninactive_anon 1\ninactive_file 5000000\nactive_file 4000000\n";
  const folder = shown === "/" ? `system.slice/docker-${id}.scope` : ".";
  const root = tree(context, {
    [`${folder}/cpu.stat`]: "usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\n",
    [`${folder}/memory.current`]: "49000000\n",
    [`${folder}/memory.stat`]: memory,
  });
  const mounts = findCgroupMounts(mount(root, shown, "cgroup2 cgroup2 rw,nsdelegate"));
  return usageReader(mounts, `0::${group}\n`, owner);
}

test("version 2: time in nanoseconds, memory without the cache that would be given back", (context) => {
  const read = usageOn2(context, `/system.slice/docker-${id}.scope`);
  assert.deepEqual(read?.(), { cpu: 2.5e9, memory: 44_000_000 });
});

test("an init system's own group is cut back to the container's", (context) => {
  const read = usageOn2(context, `/system.slice/docker-${id}.scope/init.scope`);
  assert.deepEqual(read?.(), { cpu: 2.5e9, memory: 44_000_000 });
});

test("Podman's words for its groups", (context) => {
  const root = tree(context, {
    [`machine.slice/libpod-${id}.scope/cpu.stat`]: "usage_usec 1000\n",
    [`machine.slice/libpod-${id}.scope/memory.current`]: "2000\n",
    [`machine.slice/libpod-${id}.scope/memory.stat`]: "inactive_file 500\n",
  });
  const mounts = findCgroupMounts(mount(root, "/", "cgroup2 cgroup2 rw"));
  const read = usageReader(mounts, `0::/machine.slice/libpod-${id}.scope/container\n`, { id, named: true });
  assert.deepEqual(read?.(), { cpu: 1e6, memory: 1500 });
});

test("a mount that shows a part of the hierarchy", (context) => {
  const group = `/system.slice/docker-${id}.scope`;
  assert.deepEqual(usageOn2(context, group, { id, named: true }, group)?.(), { cpu: 2.5e9, memory: 44_000_000 });
  assert.equal(usageOn2(context, `/other/docker-${id}.scope`, { id, named: true }, group), undefined);
});

test("a process whose group is not the container's is not counted", (context) => {
  assert.equal(usageOn2(context, "/system.slice/ssh.service"), undefined);
  assert.equal(usageOn2(context, "/", { id: "web", named: false }), undefined);
});

test("version 1: each controller has its own path, and LXC numbers it after a killed monitor", (context) => {
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
  const read = usageReader(findCgroupMounts(info), groups, { id: "web", named: false });
  assert.deepEqual(read?.(), { cpu: 1.5e9, memory: 20_000_000 });
});

test("a group without the controller of memory has no memory to tell", (context) => {
  const root = tree(context, { [`docker/${id}/cpu.stat`]: "usage_usec 1000\n" });
  const mounts = findCgroupMounts(mount(root, "/", "cgroup2 cgroup2 rw"));
  assert.deepEqual(usageReader(mounts, `0::/docker/${id}\n`, { id, named: true })?.(), { cpu: 1e6, memory: 0 });
});

test("what is gone throws", (context) => {
  const root = tree(context, {});
  const mounts = findCgroupMounts(mount(root, "/", "cgroup2 cgroup2 rw"));
  const read = usageReader(mounts, `0::/docker/${id}\n`, { id, named: true });
  assert.throws(() => read?.(), /ENOENT/);
});

test("traffic is of all interfaces but the loopback, also of long numbers without a space", () => {
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

test("own addresses once each, that of the default route first", () => {
  assert.deepEqual(parseAddresses(fib), ["10.0.3.239", "10.0.2.1"]);
  assert.deepEqual(mainFirst(["10.0.2.1", "10.0.3.239"], routes), ["10.0.3.239", "10.0.2.1"]);
  assert.deepEqual(mainFirst(["10.0.2.1", "10.0.3.239"], head), ["10.0.2.1", "10.0.3.239"], "without a default route");
  assert.deepEqual(mainFirst(["200.1.2.3"], routes.replaceAll("0003000A", "000201C8")), ["200.1.2.3"]);
});

test("of IPv6 the global addresses, as people write them", () => {
  const text = [
    "00000000000000000000000000000001 01 80 10 80       lo",
    "fe800000000000000216fffffe000001 02 40 20 80     eth0",
    "fd420000000000000000000000000005 02 40 00 80     eth0",
    "20010db8000000010000000000000001 02 40 00 80     eth0",
    "",
  ].join("\n");
  assert.deepEqual(parseAddresses6(text), ["fd42::5", "2001:db8:0:1::1"]);
});
