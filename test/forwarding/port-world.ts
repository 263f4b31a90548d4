import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

import type { Container } from "../../src/engines/engine.ts";
import type { PortMapping, Protocol } from "../../src/engines/container-spec.ts";
import { createForwarding, type Forwarding } from "../../src/forwarding/forwarding.ts";
import { run } from "../engines/commands.ts";
import { startLan, type LanWorld } from "../engines/lan-world.ts";
import { until } from "../support/patiently.ts";
import { freePort } from "../support/free-port.ts";
import { testStation as station } from "../engines/container-spec.ts";
import { ask, nobody } from "./ask.ts";
import { createTestLog } from "../support/log.ts";

/** A bridge of the host with two network namespaces behind it that stand for containers, and a LAN. */
export interface PortWorld {
  bridge: string;
  /** One's peer-servers answer on port 7000, named "one" and "two". */
  one: Container;
  two: Container;
  lan: LanWorld;
  /** The host's address on the LAN. */
  host: string;
  /** The LAN's other address. */
  router: string;
  askFromLan(protocol: Protocol, address: string, port: number, from?: number): Promise<string>;
  askFrom(container: Container, protocol: Protocol, address: string, port: number): Promise<string>;
  runIn(container: Container, ...argv: string[]): Promise<string>;
  close(): Promise<void>;
}

export const network = "10.88.0";
const server = join(import.meta.dirname, "peer-server.ts");

export async function startPortWorld(): Promise<PortWorld> {
  const lan = await startLan();
  const bridge = `gfb${process.pid}`;
  const servers: ChildProcess[] = [];
  await run("ip", "address", "add", "192.168.77.2/24", "dev", lan.cable);
  await run("ip", "link", "add", bridge, "type", "bridge");
  await run("ip", "address", "add", `${network}.1/24`, "dev", bridge);
  await run("ip", "link", "set", bridge, "up");

  async function addContainer(name: string, address: string): Promise<Container> {
    const [space, card] = [namespaceOf(name), `gf${name.slice(0, 1)}${process.pid}`];
    await run("ip", "netns", "add", space);
    await run("ip", "link", "add", card, "type", "veth", "peer", "name", "eth0", "netns", space);
    await run("ip", "link", "set", card, "master", bridge, "up");
    const inside = (...argv: string[]): Promise<string> => run("ip", "netns", "exec", space, ...argv);
    await inside("ip", "address", "add", `${address}/24`, "dev", "eth0");
    await inside("ip", "link", "set", "eth0", "up");
    await inside("ip", "link", "set", "lo", "up");
    await inside("ip", "route", "add", "default", "via", `${network}.1`);
    const child = spawn("ip", ["netns", "exec", space, process.execPath, server, "serve", name], { stdio: "inherit" });
    servers.push(child);
    await until(async () => (await ask("tcp", address, 7000)) !== nobody);
    return containerAt(name, { address, bridge }, child.pid ?? 0);
  }

  function runIn({ name }: Container, ...argv: string[]): Promise<string> {
    return run("ip", "netns", "exec", namespaceOf(name), ...argv);
  }

  async function close(): Promise<void> {
    for (const child of servers) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    for (const name of ["one", "two"]) await run("ip", "netns", "delete", namespaceOf(name));
    await run("ip", "link", "delete", bridge);
    await lan.close();
  }

  return {
    bridge,
    one: await addContainer("one", `${network}.5`),
    two: await addContainer("two", `${network}.6`),
    lan,
    host: "192.168.77.2",
    router: "192.168.77.1",
    askFromLan: (...question) => lan.onRouter(process.execPath, server, "ask", ...question.map(String)),
    askFrom: (container, ...question) => runIn(container, process.execPath, server, "ask", ...question.map(String)),
    runIn,
    close,
  };
}

function namespaceOf(name: string): string {
  return `gf-${name}-${process.pid}`;
}

function containerAt(name: string, forward: NonNullable<Container["forward"]>, pid: number): Container {
  const mark = { station, task: name.length };
  const plain = { state: "running", image: "", imageId: "", ports: [], mounts: [] } as const;
  return { ...plain, id: name, incarnation: name, name, mark, forward, pid };
}

/** Port 7000 of the container by tcp and udp, on free ports of the host. */
export async function published(container: Container): Promise<{ container: Container; tcp: number; udp: number }> {
  const [tcp, udp] = [await freePort(), await freePort()];
  const ports: PortMapping[] = [
    { host: tcp, container: 7000, protocol: "tcp" },
    { host: udp, container: 7000, protocol: "udp" },
  ];
  return { container: { ...container, ports }, tcp, udp };
}

export interface ForwardingWorld {
  forwarding: Forwarding;
  /** The engine's containers. A test changes them and calls `containersChanged`. */
  containers: Map<string, Container>;
  /** Messages, in order. */
  logged: string[];
  /** Replaces the containers and waits until the rules follow. */
  put(...containers: Container[]): Promise<void>;
}

export interface ForwardingChanges {
  checkInterval?: number;
  /** True: the engine has not listed its containers yet. */
  unlisted?: boolean;
}

/** Starts forwarding for an engine whose containers a test puts there. */
export async function startForwarding(changes: ForwardingChanges = {}): Promise<ForwardingWorld> {
  const containers = new Map<string, Container>();
  const logged: string[] = [];
  const forwarding = createForwarding({
    station,
    engines: ["lxc"],
    containers: () => containers.values(),
    log: createTestLog((message) => logged.push(message)),
    checkInterval: changes.checkInterval ?? 600_000,
  });
  await forwarding.start();
  if (!changes.unlisted) forwarding.engineListed("lxc");
  return {
    forwarding,
    containers,
    logged,
    async put(...list) {
      containers.clear();
      for (const container of list) containers.set(container.name, container);
      forwarding.containersChanged();
      await Promise.all(list.map(forwarding.waitUntilForwarded));
      // An absent container is refused only when everything else is in force.
      await assert.rejects(forwarding.waitUntilForwarded(absent));
    },
  };
}

const absent = containerAt("absent", { address: `${network}.9`, bridge: "none" }, 0);
absent.ports = [{ host: 1, container: 1, protocol: "tcp" }];

/** Returns the table as `nft` lists it, or "" if there is none. */
export function listTable(): Promise<string> {
  return run("nft", "-a", "list", "table", "ip", "gantry").catch(() => "");
}
