import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { run } from "../engines/commands.ts";
import { startLan, type LanWorld } from "../engines/lan-world.ts";
import { killLxd, runLxd } from "../support/lxd.ts";
import { until } from "../support/patiently.ts";
import { freePort } from "../support/free-port.ts";
import { startSystemWorld, systemTypes, type SystemType, type SystemWorld } from "../support/system-station.ts";

/**
 * Ports of LXC and LXD containers: on tcp and udp from a LAN, from the host's own address and from 127.0.0.1, after
 * restarts of everything, and while the station is down.
 */
const hostAddress = "192.168.77.2";
const udpPort = 5353;
const images = {
  lxc: { type: "lxc", repository: "qnap", image: "ubuntu-bionic", tag: "latest" },
  lxd: { type: "lxd", repository: "lxd", image: "ubuntu", tag: "bionic" },
} as const;

interface Made {
  type: SystemType;
  name: string;
  tcp: number;
  udp: number;
}

let world: SystemWorld;
let lan: LanWorld;
const made: Made[] = [];
const echoes: ChildProcess[] = [];

before(async () => {
  lan = await startLan();
  await run("ip", "address", "add", `${hostAddress}/24`, "dev", lan.cable);
  world = await startSystemWorld();
  for (const type of systemTypes) {
    const one = { type, name: `ports-${type}`, tcp: await freePort(), udp: await freePort() };
    const port = [
      [one.tcp, 80, "tcp"],
      [one.udp, udpPort, "udp"],
    ];
    const task = await world.station.client.add("create", { ...images[type], name: one.name, network: { port } });
    assert.equal((await world.station.client.ended(task.id)).error, undefined);
    made.push(one);
  }
});
after(async () => {
  await endEchoes();
  await world.close();
  await lan.close();
});

/** The images speak no UDP: the echo comes from this side, into the container's network. */
async function echo({ type, name }: Made): Promise<void> {
  const pid = await world.pid(type, name);
  const program = `require("dgram").createSocket("udp4").on("message", function (m, r) { this.send(m, r.port, r.address) }).bind(${udpPort})`;
  echoes.push(spawn("nsenter", ["-t", String(pid), "-n", "--", process.execPath, "-e", program]));
}

/**
 * A program in a container's network keeps that network alive. After a crash of the monitor nobody else takes it away,
 * and it would go on answering under the address that the next life of the container has.
 */
async function endEchoes(): Promise<void> {
  for (const program of echoes.splice(0)) {
    const gone = once(program, "exit");
    if (program.kill("SIGKILL")) await gone;
  }
}

const ask = `const s = require("dgram").createSocket("udp4"); s.on("message", (m) => { console.log(String(m)); process.exit(0) });
s.send("over udp", Number(process.argv[2]), process.argv[1]); setTimeout(() => process.exit(1), 1000)`;

async function assertReached(): Promise<void> {
  for (const one of made) {
    await echo(one);
    const here = (...argv: string[]) => run(argv[0] as string, ...argv.slice(1));
    const places = [
      { from: "the LAN", to: hostAddress, on: lan.onRouter },
      { from: "the host, by its address", to: hostAddress, on: here },
      { from: "the host, by 127.0.0.1", to: "127.0.0.1", on: here },
    ];
    for (const { from, to, on } of places) {
      const page = () =>
        on("curl", "-sf", "-m", "2", `http://${to}:${one.tcp}/`).catch((error: unknown) => String(error));
      const answer = () =>
        on(process.execPath, "-e", ask, to, String(one.udp)).catch((error: unknown) => String(error));
      await until(
        async () => (await page()) === "hello",
        async () => [one, from, await page()],
      );
      await until(
        async () => (await answer()) === "over udp",
        async () => [one, from, await answer()],
      );
    }
  }
}

test("when the create is completed", assertReached);

test("after a restart of the containers", async () => {
  for (const { type, name } of made) await world.restart(type, name);
  await assertReached();
});

test("while the station is down, and after it came back", async () => {
  await world.station.kill();
  await assertReached();
  await world.station.start();
  await assertReached();
});

test("after a crash of LXD, and of LXC's monitor", async () => {
  await killLxd();
  await runLxd();
  await endEchoes();
  await world.killMonitor("ports-lxc");
  await world.startLxc("ports-lxc");
  await assertReached();
});

test("a port is taken for every other container, and for other programs", async () => {
  const [{ tcp }] = made as [Made];
  for (const type of ["docker", "lxc", "lxd"] as const) {
    const image = type === "docker" ? { type, repository: "dockerhub", image: "busybox", tag: "latest" } : images[type];
    const body = { ...image, name: "second", network: { port: [[tcp, 80, "tcp"]] } };
    const answer = await world.station.client.send("POST", "/background/create", body);
    assert.equal(answer.status, 409);
    assert.match(JSON.stringify(answer.body), /Port \d+\/tcp is taken by lxc container ports-lxc/);
  }
  const bind = `require("net").createServer().on("error", (e) => { console.log(e.code) }).listen(${tcp}, "0.0.0.0", () => process.exit(1))`;
  assert.equal(await run(process.execPath, "-e", bind), "EADDRINUSE");
});

test("a container that is removed behind the station's back gives its ports back", async () => {
  for (const { type, name, tcp } of made) {
    await world.remove(type, name);
    await until(async () => !(await run("nft", "list", "table", "ip", "gantry")).includes(`${tcp} :`));
    const body = { ...images[type], name: `${name}-again`, network: { port: [[tcp, 80, "tcp"]] } };
    await until(async () => (await world.station.client.send("POST", "/background/create", body)).status === 200);
  }
});
