import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runInside } from "../../engines/commands.ts";
import { cgroupFile, cgroupV2, fileInside, mounts } from "../../engines/kernel.ts";
import { until } from "../../support/patiently.ts";
import type { Made, Row } from "./row.ts";

const megabyte = 1 << 20;

/** Makes the folders that the rows mount; answers the shares' flags. */
export function makeShares(folder: string): string[] {
  mkdirSync(join(folder, "photos/a:b c"), { recursive: true });
  mkdirSync(join(folder, "public/in/side"), { recursive: true });
  writeFileSync(join(folder, "photos/a:b c/file"), "of the host");
  return ["--share", `Public=${folder}/public`, "--share", `My Photos=${folder}/photos`];
}

/** Limits, devices and volumes; `folder` holds the shares. */
export function resourceRows(folder: string): readonly Row[] {
  return [
    {
      name: "limits",
      covers: ["resource.limit.cpuweight", "resource.limit.cputime", "resource.limit.memory"],
      body: { resource: { limit: { cpuweight: 512, cputime: 512, memory: "768m" } } },
      check: ({ pid }) => assertLimits(pid, { weight: "512", quota: "51200", memory: 768 }),
    },
    {
      name: "smallest",
      covers: ["resource.limit.cpuweight", "resource.limit.cputime", "resource.limit.memory"],
      body: { resource: { limit: { cpuweight: 2, cputime: 10, memory: "65" } } },
      check: ({ pid }) => assertLimits(pid, { weight: "2", quota: "1000", memory: 65 }),
    },
    {
      name: "device",
      covers: ["resource.device"],
      body: {
        entrypoint: tryFuse,
        resource: {
          device: [
            ["allow", "Misc_(10)", "rwm"],
            ["allow", "Sound_and_ALSA_(14,_116)", "r"],
          ],
        },
      },
      async check(made) {
        assert.equal(await fuseOpens(made), true);
        assert.match(await runInside(made.pid, "ls", "-l", "/dev/fuse"), /^crw.* 10, 229 /);
      },
    },
    {
      name: "device-denied",
      covers: ["resource.device"],
      body: {
        entrypoint: tryFuse,
        resource: {
          device: [
            ["allow", "Misc_(10)", "rwm"],
            ["deny", "Misc_(10)", "rwm"],
            ["allow", "Input_(13)", "rwm"],
          ],
        },
      },
      check: async (made) => assert.equal(await fuseOpens(made), false),
    },
    {
      name: "volume-host",
      covers: ["volume.host"],
      body: {
        volume: {
          host: {
            "/My Photos/a:b c": { bind: "/ro", ro: true },
            "/Public/in/side": { bind: "/mnt/rw", ro: false },
            "/Public": { bind: "/public" },
          },
        },
      },
      async check({ pid }) {
        assert.equal(fileInside(pid, "/ro/file"), "of the host");
        await assert.rejects(runInside(pid, "sh", "-c", "echo x >/ro/x"), /Read-only file system/);
        await runInside(pid, "sh", "-c", "echo new >/mnt/rw/new; echo top >/public/top");
        assert.equal(readFileSync(join(folder, "public/in/side/new"), "utf8"), "new\n");
        assert.equal(readFileSync(join(folder, "public/top"), "utf8"), "top\n");
      },
    },
    {
      name: "volume-new",
      covers: ["volume.new"],
      body: {
        volume: { new: ["/data", "/more/"] },
        entrypoint: ["sh", "-c", "echo kept >/data/file; exec sleep 1000"],
      },
      check({ pid }) {
        assert.deepEqual(mounts(pid).filter(({ target }) => ["/data", "/more"].includes(target)).length, 2);
      },
    },
    {
      name: "volume-container",
      covers: ["volume.container"],
      body: { volume: { container: ["param-volume-new"] } },
      async check({ pid }) {
        await until(() => fileInside(pid, "/data/file") === "kept\n");
      },
    },
  ];
}

/** The container's own first process tries to open a device, because only it is in the control group. */
const tryFuse = [
  "sh",
  "-c",
  "mknod /tmp/fuse c 10 229; dd if=/tmp/fuse of=/dev/null count=0; echo $? >/tmp/result; exec sleep 1000",
];

async function fuseOpens({ pid }: Made): Promise<boolean> {
  await until(() => existsSync(`/proc/${pid}/root/tmp/result`) && fileInside(pid, "/tmp/result") !== "");
  return fileInside(pid, "/tmp/result") === "0\n";
}

function assertLimits(pid: number, { weight, quota, memory }: { weight: string; quota: string; memory: number }): void {
  const bytes = String(memory * megabyte);
  if (cgroupV2) {
    // How shares become a weight differs between versions of runc; less than the default is below its 100.
    assert.ok(Number(cgroupFile(pid, "cpu", "cpu.weight")) < 100);
    assert.equal(cgroupFile(pid, "cpu", "cpu.max"), `${quota} 100000`);
    assert.equal(cgroupFile(pid, "memory", "memory.max"), bytes);
    return;
  }
  assert.equal(cgroupFile(pid, "cpu", "cpu.shares"), weight);
  assert.equal(cgroupFile(pid, "cpu", "cpu.cfs_quota_us"), quota);
  assert.equal(cgroupFile(pid, "memory", "memory.limit_in_bytes"), bytes);
}
