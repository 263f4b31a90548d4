import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import type { Container, ContainerSpec } from "../../src/engines/engine.ts";
import { run, runInside } from "./commands.ts";
import { containerSpec } from "./container-spec.ts";
import { until } from "./docker-bench.ts";
import { fails } from "./engine-checks.ts";
import { cgroupFile, cgroupV2, fileInside, mounts, statusField } from "./kernel.ts";
import { image, lxdBench } from "./lxd-bench.ts";

/** Every parameter of a create, read back from the kernel. */
const { engine, http, launch, restarted } = lxdBench();
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
      assert.match(readFileSync(`/proc/${pid}/uid_map`, "utf8"), /^\s+0\s+100000\s/);
      assert.equal(await runInside(pid, "hostname"), name);
      assert.equal(
        cgroupV2 ? cgroupFile(pid, "cpu", "cpu.max") : cgroupFile(pid, "cpu", "cpu.cfs_quota_us"),
        cgroupV2 ? "max 100000" : "-1",
      );
      assert.match(readFileSync(`/proc/${pid}/cgroup`, "utf8"), /gantry-test/, "its control group goes with the run");
    },
  },
  {
    parameter: "hostname",
    spec: { hostname: "Custom.Host-Name" },
    check: async ({ pid }) => assert.equal(await runInside(pid, "hostname"), "Custom.Host-Name"),
  },
  {
    parameter: "mac_addr",
    spec: { macAddress: "02:42:ac:11:77:99" },
    async check({ pid }) {
      const card = await run("nsenter", "-t", String(pid), "-n", "ip", "link", "show", "eth0");
      assert.match(card, /link\/ether 02:42:ac:11:77:99/);
    },
  },
  {
    parameter: "mode nat",
    spec: {},
    async check({ pid }) {
      await until(async () => (await addressOf(pid)).startsWith("10.99.0."));
    },
  },
  {
    parameter: "limit: cpuweight, cputime, memory",
    spec: { limits: { cpuWeight: 512, cpuTime: 512, memory: 768 * megabyte } },
    check({ pid }) {
      if (cgroupV2) {
        assert.equal(cgroupFile(pid, "cpu", "cpu.weight"), "20");
        assert.equal(cgroupFile(pid, "cpu", "cpu.max"), "64000 125000");
        assert.equal(cgroupFile(pid, "memory", "memory.max"), String(768 * megabyte));
        return;
      }
      assert.equal(cgroupFile(pid, "cpu", "cpu.shares"), "512");
      assert.equal(cgroupFile(pid, "cpu", "cpu.cfs_quota_us"), "64000");
      assert.equal(cgroupFile(pid, "cpu", "cpu.cfs_period_us"), "125000");
      assert.equal(cgroupFile(pid, "memory", "memory.limit_in_bytes"), String(768 * megabyte));
    },
  },
  { parameter: "limit: cputime 10", spec: { limits: { cpuTime: 10 } }, check: ({ pid }) => quota(pid, 1000, 100_000) },
  {
    parameter: "limit: cputime 999",
    spec: { limits: { cpuTime: 999 } },
    check: ({ pid }) => quota(pid, 999_000, 1_000_000),
  },
  {
    parameter: "limit: cputime 250",
    spec: { limits: { cpuTime: 250 } },
    check: ({ pid }) => quota(pid, 25_000, 100_000),
  },
  {
    parameter: "device, in a container with user IDs of its own",
    spec: { devices: [{ majors: [{ kind: "c", major: 10 }], access: "r" }] },
    async check({ pid }) {
      assert.match(await runInside(pid, "ls", "-l", "/dev/fuse"), /^crw.* 10, 229 /);
      if (!cgroupV2) assert.ok(!(cgroupFile(pid, "devices", "devices.list") ?? "").includes("c 10:229 rwm"));
      await opens(pid, "<", true);
      await opens(pid, ">", false);
    },
  },
  {
    parameter: "device, privileged",
    spec: { privileged: true, devices: [{ majors: [{ kind: "c", major: 81 }], access: "rw" }] },
    check({ pid }) {
      assert.match(readFileSync(`/proc/${pid}/uid_map`, "utf8"), /^\s+0\s+0\s/);
      assert.equal(statusField(pid, "Uid").split(/\s+/)[0], "0");
      if (cgroupV2) return;
      const list = cgroupFile(pid, "devices", "devices.list")?.split("\n") ?? [];
      assert.ok(list.includes("c 81:* rw") && !list.includes("a *:* rwm"), list.join(", "));
    },
  },
];

for (const { parameter, spec, check } of rows) {
  test(`create in LXD: ${parameter}; and again after a restart`, async () => {
    const container = await launch(spec);
    await check(container);
    await check(await restarted(container));
    await engine().containers.remove(container.id);
  });
}

for (const privileged of [false, true]) {
  test(`create in LXD: volume host, ro and rw${privileged ? ", privileged" : ""}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "a:b "));
    writeFileSync(join(folder, "file"), "of the host");
    const mount = { source: folder, readOnly: false };
    const container = await launch({
      privileged,
      mounts: [
        { ...mount, target: "/rw" },
        { ...mount, target: "/ro", readOnly: true },
      ],
    });
    assert.deepEqual(container.mounts, [folder, folder]);
    const seen = mounts(container.pid);
    assert.equal(seen.find(({ target }) => target === "/rw")?.readOnly, false);
    assert.equal(seen.find(({ target }) => target === "/ro")?.readOnly, true);
    // The root of the container is the root of the folder: new files are the host's root's.
    await inside(container.pid, "echo new >/rw/new");
    assert.equal(fileInside(container.pid, "/ro/new"), "new\n");
    assert.equal(await run("stat", "-c", "%u", join(folder, "new")), "0");
    await assert.rejects(inside(container.pid, "echo x >/ro/x"), /Read-only file system/);
    await engine().containers.remove(container.id);
    assert.ok(existsSync(join(folder, "file")));
  });
}

test("create in LXD: a size holds, though the default pool cannot hold one; and again after a restart", async () => {
  const size = 100 * megabyte;
  const container = await launch({ limits: { size } });
  const fill = ({ pid }: Container): Promise<string> =>
    inside(pid, `dd if=/dev/urandom of=/filled bs=1M count=200 2>&1; sync; stat -c %s /filled; rm /filled; sync`);
  const holds = async (running: Container): Promise<void> => {
    const written = Number((await fill(running)).trim().split("\n").at(-1));
    assert.ok(written > size / 2 && written <= size, `${written} bytes were written`);
  };
  await holds(container);
  await holds(await restarted(container));
  const { devices } = await http().get<{ devices: Record<string, Record<string, string>> }>(
    `/1.0/instances/${container.id}`,
  );
  assert.equal(devices["root"]?.["pool"], "gantry");
  await engine().containers.remove(container.id);
  await http()
    .send({ method: "DELETE", path: "/1.0/storage-pools/gantry" })
    .catch(() => undefined);
});

test("create in LXD: autostart, said either way", async () => {
  for (const autostart of [true, false]) {
    const id = await engine().containers.create(containerSpec({ image, autostart }));
    const { config } = await http().get<{ config: Record<string, string> }>(`/1.0/instances/${id}`);
    assert.equal(config["boot.autostart"], String(autostart));
    await engine().containers.remove(id);
  }
});

test("create in LXD: containers with ports have addresses of their own, for life", async () => {
  const ports = [{ host: 8080, container: 80, protocol: "tcp" as const }];
  const containers = await Promise.all([1, 2, 3].map(() => launch({ ports })));
  const addresses: string[] = [];
  for (const container of containers) {
    await until(async () => (await addressOf(container.pid)) !== "");
    addresses.push(await addressOf(container.pid));
    const { devices } = await http().get<{ devices: Record<string, Record<string, string>> }>(
      `/1.0/instances/${container.id}`,
    );
    assert.equal(devices["eth0"]?.["ipv4.address"], addresses.at(-1));
  }
  assert.equal(new Set(addresses).size, 3);
  const again = await restarted(containers[0] as Container);
  await until(async () => (await addressOf(again.pid)) === addresses[0]);
  for (const { id } of containers) await engine().containers.remove(id);
});

test("create in LXD: a name that LXD cannot have", async () => {
  for (const name of ["with_underscore", "1digit", "end-", "../x", "a".repeat(64)]) {
    await fails(engine().containers.create(containerSpec({ image, name })), "invalid", /^name /);
    assert.equal(await engine().containers.get(name), undefined);
  }
});

test("create in LXD: no value becomes a setting of its own", async () => {
  const hostname = "a\nlxc.hook.start-host = /bin/true";
  await fails(engine().containers.create(containerSpec({ image, hostname })), "invalid");
  const parent = mkdtempSync(join(tmpdir(), "line\nbreak\\"));
  // The container's root must get through to what it mounts.
  chmodSync(parent, 0o711);
  const folder = join(parent, "a");
  mkdirSync(folder);
  const mount = { source: folder, target: "/with space\\040", readOnly: false };
  const { id, pid } = await launch({ mounts: [mount] });
  await inside(pid, "echo there >'/with space\\040/file'");
  assert.equal(readFileSync(join(folder, "file"), "utf8"), "there\n");
  await engine().containers.remove(id);
});

test("what LXD cannot start says why", async () => {
  const network = { mode: "bridge", interface: "absent0", join: false, address: { by: "dhcp" } } as const;
  const spec = containerSpec({ image, network });
  await fails(
    engine()
      .containers.create(spec)
      .then((id) => engine().containers.start(id)),
    "engine_failed",
    /absent0/,
  );
});

function quota(pid: number, microseconds: number, period: number): void {
  if (cgroupV2) return assert.equal(cgroupFile(pid, "cpu", "cpu.max"), `${microseconds} ${period}`);
  assert.equal(cgroupFile(pid, "cpu", "cpu.cfs_quota_us"), String(microseconds));
  assert.equal(cgroupFile(pid, "cpu", "cpu.cfs_period_us"), String(period));
}

/** As the root of the container, and with its user IDs. */
function inside(pid: number, script: string): Promise<string> {
  return run("nsenter", "-t", String(pid), "-a", "--", "sh", "-c", script);
}

/** A process of the container's own control group tries to open the device. */
async function opens(pid: number, way: "<" | ">", allowed: boolean): Promise<void> {
  const group = cgroupV2
    ? ""
    : `/sys/fs/cgroup/devices${/^\d+:devices:(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, "utf8"))?.[1]}`;
  if (group === "") return;
  const script = `echo $$ >"$1/cgroup.procs" && exec nsenter -t "$2" -U -m -- sh -c ': ${way}/dev/fuse'`;
  const opened = await run("sh", "-c", script, "sh", group, String(pid)).then(
    () => true,
    () => false,
  );
  assert.equal(opened, allowed, `${way} /dev/fuse`);
}

async function addressOf(pid: number): Promise<string> {
  const text = await run("nsenter", "-t", String(pid), "-n", "ip", "-4", "-o", "address", "show", "dev", "eth0");
  return /inet ([\d.]+)/.exec(text)?.[1] ?? "";
}
