import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { removeContainers, dockerApi } from "../support/docker-cli.ts";
import { filesWith } from "../support/station-data.ts";
import { openWorld, type World } from "./sender.ts";

let world: World;
before(async () => {
  world = await openWorld();
});
after(async () => {
  await removeContainers("secret-");
  await world.station.close();
});

const base = { type: "docker", repository: "dockerhub", image: "busybox", tag: "latest" };

test("SC-02: environment variables named like secrets are masked in tasks, for their owner too, and reach the container", async () => {
  const operator = await world.user("sc02", "operator");
  const environment = [
    "DB_PASSWORD=one",
    "API_TOKEN=two",
    "client_secret=three=3",
    "SSH_KEY=four",
    "LANG=C",
    "KEYBOARD=",
    "PATH=/bin",
  ];
  const answer = await world.send("POST", "/background/create", {
    sid: operator,
    body: { ...base, name: "secret-env", environment, command: "sleep 60" },
  });
  assert.equal(answer.status, 200, answer.text);
  const { id } = answer.json as { id: number };
  await world.station.client.ended(id);
  const masked = [
    "DB_PASSWORD=********",
    "API_TOKEN=********",
    "client_secret=********",
    "SSH_KEY=********",
    "LANG=C",
    "KEYBOARD=********",
    "PATH=/bin",
  ];
  const shown = [answer.json];
  for (const sid of [operator, world.admin]) {
    for (const query of ["", "?category=create", "?limit=5"]) {
      const { json } = await world.send("GET", `/background${query}`, { sid });
      shown.push((json as { id: number }[]).find((task) => task.id === id));
    }
  }
  for (const task of shown) assert.deepEqual(task.params.environment, masked);
  const inspected = await dockerApi<{ Config: { Env: string[] } }>("GET", "/containers/secret-env/json");
  for (const variable of environment) assert.ok(inspected.Config.Env.includes(variable), variable);
});

test("SC-01: a registry's password is in no answer, log, file or command line, while it is used", async () => {
  const marker = "S3CR3T-MARKER-7f1";
  const registry = {
    method: "add",
    name: "marked",
    url: "http://127.0.0.1:5001",
    enableTrustCert: false,
    username: "test",
    password: marker,
  };
  await world.station.client.ok("POST", "/registry", registry);
  const body = { type: "docker", repository: "private", registry_name: "marked", image: "private/app", tag: "1" };
  const { id } = (await world.send("POST", "/background/image_download", { sid: world.admin, body })).json as {
    id: number;
  };
  const seen = execFileSync("ps", ["-eo", "args"]).toString();
  const ended = await world.station.client.ended(id);
  assert.equal(ended.state, "error", "a wrong password");
  const texts = [seen, world.station.errors(), JSON.stringify(ended)];
  for (const path of ["/background", "/registry", "/log?limit=9999", "/users", "/healthz", "/openapi.json"])
    texts.push((await world.send("GET", path, { sid: world.admin })).text);
  for (const text of texts) assert.equal(text.includes(marker), false);
  assert.deepEqual(filesWith(world.station.folder, marker), []);
});

test("SC-03: a registry that says back what login it got does not bring it into the task's error", async () => {
  let seen = "";
  const registry = createServer((request, response) => {
    seen ||= request.headers.authorization ?? "";
    response.writeHead(request.headers.authorization ? 403 : 401, {
      "content-type": "application/json",
      "www-authenticate": 'Basic realm="echo"',
    });
    const message = `denied for ${request.headers.authorization ?? "nobody"}, that is MARKER-echo`;
    response.end(JSON.stringify({ errors: [{ code: "DENIED", message }] }));
  }).listen(0, "127.0.0.1");
  await once(registry, "listening");
  try {
    const { port } = registry.address() as AddressInfo;
    const echo = { method: "add", name: "echo", url: `http://127.0.0.1:${port}`, enableTrustCert: false };
    await world.station.client.ok("POST", "/registry", { ...echo, username: "u", password: "MARKER-echo" });
    const body = { type: "docker", repository: "private", registry_name: "echo", image: "a/b", tag: "1" };
    const { id } = await world.station.client.add("image_download", body);
    const { state, error } = await world.station.client.ended(id);
    assert.equal(state, "error");
    const pair = Buffer.from("u:MARKER-echo").toString("base64");
    assert.equal(seen, `Basic ${pair}`, "the registry got the login");
    assert.match(String(error), /denied for Basic \*{8}/);
    for (const secret of [pair, "MARKER-echo"]) {
      assert.equal(String(error).includes(secret), false, String(error));
      assert.equal(world.station.errors().includes(secret), false);
    }
  } finally {
    registry.close();
  }
});
