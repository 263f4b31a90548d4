import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test, type TestContext } from "node:test";
import type { EngineType } from "../../../src/engines/engine.ts";
import { until } from "../../support/daemon.ts";
import { checkFields } from "./field-checks.ts";
import { engineTypes, requests, startLifeWorld, type LifeWorld, type Shown } from "./worlds.ts";

/**
 * Every documented answer to a verb of one container, against what the station answers for the documented request on a
 * real engine: all fields of the example are there, with the example's type.
 */
interface Example {
  kind: "request" | "response";
  label: string;
  text?: string;
  json?: unknown[];
}

interface Exception {
  endpoint: string;
  type: EngineType;
  path: string;
  reason: string;
}

const fixture = (name: string) =>
  JSON.parse(readFileSync(join(import.meta.dirname, "../../fixtures", name), "utf8")) as unknown;
const documented = fixture("life-examples.json") as { endpoint: string; examples: Example[] }[];
const exceptions = fixture("life-exceptions.json") as Exception[];
const used = new Set<Exception>();
const fields = { good: 0, all: 0 };
const seen = new Set<string>();
const faults: string[] = [];

let world: LifeWorld;
before(async () => {
  const share = mkdtempSync(join(tmpdir(), "share-"));
  chmodSync(share, 0o711);
  for (const folder of ["selenium", "spec"]) mkdirSync(join(share, folder));
  world = await startLifeWorld("DockerTest", { flags: ["--share", `test=${share}`] });
});
after(() => world.close());

/** Examples without a name of an engine are of LXC, as their paths say. */
function engineOf(label: string): EngineType {
  return /docker/i.test(label) ? "docker" : /lxd/i.test(label) ? "lxd" : "lxc";
}

function check(endpoint: string, type: EngineType, answer: unknown): void {
  const found = documented.find((entry) => entry.endpoint.replaceAll(/string: ?/g, "") === endpoint);
  assert.ok(found, `the documents have ${endpoint}`);
  for (const { kind, label, json = [] } of found.examples) {
    if (kind !== "response" || engineOf(label) !== type) continue;
    for (const example of json) {
      for (const { path, fault } of checkFields(example, answer)) {
        const exception = exceptions.find((one) => one.endpoint === endpoint && one.type === type && one.path === path);
        if (fault !== undefined && exception) used.add(exception);
        if (fault !== undefined && !exception) faults.push(`${endpoint} ${type}: ${path} ${fault}`);
        if (fault === undefined) fields.good++;
        if (fault === undefined || !exception) fields.all++;
      }
      // One without fields is one check.
      if (Object.keys(Object(example)).length === 0) [fields.all, fields.good] = [fields.all + 1, fields.good + 1];
    }
    seen.add(`${endpoint} ${label}`);
  }
}

/** The documented bodies of a request, in their order. */
function bodiesOf(type: EngineType): Record<string, unknown>[] {
  const { examples = [] } = documented.find(({ endpoint }) => endpoint === "POST /api/v1/container") ?? {};
  const { text = "" } = examples.find(({ kind, label }) => kind === "request" && engineOf(label) === type) ?? {};
  return [...text.matchAll(/-d \\\n\s*'(.*?)'/gs)].map(([, body]) => JSON.parse(body ?? "") as Record<string, unknown>);
}

const one = "/api/v1/container/(container_type)/(container_id)";

/** The documented container of Docker ends at once, but its answers are of one that runs. */
async function checkStates(type: EngineType, documentedPlace: string): Promise<void> {
  const { client } = world.station;
  const stays = type === "docker" ? await world.on("docker").create("DockerTestStays") : undefined;
  const at = stays ? `/container/docker/${stays.id}` : documentedPlace;
  for (const verb of ["stop", "start", "restart"]) {
    check(`PUT ${one}/${verb}`, type, await client.ok("PUT", `${at}/${verb}?${verb === "start" ? "" : "timeout=1"}`));
  }
}

for (const type of engineTypes) {
  test(`the documented answers of ${type}`, async () => {
    const { client } = world.station;
    const body = bodiesOf(type)[0] ?? { ...requests[type], name: "lxdTest" };
    // A container with all capabilities is not to be had on every machine that runs the tests.
    const { privileged: _, ...request } = body;
    const made = await client.ok<Shown>("POST", "/container", request);
    if (type !== "lxd") check("POST /api/v1/container", type, made);
    const at = `/container/${type}/${made.id}`;
    const settings = await client.ok("GET", `${at}/all`);
    check(`GET ${one}/all`, type, settings);
    for (const state of ["on", "off"]) {
      check(`PUT ${one}/autostart/(state)`, type, await client.ok("PUT", `${at}/autostart/${state}`));
    }
    const logs = () => client.ok<{ logs?: string }>("GET", `${at}/logs`);
    if (type === "docker") assert.ok(await until(async () => (await logs()).logs?.includes("root:") ?? false, 60_000));
    check(`GET ${one}/logs`, type, await logs());
    check(`GET ${one}/inspect`, type, await client.ok("GET", `${at}/inspect`));
    await checkStates(type, at);
    if (type === "docker") {
      const request = { repository: "aaa", tag: "v1", author: "jj", message: "hi" };
      const answer = await client.ok("POST", `${at}/commit`, request);
      check("POST /api/v1/container/docker/(container_id)/commit", type, answer);
    }
    check(`DELETE ${one}`, type, await client.ok("DELETE", `${at}?force=true`));
  });
}

test("all of them were looked at", (context: TestContext) => {
  const all = documented.flatMap(({ endpoint, examples }) =>
    examples
      .filter(({ kind }) => kind === "response")
      .map(({ label }) => `${endpoint.replaceAll(/string: ?/g, "")} ${label}`),
  );
  assert.deepEqual([...seen].toSorted(), all.toSorted());
  assert.deepEqual(
    exceptions.filter((exception) => !used.has(exception)),
    [],
    "an exception that is not needed",
  );
  assert.deepEqual(faults, []);
  context.diagnostic(
    `${seen.size} of ${all.length} documented answers, ${fields.good} of ${fields.all} fields; exceptions: ${used.size}`,
  );
  for (const { endpoint, type, path, reason } of used) context.diagnostic(`${endpoint} ${type}: ${path}: ${reason}`);
});
