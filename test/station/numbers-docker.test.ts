import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { ContainerInfo } from "../../src/api/container-info.ts";
import { dockerApi, removeContainers } from "../support/docker-cli.ts";
import { startStation, type TestStation } from "../support/station.ts";
import { close, compare, eventually, over, type Counted } from "./number-checks.ts";

let station: TestStation;
before(async () => {
  station = await startStation();
  const image = { type: "docker", repository: "dockerhub", image: "busybox", tag: "latest" };
  await station.client.ended((await station.client.add("image_download", image)).id);
});
after(async () => {
  await station.close();
  await removeContainers("numbers-");
});

/** What Docker itself counts, through its REST API. */
interface Stats {
  cpu_stats: { cpu_usage: { total_usage: number } };
  memory_stats: { usage: number; stats: { total_inactive_file?: number; inactive_file?: number } };
  networks?: Record<string, { rx_bytes: number; tx_bytes: number }>;
}

async function run(name: string, script: string, host: object = {}): Promise<string> {
  const body = { Image: "busybox:latest", Cmd: ["sh", "-c", script], HostConfig: host, Tty: false };
  const { Id } = await dockerApi<{ Id: string }>("POST", `/containers/create?name=${name}`, body);
  await dockerApi("POST", `/containers/${Id}/start`);
  return Id;
}

/** Empty while the station has not seen it. */
async function shown(id: string): Promise<Partial<ContainerInfo>> {
  const { status, body } = await station.client.send("GET", `/container/docker/${id}`);
  return status === 200 ? (body as ContainerInfo) : {};
}

async function stats(id: string): Promise<Counted> {
  const { cpu_stats, memory_stats, networks } = await dockerApi<Stats>("GET", `/containers/${id}/stats?stream=false`);
  const at = performance.now();
  const inactive = memory_stats.stats.total_inactive_file ?? memory_stats.stats.inactive_file ?? 0;
  const { rx_bytes: rx = 0, tx_bytes: tx = 0 } = networks?.["eth0"] ?? {};
  return { at, cpu: cpu_stats.cpu_usage.total_usage, memory: memory_stats.usage - inactive, rx, tx };
}

const beside = (id: string) =>
  compare(
    () => stats(id),
    () => shown(id),
  );

test("cpu under a quota is what docker stats counts, within 5 %", async () => {
  const id = await run("numbers-cpu", "while :; do :; done", { CpuPeriod: 100_000, CpuQuota: 30_000 });
  await eventually(async () => ((await shown(id)).cpu ?? 0) > 0.2);
  const { engine: docker, station } = await beside(id);
  close(station["cpu"], docker["cpu"], "cpu");
  close(station["cpu"], 0.3, "cpu and the quota", 0.1);
});

test("memory is what docker stats counts, within 5 %, without the cache of files", async () => {
  const fill = (file: string, megabytes: number) => `dd if=/dev/zero of=${file} bs=1M count=${megabytes} 2>/dev/null`;
  const script = `${fill("/file", 64)}; ${fill("/dev/shm/held", 40)}; sleep 1000`;
  const id = await run("numbers-memory", script);
  await eventually(async () => ((await shown(id)).memory ?? 0) > 39_000_000 && ((await shown(id)).cpu ?? 1) < 0.01);
  const { engine: docker, station } = await beside(id);
  close(station["memory"], docker["memory"], "memory");
});

test("traffic over the bridge is what docker stats counts, within 5 %, on both ends", async () => {
  const sink = await run("numbers-sink", "tail -f /dev/null | nc -l -p 9000 >/dev/null");
  await eventually(async () => ((await shown(sink)).ipaddress ?? []).length > 0);
  const [address = ""] = (await shown(sink)).ipaddress ?? [];
  const send = "while :; do dd if=/dev/zero bs=20k count=1 2>/dev/null; usleep 50000; done";
  const source = await run("numbers-source", `sleep 1; ${send} | nc ${address} 9000`);
  await eventually(async () => ((await shown(sink)).rx ?? 0) > 50_000);
  const [from, to] = await Promise.all([beside(source), beside(sink)]);
  close(from.station["tx"], from.engine["tx"], "tx of the source");
  close(to.station["rx"], to.engine["rx"], "rx of the sink");
});

test("the address is the one that the engine gave", async () => {
  const id = await run("numbers-address", "sleep 1000");
  await eventually(async () => ((await shown(id)).ipaddress ?? []).length > 0);
  const inspected = await dockerApi<{ NetworkSettings: { IPAddress: string } }>("GET", `/containers/${id}/json`);
  assert.deepEqual((await shown(id)).ipaddress, [inspected.NetworkSettings.IPAddress]);
});

test("the host's network and another container's are counted for nobody else", async () => {
  const owner = await run("numbers-owner", "sleep 1000");
  const host = await run("numbers-host", "while :; do wget -q -O /dev/null 127.0.0.1:5000/v2/; usleep 50000; done", {
    NetworkMode: "host",
  });
  const guest = await run("numbers-guest", "while :; do ping -c 1 172.17.0.1 >/dev/null; usleep 50000; done", {
    NetworkMode: `container:${owner}`,
  });
  await eventually(async () => ((await shown(owner)).rx ?? 0) > 0);
  for (const id of [host, guest]) {
    const { rx, tx, ipaddress, memory = 0 } = await shown(id);
    assert.deepEqual({ rx, tx, ipaddress }, { rx: 0, tx: 0, ipaddress: [] });
    assert.ok(memory > 0);
  }
});

test("a new life of a container, or of its name, begins at zero", async () => {
  const burn = "while :; do :; done";
  const id = await run("numbers-again", burn, { CpuPeriod: 100_000, CpuQuota: 30_000 });
  await eventually(async () => ((await shown(id)).cpu ?? 0) > 0.2);
  await dockerApi("POST", `/containers/${id}/restart?t=0`);
  await over(2_500, async () => {
    const { cpu = 0 } = await shown(id);
    assert.ok(cpu >= 0 && cpu < 0.6, `cpu ${cpu} after a restart`);
    return { cpu };
  });
  await dockerApi("DELETE", `/containers/${id}?force=1`);
  const other = await run("numbers-again", "sleep 1000");
  await eventually(async () => (await station.client.send("GET", "/container/docker/numbers-again")).status === 200);
  for (const one of await over(2_500, () => shown("numbers-again"))) {
    assert.equal(one.id, other);
    assert.ok((one.cpu ?? 0) < 0.1, `the new one shows the cpu of the old: ${one.cpu}`);
  }
});

test("what is stopped has no numbers", async () => {
  const id = await run("numbers-stopped", "sleep 1000");
  await eventually(async () => (await shown(id)).state === "running");
  await dockerApi("POST", `/containers/${id}/stop?t=0`);
  await eventually(async () => (await shown(id)).state === "stopped");
  const fields = Object.keys(await shown(id));
  for (const name of ["cpu", "memory", "rx", "tx", "ipaddress"]) assert.ok(!fields.includes(name), name);
});
