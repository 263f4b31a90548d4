import assert from "node:assert/strict";
import { readlinkSync } from "node:fs";
import { test } from "node:test";

import type { ContainerSpec } from "../../src/engines/container-spec.ts";
import { until } from "../support/patiently.ts";
import { run, runInside } from "./commands.ts";
import { dockerBench } from "./docker-bench.ts";
import { cgroupFile, cgroupV2, entries, fileInside, statusField } from "./kernel.ts";

/** Every parameter of a create, read back from the kernel: nothing is asked of the engine that the kernel can be asked. */
const { engine, launch } = dockerBench();
const megabyte = 1024 * 1024;

interface Row {
  parameter: string;
  spec: Partial<ContainerSpec>;
  check: (pid: number) => void | Promise<void>;
}

const rows: Row[] = [
  {
    parameter: "nothing",
    spec: {},
    check(pid) {
      assert.deepEqual(entries(pid, "cmdline"), ["sh"]);
      assert.match(
        readlinkSync(`/proc/${pid}/fd/0`),
        /^\/dev\/pts\/|^\/dev\/console$|^\/\d+$/,
        "a terminal keeps a shell alive",
      );
      assert.notEqual(statusField(pid, "CapEff"), statusField(1, "CapEff"));
    },
  },
  {
    parameter: "entrypoint, command",
    spec: { entrypoint: ["/bin/sh", "-c"], command: ["exec sleep 1000 # 'a b'"] },
    async check(pid) {
      await until(() => entries(pid, "cmdline").join(" ") === "sleep 1000");
    },
  },
  {
    parameter: "entrypoint alone drops the image's command",
    spec: { entrypoint: ["/bin/cat"] },
    check: (pid) => assert.deepEqual(entries(pid, "cmdline"), ["/bin/cat"]),
  },
  {
    parameter: "environment",
    spec: { environment: ["A=1", "B=two words", "C=x=y", "D=", "E=ü\nnewline"] },
    check(pid) {
      const found = entries(pid, "environ");
      for (const wanted of ["A=1", "B=two words", "C=x=y", "D=", "E=ü\nnewline"])
        assert.ok(found.includes(wanted), wanted);
    },
  },
  {
    parameter: "user, working_dir",
    spec: { user: "nobody", workingDir: "/var/new/place" },
    check(pid) {
      assert.match(statusField(pid, "Uid"), /^65534\s+65534\s/);
      assert.equal(readlinkSync(`/proc/${pid}/cwd`), "/var/new/place");
    },
  },
  {
    parameter: "user by numbers",
    spec: { user: "1234:5678" },
    check(pid) {
      assert.match(statusField(pid, "Uid"), /^1234\s/);
      assert.match(statusField(pid, "Gid"), /^5678\s/);
    },
  },
  {
    parameter: "hostname, dns",
    spec: { hostname: "CustomHostName", dns: ["192.0.2.53", "2001:db8::53"] },
    async check(pid) {
      assert.equal(await runInside(pid, "cat", "/proc/sys/kernel/hostname"), "CustomHostName");
      assert.equal(
        fileInside(pid, "/etc/resolv.conf")
          .match(/^nameserver .*$/gm)
          ?.join(),
        "nameserver 192.0.2.53,nameserver 2001:db8::53",
      );
    },
  },
  {
    parameter: "mac_addr",
    spec: { macAddress: "02:42:ac:11:77:99" },
    check: async (pid) =>
      assert.match(
        await run("nsenter", "-t", String(pid), "-n", "ip", "link", "show", "eth0"),
        /link\/ether 02:42:ac:11:77:99/,
      ),
  },
  {
    parameter: "mode host",
    spec: { network: { mode: "host" } },
    check: (pid) => assert.equal(readlinkSync(`/proc/${pid}/ns/net`), readlinkSync("/proc/self/ns/net")),
  },
  {
    parameter: "mode nat",
    spec: { network: { mode: "nat" } },
    check: (pid) => assert.notEqual(readlinkSync(`/proc/${pid}/ns/net`), readlinkSync("/proc/self/ns/net")),
  },
  {
    parameter: "limit: cpuweight, cputime, memory",
    spec: { limits: { cpuWeight: 512, cpuTime: 512, memory: 768 * megabyte } },
    check(pid) {
      if (cgroupV2) {
        const weight = Number(cgroupFile(pid, "cpu", "cpu.weight"));
        // How shares become a weight differs between versions of runc; a half of the default is below its 100.
        assert.ok(weight > 1 && weight < 100, String(weight));
        assert.equal(cgroupFile(pid, "cpu", "cpu.max"), "51200 100000");
        assert.equal(cgroupFile(pid, "memory", "memory.max"), String(768 * megabyte));
        return;
      }
      assert.equal(cgroupFile(pid, "cpu", "cpu.shares"), "512");
      assert.equal(cgroupFile(pid, "cpu", "cpu.cfs_quota_us"), "51200");
      assert.equal(cgroupFile(pid, "cpu", "cpu.cfs_period_us"), "100000");
      assert.equal(cgroupFile(pid, "memory", "memory.limit_in_bytes"), String(768 * megabyte));
      const swap = cgroupFile(pid, "memory", "memory.memsw.limit_in_bytes");
      assert.ok(swap === undefined || swap === String(1536 * megabyte), swap);
    },
  },
  {
    parameter: "limit: the smallest",
    spec: { limits: { cpuWeight: 2, cpuTime: 10, memory: 65 * megabyte } },
    check(pid) {
      assert.equal(
        cgroupV2 ? cgroupFile(pid, "cpu", "cpu.max") : cgroupFile(pid, "cpu", "cpu.cfs_quota_us"),
        cgroupV2 ? "1000 100000" : "1000",
      );
    },
  },
  {
    parameter: "limit: none",
    spec: {},
    check(pid) {
      assert.equal(
        cgroupV2 ? cgroupFile(pid, "cpu", "cpu.max") : cgroupFile(pid, "cpu", "cpu.cfs_quota_us"),
        cgroupV2 ? "max 100000" : "-1",
      );
    },
  },
  {
    parameter: "device",
    spec: {
      devices: [
        { majors: [{ kind: "c", major: 81 }], access: "rw" },
        { majors: [{ kind: "c", major: 10 }], access: "rwm" },
        {
          majors: [
            { kind: "c", major: 14 },
            { kind: "c", major: 116 },
          ],
          access: "r",
        },
      ],
    },
    async check(pid) {
      assert.match(await runInside(pid, "ls", "-l", "/dev/fuse"), /^crw.* 10, 229 /);
      if (cgroupV2) return;
      const list = cgroupFile(pid, "devices", "devices.list")?.split("\n") ?? [];
      for (const rule of ["c 81:* rw", "c 10:* rwm", "c 14:* r", "c 116:* r"])
        assert.ok(list.includes(rule), `${rule} in ${list.join(", ")}`);
    },
  },
];

for (const { parameter, spec, check } of rows) {
  test(`create: ${parameter}`, async () => {
    const container = await launch(spec);
    await check(container.pid);
    await engine.containers.remove(container.id);
  });
}
