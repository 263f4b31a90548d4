import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import type { Container } from "../../src/engines/engine.ts";
import type { ContainerSpec } from "../../src/engines/container-spec.ts";
import { until } from "../support/patiently.ts";
import { runInside } from "./commands.ts";
import { cgroupFile, cgroupV2 } from "./kernel.ts";
import { addressOf, onNetworkOf, type SystemBench } from "./system-bench.ts";

const megabyte = 1024 * 1024;

export type Check = (container: Container) => void | Promise<void>;

/** A parameter of a create, and what the kernel is to say of it. */
export interface Row {
  parameter: string;
  spec: Partial<ContainerSpec>;
  check: Check;
}

/** What LXC and LXD have both. */
export function rowsOf({ network }: SystemBench, quota: (cpuTime: number) => [number, number]): Row[] {
  const checkQuota = ({ pid }: Container, cpuTime: number): void => {
    const [microseconds, period] = quota(cpuTime);
    if (cgroupV2) return assert.equal(cgroupFile(pid, "cpu", "cpu.max"), `${microseconds} ${period}`);
    assert.equal(cgroupFile(pid, "cpu", "cpu.cfs_quota_us"), String(microseconds));
    assert.equal(cgroupFile(pid, "cpu", "cpu.cfs_period_us"), String(period));
  };
  return [
    {
      parameter: "nothing",
      spec: {},
      async check({ pid, name }) {
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
      check: async ({ pid }) => assert.equal(await macOf(pid), "02:42:ac:11:77:99"),
    },
    {
      parameter: "mode nat",
      spec: {},
      check: ({ pid }) => until(async () => (await addressOf(pid)).startsWith(`${network}.`)),
    },
    {
      parameter: "limit: cpuweight, cputime, memory",
      spec: { limits: { cpuWeight: 512, cpuTime: 512, memory: 768 * megabyte } },
      check(container) {
        const { pid } = container;
        checkQuota(container, 512);
        if (cgroupV2) assert.equal(cgroupFile(pid, "cpu", "cpu.weight"), "20");
        else assert.equal(cgroupFile(pid, "cpu", "cpu.shares"), "512");
        const memory = cgroupFile(pid, "memory", cgroupV2 ? "memory.max" : "memory.limit_in_bytes");
        assert.equal(memory, String(768 * megabyte));
      },
    },
    ...[10, 250, 999].map((cpuTime) => ({
      parameter: `limit: cputime ${cpuTime}`,
      spec: { limits: { cpuTime } },
      check: (container: Container) => checkQuota(container, cpuTime),
    })),
    {
      parameter: "device with nodes",
      spec: { devices: [{ majors: [{ kind: "c", major: 10 }], access: "r" }] },
      check: async ({ pid }) => assert.match(await runInside(pid, "ls", "-l", "/dev/fuse"), /^crw.* 10, 229 /),
    },
  ];
}

export async function macOf(pid: number): Promise<string> {
  return /link\/ether (\S+)/.exec(await onNetworkOf(pid, "ip", "link", "show", "eth0"))?.[1] ?? "";
}
