import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test, type TestContext } from "node:test";

import { createDockerEngine } from "../../src/engines/docker/docker.ts";
import { createDockerHttp, parseAddress } from "../../src/engines/docker/client/http.ts";
import type { AppError } from "../../src/errors.ts";
import { testEngines } from "../support/engines.ts";
import { promised } from "../support/promised.ts";
import { containerSpec, uniqueName } from "./container-spec.ts";
import { fails } from "./engine-checks.ts";

interface Version {
  ApiVersion: string;
  MinAPIVersion: string;
}

test("the API version is clamped to what the server speaks", async (t) => {
  const cases: [Version, string][] = [
    [{ ApiVersion: "1.41", MinAPIVersion: "1.12" }, "1.41"],
    [{ ApiVersion: "1.52", MinAPIVersion: "1.24" }, "1.41"],
    [{ ApiVersion: "1.55", MinAPIVersion: "1.44" }, "1.44"],
    [{ ApiVersion: "1.40", MinAPIVersion: "1.24" }, "1.40"],
  ];
  for (const [version, wanted] of cases) {
    const docker = createDockerHttp(await fakeDocker(t, () => version));
    assert.equal(await docker.version(), wanted);
  }
});

test("another server behind the same address is asked for its version", async (t) => {
  let version = { ApiVersion: "1.41", MinAPIVersion: "1.12" };
  const docker = createDockerHttp(await fakeDocker(t, () => version));
  assert.deepEqual(await docker.json({ path: "/containers/json" }), ["1.41"]);
  version = { ApiVersion: "1.55", MinAPIVersion: "1.44" };
  assert.deepEqual(await docker.json({ path: "/containers/json" }), ["1.44"]);
  assert.deepEqual(await docker.json({ method: "POST", path: "/x", body: {} }), ["1.44"]);
});

test("a read on a connection that the server cuts just then is made again; a write never uses one", async (t) => {
  // Answers once on each connection and cuts it when more is asked, as a server does whose idle time is over.
  const server = createServer((socket) => {
    let asked = 0;
    socket.on("error", () => undefined);
    socket.on("data", () =>
      ++asked > 1 ? socket.resetAndDestroy() : answer(socket, '{"ApiVersion":"1.41","MinAPIVersion":"1.12"}'),
    );
  });
  const docker = createDockerHttp(await listen(t, server));
  for (let i = 0; i < 4; i++) assert.ok(await docker.json({ path: "/info" }));
  for (let i = 0; i < 4; i++) assert.ok(await docker.json({ method: "POST", path: "/y", body: {} }));
});

test("an answer that is cut, or is no answer, is an unavailable engine", async (t) => {
  const cut = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      if (String(data).startsWith("GET /version")) answer(socket, "{}");
      else socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"Id":');
    });
  });
  const docker = createDockerHttp(await listen(t, cut));
  await fails(docker.json({ path: "/info" }), "engine_unavailable");
  await fails(docker.json({ method: "POST", path: "/containers/create", body: {} }), "engine_unavailable");
  await fails(
    createDockerHttp(`unix://${join(tmpdir(), uniqueName("absent"))}`).json({ path: "/info" }),
    "engine_unavailable",
  );
});

test("a server that does not answer is unavailable after 2 s; a signal ends the wait at once", async (t) => {
  const mute = createServer((socket) => socket.on("error", () => undefined));
  const engine = createDockerEngine({ address: await listen(t, mute) });
  const begun = performance.now();
  await fails(engine.info(), "engine_unavailable", /no answer in 2 s/);
  assert.ok(performance.now() - begun < promised.twoSeconds);
  await fails(engine.containers.list(AbortSignal.timeout(100)), "cancelled");
});

test("addresses", () => {
  assert.deepEqual(parseAddress("unix:///run/a.sock"), { socketPath: "/run/a.sock" });
  assert.deepEqual(parseAddress("tcp://10.0.0.1:2376"), { host: "10.0.0.1", port: 2376 });
  assert.deepEqual(parseAddress("tcp://[::1]:2375"), { host: "::1", port: 2375 });
  for (const wrong of ["", "/run/a.sock", "unix://a.sock", "ssh://host"])
    assert.throws(() => parseAddress(wrong), { code: "invalid" });
});

test("names cannot leave their place in the URL", async () => {
  const engine = createDockerEngine({ address: testEngines().docker });
  after(() => engine.close());
  for (const name of ["../info", "a/b", "x?all=1", "%2e%2e", "..%2f..%2finfo"]) {
    assert.equal(await engine.containers.getByName(name), undefined, name);
    await fails(engine.containers.start(name), "not_found");
    assert.equal(await engine.images.get(name), undefined, name);
    await fails(engine.images.remove(name), "not_found");
  }
});

test("what Docker refuses is told in its words, in one line", async () => {
  const engine = createDockerEngine({ address: testEngines().docker });
  after(() => engine.close());
  const image = "busybox:latest";
  await engine.images.pull(image, { signal: new AbortController().signal });
  const id = await engine.containers.create(containerSpec({ image, command: ["/absent"] }));
  await fails(
    engine.containers.start(id),
    "engine_failed",
    /^Docker: exec: "\/absent": stat \/absent: no such file or directory\.$/,
  );
  await engine.containers.remove(id);
  const link = containerSpec({ image, links: [{ container: "0".repeat(64), alias: "db" }] });
  await assert.rejects(engine.containers.create(link), /could not get container for 0000/i);
  await engine.containers.remove((await engine.containers.getByName(link.name))?.id ?? "");
});

test("a conflict names a container by its name, where Docker says its id", async () => {
  const engine = createDockerEngine({ address: testEngines().docker });
  after(() => engine.close());
  const image = "busybox:latest";
  await engine.images.pull(image, { signal: new AbortController().signal });
  const spec = containerSpec({ image, command: ["true"] });
  const id = await engine.containers.create(spec);
  const { signal } = new AbortController();
  for (const call of [
    () => engine.images.remove(image),
    () => engine.containers.exec(id, { command: ["true"], environment: [] }, signal),
  ]) {
    await assert.rejects(call(), (error: AppError) => {
      assert.equal(error.code, "conflict");
      assert.ok(error.message.includes(spec.name) && !error.message.includes(id.slice(0, 12)), error.message);
      return true;
    });
  }
  await engine.containers.remove(id);
});

/** Speaks versions as Docker does: refuses what is under its minimum, answers the version that it was asked in. */
async function fakeDocker(t: TestContext, version: () => Version): Promise<string> {
  const server = http.createServer((request, response) => {
    const asked = /^\/v(1\.\d+)\//.exec(request.url ?? "")?.[1];
    const old = asked !== undefined && Number(asked.slice(2)) < Number(version().MinAPIVersion.slice(2));
    const message = `client version ${asked} is too old. Minimum supported API version is ${version().MinAPIVersion}`;
    response.writeHead(old ? 400 : 200, { "Content-Type": "application/json" });
    response.end(JSON.stringify(old ? { message } : asked ? [asked] : version()));
  });
  return listen(t, server);
}

async function listen(t: TestContext, server: Server): Promise<string> {
  server.listen({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function answer(socket: Socket, body: string): void {
  socket.write(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
}
