import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startDockerProxy, type DockerProxy } from "../support/docker-proxy.ts";
import { testEngines } from "../support/engines.ts";
import { startStation, type TestStation } from "../support/station.ts";

/** Requests between the first answer of /healthz and the engines' first list. */

let proxy: DockerProxy;
let station: TestStation;
/** Docker does not answer with a list before this. */
let listed = Promise.resolve();
before(async () => {
  proxy = await startDockerProxy(join(testEngines().folder, "first-requests.sock"), ({ when, path }) =>
    when === "before" && path.includes("/containers/json") ? listed : undefined,
  );
  station = await startStation({ docker: proxy.address, flags: ["--heavy", "0", "--quick", "0"] });
});
after(async () => {
  await station.close();
  await proxy.close();
});

const create = { type: "docker", repository: "dockerhub", image: "busybox", tag: "latest", name: "first-requests" };

/** Starts the station again with a Docker that does not list; resolves when it answers /healthz. */
async function startUnlisted(): Promise<{ release: () => void; started: Promise<void> }> {
  await station.stop();
  const gate = Promise.withResolvers<void>();
  listed = gate.promise;
  const started = station.start();
  for (;;) {
    const answer = await fetch(`${station.url}/healthz`).catch(() => undefined);
    const { engines } = ((await answer?.json()) ?? {}) as { engines?: unknown };
    if (engines) {
      assert.deepEqual(engines, [{ type: "docker", available: false }]);
      return { release: gate.resolve, started };
    }
    await sleep(10);
  }
}

test("a request that needs an engine waits for its first list", async () => {
  const { release, started } = await startUnlisted();
  const { client } = station;
  let answered = 0;
  const asked = [
    client.send("POST", "/background/create", create),
    client.send("GET", "/container/docker/none-such"),
    client.send("GET", "/container/none-such"),
    client.send("GET", "/container"),
    client.send("GET", "/system"),
  ].map(async (answer) => {
    const { status } = await answer;
    answered++;
    return status;
  });
  assert.equal((await client.send("GET", "/background")).status, 200, "what needs no engine is answered at once");
  assert.equal((await fetch(`${station.url}/api/v1/container`)).status, 401, "and who has no session");
  assert.equal(answered, 0);
  release();
  assert.deepEqual(await Promise.all(asked), [200, 404, 404, 200, 200]);
  await started;
});

test("after some seconds an engine that does not list is away", async () => {
  const { release, started } = await startUnlisted();
  const { status, body } = await station.client.send("POST", "/background/create", { ...create, name: "first-late" });
  assert.equal(status, 503);
  assert.match(JSON.stringify(body), /docker does not answer/);
  release();
  await started;
});
