import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { routeTable } from "../../src/api/routes.ts";
import { removeContainers } from "../support/docker-cli.ts";
import { startStation, type TestStation } from "../support/station.ts";

const marker = "S3CR3T-MARKER";
let station: TestStation;
before(async () => {
  // Its password is one as well, and an address can hold a login.
  const env = { GANTRY_IMAGE_SERVER: `https://user:${marker}@images.example.org` };
  station = await startStation({ env });
});
after(async () => {
  await station.close();
  await removeContainers("rep-");
});

async function report(): Promise<{ response: Response; files: Map<string, string> }> {
  const response = await fetch(`${station.url}/api/v1/system/report`, { headers: { cookie: station.client.cookie() } });
  const zip = join(station.folder, "report.zip");
  writeFileSync(zip, Buffer.from(await response.arrayBuffer()));
  const names = execFileSync("unzip", ["-Z1", zip], { encoding: "utf8" }).trim().split("\n");
  const files = names.map((name): [string, string] => [
    name,
    execFileSync("unzip", ["-p", zip, name], { encoding: "utf8", maxBuffer: 64 << 20 }),
  ]);
  return { response, files: new Map(files) };
}

test("the report is a zip of versions, configuration, engines, tasks and log, and no secret is in it", async () => {
  const registry = { method: "add", name: "marked", url: "http://127.0.0.1:5001", enableTrustCert: true };
  await station.client.ok("POST", "/registry", { ...registry, username: "test", password: marker });
  // It fails, and the engine's error repeats what it could not run.
  const request = { type: "docker", repository: "dockerhub", name: "rep-a", image: "busybox", tag: "latest" };
  const failing = { ...request, environment: [`DB_PASSWORD=${marker}`], command: `/no/${marker}` };
  const task = await station.client.add("create", failing);
  const ended = await station.client.ended(task.id);
  assert.equal(ended.state, "error");
  assert.match(String(ended.error), /\[redacted\]/, "it is struck out of the task, too");
  const pull = { type: "docker", repository: "private", registry_name: "marked", image: "private/app", tag: marker };
  await station.client.ended((await station.client.add("image_download", pull)).id);
  // What fails is logged with its cause.
  await station.client.send("POST", "/login", `username=${marker}&password=${marker}`);

  const { response, files } = await report();
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "application/zip");
  assert.equal(response.headers.get("content-disposition"), 'attachment; filename="gantry-report.zip"');
  assert.equal(response.headers.get("cache-control"), "no-store");
  const names = ["versions.json", "system.json", "configuration.json", "engines.json", "tasks.json", "log.txt"];
  assert.deepEqual([...files.keys()], names);
  for (const [name, text] of files) assert.equal(text.includes(marker), false, name);
  const json = (name: string) => JSON.parse(files.get(name) ?? "") as Record<string, unknown>;
  assert.equal(json("versions.json")["qpkg"], "0.1.0");
  assert.equal(json("configuration.json")["dataDir"], station.dataDir);
  assert.equal("adminPassword" in json("configuration.json"), false);
  assert.equal(JSON.stringify(json("engines.json")).includes('"available":true'), true);
  const tasks = json("tasks.json") as unknown as { id: number; state: string; error: string; params?: string }[];
  const row = tasks.find(({ id }) => id === task.id);
  assert.equal(row?.state, "error");
  assert.match(row?.error ?? "", /\[redacted\]/);
  assert.equal(row?.params, undefined);
});

test("of the log the last 1,000 lines are in the report, as they were written", async () => {
  const { files } = await report();
  const lines = (files.get("log.txt") ?? "").trim().split("\n").filter(Boolean);
  const written = station.errors().trim().split("\n").filter(Boolean);
  assert.ok(lines.length <= 1000);
  for (const line of lines)
    assert.ok(written.some((one) => one.length >= 10 && (one === line || line.includes("[redacted]"))));
  assert.ok(readFileSync(join(station.dataDir, "gantry.db")).length > 0);
});

test("the OpenAPI document of a station that runs from its bundle has all routes", async () => {
  const answer = await fetch(`${station.url}/openapi.json`, { headers: { cookie: station.client.cookie() } });
  const { paths } = (await answer.json()) as { paths: Record<string, Record<string, unknown>> };
  const described = Object.values(paths).flatMap((methods) => Object.values(methods) as { operationId?: string }[]);
  const names = new Set(described.map(({ operationId }) => operationId));
  const missing = Object.keys(routeTable).filter((name) => !names.has(name));
  assert.deepEqual(missing, []);
});
