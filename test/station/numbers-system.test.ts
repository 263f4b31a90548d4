import assert from "node:assert/strict";
import { createServer, type Server } from "node:net";
import { after, before, test } from "node:test";
import type { ContainerInfo } from "../../src/api/container-info.ts";
import { run } from "../engines/commands.ts";
import { startSystemWorld, systemTypes, type SystemType, type SystemWorld } from "../support/system-station.ts";
import { promised } from "../support/promised.ts";
import { close, compare, eventually, over, type Counted } from "./number-checks.ts";

const bridges = { lxc: "10.0.3.1", lxd: "10.99.0.1" };
const sinks: Server[] = [];
let world: SystemWorld;
before(async () => {
  world = await startSystemWorld();
  for (const type of systemTypes) {
    const image = {
      lxc: { repository: "qnap", image: "ubuntu-bionic", tag: "latest" },
      lxd: { repository: "lxd", image: "ubuntu", tag: "bionic" },
    };
    const limit = { cputime: 300, memory: "512m" };
    const { id } = await world.station.client.add("create", {
      type,
      name: nameOf(type),
      ...image[type],
      resource: { limit },
    });
    const { state, error } = await world.station.client.ended(id);
    assert.equal(state, "completed", error);
    // Takes what the container sends.
    const sink = createServer((socket) => void socket.on("error", () => undefined).resume());
    sinks.push(sink.listen(9000, bridges[type]));
  }
});
after(async () => {
  for (const sink of sinks) sink.close();
  await world.close();
});

function nameOf(type: SystemType): string {
  return `numbers-${type}`;
}

/** Empty while the station has not seen it. */
async function shown(type: SystemType): Promise<Partial<ContainerInfo>> {
  const { status, body } = await world.station.client.send("GET", `/container/${type}/${nameOf(type)}`);
  return status === 200 ? (body as ContainerInfo) : {};
}

/** In the container's own groups, in the background. */
async function inside(type: SystemType, script: string): Promise<void> {
  const name = nameOf(type);
  const command = ["sh", "-c", `(${script}) >/dev/null 2>&1 </dev/null &`];
  if (type === "lxc") return void (await run("lxc-attach", "-P", world.lxc.path, "-n", name, "--", ...command));
  const body = { command, interactive: false, "wait-for-websocket": false, environment: {} };
  const { operation } = await world.lxd.send({ method: "POST", path: `/1.0/instances/${name}/exec`, body });
  await world.lxd.get(`${operation}/wait?timeout=30`);
}

function beside(type: SystemType): ReturnType<typeof compare> {
  return compare(
    () => counted(type),
    () => shown(type),
  );
}

interface LxdState {
  cpu: { usage: number };
  memory: { usage: number };
  network: Record<string, { counters: { bytes_received: number; bytes_sent: number } }>;
}

/** As `lxc-info` and `lxc info` count it. */
async function counted(type: SystemType): Promise<Counted> {
  const name = nameOf(type);
  if (type === "lxd") {
    const { cpu, memory, network } = await world.lxd.get<LxdState>(`/1.0/instances/${name}/state`);
    const { bytes_received: rx = 0, bytes_sent: tx = 0 } = network["eth0"]?.counters ?? {};
    return { at: performance.now(), cpu: cpu.usage, memory: memory.usage, rx, tx };
  }
  const text = await run("lxc-info", "-P", world.lxc.path, "-n", name, "-S", "-H");
  const at = performance.now();
  const value = (label: string): number => Number(new RegExp(`^\\s*${label}:\\s*(\\d+)`, "m").exec(text)?.[1]);
  return { at, cpu: value("CPU use"), memory: value("Memory use"), rx: value("RX bytes"), tx: value("TX bytes") };
}

for (const type of systemTypes) {
  const tool = type === "lxc" ? "lxc-info" : "lxc info";

  test(`${type}: the address and the documented fields`, async () => {
    await eventually(async () => ((await shown(type)).ipaddress ?? []).length > 0);
    const { ipaddress = [], memory = 0, ...rest } = await shown(type);
    assert.equal(ipaddress.length, 1);
    assert.ok(ipaddress[0]?.startsWith(bridges[type].replace(/1$/, "")), ipaddress.join());
    assert.ok(memory > 0);
    assert.equal(rest.state, "running");
    assert.equal(rest.imageID === undefined, type === "lxc");
  });

  test(`${type}: memory and traffic under load are what ${tool} counts, within 5 %`, async () => {
    await inside(type, "head -c 60000000 /dev/zero | tail -c 60000000 | sleep 1000");
    const send = "while :; do dd if=/dev/zero bs=20k count=1 2>/dev/null; usleep 50000; done";
    await inside(type, `${send} | nc ${bridges[type]} 9000`);
    await eventually(async () => ((await shown(type)).memory ?? 0) > 60_000_000);
    await eventually(async () => ((await shown(type)).tx ?? 0) > 50_000);
    const { engine, station } = await beside(type);
    for (const key of ["memory", "tx"] as const) close(station[key], engine[key], `${type} ${key}`);
  });

  test(`${type}: cpu under load is what ${tool} counts, within 5 %`, async () => {
    await inside(type, "while :; do :; done");
    await eventually(async () => ((await shown(type)).cpu ?? 0) > 0.2);
    const { engine, station } = await beside(type);
    close(station.cpu, engine.cpu, `${type} cpu`);
  });

  test(`${type}: another life of it begins at zero`, async () => {
    const { cpu: before = 0 } = await shown(type);
    assert.ok(before > 0.2);
    await world.restart(type, nameOf(type));
    await eventually(async () => ((await shown(type)).cpu ?? 1) < 0.1, 1500);
    const answers = await over(2500, () => shown(type));
    assert.deepEqual(
      answers.filter(({ cpu = 0 }) => cpu > 0.1),
      [],
    );
    await eventually(async () => ((await shown(type)).ipaddress ?? []).length > 0);
  });
}

test("lxc: with a killed monitor it is stopped within a second, and its next life has numbers of its own", async () => {
  await world.killMonitor(nameOf("lxc"));
  await eventually(async () => (await shown("lxc")).state === "stopped", promised.oneSecond);
  assert.equal((await shown("lxc")).cpu, undefined);
  await world.startLxc(nameOf("lxc"));
  await eventually(async () => (await shown("lxc")).state === "running", promised.oneSecond);
  await inside("lxc", "while :; do :; done");
  await eventually(async () => ((await shown("lxc")).cpu ?? 0) > 0.2);
  const { engine, station } = await beside("lxc");
  close(station.cpu, engine.cpu, "lxc cpu after a killed monitor");
});

test("what happens behind the station's back is told as an event of nobody's", async () => {
  const type = "lxc";
  const { offset } = await world.station.client.ok<{ offset: number }>("GET", "/event");
  await world.restart(type, nameOf(type));
  const name = nameOf(type);
  const expected = ["stop", "start"].map(
    (state) => `{"container": "${name}", "id": "${name}", "type": "lxc", "state": "${state}"}`,
  );
  await eventually(async () => {
    const { messages } = await world.station.client.ok<{ messages: string[] }>("GET", `/event?index=${offset}`);
    return (
      messages.map((message) => message.replace(/:\d+:/, ":0:")).join() ===
      expected
        .toReversed()
        .map((json) => `container:system:0:${json}`)
        .join()
    );
  });
});
