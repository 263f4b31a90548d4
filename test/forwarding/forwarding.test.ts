import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

import type { Container } from "../../src/engines/engine.ts";
import { allowForwarded } from "../../src/forwarding/firewall.ts";
import { createProgramRunner } from "../../src/forwarding/programs.ts";
import { createPortTable } from "../../src/forwarding/table.ts";
import { portInUse } from "../../src/services/planning/ports.ts";
import { run } from "../engines/commands.ts";
import { testStation } from "../engines/container-spec.ts";
import { until } from "../support/patiently.ts";
import { ask, nobody } from "./ask.ts";
import { listTable, network, type PortWorld, published, startForwarding, startPortWorld } from "./port-world.ts";

/** What the station keeps in force on the host, and when. */
let world: PortWorld;
before(async () => {
  world = await startPortWorld();
});
after(() => world.close());

const routeLocalnet = (): string =>
  readFileSync(`/proc/sys/net/ipv4/conf/${world.bridge}/route_localnet`, "latin1").trim();

test("a port is reserved while its rule is in force, and free at once afterwards", async () => {
  const { forwarding, containers, put } = await startForwarding();
  const { container, tcp, udp } = await published(world.one);
  await put(container);
  assert.ok((await portInUse("tcp", tcp)) && (await portInUse("udp", udp)));
  for (const host of ["0.0.0.0", "::", "127.0.0.1"]) await assert.rejects(listen(tcp, host), { code: "EADDRINUSE" });
  assert.equal(await ask("tcp", "::1", tcp), nobody);
  containers.clear();
  forwarding.containersChanged();
  assert.ok(!(await portInUse("tcp", tcp)) && !(await portInUse("udp", udp)));
  await forwarding.stop();
  await until(async () => (await listTable()) === "");
  assert.equal(routeLocalnet(), "0");
});

test("without its rule a reserved port resets connections at once", async () => {
  const { forwarding, put } = await startForwarding();
  const { container, tcp } = await published(world.one);
  await put(container);
  await run("nft", "delete", "table", "ip", "gantry");
  const socket = connect(tcp, "127.0.0.1");
  const [error] = await once(socket, "error");
  assert.equal((error as NodeJS.ErrnoException).code, "ECONNRESET");
  await put(container);
  assert.equal(await ask("tcp", "127.0.0.1", tcp), `one sees ${network}.1`);
  await put();
  await forwarding.stop();
});

test("no connection ends at the station while a port comes up", async () => {
  const { forwarding, put } = await startForwarding();
  const { container, tcp } = await published(world.one);
  const answers = new Set<string>();
  const tries = (async () => {
    while (!answers.has("answered")) answers.add(await tryOnce(tcp));
  })();
  await put(container);
  await tries;
  assert.deepEqual([...answers], ["ECONNREFUSED", "answered"]);
  await put();
  await forwarding.stop();
});

function tryOnce(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, world.host);
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
    socket.on("data", () => resolve("answered")).on("close", () => resolve("ended"));
    socket.setTimeout(1_000, () => socket.destroy());
  });
}

test("a port that another program uses is forwarded anyway, reported once, and reserved as soon as it is free", async () => {
  const { forwarding, logged, put } = await startForwarding({ checkInterval: 100 });
  const { container, tcp, udp } = await published(world.one);
  const server = await listen(tcp, "0.0.0.0");
  const socket = createSocket("udp4").unref();
  socket.bind(udp);
  await once(socket, "listening");
  await put(container);
  assert.equal(await ask("tcp", world.host, tcp), `one sees ${world.host}`);
  assert.equal(await ask("udp", world.host, udp), `one sees ${world.host}`);
  await delay(400);
  assert.deepEqual(logged, Array(2).fill("a forwarded port is in use by another program as well"));
  server.close();
  socket.close();
  await until(async () => (await portInUse("tcp", tcp)) && portInUse("udp", udp));
  await put();
  await forwarding.stop();
});

async function listen(port: number, host: string) {
  // A test that fails leaves it behind.
  const server = createServer().unref();
  server.listen({ port, host, exclusive: true });
  await once(server, "listening");
  return server;
}

test("rules in force are not written again, and rules that somebody changed are restored", async () => {
  const { forwarding, put } = await startForwarding();
  const { container, tcp } = await published(world.one);
  await put(container);
  // Handles are new with every writing.
  const first = await listTable();
  await put(container);
  assert.equal(await listTable(), first);
  const changes = [
    ["flush", "map", "ip", "gantry", "udp_ports"],
    ["add", "element", "ip", "gantry", "tcp_ports", `{ 1 : ${network}.5 . 1 }`],
    ["flush", "chain", "ip", "gantry", "postrouting"],
    ["insert", "rule", "ip", "gantry", "forward", "tcp", "dport", "1", "drop"],
  ];
  const plain = (table: string): string => table.replaceAll(/ # handle \d+/g, "");
  for (const change of changes) {
    await run("nft", ...change);
    assert.notEqual(plain(await listTable()), plain(first));
    await put(container);
    assert.equal(plain(await listTable()), plain(first));
  }
  assert.equal(await ask("tcp", "127.0.0.1", tcp), `one sees ${network}.1`);
  await put();
  await forwarding.stop();
});

test("rules outlive the station, and the next one removes none before all engines were listed", async () => {
  const earlier = await startForwarding();
  const [one, two] = [await published(world.one), await published(world.two)];
  await earlier.put(one.container, two.container);
  await earlier.forwarding.stop();
  assert.equal(await world.askFromLan("tcp", world.host, one.tcp), `one sees ${world.router}`);
  assert.ok(!(await portInUse("tcp", one.tcp)));
  const next = await startForwarding({ unlisted: true });
  assert.ok((await portInUse("tcp", one.tcp)) && (await portInUse("tcp", two.tcp)));
  await next.put(two.container);
  for (const { tcp } of [one, two]) assert.notEqual(await ask("tcp", world.host, tcp), nobody);
  next.forwarding.engineListed("lxc");
  await until(async () => (await ask("tcp", world.host, one.tcp)) === nobody);
  assert.equal(await ask("tcp", world.host, two.tcp), `two sees ${world.host}`);
  await next.put();
  await next.forwarding.stop();
});

test("IP forwarding is enabled if it is off, and that is logged", async () => {
  const setting = "/proc/sys/net/ipv4/ip_forward";
  writeFileSync(setting, "0");
  const { forwarding, logged, put } = await startForwarding();
  const { container, tcp } = await published(world.one);
  await put(container);
  assert.equal(readFileSync(setting, "latin1").trim(), "1");
  assert.deepEqual(logged, ["IP forwarding was off on this host, and is on now: ports of containers need it"]);
  assert.equal(routeLocalnet(), "1");
  assert.equal(await world.askFromLan("tcp", world.host, tcp), `one sees ${world.router}`);
  await put();
  await forwarding.stop();
});

test("a container whose ports cannot be forwarded gets an error, and others are not affected", async () => {
  const { forwarding, logged, put } = await startForwarding();
  const { container, tcp } = await published(world.one);
  const { forward: _, ...without } = (await published(world.two)).container;
  await assert.rejects(put(container, without), { code: "engine_failed", message: /two has no address/ });
  const { ports } = container;
  const copy = { ...world.two, ports };
  await assert.rejects(put(container, copy), {
    code: "conflict",
    message: /two: port \d+\/\w+ is another container's/,
  });
  await put(container);
  assert.equal(logged.length, 2, logged.join("; "));
  assert.equal(await ask("tcp", world.host, tcp), `one sees ${world.host}`);
  await put();
  await forwarding.stop();
});

test("500 ports of 50 containers are forwarded", async (context) => {
  const { forwarding, put } = await startForwarding();
  const many = Array.from({ length: 50 }, (_, index): Container => {
    const name = `many-${index}`;
    const ports = Array.from({ length: 10 }, (_, port) => {
      const protocol = port % 2 ? ("udp" as const) : ("tcp" as const);
      return { host: 41_000 + index * 10 + port, container: 7000, protocol };
    });
    const forward = { address: `${network}.${100 + index}`, bridge: world.bridge };
    return { ...world.one, id: name, name, ports, forward, pid: 0 };
  });
  const timed = async (...containers: Container[]): Promise<string> => {
    const begun = performance.now();
    await put(...containers);
    return `${Math.round(performance.now() - begun)} ms`;
  };
  const all = await timed(...many);
  const settled = await timed(...many.slice(0, 49));
  const table = createPortTable(createProgramRunner(testStation));
  const begun = performance.now();
  await table.write((await table.read()).rules);
  const written = `${Math.round(performance.now() - begun)} ms`;
  context.diagnostic(`500 ports with their sockets: ${all}, ten of them away: ${settled}, the table alone: ${written}`);
  assert.equal((await listTable()).match(/10\.88\.0\.\d+ \. 7000/g)?.length, 490);
  await put();
  await forwarding.stop();
});

test("a firewall without Docker is opened only for redirected connections", async () => {
  const space = `gf-wall-${process.pid}`;
  await run("ip", "netns", "add", space);
  const inside = (...argv: string[]): Promise<string> => run("ip", "netns", "exec", space, ...argv);
  const programs = createProgramRunner(testStation);
  const allow = (...bridges: string[]): Promise<void> =>
    allowForwarded((argv) => programs(["ip", "netns", "exec", space, ...argv]), bridges);
  const rules = (): Promise<string> => inside("iptables", "-S");
  await allow("br0");
  assert.equal(await rules(), "-P INPUT ACCEPT\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT");
  await inside("iptables", "-P", "FORWARD", "DROP");
  await inside("iptables", "-A", "FORWARD", "-j", "REJECT");
  const closed = await rules();
  await allow("br0");
  await allow("br0");
  const lines = (await rules()).split("\n").filter((line) => line.includes("FORWARD"));
  assert.equal(lines.length, 4);
  assert.match(lines[1] ?? "", /-[io] br0 -m conntrack --ctstate DNAT .* -j ACCEPT/);
  assert.match(lines[3] ?? "", /REJECT/);
  await allow("br1");
  assert.match(await rules(), /-o br1/);
  await allow();
  assert.equal(await rules(), closed);
  await run("ip", "netns", "delete", space);
});

test("without the right to change the network no port is forwarded, and the reason is given", async () => {
  const program = `
    const { createForwarding } = await import(${JSON.stringify(new URL("../../src/forwarding/forwarding.ts", import.meta.url))});
    const container = ${JSON.stringify((await published(world.one)).container)};
    const containers = () => container.mark.here ? [container] : [];
    const write = (message) => console.log("log:", message);
    const log = { error: write, warn: write, info: write };
    const forwarding = createForwarding({ station: container.mark.station, engines: ["lxc"], containers, log });
    await forwarding.start();
    console.log(forwarding.unavailableReason());
    container.mark.here = true;
    await forwarding.waitUntilForwarded(container).catch((error) => console.log(error.code));`;
  const node = [process.execPath, "--input-type=module", "-e", program];
  const rights = ["--bounding-set", "-net_admin", "--inh-caps", "-net_admin"];
  const { stdout } = await promisify(execFile)("setpriv", [...rights, ...node]);
  assert.match(
    stdout,
    /^This host cannot forward ports of containers: nft failed: .*not permitted[^]*\nunsupported\n$/,
  );
});
