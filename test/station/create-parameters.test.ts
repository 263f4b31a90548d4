import assert from "node:assert/strict";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { CreateRequest } from "../../src/api/create.ts";
import type { Task } from "../../src/api/task.ts";
import { maskedJson } from "../../src/services/secrets/masking.ts";
import { statusField } from "../engines/kernel.ts";
import { startLan } from "../engines/lan-world.ts";
import { fieldsOf } from "../http/schema-fields.ts";
import { killDockerd, startDockerd } from "../support/dockerd.ts";
import { patiently } from "../support/patiently.ts";
import { dockerApi, removeContainers } from "../support/docker-cli.ts";
import { testEngines } from "../support/engines.ts";
import { freePort } from "../support/free-port.ts";
import { startStation } from "../support/station.ts";
import { networkRows } from "./parameters/network-rows.ts";
import { processRows } from "./parameters/process-rows.ts";
import { makeShares, resourceRows } from "./parameters/resource-rows.ts";
import { nothing, type Inspect, type Row } from "./parameters/row.ts";

/**
 * Every documented parameter of a create, sent to the station and read back from the kernel; only what the kernel cannot
 * know comes from Docker's inspect.
 */
const folder = mkdtempSync(join(tmpdir(), "parameters-"));
const lan = await startLan();
const station = await startStation({ flags: makeShares(folder) });
after(async () => {
  await station.close();
  await removeContainers("param-");
  await lan.close();
});
const ports = { tcp: await freePort(), udp: await freePort() };
const rows = [...processRows, ...networkRows(lan, ports), ...resourceRows(folder)];
const tasks = new Map<string, Task>();

const { registryAuth, registryLogin } = testEngines();
const registry = { name: "parameters", url: `http://${registryAuth}`, enableTrustCert: false, ...registryLogin };
await station.client.ok("POST", "/registry", { method: "add", ...registry });
// All at once: they wait for one another where they need to.
for (const row of rows) tasks.set(row.name, await station.client.add("create", bodyOf(row)));

function bodyOf({ name, body }: Row): Record<string, unknown> {
  return { ...nothing, name: `param-${name}`, ...body };
}

for (const row of rows) {
  test(`create: ${row.name} (${row.covers.join(", ")})`, async () => {
    const accepted = tasks.get(row.name) as Task;
    const shown = maskedJson(JSON.stringify(bodyOf(row)), { inspects: true });
    assert.deepEqual(accepted.params, shown, "as sent, but for what may be a secret");
    const task = await station.client.ended(accepted.id);
    assert.equal(task.error, undefined);
    const inspect = await dockerApi<Inspect>("GET", `/containers/param-${row.name}/json`);
    assert.ok(inspect.State.Running);
    await row.check({ pid: inspect.State.Pid, inspect, task });
  });
}

const restarts: Record<string, () => Promise<void>> = {
  "of the containers": async () => {
    for (const { name } of rows) await dockerApi("POST", `/containers/param-${name}/restart?t=0`);
  },
  "of Docker": async () => {
    await killDockerd();
    await startDockerd();
  },
  "of the station": async () => {
    await station.kill();
    await station.start();
  },
};

for (const [what, restart] of Object.entries(restarts)) {
  test(`every parameter after a restart ${what}`, async () => {
    await restart();
    for (const row of rows) {
      const task = tasks.get(row.name) as Task;
      const look = async (): Promise<void> => {
        const inspect = await dockerApi<Inspect>("GET", `/containers/param-${row.name}/json`);
        await row.check({ pid: inspect.State.Pid, inspect, task: { ...task, params: bodyOf(row) } });
      };
      await patiently(row.name, look);
    }
  });
}

test("create: privileged", async () => {
  const all = (1n << BigInt(Number(readFileSync("/proc/sys/kernel/cap_last_cap", "utf8")) + 1)) - 1n;
  const complete = BigInt(`0x${statusField(process.pid, "CapBnd")}`) === all;
  const added = await station.client.add("create", { ...nothing, name: "param-privileged", privileged: true });
  const task = await station.client.ended(added.id);
  if (complete) {
    const { State } = await dockerApi<Inspect>("GET", "/containers/param-privileged/json");
    assert.equal(BigInt(`0x${statusField(State.Pid, "CapEff")}`), all);
    return;
  }
  // A machine without every capability cannot give them: Docker then says so, and the container is taken away again.
  assert.match(String(task.error), /caps/);
  const left = await dockerApi<{ message?: string }>("GET", "/containers/param-privileged/json");
  assert.match(String(left.message), /No such container/);
});

test("every parameter of the API has a row", (context) => {
  const parameters = fieldsOf(CreateRequest as object)
    .filter(({ name, schema }) => !name.endsWith("[0]") && schema.properties === undefined)
    .map(({ name }) => name);
  // Refused for docker: `test/services/image-reference.test.ts`.
  const covered = new Set([...rows.flatMap(({ covers }) => covers), "privileged", "fingerprint"]);
  context.diagnostic(`${parameters.filter((name) => covered.has(name)).length} of ${parameters.length} parameters`);
  assert.deepEqual(
    parameters.filter((name) => !covered.has(name)),
    [],
  );
  assert.deepEqual(
    [...covered].filter((name) => !parameters.includes(name)),
    [],
    "no row for what is no parameter",
  );
});
