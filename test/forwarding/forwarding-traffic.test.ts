import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { after, before, describe, test } from "node:test";

import type { Protocol } from "../../src/engines/container-spec.ts";
import { run } from "../engines/commands.ts";
import { until } from "../support/patiently.ts";
import { ask, nobody } from "./ask.ts";
import {
  type ForwardingWorld,
  listTable,
  network,
  type PortWorld,
  published,
  startForwarding,
  startPortWorld,
} from "./port-world.ts";

/** Who reaches a forwarded port, from where, and as whom. Docker runs, and drops what it did not allow itself. */
let world: PortWorld;
let ports: ForwardingWorld;
before(async () => {
  world = await startPortWorld();
  ports = await startForwarding();
});
after(async () => {
  await ports.put();
  await ports.forwarding.stop();
  await world.close();
});

for (const inBridge of ["1", "0"]) {
  describe(`the host ${inBridge === "1" ? "looks" : "does not look"} into bridges`, () => {
    const setting = "/proc/sys/net/bridge/bridge-nf-call-iptables";
    before(() => writeFileSync(setting, inBridge));
    after(() => writeFileSync(setting, "1"));

    for (const protocol of ["tcp", "udp"] as const)
      test(`a ${protocol} port answers on every address of the host`, () => answersEverywhere(protocol));
  });
}

async function answersEverywhere(protocol: Protocol): Promise<void> {
  assert.match(await run("iptables", "-S", "FORWARD"), /^-P FORWARD DROP/);
  const { container, [protocol]: port } = await published(world.one);
  await ports.put(container);
  const { host, router } = world;
  assert.equal(await world.askFromLan(protocol, host, port), `one sees ${router}`);
  assert.equal(await world.askFromLan(protocol, host, 7000), nobody);
  assert.equal(await ask(protocol, host, port), `one sees ${host}`);
  assert.equal(await ask(protocol, `${network}.1`, port), `one sees ${network}.1`);
  assert.equal(await ask(protocol, "127.0.0.1", port), `one sees ${network}.1`);
  assert.match(await world.askFrom(world.two, protocol, host, port), /^one sees 10\.88\.0\.[16]$/);
  assert.match(await world.askFrom(world.two, protocol, `${network}.1`, port), /^one sees 10\.88\.0\.[16]$/);
  assert.equal(await world.askFrom(world.one, protocol, host, port), `one sees ${network}.1`);
  assert.equal(await world.askFrom(world.one, protocol, `${network}.1`, port), `one sees ${network}.1`);
  await ports.put();
  assert.equal(await world.askFromLan(protocol, host, port), nobody);
  assert.equal(await ask(protocol, "127.0.0.1", port), nobody);
}

test("a connection to an address of another host is not redirected", async () => {
  const { container, tcp } = await published(world.one);
  await ports.put(container);
  await world.lan.onRouter("ip", "address", "add", "192.168.77.3/24", "dev", "eth0");
  assert.equal(await ask("tcp", "192.168.77.3", tcp), nobody);
});

test("a container cannot reach 127.0.0.1 of the host", async (context) => {
  const { container } = await published(world.one);
  await ports.put(container);
  const { tcp: port } = await published(world.one);
  const { one } = world;
  const listener = await listen(port);
  context.after(() => listener.close());
  const inside = (...argv: string[]): Promise<string> => world.runIn(one, ...argv);
  context.after(async () => {
    await inside("ip", "route", "delete", "127.0.0.1");
    await inside("ip", "address", "add", "127.0.0.1/8", "dev", "lo");
  });
  await inside("ip", "address", "delete", "127.0.0.1/8", "dev", "lo");
  await inside("ip", "route", "add", "127.0.0.1", "via", `${network}.1`);
  await inside("sh", "-c", "echo 1 >/proc/sys/net/ipv4/conf/eth0/route_localnet");
  assert.equal(await world.askFrom(one, "tcp", "127.0.0.1", port), nobody);
  // It is the guard that keeps it out.
  await run("nft", "flush", "chain", "ip", "gantry", "guard");
  assert.equal(await world.askFrom(one, "tcp", "127.0.0.1", port), "the host's own");
  await ports.put(container);
  assert.equal(await world.askFrom(one, "tcp", "127.0.0.1", port), nobody);
});

async function listen(port: number): Promise<Server> {
  const server = createServer((socket) => socket.on("error", () => undefined).end("the host's own"));
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return server;
}

test("a UDP client that goes on sending reaches the port's new address, and nobody after its removal", async () => {
  const { container, udp } = await published(world.one);
  const from = 40_123;
  const asked = (): Promise<string> => world.askFromLan("udp", world.host, udp, from);
  // Its flow is older than the rule.
  assert.equal(await asked(), nobody);
  await ports.put(container);
  assert.equal(await asked(), `one sees ${world.router}`);
  await ports.put({ ...container, forward: { address: `${network}.6`, bridge: world.bridge } });
  assert.equal(await asked(), `two sees ${world.router}`);
  await ports.put();
  assert.equal(await asked(), nobody);
});

test("rules that somebody flushed are back after the next check", async (context) => {
  const { container, tcp, udp } = await published(world.two);
  const again = await startForwarding({ checkInterval: 300 });
  await again.put(container);
  const saved = await run("iptables-save");
  const others = `${saved
    .split("\n")
    .filter((line) => !line.includes("gantry-ports"))
    .join("\n")}\n`;
  context.after(() => execFileSync("iptables-restore", { input: others }));
  await run("nft", "flush", "ruleset", "ip");
  assert.equal(await listTable(), "");
  await until(async () => (await world.askFromLan("tcp", world.host, tcp)) === `two sees ${world.router}`);
  assert.equal(await world.askFromLan("udp", world.host, udp), `two sees ${world.router}`);
  assert.equal(await world.askFrom(world.two, "tcp", world.host, tcp), `two sees ${network}.1`);
  await again.put();
  await again.forwarding.stop();
});

test("the administrator's rules in DOCKER-USER stay first, and only redirected connections are accepted", async (context) => {
  const drop = ["DOCKER-USER", "-s", world.router, "-p", "tcp", "-j", "DROP"];
  await run("iptables", "-I", ...drop);
  context.after(() => run("iptables", "-D", ...drop));
  const before = await run("iptables", "-S", "DOCKER-USER");
  const { container, tcp, udp } = await published(world.one);
  await ports.put(container);
  assert.equal(await world.askFromLan("tcp", world.host, tcp), nobody);
  assert.equal(await world.askFromLan("udp", world.host, udp), `one sees ${world.router}`);
  await ports.put(container);
  const added = (await run("iptables", "-S", "DOCKER-USER")).split("\n").filter((rule) => !before.includes(rule));
  const match = "-m conntrack --ctstate DNAT -m comment --comment gantry-ports -j ACCEPT";
  assert.deepEqual(
    added.sort(),
    ["i", "o"].map((side) => `-A DOCKER-USER -${side} ${world.bridge} ${match}`),
  );
  // Whatever is not a port of the table stays behind Docker's firewall.
  await world.lan.onRouter("ip", "route", "add", `${network}.0/24`, "via", world.host);
  assert.equal(await world.askFromLan("udp", `${network}.5`, 7000), nobody);
  await ports.put();
  assert.equal(await run("iptables", "-S", "DOCKER-USER"), before);
});
