import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { hostname } from "node:os";
import { after, before, test } from "node:test";
import type { BridgeList, SystemInfo, SystemResource } from "../../src/api/system.ts";
import { until } from "../support/daemon.ts";
import { dockerApi, removeContainers } from "../support/docker-cli.ts";
import { freePort } from "../support/free-port.ts";
import { startStation, type TestStation } from "../support/station.ts";

let station: TestStation;
before(async () => {
  station = await startStation();
});
after(async () => {
  await station.close();
  await removeContainers("sys-");
});

function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: "utf8", env: { ...process.env, LC_ALL: "C" } });
}

/** The documented answers; every field has its type, and there is none without a meaning in the schema. */
const documented = {
  system: {
    cpuCore: 4,
    cpuThread: 4,
    features: ["", "net_bridge", "lxd"],
    gpu: { csMode: false, device: [], driverInstalled: false },
    gpuchanged: false,
    hostname: "SW8-ED-453Bm",
    isDevicemapper: false,
    isSupportOverlay: true,
    machine: "amd64",
    memory: 7998068,
    memoryPageSize: 4096,
    migrationDir: "/var/lib/docker/qnap-migration",
    migrationDmStatus: "",
    needRestart: false,
    platform: "qts",
    processor: "Intel(R) Celeron(R) CPU J3455 @ 1.50GHz",
    status: "running",
    storageDriver: "overlay2",
    uncleanFS: false,
    version: {
      compose: "1.29.2",
      dockerVersion: "20.10.3",
      firmware: "4.5.4",
      lxc: "2.0.11-1",
      lxd: "4.14",
      qpkg: "2.4.0.2316",
      qpkgBuildDate: "2021/07/06",
    },
  },
  resource: {
    cpu_usage: "100.0",
    memory_usage: {
      buffers: 585,
      cached: 3336,
      percent: 26,
      percent_buffers: 7,
      percent_cached: 42,
      total: 7810,
      used: 2086,
    },
  },
};

/** Names and types, all the way down; a list by what is in it. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return "list";
  if (typeof value !== "object" || value === null) return typeof value;
  const entries = Object.entries(value).map(([key, inner]): [string, unknown] => [key, shapeOf(inner)]);
  return Object.fromEntries(entries.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

test("every documented field of system and resource, with its type, and no other", async (t) => {
  const answers = {
    system: await station.client.ok("GET", "/system"),
    resource: await station.client.ok("GET", "/system/resource"),
  };
  assert.deepEqual(shapeOf(answers), shapeOf(documented));
  const count = (value: unknown): number =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.values(value).reduce<number>((sum, inner) => sum + count(inner), 0)
      : 1;
  t.diagnostic(`${count(answers)} of ${count(documented)} fields`);
});

test("system is true beside lscpu, /proc, getconf and docker itself", async () => {
  const system = await station.client.ok<SystemInfo>("GET", "/system");
  const lscpu = new Map(
    run("lscpu")
      .split("\n")
      .map((line): [string, string] => [line.split(":")[0]?.trim() ?? "", line.split(":")[1]?.trim() ?? ""]),
  );
  const number = (name: string) => Number(lscpu.get(name));
  assert.equal(system.cpuThread, number("CPU(s)"));
  assert.equal(system.cpuCore, number("Core(s) per socket") * number("Socket(s)"));
  assert.equal(system.processor, lscpu.get("Model name"));
  assert.equal(system.memory, Number(/^Mem:\s+(\d+)/m.exec(run("free", "-k"))?.[1]));
  assert.equal(system.memoryPageSize, Number(run("getconf", "PAGESIZE")));
  assert.equal(system.machine, run("dpkg", "--print-architecture").trim());
  assert.equal(system.hostname, hostname());
  assert.match(run("cat", "/etc/os-release"), new RegExp(`^ID="?${system.platform}"?$`, "m"));
  assert.match(run("cat", "/etc/os-release"), new RegExp(`^VERSION_ID="?${system.version.firmware}"?$`, "m"));
  const info = await dockerApi<{ ServerVersion: string; Driver: string }>("GET", "/info");
  assert.deepEqual([system.version.dockerVersion, system.storageDriver], [info.ServerVersion, info.Driver]);
  assert.equal(system.version.qpkg, "0.1.0");
  assert.match(system.version.qpkgBuildDate, /^\d{4}\/\d\d\/\d\d$/);
  assert.deepEqual([system.version.lxc, system.version.lxd], ["", ""]);
  assert.ok(system.features.includes("net_bridge"));
});

test("an engine that is there has its version, and is a feature", async (t) => {
  const other = await startStation({ engines: ["docker", "lxc"] });
  t.after(() => other.close());
  const system = await other.client.ok<SystemInfo>("GET", "/system");
  assert.equal(system.version.lxc, run("lxc-start", "--version").trim());
  assert.deepEqual(system.features, ["net_bridge", "lxc"]);
});

test("memory is true beside free, in whole MB", async () => {
  const read = async () => (await station.client.ok<SystemResource>("GET", "/system/resource")).memory_usage;
  const distance = async () => {
    const memory = await read();
    const [, total = 0, , free = 0, , buffers = 0, cache = 0] = (/^Mem:.*$/m.exec(run("free", "-m", "-w"))?.[0] ?? "")
      .split(/\s+/)
      .map(Number);
    assert.equal(memory.total, total);
    const used = total - free - buffers - cache;
    return Math.max(...[memory.buffers - buffers, memory.cached - cache, memory.used - used].map(Math.abs));
  };
  // Others use memory between the two looks: some time there is a quiet moment.
  const near = async () => (await distance()) <= 32;
  assert.ok(await until(near, 30_000), `${await distance()} MB apart`);
  const memory = await read();
  assert.ok(Math.abs(memory.percent - (100 * memory.used) / memory.total) <= 1);
  assert.ok(Math.abs(memory.percent_cached - (100 * memory.cached) / memory.total) <= 1);
  assert.ok(Math.abs(memory.percent_buffers - (100 * memory.buffers) / memory.total) <= 1);
});

test("processor use is of now, not since the boot: every core burning is nearly all", async (t) => {
  const burners = Array.from({ length: Number(run("nproc")) }, () =>
    spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" }),
  );
  t.after(() => burners.forEach((burner) => burner.kill("SIGKILL")));
  await Promise.all(burners.map((burner) => once(burner, "spawn")));
  const usages: number[] = [];
  const isNearlyAll = async () => {
    const { cpu_usage: usage } = await station.client.ok<SystemResource>("GET", "/system/resource");
    assert.match(usage, /^\d{1,3}\.\d$/);
    usages.push(Number(usage));
    return Number(usage) >= 95;
  };
  assert.ok(await until(isNearlyAll, 20_000), usages.join(" "));
});

async function used(protocol: string, port: number): Promise<boolean> {
  return (await station.client.ok<{ used: boolean }>("GET", `/system/port/${protocol}/${port}`)).used;
}

test("a port is used when any process has it, on any address, IPv4 or IPv6, tcp or udp", async () => {
  for (const host of ["0.0.0.0", "127.0.0.1", "::", "::1"]) {
    const port = await freePort();
    const server = createServer().listen(port, host);
    await once(server, "listening");
    assert.match(run("ss", "-Hltn"), new RegExp(`:${port}\\s`));
    assert.equal(await used("tcp", port), true, host);
    assert.equal(await used("udp", port), false, host);
    server.close();
    await once(server, "close");
    assert.equal(await used("tcp", port), false, host);
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    const bound = await freePort();
    socket.bind(bound, host);
    await once(socket, "listening");
    assert.equal(await used("udp", bound), true, host);
    assert.equal(await used("tcp", bound), false, host);
    socket.close();
    await once(socket, "close");
    assert.equal(await used("udp", bound), false, host);
  }
});

test("a port of a container that is stopped is used, and that of a task that waits; a removed one's is free again", async () => {
  const port = await freePort();
  const request = { type: "docker", repository: "dockerhub", name: "sys-port", image: "busybox", tag: "latest" };
  const task = await station.client.add("create", { ...request, network: { port: [[port, 80, "tcp"]] } });
  assert.equal((await station.client.ended(task.id)).state, "completed");
  assert.equal(await used("tcp", port), true);
  await dockerApi("POST", "/containers/sys-port/stop?t=0");
  assert.equal(await used("tcp", port), true, "stopped");
  await removeContainers("sys-");
  const end = Date.now() + 10_000;
  while ((await used("tcp", port)) && Date.now() < end);
  assert.equal(await used("tcp", port), false, "removed");
});

test("an unknown protocol or a port out of range is 400 by its name", async () => {
  const refused = async (path: string) => {
    const { status, body } = await station.client.send("GET", `/system/port/${path}`);
    return [status, (body as { error: { message: string } }).error.message];
  };
  assert.deepEqual(await refused("sctp/80"), [400, "protocol must be tcp or udp"]);
  for (const port of ["0", "65536", "99999"])
    assert.deepEqual(await refused(`tcp/${port}`), [400, "port must be a number from 1 to 65535"]);
  for (const port of ["-1", "x", "1e3", "80.0", "123456", "%20"])
    assert.deepEqual(await refused(`udp/${port}`), [400, "port must be a number from 1 to 65535"], port);
});

test("adapters and bridges are true beside ip, the one of the default route first", async (t) => {
  const ip = (...args: string[]) => run("ip", ...args);
  // Of a test before, perhaps.
  const before = ip("route", "show", "default").trim().split("\n")[0]?.trim() ?? "";
  ip("link", "add", "lan7", "type", "veth", "peer", "name", "lan7-peer");
  ip("link", "add", "vsw7", "type", "bridge");
  t.after(() => {
    ip("link", "del", "lan7");
    ip("link", "del", "vsw7");
    if (before !== "") ip("route", "replace", ...before.split(/\s+/));
  });
  ip("address", "add", "192.0.2.9/23", "dev", "lan7");
  ip("address", "add", "198.51.100.1/24", "dev", "vsw7");
  for (const name of ["lan7", "vsw7"]) ip("link", "set", name, "up");
  ip("route", "replace", "default", "via", "198.51.100.254", "dev", "vsw7");
  // On a busy host the last known list is shown until the new one is there.
  let list: BridgeList = { data: [], default: 0 };
  const isShown = async () => {
    list = await station.client.ok<BridgeList>("GET", "/system/bridge");
    return list.data[0]?.name === "vsw7";
  };
  assert.ok(await until(isShown, 60_000));
  assert.equal(list.default, 0);
  const found = (wanted: string) => {
    const { display, ...rest } = list.data.find(({ name }) => name === wanted) ?? { display: "" };
    return [display.replace(/\d+$/, "N"), rest];
  };
  const adapter = { interface: "lan7", vswitchName: "", disabled: false, join: false };
  const lan = { bridge: null, gateway: "", ip: "192.0.2.9", name: "lan7", netmask: "255.255.254.0", ...adapter };
  assert.deepEqual(found("lan7"), ["Adapter N", lan]);
  const bridge = { interface: "vsw7", vswitchName: "vsw7", disabled: false, join: true };
  const address = { gateway: "198.51.100.254", ip: "198.51.100.1", netmask: "255.255.255.0" };
  assert.equal(list.data[0]?.name, "vsw7");
  assert.deepEqual(found("vsw7"), ["Bridge N", { bridge: null, name: "vsw7", ...address, ...bridge }]);
  const docker = list.data.find(({ name }) => name === "docker0");
  assert.equal(docker?.disabled, true);
  const shown = JSON.parse(ip("-j", "-4", "address", "show")) as { ifname: string; addr_info: { local: string }[] }[];
  const expected = shown.filter(({ ifname }) => ifname !== "lo" && !ifname.startsWith("veth"));
  assert.deepEqual(
    Object.fromEntries(list.data.map(({ name, ip }) => [name, ip])),
    Object.fromEntries(expected.map(({ ifname, addr_info: [first] }) => [ifname, first?.local])),
  );
});
