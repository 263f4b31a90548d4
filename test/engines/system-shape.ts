import assert from "node:assert/strict";
import { test } from "node:test";

import type { Container } from "../../src/engines/engine.ts";
import type { Shape } from "../../src/engines/shape.ts";
import { run, runInside } from "./commands.ts";
import { fails, found } from "./engine-checks.ts";
import { page, refused } from "./shape-checks.ts";
import type { SystemBench } from "./system-bench.ts";

/** What LXC and LXD do each in its own way. */
export interface OwnShape {
  /** An address of a network for documents, which nobody else has in these tests. */
  foreign: string;
  /** The host's route to it. */
  route: RegExp;
  /** Takes away what of a change can be lost without the station: before the engine starts it again, or as it runs. */
  spoil(container: Container, moment: "stopped" | "running"): Promise<void>;
  /** All that the engine itself keeps of it. */
  record(container: Container): Promise<unknown>;
  /** Beyond what neither can be. */
  wrong: [Shape, keyof Shape][];
}

/** Changes of a container as it is that lie close to the engine; of LXC and of LXD. The rest is in `contract-shape.ts`. */
export function shapeTests(bench: SystemBench, ways: OwnShape): void {
  keptTests(bench, ways);
  forwardTests(bench, ways);
  refusalTests(bench, ways);
}

function keptTests({ name, network, engine, launch, restarted }: SystemBench, own: OwnShape): void {
  const near = `${network}.190`;
  const change = { hostname: "by-hand", addresses: [near, own.foreign], nameServers: ["192.0.2.53"] };

  test(`what was changed is so when ${name} starts it, without the station`, async () => {
    const container = await launch();
    await engine().containers.reshape(container.id, change);
    await own.spoil(container, "stopped");
    const again = await restarted(container);
    assert.match(await run("ip", "route", "show", own.foreign), own.route);
    await holds(again.pid);
    await own.spoil(again, "running");
    await engine().attachNetwork(await found(engine(), container.id));
    await holds(again.pid);
    await engine().containers.kill(container.id);
    const renamed = await engine().containers.rename(container.id, `${container.name}-r`);
    await engine().containers.start(renamed);
    await holds((await found(engine(), renamed)).pid);
    const addresses = [`${near}/24`, `${own.foreign}/32`];
    assert.deepEqual(await engine().containers.shape(renamed), { ...change, addresses });
    await engine().containers.remove(renamed);
    assert.equal(await run("ip", "route", "show", own.foreign), "");
  });

  async function holds(pid: number): Promise<void> {
    for (const address of change.addresses) await page(address);
    assert.equal(await runInside(pid, "/bin/hostname"), "by-hand");
    assert.equal(await runInside(pid, "/bin/cat", "/etc/resolv.conf"), "nameserver 192.0.2.53");
  }
}

function forwardTests({ network, engine, launch }: SystemBench, { foreign }: OwnShape): void {
  test("its ports are forwarded to an address that it has, also when it is none of the bridge's", async () => {
    const near = `${network}.192`;
    const container = await launch({ ports: [{ host: 8080, container: 80, protocol: "tcp" }] });
    const first = container.forward?.address ?? "";
    const forward = async (addresses: string[]): Promise<string | undefined> => {
      await engine().containers.reshape(container.id, { addresses });
      return (await found(engine(), container.id)).forward?.address;
    };
    assert.equal(await forward([foreign, first]), first);
    assert.equal(await forward([foreign, near]), near);
    assert.equal(await forward([foreign]), foreign);
    await page(foreign);
    assert.equal(await forward([near]), near);
    await page(near);
    assert.equal(await run("ip", "route", "show", foreign), "");
    await engine().containers.remove(container.id);
  });
}

function refusalTests({ network, engine, launch }: SystemBench, { foreign, record, wrong: own }: OwnShape): void {
  const wrong: [Shape, keyof Shape][] = [
    [{ hostname: "a b" }, "hostname"],
    [{ hostname: "a\nlxc.hook.start-host = id" }, "hostname"],
    [{ cpuTime: 1 }, "cpuTime"],
    [{ memory: -1 }, "memory"],
    [{ size: 0.5 }, "size"],
    [{ addresses: [] }, "addresses"],
    [{ addresses: [`${network}.255`] }, "addresses"],
    [{ addresses: ["127.0.0.1"] }, "addresses"],
    [{ addresses: [`${network}.7/33`] }, "addresses"],
    [{ addresses: [`${network}.7/8`] }, "addresses"],
    [{ addresses: ["1.2.3.4; id"] }, "addresses"],
    [{ addresses: ["::1"] }, "addresses"],
    [{ addresses: [foreign, foreign] }, "addresses"],
    [{ nameServers: ["192.0.2.53\noptions debug"] }, "nameServers"],
    [{ nameServers: ["a.example"] }, "nameServers"],
    ...own,
  ];

  test("what is no word, no address or no number of a shape is refused before anything is changed", async () => {
    const { containers } = engine();
    const container = await launch();
    const before = await record(container);
    for (const [change, field] of wrong) {
      await refused(engine(), container.id, change, field);
      await fails(containers.planReshape(container.id, change), "invalid", new RegExp(`^${field}`));
      await fails(containers.reshape(container.id, change), "invalid", new RegExp(`^${field}`));
    }
    assert.deepEqual(await record(container), before);
    assert.equal((await found(engine(), container.id)).pid, container.pid);
    await containers.remove(container.id);
    await fails(containers.shape(container.id), "not_found");
  });
}
