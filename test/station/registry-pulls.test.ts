import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import { hasImage, removeImage } from "../support/docker-cli.ts";
import { testEngines } from "../support/engines.ts";
import { mine, registryWorld } from "./registry-world.ts";

/** Pulls from a registry of one's own. */
const { registryAuth, registryLogin } = testEngines();
const { station, save, refused, pull, watch } = registryWorld();

test("a pull by the registry's name, with the right password and the wrong one, also after a restart and a rename", async () => {
  const reference = `${registryAuth}/private/app:1`;
  // Another file may have left it.
  if (await hasImage(reference)) await removeImage(reference);
  await save("add", { ...mine, username: "test", password: "wrong" });
  const denied = await pull();
  assert.equal(denied.result, 1);
  assert.match(String(denied.error), new RegExp(`The registry ${registryAuth} refused access to ${reference}`));
  assert.equal(await hasImage(reference), false);

  await save("edit", { ...mine, ...registryLogin });
  assert.equal((await pull()).error, undefined);
  assert.equal(await hasImage(reference), true);
  await removeImage(reference);
  await save("edit", { ...mine, oldname: "mine", name: "renamed" });
  await station().stop();
  await station().start();
  assert.equal((await pull({ registry_name: "renamed" })).error, undefined, "kept, though not sent again");
  await removeImage(reference);

  await save("edit", { ...mine, name: "renamed", username: "" });
  const open = String((await pull({ registry_name: "renamed" })).error);
  assert.match(open, /refused access/, "an empty username takes the login away");
});

test("a host that Docker would take for a name on Docker Hub is asked itself", async () => {
  await save("add", { ...mine, url: "http://localhost:5001", ...registryLogin });
  assert.equal((await pull()).error, undefined);
  await removeImage("localhost:5001/private/app:1");
  const asked: string[] = [];
  watch(({ when, path }) => void (when === "before" && path.includes("/images/create") && asked.push(path)));
  await save("edit", { ...mine, url: "http://intranet", ...registryLogin });
  assert.match(String((await pull()).error), /registry intranet:80/);
  const name = new URL(asked[0] ?? "", "http://docker").searchParams.get("fromImage");
  assert.equal(name, "intranet:80/private/app");
});

test("what the list shows of a password, sent back, leaves it as it is", async () => {
  await save("add", { ...mine, ...registryLogin });
  for (const fields of [{ password: "********" }, { password: "" }, {}, { username: "test", password: "********" }]) {
    await save("edit", { ...mine, ...fields });
    assert.equal((await pull()).error, undefined, JSON.stringify(fields));
    await removeImage(`${registryAuth}/private/app:1`);
  }
  const before = await save("edit", mine);
  const other = { username: "other" };
  const elsewhere = { url: "https://registry.example.com" };
  for (const change of [other, elsewhere, { ...other, ...elsewhere }, { url: mine.url.replace("http:", "https:") }]) {
    for (const password of [{ password: "********" }, { password: "" }, {}]) {
      const [status, message] = await refused("POST", "/registry", { method: "edit", ...mine, ...change, ...password });
      assert.deepEqual([status, message.split(" ")[0]], [400, "password"], JSON.stringify({ ...change, ...password }));
    }
  }
  assert.deepEqual(await station().client.ok("GET", "/registry"), before, "nothing was changed");
  assert.equal((await pull()).error, undefined);
  await removeImage(`${registryAuth}/private/app:1`);

  const cleared = await save("edit", { ...mine, ...elsewhere, username: "", password: "********" });
  assert.deepEqual([cleared.registries[1]?.username, cleared.registries[1]?.metadata], ["", ""]);
  for (const login of [
    { username: "test", password: "********" },
    { username: "", password: "secret" },
  ]) {
    for (const request of [
      { method: "edit", ...mine },
      { method: "add", ...mine, name: "first" },
    ]) {
      const [status, message] = await refused("POST", "/registry", { ...request, ...login });
      assert.deepEqual([status, message.split(" ")[0]], [400, "password"]);
    }
  }
});

test("a pull from what is no registry tells of its status and of nothing that it sent", async (context) => {
  let head = "HTTP/1.1 404 Not Found\r\n";
  let body = "";
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", () =>
      socket.end(`${head}content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`),
    );
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  await save("add", { ...mine, url: `http://127.0.0.1:${port}` });
  const marker = "S3CR3T-BODY";
  for (const [status, content] of [
    ["404 Not Found", `<html>${marker}</html>`],
    ["403 Forbidden", `{"token":"${marker}"}`],
    ["500 Server Error", marker],
    [`500 ${marker}`, ""],
    ["200 OK", marker],
    ["200 OK", `{"schemaVersion":2,"mediaType":"${marker}"}`],
    ["404 Not Found", `{"errors":[{"code":"UNKNOWN","message":"said by the registry","detail":"${marker}"}]}`],
  ] as const) {
    head = `HTTP/1.1 ${status}\r\n`;
    body = content;
    const { state, error = "" } = await pull();
    assert.equal(state, "error");
    assert.equal(error.includes(marker), false, error);
    assert.doesNotMatch(error, /[\n<>{}]/);
    if (status.startsWith("404")) assert.match(error, content.startsWith("<") ? /HTTP 404/ : /said by the registry/);
  }
  head = `SSH-2.0-${marker}\r\n`;
  const { error = "" } = await pull();
  assert.equal(error.includes(marker), false, error);
});
