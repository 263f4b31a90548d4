import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";

import type { Container } from "../../src/engines/engine.ts";
import { createInventory, type Inventory } from "../../src/inventory/inventory.ts";
import { createForwarder, type Forwarder } from "../../src/services/networks/port-forwarding.ts";
import { portInUse } from "../../src/services/planning/ports.ts";
import { run } from "../engines/commands.ts";
import { containerSpec, testStation } from "../engines/container-spec.ts";
import type { EngineEnv } from "../engines/engine-env.ts";
import { found, pull, removeOwn } from "../engines/engine-checks.ts";
import { lxcEnv } from "../engines/lxc-env.ts";
import { lxdEnv } from "../engines/lxd-env.ts";
import { until } from "../support/patiently.ts";
import { ask, nobody } from "./ask.ts";
import { freePort } from "../support/free-port.ts";
import { createTestLog } from "../support/log.ts";

/** Ports of real containers, as the inventory sees them. */
const server = join(import.meta.dirname, "peer-server.ts");

describe("ports of LXD", () => portsOf(lxdEnv));
describe("ports of LXC", () => portsOf(lxcEnv));

function portsOf(start: () => Promise<EngineEnv>): void {
  test("ports answer while the container runs, also after its restart and without its engine", async (context) => {
    const env = await start();
    const { engine, images } = env;
    context.after(async () => {
      await removeOwn(engine);
      await env.close();
    });
    await pull(engine, images.base);
    const station = await startStation(context, env);
    const [tcp, udp] = [await freePort(), await freePort()];
    const ports = [
      { host: tcp, container: 7000, protocol: "tcp" },
      { host: udp, container: 7000, protocol: "udp" },
    ] as const;
    const id = await engine.containers.create(containerSpec({ image: images.base, ports }));
    const answers = async (): Promise<void> => {
      const peer = await startPeer(engine.containers.getById(id), station);
      await answersTo(peer, { tcp, udp });
      peer.child.kill("SIGKILL");
    };
    await engine.containers.start(id);
    await answers();
    await engine.containers.kill(id);
    await engine.containers.start(id);
    await answers();

    await env.crash();
    await until(() => !station.view().available());
    await station.forwarder.waitUntilForwarded(engine, station.view().byName(id) as Container);
    assert.ok(await portInUse("tcp", tcp));
    await env.restart();
    await until(() => station.view().available());
    await answers();

    await engine.containers.remove(id);
    await until(async () => !(await portInUse("tcp", tcp)) && (await ask("tcp", "127.0.0.1", tcp)) === nobody);
  });
}

interface RunningStation {
  forwarder: Forwarder;
  view(): ReturnType<Inventory["require"]>;
}

async function startStation(context: TestContext, { engine }: EngineEnv): Promise<RunningStation> {
  const log = createTestLog((message) => assert.match(message, /^IP forwarding was off/));
  const forwarder = createForwarder({ station: testStation, engines: [engine], inventory: () => inventory, log });
  const inventory = createInventory([engine], forwarder.listener);
  const [view] = inventory.views();
  assert.ok(view);
  await forwarder.start();
  await view.firstAttempt;
  context.after(async () => {
    inventory.close();
    await forwarder.stop();
  });
  return { forwarder, view: () => view };
}

interface Peer {
  pid: number;
  child: ChildProcess;
  /** The bridge's address. */
  gateway: string;
}

/** A server in the container's network; its ports are settled. */
async function startPeer(looked: Promise<Container | undefined>, { forwarder, view }: RunningStation): Promise<Peer> {
  const container = await looked;
  assert.ok(container?.forward && container.pid > 0);
  const { address, bridge } = container.forward;
  await view().refresh(container.id);
  await forwarder.waitUntilForwarded(view().engine, await found(view().engine, container.id));
  const inside = ["-t", String(container.pid), "-n", "--"];
  const child = spawn("nsenter", [...inside, process.execPath, server, "serve", "peer"], { stdio: "inherit" });
  await until(async () => (await ask("tcp", address, 7000)) !== nobody);
  const [, gateway = ""] = /inet ([\d.]+)/.exec(await run("ip", "-4", "-o", "address", "show", "dev", bridge)) ?? [];
  return { pid: container.pid, child, gateway };
}

async function answersTo({ pid, gateway }: Peer, ports: { tcp: number; udp: number }): Promise<void> {
  const itself = ["-t", String(pid), "-n", "--", process.execPath, server, "ask"];
  for (const protocol of ["tcp", "udp"] as const) {
    const port = ports[protocol];
    for (const address of ["127.0.0.1", gateway])
      assert.equal(await ask(protocol, address, port), `peer sees ${gateway}`);
    assert.equal(await run("nsenter", ...itself, protocol, gateway, String(port)), `peer sees ${gateway}`);
  }
}
