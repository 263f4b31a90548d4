import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import type { Container } from "../../src/engines/engine.ts";
import { until } from "../support/patiently.ts";
import { run } from "./commands.ts";
import { uniqueName } from "./container-spec.ts";
import { cgroupFile, cgroupV2, fileInside, mounts, statusField } from "./kernel.ts";
import { lxdBench } from "./lxd-bench.ts";
import { addressOf } from "./system-bench.ts";
import { createTests } from "./system-create.ts";
import type { Row } from "./system-rows.ts";

/** Every parameter of a create in LXD: what LXC does too (`system-create.ts`), and what only LXD does. */
const bench = lxdBench();
const { engine, http, launch, restarted } = bench;
const megabyte = 1024 * 1024;

const rows: Row[] = [
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

/** LXD counts whole milliseconds: the period is one that they fit. */
const quotas: Record<number, [quota: number, period: number]> = {
  10: [1000, 100_000],
  250: [25_000, 100_000],
  512: [64_000, 125_000],
  999: [999_000, 1_000_000],
};

createTests(bench, {
  rows,
  also: {
    nothing: ({ pid }) => assert.match(readFileSync(`/proc/${pid}/uid_map`, "utf8"), /^\s+0\s+100000\s/),
    // In a container with user IDs of its own.
    async "device with nodes"({ pid }) {
      if (!cgroupV2) assert.ok(!(cgroupFile(pid, "devices", "devices.list") ?? "").includes("c 10:229 rwm"));
      await opens(pid, "<", true);
      await opens(pid, ">", false);
    },
  },
  quota: (cpuTime) => quotas[cpuTime] ?? assert.fail(`no quota of ${cpuTime}`),
  autostart: async (id) => (await record(id)).config["boot.autostart"],
  async address({ id, pid }) {
    await until(async () => (await addressOf(pid)) !== "");
    const address = await addressOf(pid);
    assert.equal((await record(id)).devices["eth0"]?.["ipv4.address"], address);
    return address;
  },
  names: {
    good: [uniqueName("Name-of-63-").padEnd(63, "x")],
    bad: ["with_underscore", "1digit", "end-", "../x", "a".repeat(64)],
  },
});

interface Instance {
  config: Record<string, string>;
  devices: Record<string, Record<string, string>>;
}

/** What LXD itself has of it. */
function record(id: string): Promise<Instance> {
  return http().get<Instance>(`/1.0/instances/${id}`);
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

test("create in LXD: one that is not to be privileged is not, whatever the profile says", async () => {
  const profile = "/1.0/profiles/default";
  const set = (value: string) =>
    http().send({ method: "PATCH", path: profile, body: { config: { "security.privileged": value } } });
  await set("true");
  try {
    const { pid } = await launch();
    assert.match(readFileSync(`/proc/${pid}/uid_map`, "utf8"), /^\s+0\s+100000\s/);
  } finally {
    await set("");
  }
});

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
  assert.equal((await record(container.id)).devices["root"]?.["pool"], "gantry");
  await engine().containers.remove(container.id);
  await http()
    .send({ method: "DELETE", path: "/1.0/storage-pools/gantry" })
    .catch(() => undefined);
});

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
