import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import type { Container, ContainerSpec } from "../../src/engines/engine.ts";
import { run, runInside } from "./commands.ts";
import { containerSpec, uniqueName } from "./container-spec.ts";
import { until } from "./docker-bench.ts";
import { fails } from "./engine-checks.ts";
import { cgroupFile, cgroupV2, fileInside, mounts } from "./kernel.ts";
import { image, lxcBench } from "./lxc-bench.ts";

/** Every parameter of a create, read back from the kernel. */
const { engine, lxc, launch, restarted } = lxcBench();
const megabyte = 1024 * 1024;

interface Row {
  parameter: string;
  spec: Partial<ContainerSpec>;
  check: (container: Container) => void | Promise<void>;
}

const rows: Row[] = [
  {
    parameter: "nothing",
    spec: {},
    async check({ pid, name }) {
      assert.equal(await runInside(pid, "hostname"), name);
      assert.equal(fileInside(pid, "/etc/hostname"), `${name}\n`);
      assert.equal(
        cgroupV2 ? cgroupFile(pid, "cpu", "cpu.max") : cgroupFile(pid, "cpu", "cpu.cfs_quota_us"),
        cgroupV2 ? "max 100000" : "-1",
      );
      assert.match(readFileSync(`/proc/${pid}/cgroup`, "utf8"), /gantry-test/, "its control group goes with the run");
      assert.match(await macOf(pid), /^00:16:3e:/);
      if (!cgroupV2) assert.ok(!(cgroupFile(pid, "devices", "devices.list") ?? "").includes("a *:* rwm"));
    },
  },
  {
    parameter: "hostname",
    spec: { hostname: "Custom.Host-Name" },
    async check({ pid }) {
      assert.equal(await runInside(pid, "hostname"), "Custom.Host-Name");
      assert.equal(fileInside(pid, "/etc/hostname"), "Custom.Host-Name\n");
    },
  },
  {
    parameter: "mac_addr",
    spec: { macAddress: "02:42:ac:11:77:99" },
    check: async ({ pid }) => assert.equal(await macOf(pid), "02:42:ac:11:77:99"),
  },
  {
    parameter: "mode nat",
    spec: {},
    check: ({ pid }) => until(async () => (await addressOf(pid)).startsWith("10.0.3.")),
  },
  {
    parameter: "limit: cpuweight, cputime, memory",
    spec: { limits: { cpuWeight: 512, cpuTime: 512, memory: 768 * megabyte } },
    check({ pid }) {
      if (cgroupV2) {
        assert.equal(cgroupFile(pid, "cpu", "cpu.weight"), "20");
        assert.equal(cgroupFile(pid, "cpu", "cpu.max"), "51200 100000");
        assert.equal(cgroupFile(pid, "memory", "memory.max"), String(768 * megabyte));
        return;
      }
      assert.equal(cgroupFile(pid, "cpu", "cpu.shares"), "512");
      assert.equal(cgroupFile(pid, "cpu", "cpu.cfs_quota_us"), "51200");
      assert.equal(cgroupFile(pid, "cpu", "cpu.cfs_period_us"), "100000");
      assert.equal(cgroupFile(pid, "memory", "memory.limit_in_bytes"), String(768 * megabyte));
      const swap = cgroupFile(pid, "memory", "memory.memsw.limit_in_bytes");
      if (swap !== undefined) assert.equal(swap, String(2 * 768 * megabyte));
    },
  },
  ...[10, 250, 999].map((cpuTime) => ({
    parameter: `limit: cputime ${cpuTime}`,
    spec: { limits: { cpuTime } },
    check({ pid }: Container) {
      const wanted = String(cpuTime * 100);
      if (cgroupV2) assert.equal(cgroupFile(pid, "cpu", "cpu.max"), `${wanted} 100000`);
      else assert.equal(cgroupFile(pid, "cpu", "cpu.cfs_quota_us"), wanted);
    },
  })),
  {
    parameter: "device with nodes",
    spec: { devices: [{ majors: [{ kind: "c", major: 10 }], access: "r" }] },
    async check({ pid }) {
      assert.match(await runInside(pid, "ls", "-l", "/dev/fuse"), /^crw.* 10, 229 /);
      if (!cgroupV2) assert.ok(devices(pid).includes("c 10:* r"), devices(pid).join(", "));
    },
  },
  {
    parameter: "device without nodes",
    spec: { devices: [{ majors: [{ kind: "c", major: 81 }], access: "rw" }] },
    check({ pid }) {
      if (!cgroupV2) assert.ok(devices(pid).includes("c 81:* rw"), devices(pid).join(", "));
    },
  },
  {
    parameter: "gpu on a host without one",
    spec: { gpu: true },
    check: ({ pid }) => assert.ok(pid > 0),
  },
];

for (const { parameter, spec, check } of rows) {
  test(`create in LXC: ${parameter}; and again after a restart`, async () => {
    const container = await launch(spec);
    await check(container);
    await check(await restarted(container));
    await engine().containers.remove(container.id);
  });
}

test("create in LXC: volume host, ro and rw, one in the other, where the image has a link; and again after a restart", async () => {
  const folder = mkdtempSync(join(tmpdir(), "a:b "));
  mkdirSync(join(folder, "sub"));
  writeFileSync(join(folder, "file"), "of the host");
  const mount = { source: folder, readOnly: false };
  let container = await launch({
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

test("create in LXC: autostart, as LXC's own tool sees it", async () => {
  const startsAtBoot = async (id: string): Promise<boolean> =>
    (await run("lxc-autostart", "-P", lxc().path, "-L", "-g", "onboot"))
      .split("\n")
      .some((line) => line.startsWith(id));
  for (const autostart of [true, false]) {
    const id = await engine().containers.create(containerSpec({ image, autostart }));
    assert.equal(await startsAtBoot(id), autostart);
    await engine().containers.remove(id);
  }
});

test("create in LXC: containers with ports have addresses of their own, for life, also when they ask DHCP", async () => {
  const ports = [{ host: 8080, container: 80, protocol: "tcp" as const }];
  const containers = await Promise.all([1, 2, 3].map(() => launch({ ports })));
  const addresses = containers.map(({ forward }) => forward?.address ?? "");
  assert.equal(new Set(addresses).size, 3);
  for (const { pid, forward } of containers) {
    assert.deepEqual(forward, { address: await addressOf(pid), bridge: "lxcbr0" });
    assert.match(await inNetwork(pid, "ip", "route"), /^default via 10\.0\.3\.1 dev eth0/m);
    await until(async () => (await offered(pid)).includes(forward?.address ?? "none"));
  }
  const again = await restarted(containers[0] as Container);
  assert.deepEqual([again.forward?.address, await addressOf(again.pid)], [addresses[0], addresses[0]]);
  for (const { id } of containers) await engine().containers.remove(id);
});

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
  return inNetwork(pid, "busybox", "udhcpc", "-i", "eth0", "-q", "-n", "-s", "/bin/true");
}

test("create in LXC: names", async () => {
  for (const name of [".hidden", "a/b", "..", "", "long".repeat(30)]) {
    await fails(engine().containers.create(containerSpec({ image, name })), "invalid", /^name /);
    assert.equal(await engine().containers.get(name), undefined);
  }
  const name = `${uniqueName("Under_score.dot")}${"x".repeat(30)}`;
  const { pid } = await launch({ name });
  assert.ok(pid > 0);
  await engine().containers.remove(name);
});

test("create in LXC: no value becomes a setting of its own", async () => {
  const hostname = "a\nlxc.hook.start-host = /bin/true";
  await fails(engine().containers.create(containerSpec({ image, hostname })), "invalid");
  const parent = mkdtempSync(join(tmpdir(), "line\nbreak\\"));
  const folder = join(parent, "a");
  mkdirSync(folder);
  const mount = { source: folder, target: "/with space\\040", readOnly: false };
  const { id, pid } = await launch({ mounts: [mount] });
  await runInside(pid, "sh", "-c", "echo there >'/with space\\040/file'");
  assert.equal(readFileSync(join(folder, "file"), "utf8"), "there\n");
  await engine().containers.remove(id);
});

test("what LXC cannot start says why", async () => {
  const network = { mode: "bridge", interface: "absent0", join: false, address: { by: "dhcp" } } as const;
  const id = await engine().containers.create(containerSpec({ image, network }));
  await fails(engine().containers.start(id), "engine_failed", /absent0/);
  await engine().containers.remove(id);
});

function devices(pid: number): string[] {
  return cgroupFile(pid, "devices", "devices.list")?.split("\n") ?? [];
}

function inNetwork(pid: number, ...argv: string[]): Promise<string> {
  return run("nsenter", "-t", String(pid), "-n", "--", "sh", "-c", 'exec "$@" 2>&1', "sh", ...argv);
}

async function macOf(pid: number): Promise<string> {
  return /link\/ether (\S+)/.exec(await inNetwork(pid, "ip", "link", "show", "eth0"))?.[1] ?? "";
}

async function addressOf(pid: number): Promise<string> {
  return /inet ([\d.]+)/.exec(await inNetwork(pid, "ip", "-4", "-o", "address", "show", "dev", "eth0"))?.[1] ?? "";
}
