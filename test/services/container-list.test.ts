import assert from "node:assert/strict";
import { test } from "node:test";
import type { Container } from "../../src/engines/engine.ts";
import type { Inventory } from "../../src/inventory/inventory.ts";
import type { ContainerNumbers } from "../../src/numbers/container-sampler.ts";
import { createContainerList, type ContainerListOptions } from "../../src/services/containers/list.ts";

const idle: ContainerNumbers = { cpu: 0, memory: 1, rx: 2, tx: 3, ipaddress: ["10.0.0.2"] };
const web: Container = {
  id: "web",
  incarnation: "1",
  name: "web",
  state: "running",
  image: "debian",
  imageId: "",
  ports: [],
  pid: 7,
  mounts: [],
};

test("an answer is kept while nothing changes, and no longer: a container, its numbers, its engine", async () => {
  const now = { container: web, numbers: idle, available: true };
  const view = {
    engine: { type: "lxc" },
    available: () => now.available,
    containers: () => [now.container],
  };
  const options = {
    sessions: { authenticate: () => ({ name: "admin", role: "admin" }) },
    inventory: { view: (type: string) => (type === "lxc" ? view : undefined) } as unknown as Inventory,
    numbers: { get: () => now.numbers, watch: () => undefined, close: () => undefined },
  } as unknown as ContainerListOptions;
  const { list } = createContainerList(options);
  const look = async () => (await list({ address: "", sid: undefined }))[0];

  const first = await look();
  assert.equal(await look(), first, "the same object");
  assert.ok(Object.isFrozen(first));
  const changes: Partial<typeof now>[] = [
    { numbers: { ...idle, cpu: 50 } },
    { available: false },
    { available: true },
    { container: { ...web, state: "stopped", pid: 0 } },
  ];
  const seen = [];
  for (const change of changes) {
    Object.assign(now, change);
    seen.push(await look());
  }
  assert.deepEqual(
    seen.map((info) => [info?.cpu, info?.unavailable, info?.state]),
    [
      [50, undefined, "running"],
      [50, true, "running"],
      [50, undefined, "running"],
      [undefined, undefined, "stopped"],
    ],
  );
});
