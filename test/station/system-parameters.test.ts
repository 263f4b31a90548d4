import assert from "node:assert/strict";
import { chmodSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { CreateRequest } from "../../src/api/create.ts";
import type { Task } from "../../src/api/task.ts";
import { run } from "../engines/commands.ts";
import { startLan } from "../engines/lan-world.ts";
import { fieldsOf } from "../http/schema-fields.ts";
import { killLxd, runLxd } from "../support/lxd.ts";
import { patiently } from "../support/patiently.ts";
import { startSystemWorld, systemTypes, type SystemType } from "../support/system-station.ts";
import { makeShares } from "./parameters/resource-rows.ts";
import { systemRows, type SystemRow } from "./parameters/system-rows.ts";

/**
 * Every documented parameter of a create in LXC and in LXD, sent to the station and read back from the kernel: when it is
 * made, after a restart of the container, of its engine, and of the station. What an engine cannot do is refused by name.
 */
const folder = mkdtempSync(join(tmpdir(), "system-parameters-"));
chmodSync(folder, 0o711);
const lan = await startLan();
const world = await startSystemWorld({ flags: makeShares(folder) });
const { station } = world;
after(async () => {
  await world.close();
  await lan.close();
});

interface Made {
  row: SystemRow;
  type: SystemType;
  name: string;
  task: Task;
}

const nothing = {
  lxc: { type: "lxc", repository: "qnap", image: "ubuntu-bionic", tag: "latest" },
  lxd: { type: "lxd", repository: "lxd", image: "ubuntu", tag: "bionic" },
} as const;

/** What an engine has not; each is refused naming the field, and nothing is made. */
const refusals: readonly [field: string, body: Record<string, unknown>, only?: SystemType][] = [
  ["entrypoint", { entrypoint: "sh" }],
  ["command", { command: ["sh"] }],
  ["user", { user: "nobody" }],
  ["working_dir", { working_dir: "/tmp" }],
  ["environment", { environment: ["A=1"] }],
  ["links", { links: { other: "alias" } }],
  ["registry_name", { registry_name: "mine" }],
  ["network.dns", { network: { dns: ["192.0.2.53"] } }],
  ["network.expose_port", { network: { expose_port: [80] } }],
  ["network.mode", { network: { mode: "host" } }],
  ["volume.container", { volume: { container: ["other"] } }],
  ["volume.new", { volume: { new: ["/data"] } }],
  ["repository", { repository: "dockerhub" }],
  ["fingerprint", { fingerprint: "0123456789ab" }, "lxc"],
  ["name", { name: "under_score" }, "lxd"],
];

const made: Made[] = [];
// One image at first, so that the others find it there.
for (const row of systemRows(lan, folder)) {
  for (const type of systemTypes) {
    if (row.only && row.only !== type) continue;
    const name = `p-${row.name}-${type}`;
    const task = await station.client.add("create", { ...nothing[type], name, ...addressOf(row, type) });
    made.push({ row, type, name, task });
    if (row.name === "nothing") await station.client.ended(task.id, 60_000);
  }
}

/** Two containers cannot have one address, and not one MAC either. */
function addressOf({ body }: SystemRow, type: SystemType): Record<string, unknown> {
  const network = structuredClone(body["network"]) as { bridge?: { ip?: string }; mac_addr?: string } | undefined;
  if (type === "lxc" || !network) return body;
  if (network.bridge?.ip) network.bridge.ip = network.bridge.ip.replace(/1$/, "2");
  if (network.mac_addr) network.mac_addr = network.mac_addr.replace(/99$/, "98");
  return { ...body, network };
}

async function checkAll(): Promise<void> {
  for (const { row, type, name } of made) {
    await patiently(`${row.name} in ${type}`, async () => {
      const pid = await world.pid(type, name);
      assert.ok(pid > 0, `${name} does not run`);
      await row.check({ type, name, pid, world });
    });
  }
}

test("every parameter, when it is made", async () => {
  for (const { row, type, task } of made) {
    const ended = await station.client.ended(task.id, 120_000);
    assert.equal(ended.error, undefined, `${row.name} in ${type}`);
  }
  await checkAll();
});

test("every parameter, after a restart of the container", async () => {
  for (const { type, name } of made) await world.restart(type, name);
  await checkAll();
});

test("every parameter, after a crash of the engine", async () => {
  await killLxd();
  await runLxd();
  // LXC has no engine but a monitor for each container, which takes it along.
  for (const { type, name } of made) {
    if (type !== "lxc") continue;
    await world.killMonitor(name);
    await world.startLxc(name);
  }
  await checkAll();
});

test("every parameter, after a crash of the station", async () => {
  await station.kill();
  await station.start();
  await checkAll();
});

test("autostart: what starts when the host boots", async () => {
  const [wanted, unwanted] = ["p-autostart-lxc", "p-no-autostart-lxc"] as const;
  for (const name of [wanted, unwanted]) await run("lxc-stop", "-P", world.lxc.path, "-k", "-n", name);
  // As LXC's own service does at boot.
  await run("lxc-autostart", "-P", world.lxc.path, "-g", "onboot,");
  assert.ok((await world.pid("lxc", wanted)) > 0);
  assert.equal(await world.pid("lxc", unwanted), 0);
});

test("an LXD image by its fingerprint", async () => {
  const [image] = await world.lxd.get<{ fingerprint: string }[]>("/1.0/images?recursion=1");
  const fingerprint = image?.fingerprint.slice(0, 12);
  const task = await station.client.add("create", { ...nothing.lxd, name: "p-print", image: "anything", fingerprint });
  assert.equal((await station.client.ended(task.id)).error, undefined);
  assert.ok((await world.pid("lxd", "p-print")) > 0);
});

for (const type of systemTypes) {
  test(`what ${type} cannot do is refused by its name, and makes nothing`, async (context) => {
    const before = { names: await world.names(type), tasks: (await station.client.tasks()).length };
    let refused = 0;
    for (const [field, body, only] of refusals) {
      if (only && only !== type) continue;
      const answer = await station.client.send("POST", "/background/create", {
        ...nothing[type],
        name: "refused",
        ...body,
      });
      assert.equal(answer.status, 400, `${field}: ${JSON.stringify(answer.body)}`);
      const { error } = answer.body as { error: { message: string } };
      assert.ok(error.message.startsWith(`${field} `), error.message);
      refused++;
    }
    assert.deepEqual({ names: await world.names(type), tasks: (await station.client.tasks()).length }, before);
    context.diagnostic(`${refused} refused`);
  });

  test(`every parameter of the API has a row for ${type}, or is refused`, (context) => {
    const parameters = fieldsOf(CreateRequest as object)
      .filter(({ name, schema }) => !name.endsWith("[0]") && schema.properties === undefined)
      .map(({ name }) => name);
    const covered = new Set(made.filter((one) => one.type === type).flatMap(({ row }) => row.covers));
    // Ports have a test of their own, and so has the fingerprint.
    covered.add("network.port");
    if (type === "lxd") covered.add("fingerprint");
    const refused = new Set(refusals.flatMap(([field, , only]) => (only && only !== type ? [] : field)));
    context.diagnostic(
      `${parameters.filter((name) => covered.has(name)).length} carried out, ${parameters.filter((name) => !covered.has(name) && refused.has(name)).length} refused, of ${parameters.length}`,
    );
    assert.deepEqual(
      parameters.filter((name) => !covered.has(name) && !refused.has(name)),
      [],
    );
  });
}
