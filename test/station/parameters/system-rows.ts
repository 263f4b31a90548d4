import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { run, runInside } from "../../engines/commands.ts";
import { cgroupFile, cgroupV2, mounts } from "../../engines/kernel.ts";
import type { LanWorld } from "../../engines/lan-world.ts";
import type { SystemType, SystemWorld } from "../../support/system-station.ts";

export interface SystemMade {
  type: SystemType;
  name: string;
  pid: number;
  world: SystemWorld;
}

/** A parameter of a create that LXC and LXD carry out; what differs between them is in the check. */
export interface SystemRow {
  name: string;
  covers: readonly string[];
  body: Record<string, unknown>;
  /** Absent: both. */
  only?: SystemType;
  /** Tried again for some seconds: addresses come by DHCP. */
  check: (made: SystemMade) => void | Promise<void>;
}

const megabyte = 1 << 20;

export function systemRows(lan: LanWorld, folder: string): readonly SystemRow[] {
  return [...plainRows, ...resourceRows(folder), ...networkRows(lan)];
}

const plainRows: readonly SystemRow[] = [
  {
    name: "nothing",
    covers: ["type", "repository", "image", "tag", "name", "network.mode"],
    body: {},
    async check({ type, name, pid }) {
      assert.equal(await runInside(pid, "hostname"), name);
      assert.match(await card(pid, "address"), type === "lxc" ? /inet 10\.0\.3\.\d+\// : /inet 10\.99\.0\.\d+\//);
      assert.match(
        readFileSync(`/proc/${pid}/uid_map`, "utf8"),
        type === "lxc" ? /^\s+0\s+\d{10}\s/ : /^\s+0\s+100000\s/,
      );
      assert.deepEqual(quota(pid), undefined);
    },
  },
  {
    name: "local",
    covers: ["repository"],
    body: { repository: "local" },
    check: ({ pid }) => assert.ok(pid > 0),
  },
  {
    name: "hostname",
    covers: ["network.hostname"],
    body: { network: { mode: "nat", hostname: "CustomHostName" } },
    check: async ({ pid }) => assert.equal(await runInside(pid, "hostname"), "CustomHostName"),
  },
  {
    name: "page",
    covers: [
      "gpu",
      "resource.gpu",
      "changed",
      "image_from.from",
      "image_from.local",
      "image_from.nas",
      "image_from.upload_folder",
      "restart.checked",
      "restart.required",
      "description",
      "location",
      "icon",
      "privileged",
      "download.description",
      "download.location",
      "download.icon",
    ],
    body: {
      autostart: true,
      changed: {},
      download: { description: "Ubuntu bionic amd64 (20210810_07:42)", location: "", icon: "" },
      description: "d",
      location: "l",
      icon: "i",
      entrypoint: "",
      command: "",
      user: "",
      working_dir: "",
      environment: [],
      gpu: false,
      image_from: { from: "nas", local: "", nas: "", upload_folder: "" },
      links: {},
      network: { mode: "nat", port: [], dns: [], expose_port: [], hostname: "", mac_addr: "" },
      privileged: false,
      resource: { device: [], gpu: [], limit: {} },
      restart: { checked: true, required: false },
      volume: { container: [], host: {}, new: [] },
    },
    check: async ({ name, pid }) => assert.equal(await runInside(pid, "hostname"), name),
  },
  autostartRow(true),
  autostartRow(false),
  {
    name: "privileged",
    covers: ["privileged"],
    body: { privileged: true },
    check: ({ pid }) => assert.match(readFileSync(`/proc/${pid}/uid_map`, "utf8"), /^\s+0\s+0\s/),
  },
];

function autostartRow(autostart: boolean): SystemRow {
  return {
    name: autostart ? "autostart" : "no-autostart",
    covers: ["autostart"],
    body: { autostart },
    async check({ type, name, world }) {
      if (type === "lxc") {
        const config = readFileSync(join(world.lxc.path, name, "config"), "utf8");
        assert.equal(/^lxc\.start\.auto = 1$/m.test(config), autostart);
        assert.equal(/^lxc\.group = onboot$/m.test(config), autostart);
        return;
      }
      const { config } = await world.lxd.get<{ config: Record<string, string> }>(`/1.0/instances/${name}`);
      assert.equal(config["boot.autostart"], String(autostart));
    },
  };
}

function resourceRows(folder: string): readonly SystemRow[] {
  return [
    {
      name: "limits",
      covers: ["resource.limit.cpuweight", "resource.limit.cputime", "resource.limit.memory"],
      body: { resource: { limit: { cpuweight: 512, cputime: 512, memory: "768m" } } },
      check({ pid }) {
        assert.equal(quota(pid), 0.512);
        const memory = cgroupV2
          ? cgroupFile(pid, "memory", "memory.max")
          : cgroupFile(pid, "memory", "memory.limit_in_bytes");
        assert.equal(memory, String(768 * megabyte));
        assert.equal(
          cgroupV2 ? cgroupFile(pid, "cpu", "cpu.weight") : cgroupFile(pid, "cpu", "cpu.shares"),
          cgroupV2 ? "20" : "512",
        );
      },
    },
    {
      name: "smallest",
      covers: ["resource.limit.cpuweight", "resource.limit.cputime", "resource.limit.memory"],
      body: { resource: { limit: { cpuweight: 2, cputime: 10, memory: "65" } } },
      check({ pid }) {
        assert.equal(quota(pid), 0.01);
        const file = cgroupV2 ? "memory.max" : "memory.limit_in_bytes";
        assert.equal(cgroupFile(pid, "memory", file), String(65 * megabyte));
      },
    },
    {
      name: "device",
      covers: ["resource.device"],
      body: { resource: { device: [["allow", "Misc_(10)", "rw"]] } },
      async check({ pid }) {
        // LXD gives /dev/fuse to all containers.
        assert.match(await runInside(pid, "ls", "-l", "/dev/loop-control"), /^crw.* 10, 237 /);
        assert.equal(await opens(pid, "/dev/loop-control"), true);
      },
    },
    {
      name: "device-denied",
      covers: ["resource.device"],
      body: {
        resource: {
          device: [
            ["allow", "Misc_(10)", "rwm"],
            ["deny", "Misc_(10)", "rwm"],
          ],
        },
      },
      check: ({ pid }) => assert.ok(!existsSync(`/proc/${pid}/root/dev/loop-control`)),
    },
    {
      name: "volume-host",
      covers: ["volume.host"],
      body: {
        volume: {
          host: {
            "/My Photos/a:b c": { bind: "/mnt/ro", ro: true },
            "/Public/in/side": { bind: "/mnt/rw", ro: false },
          },
        },
      },
      async check({ type, name, pid }) {
        const seen = mounts(pid);
        assert.equal(seen.find(({ target }) => target === "/mnt/ro")?.readOnly, true);
        assert.equal(seen.find(({ target }) => target === "/mnt/rw")?.readOnly, false);
        assert.equal(await asItsRoot(pid, "cat /mnt/ro/file"), "of the host");
        await assert.rejects(asItsRoot(pid, "echo x >/mnt/ro/x"), /Read-only file system/);
        await asItsRoot(pid, `echo ${name} >/mnt/rw/${type}`);
        assert.equal(readFileSync(join(folder, "public/in/side", type), "utf8"), `${name}\n`);
      },
    },
  ];
}

function networkRows({ cable, bridge }: LanWorld): readonly SystemRow[] {
  return [
    {
      name: "mac",
      covers: ["network.mac_addr"],
      body: { network: { mac_addr: "02:42:AC:11:77:99" } },
      check: async ({ pid }) => assert.match(await card(pid, "link"), /link\/ether 02:42:ac:11:77:9[89]/),
    },
    {
      name: "interface",
      covers: ["network.mode", "network.interface", "network.bridge.mode"],
      body: { network: { mode: "bridge", interface: cable, bridge: { mode: "dhcp" } } },
      async check({ pid }) {
        assert.match(await card(pid, "address"), /inet 192\.168\.77\.1[0-4]\d\/24/);
        assert.match(await card(pid, "link"), /macvlan mode bridge/);
      },
    },
    {
      name: "join",
      covers: ["network.join", "network.bridge.ip", "network.bridge.netmask", "network.bridge.gateway"],
      body: {
        network: {
          mode: "bridge",
          interface: bridge,
          join: true,
          bridge: { mode: "static", ip: "192.168.77.21", netmask: "255.255.254.0", gateway: "192.168.77.1" },
        },
      },
      async check({ pid }) {
        assert.match(await card(pid, "address"), /inet 192\.168\.77\.2[12]\/23/);
        assert.match(await inNetwork(pid, "ip", "route"), /^default via 192\.168\.77\.1 dev eth0/m);
        assert.match(await card(pid, "link"), /veth/);
      },
    },
    {
      name: "page-bridge",
      covers: ["network.bridge.interface.bridge", "network.bridge.interface.name"],
      body: {
        network: {
          mode: "bridge",
          bridge: { mode: "static", ip: "192.168.77.31", interface: { bridge, name: cable } },
        },
      },
      async check({ pid }) {
        assert.match(await card(pid, "address"), /inet 192\.168\.77\.3[12]\/24/);
        assert.match(await card(pid, "link"), /veth/, "a bridge is joined");
      },
    },
  ];
}

/** Cores that it may use; `undefined`: all. */
function quota(pid: number): number | undefined {
  const [time, period] = cgroupV2
    ? (cgroupFile(pid, "cpu", "cpu.max") ?? "").split(" ")
    : [cgroupFile(pid, "cpu", "cpu.cfs_quota_us"), cgroupFile(pid, "cpu", "cpu.cfs_period_us")];
  return time === "max" || time === "-1" ? undefined : Number(time) / Number(period);
}

/** A process in the container's own control group tries it. */
async function opens(pid: number, device: string): Promise<boolean> {
  const group = /^\d+:devices:(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, "utf8"))?.[1];
  const enter = cgroupV2 || !group ? "" : `echo $$ >"/sys/fs/cgroup/devices${group}/cgroup.procs" && `;
  return run("sh", "-c", `${enter}exec nsenter -t "$1" -a -- sh -c ': <"$0"' "$2"`, "sh", String(pid), device).then(
    () => true,
    () => false,
  );
}

function asItsRoot(pid: number, script: string): Promise<string> {
  return run("nsenter", "-t", String(pid), "-a", "--", "sh", "-c", script);
}

function inNetwork(pid: number, ...argv: string[]): Promise<string> {
  return run("nsenter", "-t", String(pid), "-n", "--", ...argv);
}

function card(pid: number, what: "address" | "link"): Promise<string> {
  const details = what === "link" ? ["-d"] : ["-4"];
  return inNetwork(pid, "ip", ...details, what, "show", "dev", "eth0");
}
