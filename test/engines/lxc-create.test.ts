import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { until } from "../support/patiently.ts";
import { run, runInside } from "./commands.ts";
import { uniqueName } from "./container-spec.ts";
import { cgroupFile, cgroupV2, fileInside, mounts } from "./kernel.ts";
import { lxcBench } from "./lxc-bench.ts";
import { addressOf, onNetworkOf } from "./system-bench.ts";
import { createTests } from "./system-create.ts";
import { macOf, type Row } from "./system-rows.ts";

/** Every parameter of a create in LXC: what LXD does too (`system-create.ts`), and what only LXC does. */
const bench = lxcBench();
const { engine, lxc, launch, restarted } = bench;

const rows: Row[] = [
  {
    parameter: "device without nodes",
    spec: { devices: [{ majors: [{ kind: "c", major: 81 }], access: "rw" }] },
    check({ pid }) {
      if (!cgroupV2) assert.ok(devices(pid).includes("c 81:* rw"), devices(pid).join(", "));
    },
  },
  {
    parameter: "device, privileged",
    spec: { privileged: true, devices: [{ majors: [{ kind: "c", major: 10 }], access: "r" }] },
    async check({ pid }) {
      if (!cgroupV2) assert.ok(devices(pid).includes("c 10:* r"), devices(pid).join(", "));
      assert.equal(await runInside(pid, "sh", "-c", "test -c /dev/net/tun && stat -c %u /dev/net/tun"), "0");
    },
  },
  {
    parameter: "gpu on a host without one",
    spec: { gpu: true },
    check: ({ pid }) => assert.ok(pid > 0),
  },
];

createTests(bench, {
  rows,
  also: {
    async nothing({ pid, name }) {
      assert.equal(fileInside(pid, "/etc/hostname"), `${name}\n`);
      assert.match(await macOf(pid), /^00:16:3e:/);
      if (!cgroupV2) assert.ok(!(cgroupFile(pid, "devices", "devices.list") ?? "").includes("a *:* rwm"));
    },
    hostname: ({ pid }) => assert.equal(fileInside(pid, "/etc/hostname"), "Custom.Host-Name\n"),
    "limit: cpuweight, cputime, memory"({ pid }) {
      if (cgroupV2) return;
      const swap = cgroupFile(pid, "memory", "memory.memsw.limit_in_bytes");
      if (swap !== undefined) assert.equal(swap, String(2 * 768 * 1024 * 1024));
    },
    "device with nodes"({ pid }) {
      if (!cgroupV2) assert.ok(devices(pid).includes("c 10:* r"), devices(pid).join(", "));
    },
  },
  quota: (cpuTime) => [cpuTime * 100, 100_000],
  async autostart(id) {
    const listed = await run("lxc-autostart", "-P", lxc().path, "-L", "-g", "onboot");
    return String(listed.split("\n").some((line) => line.startsWith(id)));
  },
  // Also when it asks DHCP.
  async address({ pid, forward }) {
    const address = await addressOf(pid);
    assert.deepEqual(forward, { address, bridge: "lxcbr0" });
    assert.match(await onNetworkOf(pid, "ip", "route"), /^default via 10\.0\.3\.1 dev eth0/m);
    await until(async () => (await offered(pid)).includes(address));
    return address;
  },
  names: {
    good: [`${uniqueName("Under_score.dot")}${"x".repeat(30)}`],
    bad: [".hidden", "a/b", "..", "", "long".repeat(30)],
  },
});

for (const privileged of [false, true]) {
  test(`create in LXC: volume host, ro and rw, one in the other, where the image has a link, ${privileged ? "privileged" : "id-mapped"}; and again after a restart`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "a:b "));
    // The root of a container with ids of its own must get through to what it mounts.
    chmodSync(folder, 0o755);
    mkdirSync(join(folder, "sub"));
    writeFileSync(join(folder, "file"), "of the host");
    const mount = { source: folder, readOnly: false };
    let container = await launch({
      privileged,
      mounts: [
        { source: join(folder, "sub"), target: "/rw/sub", readOnly: true },
        { ...mount, target: "/rw" },
        { ...mount, target: "/sbin/new\\040 folder", readOnly: true },
        { ...mount, target: "/dev/shared", readOnly: true },
      ],
    });
    assert.deepEqual(container.mounts, [join(folder, "sub"), folder, folder, folder]);
    for (const again of [false, true]) {
      if (again) container = await restarted(container);
      const { pid } = container;
      const readOnly = (point: string): boolean | undefined =>
        mounts(pid).find(({ target }) => target === point)?.readOnly;
      assert.equal(readOnly("/rw"), false);
      assert.equal(readOnly("/rw/sub"), true);
      assert.equal(readOnly("/dev/shared"), true);
      // The image's /sbin is a link to bin.
      assert.equal(readOnly("/bin/new\\134040\\040folder"), true);
      await runInside(pid, "sh", "-c", "echo new >/rw/new");
      assert.equal(fileInside(pid, "/bin/new\\040 folder/new"), "new\n");
      assert.equal(await run("stat", "-c", "%u", join(folder, "new")), "0");
      await assert.rejects(runInside(pid, "sh", "-c", "echo x >'/sbin/new\\040 folder/x'"), /Read-only file system/);
    }
    await engine().containers.remove(container.id);
    assert.ok(existsSync(join(folder, "file")));
  });
}

test("create in LXC: the address of a container that is gone is nobody's", async () => {
  const macAddress = "00:16:3e:77:66:55";
  const gone = await launch({ macAddress, ports: [{ host: 8080, container: 80, protocol: "tcp" }] });
  await engine().containers.remove(gone.id);
  const other = await launch({ macAddress });
  const lease = await offered(other.pid);
  assert.match(lease, /10\.0\.3\./);
  assert.ok(!lease.includes(`${gone.forward?.address} `) && !lease.includes(`${gone.forward?.address},`), lease);
  await engine().containers.remove(other.id);
});

/** What the DHCP server says. */
function offered(pid: number): Promise<string> {
  const ask = "exec busybox udhcpc -i eth0 -q -n -s /bin/true 2>&1";
  return onNetworkOf(pid, "sh", "-c", ask);
}

function devices(pid: number): string[] {
  return cgroupFile(pid, "devices", "devices.list")?.split("\n") ?? [];
}
