import assert from "node:assert/strict";
import { test } from "node:test";

import type { ContainerSpec } from "../../src/engines/container-spec.ts";
import { containerConfig, type ConfigFacts } from "../../src/engines/lxc/create/config.ts";
import { containerSpec } from "./container-spec.ts";
import { fails } from "./engine-checks.ts";

/** What this kernel does not show: the other version of control groups, GPUs. */
const facts: ConfigFacts = {
  home: "/var/lib/lxc/one",
  architecture: "x86_64",
  bridge: "lxcbr0",
  mac: "00:16:3e:00:00:01",
  mountPoints: [],
  nodes: [],
  gpuDevices: [],
  systemd: false,
  swap: true,
};

function lines(spec: Partial<ContainerSpec>, more: Partial<ConfigFacts> = {}): string[] {
  return containerConfig(containerSpec({ image: "x:1", ...spec }), { ...facts, ...more }).split("\n");
}

function settings(all: string[], part: RegExp): string[] {
  return all.filter((line) => part.test(line));
}

test("limits are said for both versions of control groups, the memory's first", () => {
  const limits = { cpuWeight: 1024, cpuTime: 999, memory: 1000 };
  assert.deepEqual(settings(lines({ limits }), /cgroup/), [
    "lxc.cgroup.cpu.shares = 1024",
    "lxc.cgroup2.cpu.weight = 39",
    "lxc.cgroup.cpu.cfs_period_us = 100000",
    "lxc.cgroup.cpu.cfs_quota_us = 99900",
    "lxc.cgroup2.cpu.max = 99900 100000",
    "lxc.cgroup.memory.limit_in_bytes = 1000",
    "lxc.cgroup2.memory.max = 1000",
    "lxc.cgroup.memory.memsw.limit_in_bytes = 2000",
    "lxc.cgroup2.memory.swap.max = 1000",
  ]);
  assert.deepEqual(settings(lines({ limits }, { swap: false }), /swap|memsw/), []);
  assert.deepEqual(settings(lines({}), /cgroup/), []);
});

test("devices and GPUs are allowed in both, and their nodes given where they are", () => {
  const devices = [{ majors: [{ kind: "c", major: 81 } as const], access: "rw" }];
  const nodes = ["/dev/video0", "/dev/dri/card0"].map((path) => ({ path, source: path }));
  const host = { nodes, gpuDevices: ["c 226:*"] };
  assert.deepEqual(settings(lines({ devices, gpu: true }, host), /devices|mount/), [
    "lxc.cgroup.devices.allow = c 81:* rw",
    "lxc.cgroup2.devices.allow = c 81:* rw",
    "lxc.cgroup.devices.allow = c 226:* rwm",
    "lxc.cgroup2.devices.allow = c 226:* rwm",
    "lxc.mount.entry = /dev/video0 dev/video0 none bind,optional,create=file 0 0",
    "lxc.mount.entry = /dev/dri/card0 dev/dri/card0 none bind,optional,create=file 0 0",
  ]);
});

test("a value with a control character is refused, wherever it is", async () => {
  const bad = "a\nlxc.hook.start-host = /bin/true";
  const network = { mode: "bridge", interface: bad, join: true, address: { by: "dhcp" } } as const;
  const mounts = [{ source: `/${bad}`, target: "/x", readOnly: false }];
  const made = (spec: Partial<ContainerSpec>, more: Partial<ConfigFacts> = {}) =>
    fails((async () => lines(spec, more))(), "invalid");
  await made({ hostname: bad });
  await made({ name: bad });
  await made({ network });
  await made({}, { home: `/${bad}` });
  await made({}, { architecture: bad });
  await made({}, { nodes: [{ path: `/dev/\u0000${bad}`, source: "/dev/x" }] });
  await made({ hostname: "a\u0085b" });
  // In the path of a mount it is written in another way, as in fstab.
  assert.deepEqual(settings(lines({ mounts }, { mountPoints: ["/x"] }), /mount|hook/), [
    "lxc.mount.entry = /a\\012lxc.hook.start-host\\040=\\040/bin/true x none bind 0 0",
  ]);
});
