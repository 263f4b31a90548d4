import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import type { Container } from "../../src/engines/engine.ts";
import { containerSpec } from "./container-spec.ts";
import { fails } from "./engine-checks.ts";
import { inside } from "./shape-checks.ts";
import type { SystemBench } from "./system-bench.ts";
import { type Check, rowsOf, type Row } from "./system-rows.ts";

/** What LXC and LXD do each in its own way. */
export interface OwnWays {
  /** By parameter: what is to be seen beyond what both do. */
  also: Record<string, Check>;
  /** Parameters that only the one is asked for. */
  rows: Row[];
  /** Microseconds of processor time, and in how many of them, for so many thousandths. */
  quota(cpuTime: number): [quota: number, period: number];
  /** Whether it starts with the host, as the engine itself says it: "true" or "false". */
  autostart(id: string): Promise<string | undefined>;
  /** Of a container with ports: the one that it has for life. */
  address(container: Container): Promise<string>;
  names: { good: string[]; bad: string[] };
}

/** Every parameter of a create, read back from the kernel; of LXC and of LXD. */
export function createTests(bench: SystemBench, ways: OwnWays): void {
  rowTests(bench, ways);
  nameTests(bench, ways);
  const { name, image, engine, launch, restarted } = bench;
  const of = `create in ${name}`;

  test(`${of}: autostart, as ${name} itself sees it`, async () => {
    for (const autostart of [true, false]) {
      const id = await engine().containers.create(containerSpec({ image, autostart }));
      assert.equal(await ways.autostart(id), String(autostart));
      await engine().containers.remove(id);
    }
  });

  test(`${of}: containers with ports have addresses of their own, for life`, async () => {
    const ports = [{ host: 8080, container: 80, protocol: "tcp" as const }];
    const containers = await Promise.all([1, 2, 3].map(() => launch({ ports })));
    const addresses: string[] = [];
    for (const container of containers) addresses.push(await ways.address(container));
    assert.equal(new Set(addresses).size, 3);
    assert.equal(await ways.address(await restarted(containers[0] as Container)), addresses[0]);
    for (const { id } of containers) await engine().containers.remove(id);
  });

  test(`what ${name} cannot start says why`, async () => {
    const network = { mode: "bridge", interface: "absent0", join: false, address: { by: "dhcp" } } as const;
    const id = await engine().containers.create(containerSpec({ image, network }));
    await fails(engine().containers.start(id), "engine_failed", /absent0/);
    await engine().containers.remove(id);
  });
}

function rowTests(bench: SystemBench, { also, rows, quota }: OwnWays): void {
  const ofBoth = rowsOf(bench, quota);
  const known = ofBoth.map(({ parameter }) => parameter);
  for (const parameter of Object.keys(also)) assert.ok(known.includes(parameter), `${parameter} is no row of both`);
  for (const { parameter, spec, check } of [...ofBoth, ...rows]) {
    test(`create in ${bench.name}: ${parameter}; and again after a restart`, async () => {
      let container = await bench.launch(spec);
      for (const again of [false, true]) {
        if (again) container = await bench.restarted(container);
        await check(container);
        await also[parameter]?.(container);
      }
      await bench.engine().containers.remove(container.id);
    });
  }
}

function nameTests({ name: of, image, engine, launch }: SystemBench, { names }: OwnWays): void {
  test(`create in ${of}: a name that ${of} can have, and those that it cannot`, async () => {
    for (const name of names.bad) {
      await fails(engine().containers.create(containerSpec({ image, name })), "invalid", /^name /);
      assert.equal(await engine().containers.getByName(name), undefined);
    }
    for (const name of names.good) {
      const { pid } = await launch({ name });
      assert.ok(pid > 0);
      await engine().containers.remove(name);
    }
  });

  test(`create in ${of}: no value becomes a setting of its own`, async () => {
    const hostname = "a\nlxc.hook.start-host = /bin/true";
    await fails(engine().containers.create(containerSpec({ image, hostname })), "invalid");
    const parent = mkdtempSync(join(tmpdir(), "line\nbreak\\"));
    // The container's root must get through to what it mounts.
    chmodSync(parent, 0o711);
    const folder = join(parent, "a");
    mkdirSync(folder);
    const mount = { source: folder, target: "/with space\\040", readOnly: false };
    const { id } = await launch({ mounts: [mount] });
    await inside(engine(), id, "sh", "-c", "echo there >'/with space\\040/file'");
    assert.equal(readFileSync(join(folder, "file"), "utf8"), "there\n");
    await engine().containers.remove(id);
  });
}
